//! Tests of streams of albums with all their tracks, and of playlists with all their items.

use std::time::Duration;

use spot_api::{
    AccessMode, Client, ErrorKind,
    model::{Album, AlbumGroup, Playlist},
};
use spot_mock::{Fault, MockSpotify, Mode, custom};

use crate::support;

/// Number of albums of the artist.
const ALBUMS: usize = 45;
/// Number of tracks of the third album: more than fit on one page.
const LONG_ALBUM: usize = 120;

fn world() -> custom::World {
    let mut world = custom::World::empty().artist(custom::Artist::new("Ada Quill"));
    for at in 0..ALBUMS {
        let tracks = if at == 2 { LONG_ALBUM } else { 3 };
        let mut album = custom::Album::new(album_name(at), "Ada Quill").id(album_id(at));
        for track in 0..tracks {
            album = album.track(custom::Track::new(track_name(at, track)));
        }
        world = world.album(album);
    }
    for (name, count) in [("Short", 3), ("Long", 2 * LONG_ALBUM)] {
        let mut playlist = custom::Playlist::new(name);
        for at in 0..count {
            playlist = playlist.item(track_name(2, at % LONG_ALBUM));
        }
        world = world.playlist(playlist);
    }
    world
}

fn album_name(at: usize) -> String {
    format!("Album {at}")
}

fn album_id(at: usize) -> String {
    format!("quillAlbum{at:012}")
}

fn track_name(album: usize, track: usize) -> String {
    format!("Track {album}.{track}")
}

async fn start(mode: Mode, access: AccessMode) -> (MockSpotify, Client) {
    let mock = MockSpotify::builder().mode(mode).world(world()).start().await.unwrap();
    let client = support::client(&mock).with_access_mode(access);
    (mock, client)
}

async fn collect(mut albums: spot_api::Whole<Album>) -> Vec<Album> {
    let mut all = Vec::new();
    while let Some(album) = albums.try_next().await.unwrap() {
        all.push(album);
    }
    all
}

/// Returns the operations that the mock received, and the number of calls of each.
fn calls(mock: &MockSpotify) -> Vec<(&'static str, usize)> {
    let mut calls: Vec<(&str, usize)> = Vec::new();
    for request in mock.take_requests() {
        let operation = request.operation.unwrap();
        match calls.iter_mut().find(|(name, _)| *name == operation) {
            Some((_, count)) => *count += 1,
            None => calls.push((operation, 1)),
        }
    }
    calls
}

#[tokio::test]
async fn with_tracks_sends_the_expected_requests_in_both_modes() {
    for (mode, access, expected) in [
        (
            Mode::Extended,
            AccessMode::Extended,
            [("get-an-artists-albums", 1), ("get-multiple-albums", 3), ("get-an-albums-tracks", 2)],
        ),
        (
            Mode::Development,
            AccessMode::Development,
            [("get-an-artists-albums", 5), ("get-an-album", 45), ("get-an-albums-tracks", 2)],
        ),
    ] {
        let (mock, client) = start(mode, access).await;
        let list = client.artist(artist(&client).await).albums().groups([AlbumGroup::Album]);
        let mut listed = list.clone().stream();
        let mut names = Vec::new();
        while let Some(album) = listed.try_next().await.unwrap() {
            names.push(album.name);
        }
        assert_eq!(names.len(), ALBUMS);
        mock.take_requests();

        let albums = collect(list.with_tracks()).await;

        let got: Vec<&str> = albums.iter().map(|album| album.name.as_str()).collect();
        assert_eq!(got, names, "the order of the list is kept");
        for album in &albums {
            let tracks: Vec<&str> =
                album.tracks.items.iter().map(|track| track.name.as_str()).collect();
            let at: usize = album.name.trim_start_matches("Album ").parse().unwrap();
            let count = if at == 2 { LONG_ALBUM } else { 3 };
            let expected: Vec<String> = (0..count).map(|track| track_name(at, track)).collect();
            assert_eq!(tracks, expected, "{}", album.name);
            assert!(album.tracks.is_last());
        }
        let mut calls = calls(&mock);
        calls.sort_by_key(|(name, _)| expected.iter().position(|(expected, _)| expected == name));
        assert_eq!(calls, expected);
    }
}

async fn artist(client: &Client) -> spot_api::model::ArtistId {
    client.album(album_id(0)).await.unwrap().artists[0].id.unwrap()
}

