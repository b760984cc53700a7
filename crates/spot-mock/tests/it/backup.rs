//! Tests of mocks whose test data is loaded from the backup of a library.

use serde_json::{Value, json};
use spot_mock::{MockSpotify, Mode, custom::World};

use crate::support::Api;

async fn start(builder: spot_mock::MockBuilder, mode: Mode) -> Api {
    Api::new(builder.mode(mode).start().await.unwrap())
}

async fn restored(backup: &str, mode: Mode) -> Api {
    start(MockSpotify::builder().world(World::from_backup(backup).unwrap()), mode).await
}

/// Returns the saved tracks as JSON, without the address of the mock.
async fn library(api: &Api) -> Vec<Value> {
    let mut saved = Vec::new();
    loop {
        let page = api.get(&format!("/me/tracks?limit=50&offset={}", saved.len())).await;
        let text = page.text.replace(api.mock.api_url(), "");
        let page: Value = serde_json::from_str(&text).unwrap();
        saved.extend(page["items"].as_array().unwrap().iter().cloned());
        if page["next"].is_null() {
            return saved;
        }
    }
}

fn lines(entries: &[Value]) -> String {
    entries.iter().map(|entry| format!("{entry}\n")).collect()
}

#[tokio::test]
async fn a_mock_restores_a_library_from_a_backup() {
    for mode in [Mode::Development, Mode::Extended] {
        let before = library(&start(MockSpotify::builder(), mode).await).await;
        assert_eq!(before.len(), 2_345);
        let api = restored(&lines(&before), mode).await;
        let after = library(&api).await;
        assert_eq!(after.len(), before.len());
        for (after, before) in after.iter().zip(&before) {
            assert_eq!(after, before);
        }
        // The mock contains no playlists, but it contains the albums of the saved tracks.
        assert_eq!(api.read("/me/playlists").await["total"], 0);
        let track = &before[7]["track"];
        let album = track["album"]["id"].as_str().unwrap();
        let found = api.read(&format!("/albums/{album}/tracks")).await;
        let found = found["items"].as_array().unwrap();
        assert!(found.iter().any(|listed| listed["id"] == track["id"]), "{found:?}");
    }
}

fn entry() -> Value {
    json!({
        "added_at": "2019-03-04T05:06:07Z",
        "track": {
            "id": "4keel4keel4keel4keel4k", "name": "Keel", "duration_ms": 61_000,
            "disc_number": 2, "track_number": 9, "explicit": true, "popularity": 44,
            "external_ids": { "isrc": "SEXXX2400001" },
            "available_markets": ["GB", "SE", "RU"],
            "artists": [
                { "id": "1ada1ada1ada1ada1ada1a", "name": "Ada" },
                { "id": "2ben2ben2ben2ben2ben2b", "name": "Ben" },
                { "id": "3cid3cid3cid3cid3cid3c", "name": "Cid" }
            ],
            "album": {
                "id": "6boats6boats6boats6boa", "name": "Boats", "album_type": "compilation",
                "artists": [{ "id": "0various0various0vario", "name": "Various" }],
                "release_date": "0000", "total_tracks": 40, "a field of tomorrow": true,
                "images": [{ "url": "https://i.scdn.co/image/boats", "width": 640, "height": 640 }]
            }
        }
    })
}

