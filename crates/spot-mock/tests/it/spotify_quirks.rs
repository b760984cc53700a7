//! Tests behaviour of Spotify that other client libraries handle incorrectly.

use std::time::Duration;

use serde_json::{Value, json};
use spot_mock::{MockSpotify, Mode};

use crate::support::{Api, development, extended};

#[tokio::test]
async fn my_playlists_without_scopes_lists_only_public_playlists() {
    let api = development().await;
    let all = api.read("/me/playlists?limit=50").await["total"].as_u64().unwrap();
    let private = api.mock.world().private_playlist.clone();
    let token = api.mock.user_token(&[]);
    let public = api.with_token(token).read("/me/playlists?limit=50").await;
    assert!((1..all).contains(&public["total"].as_u64().unwrap()));
    let lists = public["items"].as_array().unwrap();
    assert!(lists.iter().all(|list| list["public"] == true && list["id"] != private.as_str()));
}

#[tokio::test]
async fn null_values_appear_only_if_enabled() {
    let nulls = MockSpotify::builder().null_values(true).start().await.unwrap();
    for (api, expected) in [(development().await, 0), (Api::new(nulls), 3)] {
        let mut hidden = 0;
        for offset in [0, 50] {
            let page = api.read(&format!("/me/playlists?limit=50&offset={offset}")).await;
            hidden +=
                page["items"].as_array().unwrap().iter().filter(|list| list.is_null()).count();
        }
        assert_eq!(hidden, expected);
        let devices = api.read("/me/player/devices").await;
        let devices = devices["devices"].as_array().unwrap();
        assert_eq!(devices.iter().any(|device| device["id"].is_null()), expected > 0);
        let found = api.read("/search?q=a&type=playlist&limit=10").await;
        let total = found["playlists"]["total"].as_u64().unwrap();
        let mut holes = 0;
        for offset in (0..total).step_by(10) {
            let path = format!("/search?q=a&type=playlist&limit=10&offset={offset}");
            let found = api.read(&path).await;
            let lists = found["playlists"]["items"].as_array().unwrap();
            holes += lists.iter().filter(|list| list.is_null()).count();
        }
        assert_eq!(holes > 0, expected > 0);
    }
}

#[tokio::test]
async fn an_episode_without_additional_types_has_the_form_of_a_track() {
    let api = extended().await;
    let list = api.mock.world().episodes_playlist.clone();
    let page = api.read(&format!("/playlists/{list}/items?limit=3")).await;
    let item = &page["items"][2]["item"];
    let show = item["album"]["name"].as_str().unwrap();
    assert_eq!((&item["track"], &item["episode"]), (&json!(true), &json!(false)));
    assert_eq!(item["album"]["album_type"], "compilation");
    assert_eq!(item["album"]["total_tracks"], 1);
    assert_eq!(item["artists"][0]["name"], show);
    assert_eq!(item["popularity"], 0);
    let url = item["external_ids"]["spotify"].as_str().unwrap();
    assert!(url.starts_with("https://open.spotify.com/episode/"), "{url}");
}

#[tokio::test]
async fn previous_after_a_queued_track_plays_the_interrupted_track() {
    let api = development().await;
    let world = api.mock.world().clone();
    let current = async || api.read("/me/player").await["item"]["id"].as_str().unwrap().to_owned();
    let start = json!({ "context_uri": format!("spotify:album:{}", world.album) }).to_string();
    assert_eq!(api.put("/me/player/play", &start).await.status, 204);
    let first = current().await;
    let queue = format!("/me/player/queue?uri=spotify:track:{}", world.relinked_track);
    assert_eq!(api.post(&queue, "").await.status, 204);
    api.post("/me/player/next", "").await;
    assert_eq!(current().await, world.relinked_track);
    // The queued track has interrupted the first track of the album. `previous` plays this first
    // track, and does not fail.
    assert_eq!(api.post("/me/player/previous", "").await.status, 204);
    assert_eq!(current().await, first);
    api.post("/me/player/next", "").await;
    let second = current().await;
    assert!(second != first && second != world.relinked_track);
}

#[tokio::test]
async fn recently_played_pages_forward_with_after() {
    let api = development().await;
    let all = api.read("/me/player/recently-played?limit=50").await;
    let all: Vec<_> = all["items"].as_array().unwrap().clone();
    let at = |play: &Value| play["played_at"].as_str().unwrap().to_owned();
    // Reads all plays, from the oldest to the newest, seven plays per page.
    let mut path = "/me/player/recently-played?after=0&limit=7".to_owned();
    let mut seen: Vec<String> = Vec::new();
    loop {
        let page = api.read(&path).await;
        let items = page["items"].as_array().unwrap();
        seen.extend(items.iter().rev().map(at));
        match page["next"].as_str() {
            Some(next) => {
                assert!(next.contains("after="), "{next}");
                path = next.strip_prefix(api.mock.api_url()).unwrap().to_owned();
            }
            None => break,
        }
    }
    assert_eq!(seen, all.iter().rev().map(at).collect::<Vec<_>>());
}

