//! Synchronizes a playlist with the most recently saved tracks, the newest first.
//!
//! `cargo run -p spot-sdk --example sync_playlist PLAYLIST`. Each later run writes only the
//! differences. The example changes only the given playlist. Without arguments and credentials, the
//! example creates a playlist in a `spot-mock`.
#![expect(clippy::print_stdout, reason = "the example prints its output to stdout")]

mod support;

use std::error::Error;

use spot::{
    Client,
    auth::Scope,
    model::{PlaylistId, TrackId},
};
use spot_mock::Mode;

/// Number of tracks in the playlist.
const TRACKS: usize = 60;

const SCOPES: [Scope; 5] = [
    Scope::UserLibraryRead,
    Scope::UserLibraryModify,
    Scope::PlaylistReadPrivate,
    Scope::PlaylistModifyPublic,
    Scope::PlaylistModifyPrivate,
];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let playlist = std::env::args().nth(1);
    let start = support::start(Mode::Development, SCOPES).await?;
    let client = start.client;
    let Some(mock) = start.mock else {
        let playlist = playlist
            .ok_or("pass one of your playlists as the argument; the example overwrites it")?;
        return Ok(sync(&client, playlist.parse()?).await?);
    };
    let made = client.me().create_playlist("Saved last").public(false).await?;
    let playlist = made.id.ok_or("the playlist has no id")?;
    sync(&client, playlist).await?;
    println!("\nAgain:");
    sync(&client, playlist).await?;

    println!("\nAfter another track was saved:");
    let version =
        client.playlist(playlist).await?.snapshot_id.ok_or("the playlist has no version")?;
    client.library().save([format!("spotify:track:{}", mock.world().unsaved_track)]).await?;
    sync(&client, playlist).await?;
    let changed = client.playlist(playlist).if_changed(version).await?;
    println!(
        "  the playlist has changed, and contains {} tracks",
        changed.map_or(0, |now| now.items.len())
    );

    println!("\nWithout the first and the third track:");
    let plan = client.playlist(playlist).remove_at([0, 2]).plan().await?;
    println!("  {plan}");
    plan.apply().await?;
    Ok(())
}

async fn sync(client: &Client, playlist: PlaylistId) -> Result<(), spot::Error> {
    let plan = client.playlist(playlist).sync(saved_last(client).await?).plan().await?;
    println!("  {plan}");
    plan.apply().await?;
    Ok(())
}

async fn saved_last(client: &Client) -> Result<Vec<TrackId>, spot::Error> {
    let mut saved = client.library().tracks().stream();
    let mut ids = Vec::new();
    while ids.len() < TRACKS
        && let Some(saved) = saved.try_next().await?
    {
        ids.extend(saved.track.id);
    }
    Ok(ids)
}
