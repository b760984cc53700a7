//! Tests that a backup of a library can be loaded into a mock, and that the mock then returns the
//! same tracks.

use std::{fs, path::Path};

use spot_api::{AccessMode, Client, model::SavedTrack};
use spot_mock::{MockSpotify, Mode, custom::World};

use crate::support;

async fn start(world: Option<World>, mode: Mode) -> (MockSpotify, Client) {
    let mut builder = MockSpotify::builder().mode(mode);
    if let Some(world) = world {
        builder = builder.world(world);
    }
    let mock = builder.start().await.unwrap();
    let access =
        if mode == Mode::Extended { AccessMode::Extended } else { AccessMode::Development };
    let client = support::client(&mock).with_access_mode(access);
    (mock, client)
}

async fn library(client: &Client) -> Vec<SavedTrack> {
    let mut saved = client.library().tracks().stream();
    let mut tracks = Vec::new();
    while let Some(track) = saved.try_next().await.unwrap() {
        tracks.push(track);
    }
    tracks
}

/// Writes the file in the format of the example `library_backup`.
fn back_up(library: &[SavedTrack], file: &Path) {
    let line = |saved| serde_json::to_string(saved).unwrap() + "\n";
    fs::write(file, library.iter().map(line).collect::<String>()).unwrap();
}

#[tokio::test]
async fn a_backup_loaded_into_a_mock_restores_the_library() {
    for mode in [Mode::Development, Mode::Extended] {
        let (_mock, client) = start(None, mode).await;
        let before = library(&client).await;
        assert_eq!(before.len(), 2_345);
        let name = format!("spot-api-backup-{mode:?}-{}.jsonl", std::process::id());
        let file = std::env::temp_dir().join(name);
        back_up(&before, &file);
        let world = World::read_backup(&file).unwrap();
        fs::remove_file(&file).unwrap();

        let (_mock, client) = start(Some(world), mode).await;
        assert!(library(&client).await == before, "{mode:?}: the library is another one");
        let first = before[0].track.album.id.unwrap();
        let album = client.album(first).await.unwrap();
        assert_eq!(album.name, before[0].track.album.name);
        assert_eq!(Some(album.total_tracks), before[0].track.album.total_tracks);
    }
}
