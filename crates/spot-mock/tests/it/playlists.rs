//! Tests listing, reading and changing playlists.

use serde_json::{Value, json};
use spot_mock::MockSpotify;

use crate::support::{Api, development, extended};

fn uris(page: &Value) -> Vec<String> {
    let uri = |entry: &Value| entry["item"]["uri"].as_str().unwrap_or("gone").to_owned();
    page["items"].as_array().unwrap().iter().map(uri).collect()
}

/// Creates a playlist with the first tracks of an album. Returns the id of the playlist and the
/// URIs of the tracks.
async fn with_tracks(api: &Api, count: usize) -> (String, Vec<String>) {
    let made = api.post("/me/playlists", r#"{"name":"Made for a test"}"#).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let list = made.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(
        made.header("location").unwrap(),
        format!("{}/playlists/{list}", api.mock.api_url())
    );
    let album = api.read(&format!("/albums/{}/tracks?limit=50", api.mock.world().long_album)).await;
    let tracks: Vec<String> = album["items"]
        .as_array()
        .unwrap()
        .iter()
        .take(count)
        .map(|track| track["uri"].as_str().unwrap().to_owned())
        .collect();
    let added =
        api.post(&format!("/playlists/{list}/items"), &json!({ "uris": tracks }).to_string()).await;
    assert_eq!(added.status, 201, "{}", added.text);
    (list, tracks)
}

async fn items(api: &Api, list: &str) -> Vec<String> {
    uris(&api.read(&format!("/playlists/{list}/items?limit=50")).await)
}

