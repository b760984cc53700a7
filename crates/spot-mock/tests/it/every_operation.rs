//! Tests every operation in both access modes.

use reqwest::Method;
use serde_json::{Value, json};
use spot_mock::WorldIds;

use crate::support::{Api, development, extended};

/// An operation id, the parts of a valid call, and the expected status in Extended Quota Mode.
type Row = (&'static str, Method, String, String, u16);

#[rustfmt::skip]
fn calls(ids: &WorldIds) -> Vec<Row> {
    let WorldIds { artist, album, track, show, episode, audiobook, chapter, category, user, .. } = ids;
    let (list, other) = (&ids.own_playlist, &ids.other_playlist);
    let uri = format!("spotify:track:{track}");
    let device = json!({ "device_ids": [ids.device] }).to_string();
    let uris = json!({ "uris": [uri] }).to_string();
    let one_id = |id: &String| json!({ "ids": [id] }).to_string();
    let get = |id, path: String, status| (id, Method::GET, path, String::new(), status);
    let put = |id, path: String, body: &str, status| (id, Method::PUT, path, body.to_owned(), status);
    let post = |id, path: String, body: &str, status| (id, Method::POST, path, body.to_owned(), status);
    let delete = |id, path: String, body: &str, status| (id, Method::DELETE, path, body.to_owned(), status);
    vec![
        get("get-an-album", format!("/albums/{album}"), 200),
        get("get-multiple-albums", format!("/albums?ids={album}"), 200),
        get("get-an-albums-tracks", format!("/albums/{album}/tracks"), 200),
        get("get-new-releases", "/browse/new-releases".into(), 200),
        get("get-users-saved-albums", "/me/albums".into(), 200),
        put("save-albums-user", "/me/albums".into(), &one_id(album), 200),
        get("check-users-saved-albums", format!("/me/albums/contains?ids={album}"), 200),
        delete("remove-albums-user", format!("/me/albums?ids={album}"), "", 200),
        get("get-an-artist", format!("/artists/{artist}"), 200),
        get("get-multiple-artists", format!("/artists?ids={artist}"), 200),
        get("get-an-artists-albums", format!("/artists/{artist}/albums"), 200),
        get("get-an-artists-top-tracks", format!("/artists/{artist}/top-tracks"), 200),
        get("get-an-artists-related-artists", format!("/artists/{artist}/related-artists"), 200),
        get("get-track", format!("/tracks/{track}"), 200),
        get("get-several-tracks", format!("/tracks?ids={track}"), 200),
        get("get-users-saved-tracks", "/me/tracks".into(), 200),
        put("save-tracks-user", "/me/tracks".into(), &one_id(track), 200),
        get("check-users-saved-tracks", format!("/me/tracks/contains?ids={track}"), 200),
        delete("remove-tracks-user", "/me/tracks".into(), &one_id(track), 200),
        get("get-several-audio-features", format!("/audio-features?ids={track}"), 200),
        get("get-audio-features", format!("/audio-features/{track}"), 200),
        get("get-audio-analysis", format!("/audio-analysis/{track}"), 200),
        get("get-recommendations", format!("/recommendations?seed_artists={artist}"), 200),
        get("get-recommendation-genres", "/recommendations/available-genre-seeds".into(), 200),
        get("get-a-show", format!("/shows/{show}"), 200),
        get("get-multiple-shows", format!("/shows?ids={show}"), 200),
        get("get-a-shows-episodes", format!("/shows/{show}/episodes"), 200),
        get("get-users-saved-shows", "/me/shows".into(), 200),
        put("save-shows-user", format!("/me/shows?ids={show}"), "", 200),
        get("check-users-saved-shows", format!("/me/shows/contains?ids={show}"), 200),
        delete("remove-shows-user", format!("/me/shows?ids={show}"), "", 200),
        get("get-an-episode", format!("/episodes/{episode}"), 200),
        get("get-multiple-episodes", format!("/episodes?ids={episode}"), 200),
        get("get-users-saved-episodes", "/me/episodes".into(), 200),
        put("save-episodes-user", "/me/episodes".into(), &one_id(episode), 200),
        get("check-users-saved-episodes", format!("/me/episodes/contains?ids={episode}"), 200),
        delete("remove-episodes-user", format!("/me/episodes?ids={episode}"), "", 200),
        get("get-an-audiobook", format!("/audiobooks/{audiobook}"), 200),
        get("get-multiple-audiobooks", format!("/audiobooks?ids={audiobook}"), 200),
        get("get-audiobook-chapters", format!("/audiobooks/{audiobook}/chapters"), 200),
        get("get-users-saved-audiobooks", "/me/audiobooks".into(), 200),
        put("save-audiobooks-user", format!("/me/audiobooks?ids={audiobook}"), "", 200),
        get("check-users-saved-audiobooks", format!("/me/audiobooks/contains?ids={audiobook}"), 200),
        delete("remove-audiobooks-user", format!("/me/audiobooks?ids={audiobook}"), "", 200),
        get("get-a-chapter", format!("/chapters/{chapter}"), 200),
        get("get-several-chapters", format!("/chapters?ids={chapter}"), 200),
        get("search", "/search?q=a&type=track,artist,album,playlist,show,episode,audiobook".into(), 200),
        get("get-current-users-profile", "/me".into(), 200),
        get("get-users-top-artists-and-tracks", "/me/top/artists".into(), 200),
        get("get-users-profile", format!("/users/{user}"), 200),
        put("save-library-items", format!("/me/library?uris={uri}"), "", 200),
        get("check-library-contains", format!("/me/library/contains?uris={uri}"), 200),
        delete("remove-library-items", format!("/me/library?uris={uri}"), "", 200),
        get("get-followed", "/me/following?type=artist".into(), 200),
        put("follow-artists-users", format!("/me/following?type=artist&ids={artist}"), "", 204),
        get("check-current-user-follows", format!("/me/following/contains?type=artist&ids={artist}"), 200),
        delete("unfollow-artists-users", "/me/following?type=artist".into(), &one_id(artist), 204),
        put("follow-playlist", format!("/playlists/{other}/followers"), r#"{"public":false}"#, 200),
        get("check-if-user-follows-playlist", format!("/playlists/{other}/followers/contains?ids={user}"), 200),
        delete("unfollow-playlist", format!("/playlists/{other}/followers"), "", 200),
        get("get-playlist", format!("/playlists/{list}"), 200),
        put("change-playlist-details", format!("/playlists/{list}"), r#"{"name":"N"}"#, 200),
        get("get-a-list-of-current-users-playlists", "/me/playlists".into(), 200),
        post("create-playlist", "/me/playlists".into(), r#"{"name":"N"}"#, 201),
        get("get-list-users-playlists", format!("/users/{user}/playlists"), 200),
        post("create-playlist-for-user", format!("/users/{user}/playlists"), r#"{"name":"N"}"#, 201),
        get("get-playlist-cover", format!("/playlists/{list}/images"), 200),
        put("upload-custom-playlist-cover", format!("/playlists/{list}/images"), "/9j/4AAQ", 202),
        get("get-playlists-items", format!("/playlists/{list}/items"), 200),
        post("add-items-to-playlist", format!("/playlists/{list}/items"), &uris, 201),
        put("reorder-or-replace-playlists-items", format!("/playlists/{list}/items"), &uris, 200),
        delete("remove-items-playlist", format!("/playlists/{list}/items"), &json!({ "items": [{ "uri": uri }] }).to_string(), 200),
        get("get-playlists-tracks", format!("/playlists/{list}/tracks"), 200),
        post("add-tracks-to-playlist", format!("/playlists/{list}/tracks?uris={uri}"), "", 201),
        put("reorder-or-replace-playlists-tracks", format!("/playlists/{list}/tracks"), &uris, 200),
        delete("remove-tracks-playlist", format!("/playlists/{list}/tracks"), &json!({ "tracks": [{ "uri": uri }] }).to_string(), 200),
        get("get-featured-playlists", "/browse/featured-playlists".into(), 200),
        get("get-categories", "/browse/categories".into(), 200),
        get("get-a-category", format!("/browse/categories/{category}"), 200),
        get("get-a-categories-playlists", format!("/browse/categories/{category}/playlists"), 200),
        get("get-available-markets", "/markets".into(), 200),
        get("get-information-about-the-users-current-playback", "/me/player".into(), 200),
        put("transfer-a-users-playback", "/me/player".into(), &device, 204),
        get("get-a-users-available-devices", "/me/player/devices".into(), 200),
        get("get-the-users-currently-playing-track", "/me/player/currently-playing".into(), 200),
        put("pause-a-users-playback", "/me/player/pause".into(), "", 204),
        put("start-a-users-playback", "/me/player/play".into(), "", 204),
        post("skip-users-playback-to-next-track", "/me/player/next".into(), "", 204),
        post("skip-users-playback-to-previous-track", "/me/player/previous".into(), "", 204),
        put("seek-to-position-in-currently-playing-track", "/me/player/seek?position_ms=1".into(), "", 204),
        put("set-repeat-mode-on-users-playback", "/me/player/repeat?state=off".into(), "", 204),
        put("set-volume-for-users-playback", "/me/player/volume?volume_percent=1".into(), "", 204),
        put("toggle-shuffle-for-users-playback", "/me/player/shuffle?state=true".into(), "", 204),
        get("get-recently-played", "/me/player/recently-played".into(), 200),
        get("get-queue", "/me/player/queue".into(), 200),
        post("add-to-queue", format!("/me/player/queue?uri={uri}"), "", 204),
    ]
}

async fn send(api: &Api, (id, method, path, body, _): &Row) -> (u16, String) {
    let kind =
        if *id == "upload-custom-playlist-cover" { "image/jpeg" } else { "application/json" };
    let mut request = api
        .http
        .request(method.clone(), format!("{}{path}", api.mock.api_url()))
        .bearer_auth(&api.token)
        .header("content-type", kind);
    request = match body.as_str() {
        "" if *method == Method::GET => request,
        "" => request.header("content-length", "0"),
        body => request.body(body.to_owned()),
    };
    let answer = crate::support::finish(request).await;
    let seen = api.mock.take_requests().pop().unwrap();
    assert_eq!(seen.operation, Some(*id), "{path}");
    assert_eq!(seen.status, answer.status);
    (answer.status, answer.text)
}

#[tokio::test]
async fn extended_mode_allows_all_96_operations() {
    let api = extended().await;
    let calls = calls(api.mock.world());
    assert_eq!(calls.len(), 96);
    for row in &calls {
        let (status, text) = send(&api, row).await;
        assert_eq!(status, row.4, "{}: {text}", row.0);
        if row.1 == Method::GET {
            let value: Value = serde_json::from_str(&text).unwrap();
            assert!(value.is_object() || value.is_array(), "{}: {text}", row.0);
        }
    }
}

#[tokio::test]
async fn development_mode_allows_48_operations() {
    let api = development().await;
    let mut open = 0;
    for row in &calls(api.mock.world()) {
        let (status, text) = send(&api, row).await;
        if status == row.4 {
            open += 1;
        } else {
            assert!([403, 404].contains(&status), "{}: {status} {text}", row.0);
        }
    }
    assert_eq!(open, 48);
}

#[tokio::test]
async fn every_operation_refuses_an_invalid_token() {
    let api = extended().await.with_token("nonsense".to_owned());
    for row in &calls(api.mock.world()) {
        assert_eq!(send(&api, row).await.0, 401, "{}", row.0);
    }
}

#[tokio::test]
async fn an_app_token_reads_the_catalogue_but_no_user_data() {
    let api = extended().await;
    let token = api.mock.app_token();
    let api = api.with_token(token);
    for row in &calls(api.mock.world()) {
        let (status, text) = send(&api, row).await;
        let personal = row.2.starts_with("/me") || row.1 != Method::GET;
        match row.0 {
            // A call without a user has no country, so the mock finds no show. Only a user can
            // follow a playlist.
            "get-a-show"
            | "get-multiple-shows"
            | "get-a-shows-episodes"
            | "get-an-episode"
            | "get-multiple-episodes" => assert_eq!(status, 404, "{}", row.0),
            "check-if-user-follows-playlist" => assert_eq!(status, 401, "{}", row.0),
            _ if personal => assert_eq!(status, 401, "{}: {text}", row.0),
            _ => assert_eq!(status, 200, "{}: {text}", row.0),
        }
    }
}
