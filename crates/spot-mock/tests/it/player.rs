//! Tests the playback state and the player commands.

use std::time::Duration;

use serde_json::{Value, json};
use spot_mock::MockSpotify;

use crate::support::{Answer, Api, development};

#[track_caller]
fn assert_player_error(answer: &Answer, status: u16, reason: &str) {
    assert_eq!(answer.status, status, "{}", answer.text);
    assert_eq!(answer.json()["error"]["reason"], reason);
}

async fn frozen() -> Api {
    Api::new(MockSpotify::builder().frozen_clock().start().await.unwrap())
}

#[tokio::test]
async fn playback_advances_with_the_clock() {
    let api = frozen().await;
    let now = api.read("/me/player").await;
    assert_eq!(now["is_playing"], true);
    assert_eq!(now["progress_ms"], 31_000);
    assert_eq!(now["device"]["id"], api.mock.world().device.as_str());
    assert_eq!(now["context"]["type"], "album");
    assert_eq!(now["currently_playing_type"], "track");
    assert_eq!(now["actions"]["disallows"], json!({ "resuming": true }));

    api.mock.advance(Duration::from_secs(10));
    assert_eq!(api.read("/me/player").await["progress_ms"], 41_000);
    let duration = now["item"]["duration_ms"].as_u64().unwrap();
    api.mock.advance(Duration::from_millis(duration));
    let later = api.read("/me/player").await;
    assert_eq!(later["item"]["track_number"], 4);
    assert_eq!(later["progress_ms"], 41_000);
    let played = api.read("/me/player/recently-played?limit=1").await;
    assert_eq!(played["items"][0]["track"]["id"], now["item"]["id"]);

    let playing = api.read("/me/player/currently-playing").await;
    assert_eq!(playing["item"], later["item"]);
    assert!(playing.get("device").is_none());
}

#[tokio::test]
async fn playback_stops_at_the_end_and_the_device_becomes_inactive() {
    let api = frozen().await;
    api.mock.advance(Duration::from_secs(3 * 3_600));
    let token = api.mock.user_token_all();
    let api = api.with_token(token);
    let after = api.get("/me/player").await;
    assert_eq!((after.status, after.text.as_str()), (204, ""));
    assert_eq!(api.get("/me/player/currently-playing").await.status, 204);
    assert_player_error(&api.post("/me/player/next", "").await, 404, "NO_ACTIVE_DEVICE");

    // A command that names a device activates the device.
    let device = api.mock.world().device.clone();
    let woken = api.put(&format!("/me/player/play?device_id={device}"), "").await;
    assert_eq!(woken.status, 204);
    assert_eq!(api.read("/me/player").await["is_playing"], true);
}

#[tokio::test]
async fn an_idle_mock_has_no_playback_and_no_active_device() {
    let api = Api::new(MockSpotify::builder().idle(true).start().await.unwrap());
    assert_eq!(api.get("/me/player").await.status, 204);
    assert_player_error(&api.put("/me/player/pause", "").await, 404, "NO_ACTIVE_DEVICE");
    let queue = api.read("/me/player/queue").await;
    assert_eq!(queue, json!({ "currently_playing": null, "queue": [] }));
    let devices = api.read("/me/player/devices").await;
    let devices = devices["devices"].as_array().unwrap();
    assert_eq!(devices.len(), 3);
    assert!(devices.iter().all(|device| device["is_active"] == false));
    assert_eq!(
        (&devices[2]["id"], &devices[2]["is_restricted"]),
        (&json!("spotmockdevice03"), &json!(true))
    );
}

