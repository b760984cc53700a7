//! The same call in both access modes, and the operations that only one of them has.

use std::time::Duration;

use chrono::{DateTime, Utc};
use spot_api::{
    AccessMode, Client, ErrorKind, Market,
    model::{Track, TrackId},
};
use spot_mock::{MockSpotify, Mode};

use crate::story;

/// A server for applications of the given mode, and a client that knows of it.
async fn extended() -> (MockSpotify, Client) {
    let mock = MockSpotify::builder().mode(Mode::Extended).start().await.unwrap();
    let client = story::client(&mock).with_access_mode(AccessMode::Extended);
    (mock, client)
}

/// The ids of tracks the user saved, with one in the middle that names nothing.
async fn tracks(client: &Client, count: usize) -> Vec<TrackId> {
    // Nothing is to be under way when it is counted what is asked.
    let mut saved = client.library().tracks().items().prefetch(0);
    let mut ids = Vec::new();
    while ids.len() < count {
        ids.extend(saved.try_next().await.unwrap().unwrap().track.id);
    }
    ids[count / 2] = "0000000000000000000000".parse().unwrap();
    ids
}

#[tokio::test]
async fn reading_many_is_few_calls_in_extended_mode() {
    let (mock, client) = extended().await;
    let ids = tracks(&client, 120).await;
    mock.take_requests();
    let found = client.tracks(&ids).market("DE").await.unwrap();
    // Some tracks stand for others in this market; what was asked for is said then.
    let asked_for = |track: Track| track.linked_from.map_or(track.id, |linked| linked.id);
    let found: Vec<_> = found.into_iter().map(|track| track.and_then(asked_for)).collect();
    let expected: Vec<_> =
        ids.iter().enumerate().map(|(at, id)| (at != 60).then_some(*id)).collect();
    assert_eq!(found, expected);
    let asked = mock.take_requests();
    assert_eq!(asked.len(), 3);
    assert!(asked.iter().all(|request| request.path == "/v1/tracks"), "{asked:?}");
    assert!(asked.iter().all(|request| request.query.contains("market=DE")), "{asked:?}");
}

#[tokio::test]
async fn reading_many_is_a_call_each_in_development_mode() {
    let mock = MockSpotify::start().await.unwrap();
    let client = story::client(&mock);
    let ids = tracks(&client, 30).await;
    mock.take_requests();
    let found = client.tracks(&ids).market(Market::FROM_TOKEN).await.unwrap();
    let found: Vec<_> = found.into_iter().map(|track| track.and_then(|track| track.id)).collect();
    let expected: Vec<_> =
        ids.iter().enumerate().map(|(at, id)| (at != 15).then_some(*id)).collect();
    assert_eq!(found, expected);
    let asked = mock.take_requests();
    assert_eq!(asked.len(), 30);
    assert!(asked.iter().all(|request| request.query == "market=from_token"), "{asked:?}");
}

#[tokio::test]
async fn reading_nothing_is_no_call() {
    let (mock, client) = extended().await;
    assert_eq!(client.albums([] as [&str; 0]).await.unwrap(), []);
    let development = client.with_access_mode(AccessMode::Development);
    assert_eq!(development.albums([] as [&str; 0]).await.unwrap(), []);
    assert!(mock.requests().is_empty());
}

#[tokio::test]
async fn the_wrong_mode_is_told_what_to_use_instead() {
    let mock = MockSpotify::start().await.unwrap();
    let client = story::client(&mock).with_access_mode(AccessMode::Extended);
    let error = client.tracks(["spotmockTrack000000001"]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Restricted);
    assert!(error.to_string().contains("client.track(id)"), "{error}");
    let error = client.legacy().save_tracks(["spotmockTrack000000001"]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Restricted);
    assert!(error.to_string().contains("client.library().save("), "{error}");
}

#[tokio::test]
async fn tracks_may_count_as_saved_earlier() {
    let (mock, client) = extended().await;
    let track: TrackId = mock.world().unsaved_track.parse().unwrap();
    let long_ago: DateTime<Utc> = "2012-03-04T05:06:07Z".parse().unwrap();
    client.legacy().save_tracks([track]).added_at(long_ago).await.unwrap();
    assert_eq!(client.legacy().contains_tracks([track]).await.unwrap(), [true]);
    let mut saved = client.library().tracks().items();
    let mut added_at = None;
    while let Some(saved) = saved.try_next().await.unwrap() {
        if saved.track.id == Some(track) {
            added_at = saved.added_at;
        }
    }
    assert_eq!(added_at, Some(long_ago));
}

#[tokio::test]
async fn the_route_of_old_takes_any_number_as_well() {
    let (_mock, client) = extended().await;
    let ids = tracks(&client, 230).await;
    let uris: Vec<_> =
        ids.iter().enumerate().filter(|(at, _)| *at != 115).map(|(_, id)| id).collect();
    let playlist =
        client.legacy().create_playlist_for("mockuser", "Old").await.unwrap().id.unwrap();
    client.legacy().replace_playlist_tracks(playlist, uris.clone()).await.unwrap();
    let mut held = client.legacy().playlist_tracks(playlist).items();
    let mut count = 0;
    while held.try_next().await.unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, 229);
    client.legacy().remove_playlist_tracks(playlist, uris).await.unwrap();
    assert_eq!(client.legacy().playlist_tracks(playlist).await.unwrap().total, Some(0));
}

#[tokio::test]
async fn recommendations_take_attributes_by_their_names() {
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
async fn the_page_after_one_that_is_part_of_an_answer_is_found() {
    let (_mock, client) = extended().await;
    let first = client.browse().categories().limit(3).await.unwrap();
    let second = client.next_page(&first).await.unwrap().unwrap();
    assert_eq!((second.offset, second.items.len()), (3, 3));
    assert_eq!(client.previous_page(&second).await.unwrap().unwrap().items, first.items);
    let featured = client.browse().featured_playlists().limit(2).await.unwrap();
    assert!(featured.message.is_some());
    let more = client.next_page(&featured.playlists).await.unwrap().unwrap();
    assert_eq!(more.offset, 2);
    let mut all = client.browse().featured_playlists().limit(2).items();
    let mut count = 0;
    while all.try_next().await.unwrap().is_some() {
        count += 1;
    }
    assert!(count > 2, "{count}");
}
