//! Tests the reasons for which the player refuses commands. The playback state lists the disallowed
//! commands in advance.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};
use spot_mock::{Device, MockBuilder, MockSpotify};

use crate::support::{Answer, Api};

const PLAY: &str = "PUT /me/player/play";
const PAUSE: &str = "PUT /me/player/pause";
const NEXT: &str = "POST /me/player/next";
const PREVIOUS: &str = "POST /me/player/previous";
const TRANSFER: &str = "PUT /me/player";

const REASONS: [&str; 18] = [
    "NO_PREV_TRACK",
    "NO_NEXT_TRACK",
    "NO_SPECIFIC_TRACK",
    "ALREADY_PAUSED",
    "NOT_PAUSED",
    "NOT_PLAYING_LOCALLY",
    "NOT_PLAYING_TRACK",
    "NOT_PLAYING_CONTEXT",
    "ENDLESS_CONTEXT",
    "CONTEXT_DISALLOW",
    "ALREADY_PLAYING",
    "RATE_LIMITED",
    "REMOTE_CONTROL_DISALLOW",
    "DEVICE_NOT_CONTROLLABLE",
    "VOLUME_CONTROL_DISALLOW",
    "NO_ACTIVE_DEVICE",
    "PREMIUM_REQUIRED",
    "UNKNOWN",
];

/// A sequence of commands. The last command is refused.
#[derive(Clone)]
struct Story {
    /// Expected reason for the refusal of the last command.
    reason: &'static str,
    builder: MockBuilder,
    devices: Vec<Device>,
    /// True if the user has never played anything.
    newcomer: bool,
    commands: Vec<(String, Value)>,
}

impl Story {
    fn new(reason: &'static str) -> Self {
        Self {
            reason,
            builder: MockSpotify::builder().frozen_clock(),
            devices: Vec::new(),
            newcomer: false,
            commands: Vec::new(),
        }
    }

    fn setting(mut self, set: impl FnOnce(MockBuilder) -> MockBuilder) -> Self {
        self.builder = set(self.builder);
        self
    }

    fn device(mut self, device: Device) -> Self {
        self.devices.push(device);
        self
    }

    fn of_a_newcomer(mut self) -> Self {
        self.newcomer = true;
        self.device(Device::new("first", "The first").active())
    }

    fn then(self, command: &str) -> Self {
        self.with(command, Value::Null)
    }

    fn with(mut self, command: &str, body: Value) -> Self {
        self.commands.push((command.to_owned(), body));
        self
    }

    /// Runs all commands except the last command. Returns the last command.
    async fn up_to_the_last(mut self) -> (Api, (String, Value)) {
        let last = self.commands.pop().unwrap();
        (self.all().await, last)
    }

    /// Runs all commands. Each command must succeed.
    async fn all(self) -> Api {
        let mut api = Api::new(self.builder.start().await.unwrap());
        for device in self.devices {
            if self.newcomer {
                assert!(api.mock.add_device_for(&api.mock.world().other_user, device));
            } else {
                api.mock.add_device(device);
            }
        }
        if self.newcomer {
            let scopes = ["user-modify-playback-state", "user-read-playback-state"];
            let token = api.mock.user_token_for(&api.mock.world().other_user, &scopes);
            api = api.with_token(token.unwrap());
        }
        for (command, body) in self.commands {
            let done = send(&api, &command, &body).await;
            assert_eq!(done.status, 204, "{}: {command}: {}", self.reason, done.text);
        }
        api
    }
}

async fn send(api: &Api, command: &str, body: &Value) -> Answer {
    let (method, path) = command.split_once(' ').unwrap();
    let body = if body.is_null() { String::new() } else { body.to_string() };
    api.send(method.parse().unwrap(), path, &body).await
}

/// Ids and bodies for the test scenarios. Every mock has the same ids, so a scenario can be created
/// before its mock starts.
struct Names {
    album: Value,
    show: Value,
    other_show: Value,
    bare: Value,
    station: Value,
    empty: Value,
    track: String,
    episode: String,
    desk: String,
    pocket: String,
}