#[tokio::test]
async fn tracks_from_a_backup_keep_metadata_and_relinking() {
    let mut linked = entry();
    linked["track"]["id"] = json!("7slip7slip7slip7slip7s");
    linked["track"]["linked_from"] = json!({ "id": "8old8old8old8old8old8o" });
    linked["track"]["track_number"] = json!(3);
    linked["track"]["name"] = json!("Slip");
    let api = restored(&lines(&[entry(), linked, entry()]), Mode::Extended).await;
    let saved = api.read("/me/tracks").await;
    assert_eq!(saved["total"], 2, "the second line for the same track changes nothing");
    let keel = &saved["items"][0];
    assert_eq!(keel["added_at"], "2019-03-04T05:06:07Z");
    let keel = &keel["track"];
    let artists: Vec<_> = (0..3).map(|place| &keel["artists"][place]["name"]).collect();
    assert_eq!(artists, ["Ada", "Ben", "Cid"]);
    assert_eq!((&keel["disc_number"], &keel["track_number"]), (&json!(2), &json!(9)));
    assert_eq!(keel["external_ids"]["isrc"], "SEXXX2400001");
    assert_eq!(keel["available_markets"], json!(["GB", "SE"]), "Spotify left the third");
    let album = &keel["album"];
    assert_eq!(album["artists"][0]["name"], "Various");
    assert_eq!((&album["release_date"], &album["total_tracks"]), (&json!("0000"), &json!(40)));
    assert_eq!(album["images"][0]["url"], "https://i.scdn.co/image/boats");

    assert_eq!(saved["items"][1]["track"]["id"], "8old8old8old8old8old8o");
    let there = api.read("/me/tracks?market=GB").await["items"][1]["track"].clone();
    assert_eq!(there["id"], "7slip7slip7slip7slip7s");
    assert_eq!(there["linked_from"]["id"], "8old8old8old8old8old8o");

    let found = api.read("/search?q=artist:cid%20keel&type=track").await;
    assert_eq!(found["tracks"]["items"][0]["id"], "4keel4keel4keel4keel4k");
    let found = api.read("/search?q=isrc:SEXXX2400001&type=track").await;
    assert_ne!(found["tracks"]["total"], 0);
    for (artist, group) in
        [("0various0various0vario", "compilation"), ("3cid3cid3cid3cid3cid3c", "appears_on")]
    {
        let albums = api.read(&format!("/artists/{artist}/albums")).await;
        assert_eq!(albums["items"][0]["album_group"], group);
    }
}

#[test]
fn backup_errors_name_the_line_and_the_path() {
    let wrong = |change: fn(&mut Value)| {
        let mut entry = entry();
        change(&mut entry);
        World::from_backup(&format!("\n{entry}\n")).unwrap_err().to_string()
    };
    for (message, expected) in [
        (
            wrong(|entry| entry["track"]["name"] = json!(7)),
            "line 2: track.name: invalid type: integer `7`, expected a string",
        ),
        (
            wrong(|entry| entry["track"]["album"] = json!({ "name": "Boats", "artists": 5 })),
            "line 2: track.album.artists: invalid type: integer `5`, expected a sequence",
        ),
        (wrong(|entry| entry["track"] = Value::Null), "line 2: track: invalid type: null"),
        (
            wrong(|entry| entry["track"]["id"] = json!("short")),
            "line 2: track.id: \"short\" is not an id; expected 22 characters, each a letter or a digit",
        ),
        (
            wrong(|entry| entry["track"]["artists"][1]["id"] = json!("short")),
            "line 2: track.artists[1].id: \"short\" is not an id; expected 22 characters, each a letter or a digit",
        ),
        (
            wrong(|entry| entry["added_at"] = json!("yesterday")),
            "line 2: added_at: \"yesterday\" is not a time; expected a time such as 2024-05-03T10:00:00Z",
        ),
        (
            wrong(|entry| entry["track"]["album"]["release_date"] = json!("May")),
            "line 2: track.album.release_date: \"May\" is not a date; expected YYYY, YYYY-MM or YYYY-MM-DD",
        ),
    ] {
        assert!(message.starts_with(expected), "{message}");
    }
    let cut = World::from_backup("{\"track\": {").unwrap_err().to_string();
    assert_eq!(cut, "line 1: track: EOF while parsing an object at column 11");
    let error = World::read_backup("no/such/backup.jsonl").unwrap_err();
    assert!(error.to_string().starts_with("no/such/backup.jsonl: "), "{error}");
}

#[tokio::test]
async fn added_at_dates_in_a_world_file_are_validated() {
    let file = |at: &str| {
        format!(
            r#"{{ "artists": [{{ "name": "A" }}],
                "albums": [{{ "name": "B", "artist": "A", "tracks": [{{ "name": "C" }}] }}],
                "saved_tracks": [{{ "name": "C", "added_at": "{at}" }}], "saved_albums": ["B"] }}"#
        )
    };
    let world = World::from_json(&file("2020-01-02T03:04:05Z")).unwrap();
    let api = start(MockSpotify::builder().world(world), Mode::Development).await;
    assert_eq!(api.read("/me/tracks").await["items"][0]["added_at"], "2020-01-02T03:04:05Z");
    let world = World::from_json(&file("once")).unwrap();
    let error = MockSpotify::builder().world(world).start().await.unwrap_err();
    let expected = "world: saved_tracks[0].added_at: \"once\" is not a time; expected a time such as 2024-05-03T10:00:00Z";
    assert_eq!(error.to_string(), expected);
}
