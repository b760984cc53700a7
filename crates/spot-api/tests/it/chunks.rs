//! Lists that are longer than one call takes.

use spot_api::{ErrorKind, model::TrackId};
use spot_mock::{Fault, MockSpotify};

use crate::story;

/// Ids of tracks, as many as are wanted, in an order that shows.
async fn tracks(client: &spot_api::Client, count: usize) -> Vec<TrackId> {
    let mut saved = client.library().tracks().items();
    let mut ids = Vec::new();
    while ids.len() < count {
        let saved = saved.try_next().await.unwrap().unwrap();
        ids.extend(saved.track.id);
    }
    ids
}

fn uris(ids: &[TrackId]) -> Vec<String> {
    ids.iter().map(|id| format!("spotify:track:{id}")).collect()
}

async fn held(client: &spot_api::Client, id: spot_api::model::PlaylistId) -> Vec<TrackId> {
    let mut items = client.playlist(id).items().items();
    let mut ids = Vec::new();
    while let Some(item) = items.try_next().await.unwrap() {
        ids.extend(item.item.and_then(|item| item.as_track().and_then(|track| track.id)));
    }
    ids
}

#[tokio::test]
async fn adding_at_a_position_keeps_the_order_over_several_calls() {
    let mock = MockSpotify::start().await.unwrap();
    let client = story::client(&mock);
    let ids = tracks(&client, 252).await;
    let playlist = client.me().create_playlist("Chunks").await.unwrap().id.unwrap();
    client.playlist(playlist).add(uris(&ids[..2])).await.unwrap();
    mock.take_requests();
    let snapshot = client.playlist(playlist).add(uris(&ids[2..])).position(1).await.unwrap();
    assert!(snapshot.is_some());
    assert_eq!(mock.take_requests().len(), 3);
    let mut expected = vec![ids[0]];
    expected.extend(&ids[2..]);
    expected.push(ids[1]);
    assert_eq!(held(&client, playlist).await, expected);
}

#[tokio::test]
async fn replacing_and_removing_take_any_number() {
    let mock = MockSpotify::start().await.unwrap();
    let client = story::client(&mock);
    let ids = tracks(&client, 230).await;
    let playlist = client.me().create_playlist("Chunks").await.unwrap().id.unwrap();
    client.playlist(playlist).replace(uris(&ids)).await.unwrap();
    assert_eq!(held(&client, playlist).await, ids);
    client.playlist(playlist).remove(uris(&ids[..150])).await.unwrap();
    assert_eq!(held(&client, playlist).await, &ids[150..]);
    client.playlist(playlist).replace(Vec::<String>::new()).await.unwrap();
    assert!(held(&client, playlist).await.is_empty());
}

#[tokio::test]
async fn an_empty_list_is_no_request() {
    let mock = MockSpotify::start().await.unwrap();
    let client = story::client(&mock);
    let none = || Vec::<String>::new();
    assert_eq!(client.playlist("spotmockPlaylist000001").add(none()).await.unwrap(), None);
    assert_eq!(client.playlist("spotmockPlaylist000001").remove(none()).await.unwrap(), None);
    client.library().save(none()).await.unwrap();
    client.library().remove(none()).await.unwrap();
    assert!(client.library().contains(none()).await.unwrap().is_empty());
    assert!(mock.requests().is_empty());
}

#[tokio::test]
async fn the_library_takes_forty_at_a_time_and_answers_in_order() {
    let mock = MockSpotify::start().await.unwrap();
    let client = story::client(&mock);
    let ids = tracks(&client, 100).await;
    client.library().remove(uris(&ids[..50])).await.unwrap();
    mock.take_requests();
    let saved = client.library().contains(uris(&ids)).await.unwrap();
    assert_eq!(mock.take_requests().len(), 3);
    let expected: Vec<bool> = (0..100).map(|at| at >= 50).collect();
    assert_eq!(saved, expected);
    client.library().save(uris(&ids[..50])).await.unwrap();
    assert_eq!(mock.take_requests().len(), 2);
    assert!(client.library().contains(uris(&ids)).await.unwrap().into_iter().all(|saved| saved));
}

#[tokio::test]
async fn a_failure_half_way_says_how_much_was_done() {
    let mock = MockSpotify::start().await.unwrap();
    let client = story::client(&mock);
    let ids = tracks(&client, 120).await;
    client.library().remove(uris(&ids)).await.unwrap();
    // The second of three calls is refused.
    let refuse = || Fault::Status {
        status: 400,
        body: r#"{"error":{"status":400,"message":"No more"}}"#.into(),
        content_type: Some("application/json".into()),
        retry_after: None,
    };
    client.library().save(uris(&ids[..40])).await.unwrap();
    mock.fail_next(refuse());
    let error = client.library().save(uris(&ids[40..])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadRequest);
    assert_eq!(error.done(), Some(0));
    let saved = client.library().contains(uris(&ids)).await.unwrap();
    assert_eq!(saved.iter().filter(|saved| **saved).count(), 40);
}
