//! Tests of responses that Spotify has sent, although its reference does not document them.

use std::time::Duration;

use serde_json::{Value, json};
use spot_model::{
    AlbumGroup, AlbumType, Artist, Context, ContextKind, Device, DeviceKind, Image, Page,
    PlayableItem, Playlist, PlaylistItem, PublicUser, ResumePoint, SimplifiedAlbum,
    SimplifiedPlaylist, Track,
};

fn read<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    spot_model::from_slice(value.to_string().as_bytes()).unwrap()
}

#[test]
fn integer_fields_accept_floats() {
    let track: Track =
        read(&json!({ "duration_ms": 11113535.0, "popularity": 31.0, "disc_number": 1.0 }));
    assert_eq!(track.duration, Duration::from_millis(11_113_535));
    assert_eq!((track.popularity, track.disc_number), (Some(31), Some(1)));
    let image: Image = read(&json!({ "url": "u", "width": 640.0, "height": null }));
    assert_eq!((image.width, image.height), (Some(640), None));
}

#[test]
fn numbers_out_of_range_are_clamped() {
    let point: ResumePoint = read(&json!({ "resume_position_ms": -1000, "fully_played": false }));
    assert_eq!(point.position, Duration::ZERO);
    let track: Track = read(&json!({ "popularity": 300 }));
    assert_eq!(track.popularity, Some(255));
}

#[test]
fn a_duration_that_is_an_object_becomes_zero() {
    let track: Track = read(&json!({ "name": "Song", "duration_ms": { "anything": 1000 } }));
    assert_eq!((track.name.as_str(), track.duration), ("Song", Duration::ZERO));
}