#[tokio::test]
async fn only_full_audiobook_objects_have_is_playable() {
    let api = development().await;
    let book = api.mock.world().audiobook.clone();
    assert_eq!(api.read(&format!("/audiobooks/{book}?market=GB")).await["is_playable"], true);
    let saved = api.read("/me/audiobooks?market=GB").await;
    assert_eq!(saved["items"][0].get("is_playable"), None);
    let found = api.read("/search?q=a&type=audiobook&market=GB").await;
    assert_eq!(found["audiobooks"]["items"][0].get("is_playable"), None);
}

#[tokio::test]
async fn recommendations_respect_tunable_attributes_and_genres() {
    let api = extended().await;
    let genres = api.read("/recommendations/available-genre-seeds").await;
    let genres: Vec<_> = genres["genres"].as_array().unwrap().clone();
    assert!(genres.contains(&json!("hip-hop")) && genres.contains(&json!("bossanova")));
    let path = "/recommendations?seed_genres=hip-hop,jazz&limit=20&min_energy=0.4&max_energy=0.6\
                &max_duration_ms=200000";
    let found = api.read(path).await;
    let tracks = found["tracks"].as_array().unwrap();
    assert_eq!(tracks.len(), 20);
    assert_eq!(
        (&found["seeds"][0]["type"], &found["seeds"][0]["id"]),
        (&json!("GENRE"), &json!("hip-hop"))
    );
    for track in tracks {
        assert!(track["duration_ms"].as_u64().unwrap() <= 200_000);
        let features =
            api.read(&format!("/audio-features/{}", track["id"].as_str().unwrap())).await;
        assert!((0.4..=0.6).contains(&features["energy"].as_f64().unwrap()), "{features}");
    }
    let fast = api.read("/recommendations?seed_genres=techno&limit=5&target_tempo=140").await;
    for track in fast["tracks"].as_array().unwrap() {
        let features =
            api.read(&format!("/audio-features/{}", track["id"].as_str().unwrap())).await;
        assert!((130.0..150.0).contains(&features["tempo"].as_f64().unwrap()), "{features}");
    }
    assert_eq!(api.get("/recommendations?seed_genres=no-such-genre").await.status, 400);
    let nothing = api.read("/recommendations?seed_genres=pop&min_energy=0.9&max_energy=0.1").await;
    assert_eq!(nothing["tracks"], json!([]));
}

#[tokio::test]
async fn a_bare_json_array_of_ids_is_rejected() {
    let api = extended().await;
    let track = api.mock.world().track.clone();
    let body = json!([track]).to_string();
    for path in ["/me/tracks", "/me/albums", "/me/following?type=artist"] {
        let refused = api.put(path, &body).await;
        assert_eq!(
            (refused.status, refused.message().as_str()),
            (400, "Missing required field: ids"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn api_error_bodies_are_indented_json() {
    let api = development().await;
    let refused = api.get("/tracks/0000000000000000000000").await;
    let expected =
        "{\n  \"error\": {\n    \"status\": 404,\n    \"message\": \"Resource not found\"\n  }\n}";
    assert_eq!(refused.text, expected);
}

#[tokio::test]
async fn chapters_are_available_only_in_audiobook_markets() {
    let api = extended().await;
    let (chapter, book) = (api.mock.world().chapter.clone(), api.mock.world().audiobook.clone());
    let token = api.mock.app_token();
    let api = api.with_token(token);
    for (market, status) in [("US", 200), ("GB", 200), ("DE", 404), ("FI", 404)] {
        for path in [format!("/chapters/{chapter}"), format!("/audiobooks/{book}/chapters")] {
            let answer = api.get(&format!("{path}?market={market}")).await;
            assert_eq!(answer.status, status, "{path} in {market}");
        }
        let several = api.read(&format!("/chapters?ids={chapter}&market={market}")).await;
        assert_eq!(several["chapters"][0].is_null(), status == 404, "{market}");
    }
}

#[tokio::test]
async fn playback_continues_with_the_context_after_a_queued_track() {
    let mock = MockSpotify::builder().mode(Mode::Extended).start().await.unwrap();
    let api = Api::new(mock);
    let world = api.mock.world().clone();
    let start = json!({ "context_uri": format!("spotify:album:{}", world.album) }).to_string();
    api.put("/me/player/play", &start).await;
    api.post(&format!("/me/player/queue?uri=spotify:track:{}", world.relinked_track), "").await;
    api.post("/me/player/next", "").await;
    api.mock.advance(Duration::from_secs(500));
    let state = api.read("/me/player").await;
    assert_eq!(state["item"]["album"]["id"], world.album.as_str());
    assert_eq!(state["item"]["track_number"], 2);
}