async fn names() -> Names {
    let mock = MockSpotify::start().await.unwrap();
    let world = mock.world();
    let context = |uri: String| json!({ "context_uri": uri });
    let track = format!("spotify:track:{}", world.saved_track);
    Names {
        album: context(format!("spotify:album:{}", world.album)),
        show: context(format!("spotify:show:{}", world.show)),
        other_show: context(format!("spotify:show:{}", world.audiobook)),
        bare: json!({ "uris": [track] }),
        station: context(format!("spotify:station:artist:{}", world.artist)),
        empty: context(format!("spotify:playlist:{}", world.empty_playlist)),
        track,
        episode: format!("spotify:episode:{}", world.episode),
        desk: world.device.clone(),
        pocket: world.fixed_volume_device.clone(),
    }
}

fn at(body: &Value, name: &str, value: Value) -> Value {
    let mut body = body.clone();
    body[name] = value;
    body
}

/// Returns at least one test scenario for each reason.
async fn stories() -> Vec<Story> {
    let names = names().await;
    let Names { album, show, bare, station, empty, track, episode, desk, pocket, .. } = &names;
    let story = Story::new;
    let seek = "PUT /me/player/seek?position_ms=0";
    let volume = "PUT /me/player/volume?volume_percent=7";
    let moving_to = |device: &str| json!({ "device_ids": [device] });
    let keys = (0..20).fold(story("RATE_LIMITED"), |story, _| story.with(PLAY, album.clone()));
    vec![
        story("NO_PREV_TRACK").with(PLAY, album.clone()).then(PREVIOUS),
        story("NO_PREV_TRACK").with(PLAY, station.clone()).then(PREVIOUS),
        story("NO_NEXT_TRACK").with(PLAY, bare.clone()).then(NEXT),
        // The first `NEXT` plays the queued track. The second `NEXT` finds no next track.
        story("NO_NEXT_TRACK")
            .with(PLAY, bare.clone())
            .then(&format!("POST /me/player/queue?uri={track}"))
            .then(NEXT)
            .then(NEXT),
        story("NO_NEXT_TRACK")
            .with(PLAY, bare.clone())
            .then("PUT /me/player/repeat?state=track")
            .then(NEXT),
        story("NO_SPECIFIC_TRACK").with(PLAY, at(album, "offset", json!({ "position": 99 }))),
        story("NO_SPECIFIC_TRACK").with(PLAY, at(album, "offset", json!({ "uri": episode }))),
        story("NO_SPECIFIC_TRACK").with(PLAY, at(bare, "offset", json!({ "position": 1 }))),
        story("NO_SPECIFIC_TRACK").with(
            PLAY,
            at(bare, "offset", json!({ "uri": "spotify:track:0000000000000000000000" })),
        ),
        story("ALREADY_PAUSED").then(PAUSE).then(PAUSE),
        story("NOT_PAUSED").then(PLAY),
        story("NOT_PLAYING_LOCALLY").then(&format!("{PAUSE}?device_id={pocket}")),
        story("NOT_PLAYING_LOCALLY").then(&format!("{NEXT}?device_id={pocket}")),
        story("NOT_PLAYING_LOCALLY").then(&format!("{PREVIOUS}?device_id={pocket}")),
        story("NOT_PLAYING_LOCALLY").then(&format!("{seek}&device_id={pocket}")),
        story("NOT_PLAYING_TRACK").of_a_newcomer().then(PLAY),
        story("NOT_PLAYING_TRACK").of_a_newcomer().then(PAUSE),
        story("NOT_PLAYING_TRACK").of_a_newcomer().then(NEXT),
        story("NOT_PLAYING_TRACK").of_a_newcomer().then(PREVIOUS),
        story("NOT_PLAYING_TRACK").of_a_newcomer().then(seek),
        story("NOT_PLAYING_TRACK").of_a_newcomer().then("PUT /me/player/repeat?state=track"),
        story("NOT_PLAYING_CONTEXT").of_a_newcomer().then("PUT /me/player/repeat?state=context"),
        story("NOT_PLAYING_CONTEXT")
            .with(PLAY, bare.clone())
            .then("PUT /me/player/repeat?state=context"),
        story("ENDLESS_CONTEXT")
            .with(PLAY, station.clone())
            .then("PUT /me/player/shuffle?state=true"),
        story("ENDLESS_CONTEXT")
            .with(PLAY, station.clone())
            .then("PUT /me/player/repeat?state=off")
            .then("PUT /me/player/repeat?state=context"),
        story("CONTEXT_DISALLOW").with(PLAY, empty.clone()),
        story("ALREADY_PLAYING")
            .with(PLAY, at(show, "position_ms", json!(9_000)))
            .with(PLAY, show.clone()),
        keys.then(NEXT),
        story("REMOTE_CONTROL_DISALLOW")
            .device(Device::new("car", "The car").refuses_remote_control())
            .with(TRANSFER, moving_to("car")),
        story("REMOTE_CONTROL_DISALLOW")
            .device(Device::new("car", "The car").refuses_remote_control().active())
            .then(PAUSE),
        story("REMOTE_CONTROL_DISALLOW")
            .device(Device::new("car", "The car").refuses_remote_control().active())
            .with(TRANSFER, moving_to(desk)),
        story("REMOTE_CONTROL_DISALLOW")
            .device(Device::new("car", "The car").refuses_remote_control().active())
            .with(&format!("{PLAY}?device_id={desk}"), album.clone()),
        story("REMOTE_CONTROL_DISALLOW")
            .device(Device::new("car", "The car").refuses_remote_control())
            .then(&format!("{volume}&device_id=car")),
        story("DEVICE_NOT_CONTROLLABLE")
            .device(Device::new("tv", "Guest room").restricted())
            .with(TRANSFER, moving_to("tv")),
        story("DEVICE_NOT_CONTROLLABLE")
            .device(Device::new("tv", "Guest room").restricted())
            .with(&format!("{PLAY}?device_id=tv"), album.clone()),
        // The playback of this device can be transferred to another device.
        story("DEVICE_NOT_CONTROLLABLE")
            .device(Device::new("tv", "Guest room").restricted().active())
            .with(TRANSFER, moving_to(desk))
            .then(&format!("{volume}&device_id=tv")),
        story("VOLUME_CONTROL_DISALLOW").with(TRANSFER, moving_to(pocket)).then(volume),
        story("VOLUME_CONTROL_DISALLOW").then(&format!("{volume}&device_id={pocket}")),
        story("NO_ACTIVE_DEVICE").setting(|mock| mock.idle(true)).then(NEXT),
        story("PREMIUM_REQUIRED").setting(|mock| mock.premium(false)).then(PAUSE),
        story("UNKNOWN").setting(|mock| mock.vague_player(true)).then(PLAY),
    ]
}