#[test]
fn a_renamed_field_is_read_by_both_names() {
    let item = |name: &str| json!({ "type": "track", "name": name });
    let both: PlaylistItem = read(&json!({ "track": item("old"), "item": item("new") }));
    assert_eq!(both.item.unwrap().name(), "new");
    let old: PlaylistItem = read(&json!({ "track": item("old") }));
    assert_eq!(old.item.unwrap().name(), "old");
    // The test uses JSON strings, because `json!` would change the order of the fields.
    for (json, name) in [
        (r#"{"track":{"name":"same"},"item":{"name":"same"}}"#, "same"),
        (r#"{"item":{"name":"same"},"track":{"name":"same"}}"#, "same"),
        (r#"{"track":{"name":"old"},"item":{"name":"new"}}"#, "new"),
        (r#"{"item":{"name":"new"},"track":{"name":"old"}}"#, "new"),
        (r#"{"track":{"name":"old"},"item":null}"#, "old"),
        (r#"{"item":null,"track":{"name":"old"}}"#, "old"),
        (r#"{"track":{"name":"old"},"added_by":{"id":"nora"},"item":{"name":"old"}}"#, "old"),
    ] {
        let item: PlaylistItem = spot_model::from_slice(json.as_bytes()).unwrap();
        assert_eq!(item.item.unwrap().name(), name, "{json}");
        let page = format!(r#"{{"items":[{json},{json}]}}"#);
        let page: Page<PlaylistItem> = spot_model::from_slice(page.as_bytes()).unwrap();
        let names = page.items.iter().map(|item| item.item.as_ref().unwrap().name());
        assert!(names.eq([name, name]), "{json}");
    }
    let null: PlaylistItem = read(&json!({ "track": item("old"), "item": null }));
    assert_eq!(null.item.unwrap().name(), "old");
    let none: PlaylistItem = read(&json!({ "item": null, "track": null }));
    assert_eq!(none.item, None);
    let page = json!({ "items": [], "total": 3 });
    let playlist: Playlist = read(&json!({ "tracks": page, "items": page, "name": "x" }));
    assert_eq!(playlist.items.unwrap().total, Some(3));
    let playlist: SimplifiedPlaylist = read(&json!({ "tracks": { "total": null } }));
    assert_eq!(playlist.items.unwrap().total, None);
}

#[test]
fn only_the_type_field_distinguishes_tracks_and_episodes() {
    // Without `additional_types`, Spotify returns an episode with the fields of a track.
    let item: PlayableItem = read(&json!({
        "type": "episode", "track": true, "episode": false, "name": "Pilot",
        "id": "spotmockEpisode0000001", "album": { "type": "show", "release_date": null },
        "artists": [{ "name": null, "type": "The Show" }],
    }));
    assert_eq!(item.as_episode().unwrap().name, "Pilot");
    let item: PlayableItem = read(&json!({ "type": "Track", "name": "Song", "episode": true }));
    assert_eq!(item.as_track().unwrap().name, "Song");
    let other = json!({ "type": "hologram", "name": "?", "depth": 3 });
    let item: PlayableItem = read(&other);
    assert!(matches!(item, PlayableItem::Other(_)));
    assert_eq!(serde_json::to_value(&item).unwrap(), other);
}

#[test]
fn a_missing_id_is_taken_from_the_uri_or_href() {
    let uri = "spotify:artist:spotmockArtist00000001";
    let href = "https://api.spotify.com/v1/artists/spotmockArtist00000001";
    for value in [json!({ "uri": uri }), json!({ "id": null, "href": href })] {
        assert_eq!(read::<Artist>(&value).id.as_str(), "spotmockArtist00000001");
    }
    let error = spot_model::from_slice::<Artist>(br#"{"name":"Nobody"}"#).unwrap_err();
    assert!(error.to_string().contains("missing field `id`"), "{error}");
}

#[test]
fn a_local_track_has_no_id_and_keeps_the_uri() {
    let uri = "spotify:local:Band:Record:Song:200";
    let local = json!({
        "id": null, "uri": uri, "href": null, "name": "Song", "type": "track", "is_local": true,
        "album": { "id": null, "album_type": null, "release_date": null, "name": "", "uri": null },
        "artists": [{ "name": "Band", "id": null }], "external_urls": {}, "available_markets": [],
    });
    let track: Track = read(&local);
    assert_eq!((track.id, track.album.id, track.album.album_type.clone()), (None, None, None));
    assert_eq!(track.local.as_ref().unwrap().title, "Song");
    let again = serde_json::to_value(&track).unwrap();
    assert_eq!(again["uri"], uri);
    assert_eq!(again["id"], Value::Null);
}

#[test]
fn serializing_a_track_restores_type_uri_href_and_url() {
    let track: Track = read(&json!({ "id": "spotmockTrack000000001", "name": "Song" }));
    let again = serde_json::to_value(&track).unwrap();
    assert_eq!(again["type"], "track");
    assert_eq!(again["uri"], "spotify:track:spotmockTrack000000001");
    assert_eq!(again["href"], "https://api.spotify.com/v1/tracks/spotmockTrack000000001");
    assert_eq!(
        again["external_urls"]["spotify"],
        "https://open.spotify.com/track/spotmockTrack000000001"
    );
}

#[test]
fn enums_ignore_case_and_keep_unknown_values() {
    let album: SimplifiedAlbum = read(&json!({ "album_type": "SINGLE" }));
    assert_eq!(album.album_type, Some(AlbumType::Single));
    let device: Device = read(&json!({ "type": "Chromebook", "id": null, "volume_percent": null }));
    let kind = device.kind.clone().unwrap();
    assert!(!kind.is_known());
    assert_eq!((kind.as_str(), kind.to_string().as_str()), ("Chromebook", "Chromebook"));
    assert_eq!(serde_json::to_value(&device).unwrap()["type"], "Chromebook");
    assert_ne!(kind, DeviceKind::Computer);
}

#[test]
fn undocumented_context_kinds_are_decoded() {
    let context: Context = read(&json!({
        "type": "collectionyourepisodes", "uri": "spotify:user:nora:collection:your-episodes",
        "href": null, "external_urls": {},
    }));
    assert_eq!(context.kind, Some(ContextKind::CollectionYourEpisodes));
    assert_eq!(context.uri.unwrap().to_string(), "spotify:user:nora:collection:your-episodes");
    let context: Context = read(&json!({ "anonymized": 1 }));
    assert_eq!((context.kind, context.uri), (None, None));
}

#[test]
fn lists_may_be_null_or_hold_nulls() {
    let playlist: Playlist = read(&json!({ "images": null, "owner": null }));
    assert!(playlist.images.is_empty());
    let playlist: Playlist = read(&json!({ "images": [null, { "url": "u" }] }));
    assert_eq!(playlist.images.len(), 1);
    let user: PublicUser = read(&json!({ "id": "", "display_name": null }));
    assert_eq!(user.id, None);
}

#[test]
fn albums_with_invalid_dates_decode_without_a_date() {
    for date in [json!(null), json!(""), json!("soon")] {
        assert_eq!(read::<SimplifiedAlbum>(&json!({ "release_date": date })).release_date, None);
    }
    let album: SimplifiedAlbum = read(&json!({ "release_date": "0000" }));
    assert_eq!(album.release_date.unwrap().year(), 0);
}

#[test]
fn a_track_with_id_and_local_uri_serializes_a_single_uri() {
    let json = r#"{"id":"4uLU6hMCjMI75M1A2tKUQC","name":"Song","uri":"spotify:local:A:B:Song:1"}"#;
    let track: Track = spot_model::from_slice(json.as_bytes()).unwrap();
    assert!(track.local.is_some());
    let written = serde_json::to_string(&track).unwrap();
    assert_eq!(written.matches("\"uri\":").count(), 1, "{written}");
    assert!(written.contains("spotify:track:4uLU6hMCjMI75M1A2tKUQC"), "{written}");
}

#[test]
fn a_broken_old_field_is_ignored_if_the_new_field_is_valid() {
    let item = json!({ "type": "track", "name": "new" });
    for old in [json!(true), json!({ "name": 1 }), json!(null)] {
        for both in [json!({ "item": item, "track": old }), json!({ "track": old, "item": item })] {
            let entry: PlaylistItem = read(&both);
            assert_eq!(entry.item.unwrap().name(), "new", "{both}");
        }
    }
    let old = json!({ "item": null, "track": item });
    assert_eq!(read::<PlaylistItem>(&old).item.unwrap().name(), "new");
    let json = br#"{"track":{"name":1}}"#;
    let error = spot_model::from_slice::<PlaylistItem>(json).unwrap_err().to_string();
    assert!(error.contains("expected a string") && error.ends_with("of `track`"), "{error}");
}

#[test]
fn album_group_survives_a_round_trip() {
    for (json, group) in [
        ("\"album\"", Some(AlbumGroup::Album)),
        ("\"single\"", Some(AlbumGroup::Single)),
        ("\"appears_on\"", Some(AlbumGroup::AppearsOn)),
        ("\"compilation\"", Some(AlbumGroup::Compilation)),
        ("\"remix_of\"", Some("remix_of".parse().unwrap())),
        ("null", None),
    ] {
        let json = format!("{{\"type\":\"album\",\"name\":\"A\",\"album_group\":{json}}}");
        let album: SimplifiedAlbum = spot_model::from_slice(json.as_bytes()).unwrap();
        assert_eq!(album.album_group, group);
        let again = serde_json::to_vec(&album).unwrap();
        let again: SimplifiedAlbum = spot_model::from_slice(&again).unwrap();
        assert_eq!(again.album_group, group);
    }
}