#[tokio::test]
async fn play_while_playing_and_pause_while_paused_are_refused() {
    let api = frozen().await;
    assert_player_error(&api.put("/me/player/play", "").await, 403, "NOT_PAUSED");
    assert_eq!(api.put("/me/player/pause", "").await.status, 204);
    assert_player_error(&api.put("/me/player/pause", "").await, 403, "ALREADY_PAUSED");
    let before = api.read("/me/player").await;
    api.mock.advance(Duration::from_secs(60));
    assert_eq!(api.read("/me/player").await["progress_ms"], before["progress_ms"]);
    assert_eq!(api.put("/me/player/play", r#"{"position_ms":5000}"#).await.status, 204);
    assert_eq!(api.read("/me/player").await["progress_ms"], 5_000);
}

#[tokio::test]
async fn play_starts_a_context_at_the_given_offset() {
    let api = frozen().await;
    let world = api.mock.world();
    let album = format!("spotify:album:{}", world.album);
    for (body, kind, number) in [
        (json!({ "context_uri": album, "offset": { "position": 4 } }), "album", Some(5)),
        (
            json!({ "context_uri": album, "offset": { "uri": format!("spotify:track:{}", world.track) } }),
            "album",
            Some(1),
        ),
        (json!({ "context_uri": format!("spotify:artist:{}", world.artist) }), "artist", None),
        (
            json!({ "context_uri": format!("spotify:playlist:{}", world.own_playlist) }),
            "playlist",
            None,
        ),
        (
            json!({ "context_uri": format!("spotify:user:{}:playlist:{}", world.user, world.own_playlist) }),
            "playlist",
            None,
        ),
        (
            json!({ "context_uri": format!("spotify:user:{}:collection", world.user) }),
            "collection",
            None,
        ),
    ] {
        let done = api.put("/me/player/play", &body.to_string()).await;
        assert_eq!(done.status, 204, "{body}: {}", done.text);
        let now = api.read("/me/player").await;
        assert_eq!(now["context"]["type"], kind);
        if let Some(number) = number {
            assert_eq!(now["item"]["track_number"], number);
        }
    }
    let listed = json!({ "uris": [format!("spotify:track:{}", world.saved_track)] });
    assert_eq!(api.put("/me/player/play", &listed.to_string()).await.status, 204);
    assert_eq!(api.read("/me/player").await["context"], json!(null));
}

#[tokio::test]
async fn episodes_are_returned_only_with_additional_types() {
    let api = frozen().await;
    for id in [api.mock.world().show.clone(), api.mock.world().audiobook.clone()] {
        let body = json!({ "context_uri": format!("spotify:show:{id}") }).to_string();
        assert_eq!(api.put("/me/player/play", &body).await.status, 204);
        let blind = api.read("/me/player").await;
        assert_eq!(
            (&blind["item"], &blind["currently_playing_type"]),
            (&json!(null), &json!("episode"))
        );
        let seeing = api.read("/me/player?additional_types=episode").await;
        assert_eq!(seeing["item"]["type"], "episode");
        assert_eq!(seeing["item"]["show"]["id"], id.as_str());
        assert_eq!(seeing["context"]["uri"], format!("spotify:show:{id}"));
    }
}

#[tokio::test]
async fn invalid_player_parameters_are_refused() {
    let api = frozen().await;
    let world = api.mock.world();
    let album = format!("spotify:album:{}", world.album);
    let artist = format!("spotify:artist:{}", world.artist);
    for (body, status, message) in [
        (json!({ "context_uri": album, "uris": [] }), 400, "Can't have both context_uri and uris"),
        (
            json!({ "context_uri": "spotify:track:x" }),
            400,
            "Unsupported context uri: spotify:track:x",
        ),
        (
            json!({ "context_uri": artist, "offset": { "position": 1 } }),
            400,
            "Can't have offset for context type: ARTIST",
        ),
        (
            json!({ "context_uri": album, "offset": { "position": 99 } }),
            403,
            "Player command failed: No such track",
        ),
        (json!({ "context_uri": album, "offset": {} }), 400, "Invalid value for field: offset"),
        (json!({ "uris": ["spotify:album:x"] }), 400, "Invalid track uri: spotify:album:x"),
        (json!({ "position_ms": -1 }), 400, "Invalid value for field: position_ms"),
    ] {
        let refused = api.put("/me/player/play", &body.to_string()).await;
        assert_eq!((refused.status, refused.message().as_str()), (status, message), "{body}");
    }
    for path in [
        "/me/player/seek",
        "/me/player/seek?position_ms=-1",
        "/me/player/volume?volume_percent=101",
        "/me/player/repeat?state=forever",
        "/me/player/shuffle?state=yes",
    ] {
        assert_eq!(api.put(path, "").await.status, 400, "{path}");
    }
    assert_eq!(api.post("/me/player/queue?uri=spotify:album:x", "").await.status, 400);
}

#[tokio::test]
async fn skipping_follows_queue_context_and_repeat() {
    let api = frozen().await;
    let world = api.mock.world();
    let queued = format!("spotify:track:{}", world.saved_track);
    assert_eq!(api.post(&format!("/me/player/queue?uri={queued}"), "").await.status, 204);
    let queue = api.read("/me/player/queue").await;
    assert_eq!(queue["queue"][0]["uri"], queued.as_str());
    assert_eq!(queue["queue"][1]["track_number"], 4);
    assert_eq!(queue["queue"].as_array().unwrap().len(), 20);
    let current = async || api.read("/me/player").await["item"].clone();

    assert_eq!(api.post("/me/player/next", "").await.status, 204);
    assert_eq!(current().await["uri"], queued.as_str());
    api.post("/me/player/next", "").await;
    assert_eq!(current().await["track_number"], 4);
    for number in [3, 2, 1] {
        assert_eq!(api.post("/me/player/previous", "").await.status, 204);
        assert_eq!(current().await["track_number"], number);
    }
    assert_player_error(&api.post("/me/player/previous", "").await, 403, "NO_PREV_TRACK");
    assert_eq!(api.put("/me/player/repeat?state=context", "").await.status, 204);
    assert_eq!(api.post("/me/player/previous", "").await.status, 204);
    assert_eq!(current().await["disc_number"], 2);
    assert_eq!(api.put("/me/player/seek?position_ms=9999999", "").await.status, 204);
    assert_eq!(current().await["track_number"], 1);
}

#[tokio::test]
async fn shuffle_volume_and_repeat_appear_in_the_state() {
    let api = frozen().await;
    assert_eq!(api.put("/me/player/shuffle?state=true", "").await.status, 204);
    assert_eq!(api.put("/me/player/volume?volume_percent=7", "").await.status, 204);
    assert_eq!(api.put("/me/player/repeat?state=track", "").await.status, 204);
    let now = api.read("/me/player").await;
    assert_eq!(now["shuffle_state"], true);
    assert_eq!(now["repeat_state"], "track");
    assert_eq!(now["device"]["volume_percent"], 7);
    let order: Vec<_> = api.read("/me/player/queue").await["queue"]
        .as_array()
        .unwrap()
        .iter()
        .map(|track: &Value| track["id"].clone())
        .collect();
    assert_ne!(order[0], order[1]);
}

#[tokio::test]
async fn playback_moves_between_devices() {
    let api = frozen().await;
    let pocket = api.mock.world().fixed_volume_device.clone();
    let moved = api.put("/me/player", &json!({ "device_ids": [pocket] }).to_string()).await;
    assert_eq!(moved.status, 204);
    let now = api.read("/me/player").await;
    assert_eq!((&now["device"]["id"], &now["is_playing"]), (&json!(pocket), &json!(true)));
    let refused = api.put("/me/player/volume?volume_percent=7", "").await;
    assert_player_error(&refused, 403, "VOLUME_CONTROL_DISALLOW");

    for (body, status) in [
        (json!({}), 400),
        (json!({ "device_ids": [] }), 400),
        (json!({ "device_ids": [pocket, pocket] }), 400),
        (json!({ "device_ids": ["nowhere"] }), 404),
    ] {
        assert_eq!(api.put("/me/player", &body.to_string()).await.status, status, "{body}");
    }
    let refused = api.put("/me/player/pause?device_id=nowhere", "").await;
    assert_eq!((refused.status, refused.message().as_str()), (404, "Device not found"));
}

#[tokio::test]
async fn player_commands_require_premium() {
    let api = Api::new(MockSpotify::builder().premium(false).start().await.unwrap());
    assert_player_error(&api.put("/me/player/pause", "").await, 403, "PREMIUM_REQUIRED");
    assert_eq!(api.get("/me/player").await.status, 200);
}

#[tokio::test]
async fn recently_played_returns_50_plays_paged_by_cursor() {
    let api = development().await;
    let mut played = Vec::new();
    let mut path = "/me/player/recently-played".to_owned();
    loop {
        let page = api.read(&path).await;
        assert!(page.get("total").is_none());
        let at = |play: &Value| play["played_at"].as_str().unwrap().to_owned();
        played.extend(page["items"].as_array().unwrap().iter().map(at));
        let Some(next) = page["next"].as_str() else {
            assert_eq!(page["cursors"], json!(null));
            break;
        };
        path = next.strip_prefix(api.mock.api_url()).unwrap().to_owned();
    }
    assert_eq!(played.len(), 50);
    assert!(played.is_sorted_by(|newer, older| newer > older));
    let refused = api.get("/me/player/recently-played?before=1&after=1").await;
    assert_eq!(refused.status, 400);
    let page = api.read("/me/player/recently-played?limit=1").await;
    let newest = page["cursors"]["after"].as_str().unwrap();
    let after = api.read(&format!("/me/player/recently-played?after={newest}")).await;
    assert_eq!(after["items"], json!([]));
}

#[tokio::test]
async fn an_advertisement_has_no_item_and_playback_then_resumes() {
    let api = frozen().await;
    let before = api.read("/me/player").await;
    api.mock.play_advertisement(Duration::from_secs(30));
    api.mock.advance(Duration::from_secs(20));
    let during = api.read("/me/player").await;
    assert_eq!(during["item"], Value::Null);
    assert_eq!(
        (&during["currently_playing_type"], &during["is_playing"]),
        (&json!("ad"), &json!(true))
    );
    assert_eq!(during["progress_ms"], 20_000);
    api.mock.advance(Duration::from_secs(15));
    let after = api.read("/me/player").await;
    assert_eq!(
        (&after["item"]["id"], &after["currently_playing_type"]),
        (&before["item"]["id"], &json!("track"))
    );
    assert_eq!(after["progress_ms"], 36_000);
}

#[tokio::test]
async fn removing_the_active_device_stops_playback() {
    let api = frozen().await;
    let devices = api.read("/me/player/devices").await["devices"].as_array().unwrap().len();
    api.mock.remove_device(&api.mock.world().device);
    assert_eq!(api.get("/me/player").await.status, 204);
    let left = api.read("/me/player/devices").await;
    let left = left["devices"].as_array().unwrap();
    assert_eq!(left.len(), devices - 1);
    assert!(left.iter().all(|device| device["is_active"] == false));
}