#[tokio::test]
async fn every_player_error_reason_can_be_triggered() {
    let mut had = BTreeSet::new();
    for story in stories().await {
        let reason = story.reason;
        let (api, (command, body)) = story.up_to_the_last().await;
        let before = api.get("/me/player").await.text;
        let refused = send(&api, &command, &body).await;
        let status = if reason == "NO_ACTIVE_DEVICE" { 404 } else { 403 };
        assert_eq!(refused.status, status, "{reason}: {command} {body}: {}", refused.text);
        let error = refused.json()["error"].clone();
        assert_eq!(error["reason"], reason, "{command} {body}");
        assert!(refused.message().starts_with("Player command failed: "), "{error}");
        assert_eq!(api.get("/me/player").await.text, before, "{command}: it was done all the same");
        had.insert(reason);
    }
    assert_eq!(had, BTreeSet::from(REASONS));
}

#[tokio::test]
async fn vague_player_replaces_restriction_reasons_with_unknown() {
    for story in stories().await {
        let reason = story.reason;
        let story = story.setting(|mock| mock.vague_player(true));
        let (api, (command, body)) = story.up_to_the_last().await;
        let refused = send(&api, &command, &body).await;
        let error = refused.json()["error"].clone();
        match reason {
            "NO_ACTIVE_DEVICE" | "PREMIUM_REQUIRED" => assert_eq!(error["reason"], reason),
            _ => {
                let vague = json!({
                    "status": 403,
                    "message": "Player command failed: Restriction violated",
                    "reason": "UNKNOWN",
                });
                assert_eq!(error, vague, "{command} {body}");
            }
        }
    }
}

