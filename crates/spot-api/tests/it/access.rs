//! Tests of the two access modes, `Development` and `Extended`. The same SDK method can send
//! different requests in the two modes.

use spot_api::{AccessMode, ErrorKind};
use spot_mock::{MockSpotify, Mode};

use crate::support;

const IDS: [&str; 4] = [
    "spotmockTrack000000009",
    "spotmockTrack099999999",
    "spotify:track:spotmockTrack000000002",
    "https://open.spotify.com/track/spotmockTrack000000005",
];

#[tokio::test]
async fn several_tracks_keep_the_requested_order_in_both_modes() {
    for (mode, access, calls) in
        [(Mode::Development, AccessMode::Development, 4), (Mode::Extended, AccessMode::Extended, 1)]
    {
        let mock = MockSpotify::builder().mode(mode).start().await.unwrap();
        let client = support::client(&mock).with_access_mode(access);
        let tracks = client.tracks(IDS).await.unwrap();
        let ids: Vec<_> = tracks
            .iter()
            .map(|track| track.as_ref().and_then(|track| track.id).map(|id| id.to_string()))
            .collect();
        let expected = [
            Some("spotmockTrack000000009".to_owned()),
            None,
            Some("spotmockTrack000000002".to_owned()),
            Some("spotmockTrack000000005".to_owned()),
        ];
        assert_eq!(ids, expected, "{access:?}");
        assert_eq!(mock.requests().len(), calls, "{access:?}");
    }
}

#[tokio::test]
async fn more_than_50_ids_are_split_into_calls_in_extended_mode() {
    let mock = MockSpotify::builder().mode(Mode::Extended).start().await.unwrap();
    let client = support::client(&mock).with_access_mode(AccessMode::Extended);
    let ids: Vec<String> = (1..=120).map(|number| format!("spotmockTrack{number:09}")).collect();
    let tracks = client.tracks(&ids).await.unwrap();
    assert!(tracks.iter().zip(&ids).all(|(track, id)| {
        track.as_ref().and_then(|track| track.id).is_some_and(|track| track.as_str() == id)
    }));
    assert_eq!(mock.requests().len(), 3);
    assert!(client.tracks(Vec::<String>::new()).await.unwrap().is_empty());
    assert_eq!(mock.requests().len(), 3);
}

#[tokio::test]
async fn a_closed_operation_error_names_the_date_and_replacement() {
    let mock = MockSpotify::start().await.unwrap();
    let client = support::client(&mock);
    let error = client.artist("spotmockArtist00000001").related_artists().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Restricted);
    assert!(error.to_string().contains("2024-11-27"), "{error}");
    let error = client.legacy().save_tracks(["spotmockTrack000000001"]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Restricted);
    let text = error.to_string();
    assert!(text.contains("2026-02-11") && text.contains("library"), "{text}");
}

#[tokio::test]
async fn a_fields_filter_does_not_end_a_stream_early() {
    let mock = MockSpotify::start().await.unwrap();
    let client = support::client(&mock);
    let request =
        client.playlist("spotmockPlaylist000001").items().fields("items(item(name,type))");
    let mut items = request.stream();
    let mut count = 0;
    while let Some(item) = items.try_next().await.unwrap() {
        assert!(!item.item.unwrap().name().is_empty());
        count += 1;
    }
    assert_eq!((count, items.total()), (250, Some(250)));
    let error = client.playlist("spotmockPlaylist000001").fields("items(").await.unwrap_err();
    let message = error.to_string();
    assert!(message.contains("`fields`: the parentheses in the value are not balanced"), "{error}");
}
