//! Tests of lists that are too long for one call.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use spot_api::{Client, ErrorKind, model::TrackId};
use spot_http::{AccessToken, Pipeline, Transport, TransportError};
use spot_mock::{Fault, MockSpotify};

use crate::support;

/// Returns `count` ids of saved tracks. The ids are in a recognizable order.
async fn tracks(client: &spot_api::Client, count: usize) -> Vec<TrackId> {
    let mut saved = client.library().tracks().stream();
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
    let mut items = client.playlist(id).items().stream();
    let mut ids = Vec::new();
    while let Some(item) = items.try_next().await.unwrap() {
        ids.extend(item.item.and_then(|item| item.as_track().and_then(|track| track.id)));
    }
    ids
}

#[tokio::test]
async fn adding_at_a_position_keeps_the_order_over_several_calls() {
    let mock = MockSpotify::start().await.unwrap();
    let client = support::client(&mock);
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
async fn replace_and_remove_accept_lists_of_any_length() {
    let mock = MockSpotify::start().await.unwrap();
    let client = support::client(&mock);
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
async fn replace_with_an_empty_list_removes_all_in_a_single_request() {
    let mock = MockSpotify::start().await.unwrap();
    let client = support::client(&mock);
    let playlist = client.me().create_playlist("Chunks").await.unwrap().id.unwrap();
    client.playlist(playlist).add(["spotify:track:spotmockTrack000000001"]).await.unwrap();
    mock.take_requests();
    let replace = client.playlist(playlist).replace(Vec::<String>::new());
    let requests = replace.clone().into_requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].body().unwrap().data, r#"{"uris":[]}"#);
    replace.await.unwrap();
    assert_eq!(mock.take_requests().len(), 1);
    assert!(held(&client, playlist).await.is_empty());
}

#[tokio::test]
async fn an_invalid_entry_prevents_replace_and_remove() {
    let mock = MockSpotify::start().await.unwrap();
    let client = support::client(&mock);
    let playlist = client.playlist("spotmockPlaylist000001");
    let wrong = ["spotify:track:spotmockTrack000000001", "spotify:banana:1"];
    let replace = playlist.replace(wrong);
    let requests = replace.clone().into_requests();
    assert_eq!(requests.len(), 1);
    assert!(requests[0].check().unwrap_err().to_string().contains("banana"));
    assert_eq!(replace.await.unwrap_err().kind(), ErrorKind::BadRequest);
    assert_eq!(playlist.remove(wrong).await.unwrap_err().kind(), ErrorKind::BadRequest);
    assert!(mock.requests().is_empty());
}

#[tokio::test]
async fn a_long_list_has_several_requests_and_responses() {
    let mock = MockSpotify::start().await.unwrap();
    let client = support::client(&mock);
    let ids = tracks(&client, 230).await;
    let playlist = client.me().create_playlist("Chunks").await.unwrap().id.unwrap();
    mock.take_requests();
    let add = client.playlist(playlist).add(uris(&ids)).position(0);
    let told = add.clone().into_requests();
    let answers = add.send().await.unwrap();
    assert_eq!((told.len(), answers.len(), mock.take_requests().len()), (3, 3, 3));
    assert!(answers.iter().all(|answer| answer.status() == 201 && answer.attempts() == 1));
    assert_eq!(held(&client, playlist).await, ids);
    let last = client.playlist(playlist).await.unwrap().snapshot_id;
    assert_eq!(answers.last().map(|answer| answer.body().clone()), last);
    // Each removal sends the snapshot that the previous removal returned. `into_requests` puts the
    // caller's snapshot into all requests.
    let snapshot = last.unwrap();
    let remove = client.playlist(playlist).remove(uris(&ids)).snapshot_id(&*snapshot.to_string());
    let told = remove.clone().into_requests();
    let has = |text: &str, at: usize| {
        let body = String::from_utf8(told[at].body().unwrap().data.to_vec()).unwrap();
        body.contains(text)
    };
    assert!((0..3).all(|at| has(&snapshot.to_string(), at)));
    assert_eq!(remove.send().await.unwrap().len(), 3);
    // Each request reads one entry. For an unknown id, `send` returns a response with the status
    // 404.
    let known = [ids[0].to_string(), "spotmockTrack099999999".to_owned()];
    let answers = client.tracks(&known).send().await.unwrap();
    let seen: Vec<_> =
        answers.iter().map(|answer| (answer.status(), answer.body()[0].is_some())).collect();
    assert_eq!(seen, [(200, true), (404, false)]);
    let saved = client.library().contains(uris(&ids[..50])).send().await.unwrap();
    assert_eq!(saved.iter().map(|answer| answer.body().len()).collect::<Vec<_>>(), [40, 10]);
}

#[tokio::test]
async fn an_empty_list_sends_no_request() {
    let mock = MockSpotify::start().await.unwrap();
    let client = support::client(&mock);
    let none = || Vec::<String>::new();
    assert_eq!(client.playlist("spotmockPlaylist000001").add(none()).await.unwrap(), None);
    assert_eq!(client.playlist("spotmockPlaylist000001").remove(none()).await.unwrap(), None);
    client.library().save(none()).await.unwrap();
    client.library().remove(none()).await.unwrap();
    assert!(client.library().contains(none()).await.unwrap().is_empty());
    assert!(mock.requests().is_empty());
}

#[tokio::test]
async fn library_calls_send_40_uris_each_and_keep_the_order() {
    let mock = MockSpotify::start().await.unwrap();
    let client = support::client(&mock);
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
async fn a_failed_request_reports_how_many_entries_succeeded() {
    let mock = MockSpotify::start().await.unwrap();
    let client = support::client(&mock);
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

/// Responds to every change of a playlist with a new snapshot, and records the bodies of the
/// requests.
#[derive(Clone, Debug, Default)]
struct Snapshots(Arc<Mutex<Vec<String>>>);

#[async_trait::async_trait]
impl Transport for Snapshots {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let mut bodies = self.0.lock().unwrap();
        bodies.push(String::from_utf8_lossy(request.body()).into_owned());
        let snapshot = format!(r#"{{"snapshot_id":"after-{}"}}"#, bodies.len());
        Ok(http::Response::new(Bytes::from(snapshot)))
    }
}

#[tokio::test]
async fn snapshot_id_is_sent_only_if_set_by_the_caller() {
    let ids: Vec<_> = (0..250).map(|at| format!("spotify:track:{at:022}")).collect();
    let sent = Snapshots::default();
    let pipeline = Pipeline::builder(AccessToken::new("token").unwrap()).transport(sent.clone());
    let client = Client::from(pipeline.build().unwrap());
    let playlist = client.playlist("spotmockPlaylist000001");
    playlist.remove(&ids).send().await.unwrap();
    let bodies = std::mem::take(&mut *sent.0.lock().unwrap());
    assert_eq!(bodies.len(), 3);
    assert!(bodies.iter().all(|body| !body.contains("snapshot_id")), "{bodies:?}");
    // If the caller gave a snapshot, each removal sends the snapshot that the previous removal
    // returned.
    playlist.remove(&ids).snapshot_id("mine").send().await.unwrap();
    let bodies = std::mem::take(&mut *sent.0.lock().unwrap());
    for (body, snapshot) in bodies.iter().zip(["mine", "after-1", "after-2"]) {
        assert!(body.contains(&format!(r#""snapshot_id":"{snapshot}""#)), "{body}");
    }
}