async fn snapshot(api: &Api, list: &str) -> String {
    api.read(&format!("/playlists/{list}")).await["snapshot_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn adding_items_accepts_a_bare_json_array() {
    let api = development().await;
    let (list, tracks) = with_tracks(&api, 2).await;
    let path = format!("/playlists/{list}/items?position=0");
    assert_eq!(api.post(&path, &json!([tracks[1]]).to_string()).await.status, 201);
    let expected = [1, 0, 1].map(|place: usize| tracks[place].clone());
    assert_eq!(items(&api, &list).await, expected);
    assert_eq!(api.post(&path, "7").await.message(), "Error parsing JSON.");
}

#[tokio::test]
async fn my_playlists_contains_nulls_and_links_to_user_playlists() {
    let api = Api::new(MockSpotify::builder().null_values(true).start().await.unwrap());
    let mut lists = Vec::new();
    for offset in [0, 50] {
        let page = api.read(&format!("/me/playlists?limit=50&offset={offset}")).await;
        assert_eq!(page["total"], 60);
        if offset == 0 {
            let user = &api.mock.world().user;
            assert!(page["next"].as_str().unwrap().contains(&format!("/users/{user}/playlists?")));
        }
        lists.extend(page["items"].as_array().unwrap().clone());
    }
    assert_eq!(lists.len(), 60);
    assert_eq!(lists.iter().filter(|list| list.is_null()).count(), 3);
    assert_eq!(lists[2]["images"], json!(null));
    let user = api.mock.world().user.as_str();
    for list in lists.iter().filter(|list| !list.is_null()) {
        let mine = list["owner"]["id"] == user || list["collaborative"] == true;
        assert_eq!(list.get("items").is_some(), mine, "{list}");
        assert!(list.get("tracks").is_none());
    }
}

#[tokio::test]
async fn development_mode_shows_items_only_of_editable_playlists() {
    let api = development().await;
    let world = api.mock.world();
    let own = api.read(&format!("/playlists/{}", world.own_playlist)).await;
    assert_eq!(own["items"]["items"].as_array().unwrap().len(), 100);
    assert_eq!(own["items"]["total"], 250);
    assert!(own.get("tracks").is_none());
    let entry = &own["items"]["items"][0];
    assert!(entry.get("track").is_none());
    assert_eq!(entry["item"]["type"], "track");

    let other = api.read(&format!("/playlists/{}", world.other_playlist)).await;
    assert!(other.get("items").is_none() && other.get("tracks").is_none());
    let refused = api.get(&format!("/playlists/{}/items", world.other_playlist)).await;
    assert_eq!((refused.status, refused.message().as_str()), (403, "Forbidden"));
    assert_eq!(api.get(&format!("/playlists/{}/items", world.shared_playlist)).await.status, 200);
}

#[tokio::test]
async fn extended_mode_returns_items_under_both_field_names() {
    let api = extended().await;
    let list = api.read(&format!("/playlists/{}", api.mock.world().other_playlist)).await;
    let entry = &list["items"]["items"][0];
    assert_eq!(entry["item"], entry["track"]);
    assert_eq!((&entry["item"]["track"], &entry["item"]["episode"]), (&json!(true), &json!(false)));
    assert_eq!(list["tracks"]["items"][0], *entry);
}

#[tokio::test]
async fn old_playlists_contain_null_items_and_local_files() {
    let api = development().await;
    let world = api.mock.world();
    let old = api.read(&format!("/playlists/{}/items", world.old_playlist)).await;
    assert_eq!(old["items"][4]["item"], json!(null));
    assert_eq!(
        (&old["items"][0]["added_at"], &old["items"][0]["added_by"]),
        (&json!(null), &json!(null))
    );

    let local = api.read(&format!("/playlists/{}/items", world.local_files_playlist)).await;
    let entry = &local["items"][1];
    assert_eq!(entry["is_local"], true);
    assert_eq!(entry["item"]["id"], json!(null));
    assert!(entry["item"]["uri"].as_str().unwrap().starts_with("spotify:local:::"));
    assert_eq!(entry["item"]["album"]["release_date"], json!(null));
}

#[tokio::test]
async fn items_are_added_at_a_position() {
    let api = development().await;
    let (list, tracks) = with_tracks(&api, 3).await;
    let episode = format!("spotify:episode:{}", api.mock.world().episode);
    let path = format!("/playlists/{list}/items?position=1&uris={episode},{}", tracks[0]);
    let added = api.post(&path, "").await;
    assert_eq!(added.status, 201);
    assert_eq!(added.json()["snapshot_id"], snapshot(&api, &list).await);
    let now = items(&api, &list).await;
    assert_eq!(
        now.iter().collect::<Vec<_>>(),
        [&tracks[0], &episode, &tracks[0], &tracks[1], &tracks[2]]
    );

    let refused = api.post(&format!("/playlists/{list}/items?position=9&uris={episode}"), "").await;
    assert_eq!((refused.status, refused.message().as_str()), (400, "Index out of bounds"));
}

#[tokio::test]
async fn items_are_replaced_reordered_and_removed() {
    let api = development().await;
    let (list, tracks) = with_tracks(&api, 6).await;
    let path = format!("/playlists/{list}/items");
    let moved = api.put(&path, r#"{"range_start":0,"insert_before":6,"range_length":2}"#).await;
    assert_eq!(moved.status, 200, "{}", moved.text);
    assert_eq!(items(&api, &list).await, [2, 3, 4, 5, 0, 1].map(|place| tracks[place].clone()));

    let pair = json!({ "uris": [tracks[0], tracks[1], tracks[0]] }).to_string();
    let replaced = api.put(&path, &pair).await;
    assert_ne!(replaced.json()["snapshot_id"], moved.json()["snapshot_id"]);
    let gone = json!({ "items": [{ "uri": tracks[0] }] }).to_string();
    assert_eq!(api.delete(&path, &gone).await.status, 200);
    assert_eq!(items(&api, &list).await, [tracks[1].clone()], "every occurrence is removed");

    assert_eq!(api.put(&path, r#"{"uris":[]}"#).await.status, 200);
    assert_eq!(items(&api, &list).await, [""; 0]);
}

#[tokio::test]
async fn invalid_playlist_changes_are_refused() {
    let api = development().await;
    let (list, tracks) = with_tracks(&api, 3).await;
    let path = format!("/playlists/{list}/items");
    let many = json!({ "uris": vec![&tracks[0]; 101] }).to_string();
    let both = json!({ "uris": [tracks[0]], "range_start": 0, "insert_before": 1 }).to_string();
    for (body, message) in [
        (r#"{"range_start":3,"insert_before":0}"#, "Index out of bounds"),
        (r#"{"range_start":0,"insert_before":4}"#, "Index out of bounds"),
        (r#"{"range_start":0}"#, "Missing required field: insert_before"),
        (r#"{"range_start":-1,"insert_before":0}"#, "Invalid value for field: range_start"),
        (r#"{"range_start":0,"insert_before":2,"snapshot_id":"never"}"#, "Invalid snapshot_id"),
        (&both, "Replace and reorder cannot be combined"),
        (&many, "You can add or remove a maximum of 100 items per request"),
        ("{}", "Missing required field: uris"),
        ("{", "Error parsing JSON."),
        (
            r#"{"uris":["spotify:album:0000000000000000000000"]}"#,
            "Invalid track uri: spotify:album:0000000000000000000000",
        ),
        (
            r#"{"uris":["spotify:track:0000000000000000000000"]}"#,
            "Payload contains a non-existing ID",
        ),
    ] {
        let refused = api.put(&path, body).await;
        assert_eq!((refused.status, refused.message().as_str()), (400, message), "{body}");
    }
    let old_key = json!({ "tracks": [{ "uri": tracks[0] }] }).to_string();
    let refused = api.delete(&path, &old_key).await;
    assert_eq!((refused.status, refused.message().as_str()), (400, "No uris provided"));
    assert_eq!(items(&api, &list).await, tracks, "nothing has happened");
}

#[tokio::test]
async fn items_can_be_removed_with_an_old_snapshot_id() {
    let api = development().await;
    let (list, tracks) = with_tracks(&api, 3).await;
    let old = snapshot(&api, &list).await;
    let path = format!("/playlists/{list}/items");
    api.put(&path, r#"{"range_start":0,"insert_before":3}"#).await;
    let body = json!({ "items": [{ "uri": tracks[1] }], "snapshot_id": old }).to_string();
    assert_eq!(api.delete(&path, &body).await.status, 200);
    assert_eq!(items(&api, &list).await, [tracks[2].clone(), tracks[0].clone()]);
}

#[tokio::test]
async fn non_owners_can_only_add_items_to_shared_playlists() {
    let api = development().await;
    let world = api.mock.world();
    let (other, shared) = (world.other_playlist.clone(), world.shared_playlist.clone());
    let track = format!("spotify:track:{}", world.track);
    let path = format!("/playlists/{other}/items?uris={track}");
    assert_eq!(api.post(&path, "").await.status, 403);
    assert_eq!(api.put(&format!("/playlists/{other}"), r#"{"name":"Mine now"}"#).await.status, 403);
    assert_eq!(api.post(&format!("/playlists/{shared}/items?uris={track}"), "").await.status, 201);
    assert_eq!(
        api.put(&format!("/playlists/{shared}"), r#"{"name":"Mine now"}"#).await.status,
        403
    );
}

#[tokio::test]
async fn public_and_private_playlists_require_different_scopes() {
    let api = development().await;
    let token = api.mock.user_token(&["playlist-modify-private", "playlist-read-private"]);
    let api = api.with_token(token);
    let public = api.post("/me/playlists", r#"{"name":"P"}"#).await;
    assert_eq!(public.message(), "Insufficient client scope");
    let private =
        api.post("/me/playlists", r#"{"name":"P","public":false,"description":"D"}"#).await;
    assert_eq!(private.status, 201);
    assert_eq!(
        (&private.json()["public"], &private.json()["description"]),
        (&json!(false), &json!("D"))
    );
    assert_eq!(private.json()["images"], json!(null));
}

#[tokio::test]
async fn playlist_details_are_changed_separately_and_validated() {
    let api = development().await;
    let list = api.mock.world().own_playlist.clone();
    let path = format!("/playlists/{list}");
    let before = api.read(&path).await;
    assert_eq!(api.put(&path, r#"{"description":"New"}"#).await.status, 200);
    let after = api.read(&path).await;
    assert_eq!((&after["description"], &after["name"]), (&json!("New"), &before["name"]));
    assert_ne!(after["snapshot_id"], before["snapshot_id"]);
    for (body, message) in [
        (r#"{"collaborative":true}"#, "Collaborative playlists can only be private"),
        (r#"{"name":""}"#, "Invalid value for field: name"),
        (r#"{"public":"yes"}"#, "Invalid value for field: public"),
    ] {
        let refused = api.put(&path, body).await;
        assert_eq!((refused.status, refused.message().as_str()), (400, message));
    }
    let nameless = api.post("/me/playlists", "{}").await;
    assert_eq!(nameless.message(), "Missing required field: name");
}

#[tokio::test]
async fn a_cover_must_be_a_base64_jpeg_of_at_most_256_kib() {
    let api = development().await;
    let list = api.mock.world().own_playlist.clone();
    let path = format!("/playlists/{list}/images");
    let url = format!("{}{path}", api.mock.api_url());
    let upload = |kind: &'static str, body: String| {
        let request = api.http.put(&url).bearer_auth(&api.token).header("content-type", kind);
        crate::support::finish(request.body(body))
    };
    let before = api.read(&path).await;
    assert_eq!(upload("image/png", "/9j/".to_owned()).await.status, 415);
    assert_eq!(upload("image/jpeg", "not base64!".to_owned()).await.status, 400);
    assert_eq!(
        upload("image/jpeg", "aGVsbG8=".to_owned()).await.message(),
        "The cover is not a JPEG"
    );
    assert_eq!(upload("image/jpeg", "A".repeat(256 * 1024 + 1)).await.status, 413);
    assert_eq!(upload("image/jpeg", "/9j/4AAQ".to_owned()).await.status, 202);
    assert_ne!(api.read(&path).await, before);
}

#[tokio::test]
async fn a_playlist_holds_at_most_11000_items() {
    let api = development().await;
    let (list, tracks) = with_tracks(&api, 1).await;
    let hundred = json!({ "uris": vec![&tracks[0]; 100] }).to_string();
    let path = format!("/playlists/{list}/items");
    for _ in 0..109 {
        assert_eq!(api.post(&path, &hundred).await.status, 201);
    }
    let refused = api.post(&path, &hundred).await;
    assert_eq!(
        (refused.status, refused.message().as_str()),
        (400, "A playlist holds at most 11000 items")
    );
    let ninety_nine = json!({ "uris": vec![&tracks[0]; 99] }).to_string();
    assert_eq!(api.post(&path, &ninety_nine).await.status, 201);
    assert_eq!(api.read(&format!("{path}?limit=1")).await["total"], 11_000);
}

#[tokio::test]
async fn deprecated_playlist_operations_work_in_extended_mode() {
    let api = extended().await;
    let (list, tracks) = with_tracks(&api, 2).await;
    let path = format!("/playlists/{list}/tracks");
    assert_eq!(api.read(&format!("{path}?limit=100")).await["total"], 2);
    let gone = json!({ "tracks": [{ "uri": tracks[0] }] }).to_string();
    assert_eq!(api.delete(&path, &gone).await.status, 200);
    assert_eq!(items(&api, &list).await, [tracks[1].clone()]);
    let user = api.mock.world().user.clone();
    let made = api.post(&format!("/users/{user}/playlists"), r#"{"name":"Old way"}"#).await;
    assert_eq!(made.status, 201);
    assert_eq!(api.post("/users/mara.holt/playlists", r#"{"name":"Not mine"}"#).await.status, 403);
    let theirs = api.read("/users/mara.holt/playlists").await;
    assert!(theirs["total"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn editorial_playlists_are_not_found_by_new_applications() {
    let api = extended().await;
    let list = api.mock.world().editorial_playlist.clone();
    assert!(list.starts_with("37i9dQZF1DX"));
    assert_eq!(api.get(&format!("/playlists/{list}")).await.status, 200);
    let late = Api::new(MockSpotify::start().await.unwrap());
    assert_eq!(late.get(&format!("/playlists/{list}")).await.message(), "Resource not found");
}