#[tokio::test]
async fn unknown_albums_are_skipped_and_listed_as_missing() {
    for (mode, access) in
        [(Mode::Extended, AccessMode::Extended), (Mode::Development, AccessMode::Development)]
    {
        let (_mock, client) = start(mode, access).await;
        let unknown = "quillAlbum999999999999";
        let ids = [album_id(4), unknown.to_owned(), album_id(1)];
        let mut albums = client.albums(ids).with_tracks();
        let mut names = Vec::new();
        while let Some(album) = albums.try_next().await.unwrap() {
            names.push(album.name);
        }
        assert_eq!(names, ["Album 4", "Album 1"]);
        let missing: Vec<String> = albums.missing().iter().map(ToString::to_string).collect();
        assert_eq!(missing, [format!("spotify:album:{unknown}")]);
        assert!(albums.try_next().await.unwrap().is_none());
    }
}

#[tokio::test]
async fn with_items_reads_all_items_of_each_playlist() {
    for (mode, access) in
        [(Mode::Extended, AccessMode::Extended), (Mode::Development, AccessMode::Development)]
    {
        let (mock, client) = start(mode, access).await;
        let mut playlists = client.me().playlists().with_items();
        let mut found: Vec<Playlist> = Vec::new();
        while let Some(playlist) = playlists.try_next().await.unwrap() {
            found.push(playlist);
        }
        let lengths: Vec<(&str, usize)> = found
            .iter()
            .map(|playlist| (playlist.name.as_str(), playlist.items.as_ref().unwrap().items.len()))
            .collect();
        assert_eq!(lengths, [("Short", 3), ("Long", 2 * LONG_ALBUM)]);
        let last = found[1].items.as_ref().unwrap().items.last().unwrap().item.as_ref().unwrap();
        assert_eq!(last.as_track().unwrap().name, track_name(2, LONG_ALBUM - 1));
        // The page inside the playlist has 100 items. The other pages have 50 items each.
        let expected = [
            ("get-a-list-of-current-users-playlists", 1),
            ("get-playlist", 2),
            ("get-playlists-items", 3),
        ];
        assert_eq!(calls(&mock), expected);
    }
}

#[tokio::test]
async fn playlists_of_others_have_no_items_in_development_mode() {
    let mock = MockSpotify::start().await.unwrap();
    let client = support::client(&mock);
    let mut playlists = client.me().playlists().with_items();
    let (mut mine, mut of_others) = (0, 0);
    while let Some(playlist) = playlists.try_next().await.unwrap() {
        match playlist.items {
            Some(items) => {
                assert_eq!(
                    items.total,
                    u32::try_from(items.items.len() + items.skipped.len()).ok()
                );
                mine += 1;
            }
            None => of_others += 1,
        }
    }
    assert!(mine > 20 && of_others > 10, "{mine} with items, {of_others} without");
}

#[tokio::test]
async fn a_failed_album_ends_the_stream_after_earlier_albums() {
    let (mock, client) = start(Mode::Development, AccessMode::Development).await;
    let mut albums = client.albums((0..10).map(album_id)).with_tracks().prefetch(1);
    assert_eq!(albums.try_next().await.unwrap().unwrap().name, "Album 0");
    mock.fail_next_on("get-an-album", Fault::status(403));
    let mut after = 0;
    let error = loop {
        match albums.next().await.unwrap() {
            Ok(_) => after += 1,
            Err(error) => break error,
        }
    };
    assert!(after <= 1, "one read runs ahead, not {after}");
    assert_eq!(error.status().unwrap(), 403);
    assert!(albums.next().await.is_none());

    let mut albums = client.albums(["not an id"]).with_tracks();
    assert_eq!(albums.try_next().await.unwrap_err().kind(), ErrorKind::BadRequest);
    assert!(albums.next().await.is_none());
}

#[tokio::test]
async fn a_dropped_stream_sends_no_more_requests() {
    let mock = MockSpotify::builder()
        .world(world())
        .latency(Duration::from_millis(20))
        .start()
        .await
        .unwrap();
    let client = support::client(&mock);
    // The list starts after the album whose tracks need more than one request.
    let mut albums = client.albums((3..ALBUMS).map(album_id)).with_tracks();
    albums.try_next().await.unwrap();
    drop(albums);
    client.album(album_id(0)).await.unwrap();
    // The stream sends the first read and up to eight prefetched reads. The test itself sends the
    // last request.
    let sent = mock.requests().len();
    assert!(sent <= 10, "{sent} requests");
}
