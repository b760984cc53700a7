//! Tests of operations that are available only in Extended Quota Mode.

use std::time::Duration;

use chrono::{DateTime, Utc};
use spot_api::{AccessMode, Client, model::TrackId};
use spot_mock::{MockSpotify, Mode};

use crate::support;

/// Returns a server in Extended Quota Mode, and a client with that access mode.
async fn extended() -> (MockSpotify, Client) {
    let mock = MockSpotify::builder().mode(Mode::Extended).start().await.unwrap();
    let client = support::client(&mock).with_access_mode(AccessMode::Extended);
    (mock, client)
}

/// Returns the ids of `count` saved tracks.
async fn tracks(client: &Client, count: usize) -> Vec<TrackId> {
    let mut saved = client.library().tracks().stream();
    let mut ids = Vec::new();
    while ids.len() < count {
        ids.extend(saved.try_next().await.unwrap().unwrap().track.id);
    }
    ids
}

#[tokio::test]
async fn save_tracks_can_set_an_earlier_added_at_date() {
    let (mock, client) = extended().await;
    let track: TrackId = mock.world().unsaved_track.parse().unwrap();
    let long_ago: DateTime<Utc> = "2012-03-04T05:06:07Z".parse().unwrap();
    client.legacy().save_tracks([track]).added_at(long_ago).await.unwrap();
    assert_eq!(client.legacy().contains_tracks([track]).await.unwrap(), [true]);
    let mut saved = client.library().tracks().stream();
    let mut added_at = None;
    while let Some(saved) = saved.try_next().await.unwrap() {
        if saved.track.id == Some(track) {
            added_at = saved.added_at;
        }
    }
    assert_eq!(added_at, Some(long_ago));
}

#[tokio::test]
async fn legacy_playlist_operations_accept_lists_of_any_length() {
    let (_mock, client) = extended().await;
    let ids = tracks(&client, 230).await;
    let playlist =
        client.legacy().create_playlist_for("mockuser", "Old").await.unwrap().id.unwrap();
    client.legacy().replace_playlist_tracks(playlist, &ids).await.unwrap();
    let mut held = client.legacy().playlist_tracks(playlist).stream();
    let mut count = 0;
    while held.try_next().await.unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, 230);
    client.legacy().remove_playlist_tracks(playlist, &ids).await.unwrap();
    assert_eq!(client.legacy().playlist_tracks(playlist).await.unwrap().total, Some(0));
}

#[tokio::test]
async fn recommendations_send_tunable_attributes() {
    let (mock, client) = extended().await;
    let request = client
        .recommendations()
        .seed_tracks(["spotmockTrack000000001"])
        .min_tempo(90.5)
        .min_tempo(100.0)
        .max_duration(Duration::from_secs(240))
        .target_key(7)
        .limit(5);
    let recommended = request.await.unwrap();
    assert_eq!(recommended.tracks.len(), 5);
    assert_eq!(recommended.seeds.len(), 1);
    let asked = mock.requests();
    let query: Vec<_> = asked[0].query.split('&').collect();
    assert!(query.contains(&"min_tempo=100"), "{query:?}");
    assert!(!query.contains(&"min_tempo=90.5"), "{query:?}");
    assert!(query.contains(&"max_duration_ms=240000"), "{query:?}");
    assert!(query.contains(&"target_key=7"), "{query:?}");
}

#[tokio::test]
async fn featured_playlists_are_read_and_streamed_as_pages() {
    let (_mock, client) = extended().await;
    let featured = client.browse().featured_playlists().limit(2).await.unwrap();
    let total = featured.total.unwrap();
    let mut all = client.browse().featured_playlists().limit(2).stream();
    let mut count = 0;
    while all.try_next().await.unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, total);
    assert!(count > 2);
}