#[tokio::test]
async fn exactly_the_disallowed_commands_are_refused() {
    let names = names().await;
    let Names { album, show, bare, station, track, pocket, .. } = &names;
    let last = at(bare, "offset", json!({ "position": 1 }));
    let last = at(&last, "uris", json!([track, track]));
    let car = || Device::new("car", "The car").active();
    let repeat = |what: &str| format!("PUT /me/player/repeat?state={what}");
    let story = || Story::new("");
    let enqueue = format!("POST /me/player/queue?uri={track}");
    let states = [
        (story(), vec!["resuming"]),
        (story().then(PAUSE), vec!["pausing"]),
        (story().with(PLAY, album.clone()), vec!["resuming", "skipping_prev"]),
        (story().with(PLAY, album.clone()).then(&repeat("context")), vec!["resuming"]),
        (
            story().with(PLAY, album.clone()).then(&repeat("track")),
            vec!["resuming", "skipping_prev"],
        ),
        (
            story().with(PLAY, last.clone()),
            vec!["resuming", "skipping_next", "toggling_repeat_context"],
        ),
        (
            story().with(PLAY, last.clone()).then(&enqueue),
            vec!["resuming", "toggling_repeat_context"],
        ),
        (
            story().then(&repeat("context")).with(PLAY, bare.clone()),
            vec!["resuming", "toggling_repeat_context"],
        ),
        (
            story().with(PLAY, station.clone()),
            vec!["resuming", "skipping_prev", "toggling_repeat_context", "toggling_shuffle"],
        ),
        (story().with(PLAY, show.clone()), vec!["resuming", "skipping_prev"]),
        (story().device(car().private_session()), vec!["resuming"]),
        (
            story().device(car().restricted()),
            vec![
                "pausing",
                "resuming",
                "seeking",
                "skipping_next",
                "skipping_prev",
                "toggling_repeat_context",
                "toggling_repeat_track",
                "toggling_shuffle",
            ],
        ),
        (
            story().device(car().refuses_remote_control()),
            vec![
                "pausing",
                "resuming",
                "seeking",
                "skipping_next",
                "skipping_prev",
                "toggling_repeat_context",
                "toggling_repeat_track",
                "toggling_shuffle",
                "transferring_playback",
            ],
        ),
    ];
    let probes = [
        ("pausing", PAUSE, Value::Null),
        ("resuming", PLAY, Value::Null),
        ("seeking", "PUT /me/player/seek?position_ms=0", Value::Null),
        ("skipping_next", NEXT, Value::Null),
        ("skipping_prev", PREVIOUS, Value::Null),
        ("toggling_repeat_context", "PUT /me/player/repeat?state=context", Value::Null),
        ("toggling_repeat_track", "PUT /me/player/repeat?state=track", Value::Null),
        ("toggling_shuffle", "PUT /me/player/shuffle?state=true", Value::Null),
        ("transferring_playback", TRANSFER, json!({ "device_ids": [pocket] })),
    ];
    for (number, (story, expected)) in states.into_iter().enumerate() {
        let api = story.clone().all().await;
        let now = api.read("/me/player?additional_types=episode").await;
        let disallows = now["actions"]["disallows"].as_object().unwrap();
        assert!(disallows.values().all(|value| *value == true), "state {number}: {disallows:?}");
        let said: BTreeSet<_> = disallows.keys().map(String::as_str).collect();
        assert_eq!(said, expected.iter().copied().collect(), "state {number}");
        for (name, command, body) in &probes {
            // A successful command changes the state, so it runs on a new mock. A refused command
            // changes nothing.
            let answer = if said.contains(name) {
                send(&api, command, body).await
            } else {
                send(&story.clone().all().await, command, body).await
            };
            let status = if said.contains(name) { 403 } else { 204 };
            assert_eq!(answer.status, status, "state {number}: {name}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn the_command_rate_limit_ends_after_a_second() {
    let names = names().await;
    let api = Story::new("").then("PUT /me/player/repeat?state=context").all().await;
    for _ in 0..20 {
        assert_eq!(send(&api, NEXT, &Value::Null).await.status, 204);
    }
    let refused = send(&api, PLAY, &names.album).await;
    assert_eq!(refused.json()["error"]["reason"], "RATE_LIMITED");
    assert!(refused.header("retry-after").is_none());
    // The limit does not apply to a pause, because a pause starts no item.
    assert_eq!(send(&api, PAUSE, &Value::Null).await.status, 204);
    api.mock.advance(Duration::from_millis(999));
    assert_eq!(send(&api, NEXT, &Value::Null).await.status, 403);
    api.mock.advance(Duration::from_millis(1));
    assert_eq!(send(&api, NEXT, &Value::Null).await.status, 204);
}

#[tokio::test]
async fn play_with_a_position_or_another_device_is_accepted() {
    let names = names().await;
    let started = at(&names.show, "position_ms", json!(9_000));
    let elsewhere = format!("{PLAY}?device_id={}", names.pocket);
    let story = || Story::new("").with(PLAY, started.clone());
    for (command, body) in [
        (PLAY, &started),
        (PLAY, &names.other_show),
        (elsewhere.as_str(), &names.show),
        (elsewhere.as_str(), &Value::Null),
        (PLAY, &json!({ "position_ms": 3_000 })),
    ] {
        let api = story().with(command, body.clone()).all().await;
        let now = api.read("/me/player").await;
        assert_eq!(now["is_playing"], true);
        let device = if command == PLAY { &names.desk } else { &names.pocket };
        assert_eq!(now["device"]["id"], device.as_str());
    }
}

#[tokio::test]
async fn a_station_plays_endlessly_and_has_context_type_station() {
    let names = names().await;
    let story = Story::new("").then("PUT /me/player/shuffle?state=true");
    let api = story.with(PLAY, names.station.clone()).all().await;
    let now = api.read("/me/player").await;
    assert_eq!(now["context"]["type"], "station");
    assert_eq!(now["context"]["uri"], names.station["context_uri"]);
    api.mock.advance(Duration::from_secs(24 * 3_600));
    let api = Api { token: api.mock.user_token_all(), ..api };
    assert_eq!(api.read("/me/player").await["is_playing"], true);
    let begun = at(&names.station, "offset", json!({ "position": 1 }));
    let refused = send(&api, PLAY, &begun).await;
    assert_eq!(refused.message(), "Can't have offset for context type: STATION");
}

#[tokio::test]
async fn devices_are_added_and_changed() {
    let api = Story::new("").device(Device::new("car", "The car").kind("Automobile")).all().await;
    let listed = async || api.read("/me/player/devices").await["devices"].clone();
    let expected = json!({
        "id": "car",
        "is_active": false,
        "is_private_session": false,
        "is_restricted": false,
        "name": "The car",
        "supports_volume": true,
        "type": "Automobile",
        "volume_percent": 50,
    });
    assert_eq!(listed().await[3], expected);
    // The command sets the volume of the named device and does not transfer the playback.
    let louder = "PUT /me/player/volume?volume_percent=7&device_id=car";
    assert_eq!(send(&api, louder, &Value::Null).await.status, 204);
    assert_eq!(listed().await[3], at(&expected, "volume_percent", json!(7)));

    api.mock.add_device(Device::new("car", "Car").volume(200).private_session().active());
    let devices = listed().await;
    assert_eq!(devices.as_array().unwrap().len(), 4);
    assert_eq!((&devices[0]["is_active"], &devices[3]["is_active"]), (&json!(false), &json!(true)));
    assert_eq!(devices[3]["volume_percent"], 100);
    assert_eq!(devices[3]["is_private_session"], true);
    assert_eq!(api.read("/me/player").await["device"]["name"], "Car");
    assert!(!api.mock.add_device_for("nobody", Device::new("car", "Car")));
}
