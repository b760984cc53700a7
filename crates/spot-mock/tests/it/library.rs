//! Tests the operations that save, follow and check entries.

use serde_json::{Value, json};

use crate::support::{development, extended};

#[tokio::test]
async fn the_library_holds_2345_tracks() {
    let api = development().await;
    let mut count = 0;
    let mut dates = Vec::new();
    let mut next = Some("/me/tracks?limit=50".to_owned());
    while let Some(path) = next {
        let page = api.read(&path).await;
        assert_eq!(page["total"], 2_345);
        let items = page["items"].as_array().unwrap();
        count += items.len();
        dates.extend(items.iter().map(|item| item["added_at"].as_str().unwrap().to_owned()));
        next = page["next"]
            .as_str()
            .map(|link| link.strip_prefix(api.mock.api_url()).unwrap().to_owned());
    }
    assert_eq!(count, 2_345);
    assert!(dates.is_sorted_by(|earlier, later| earlier >= later));
    assert_eq!(api.read("/me/tracks?offset=3000").await["items"], json!([]));
}

#[tokio::test]
async fn a_single_call_saves_uris_of_different_kinds() {
    let api = development().await;
    let world = api.mock.world();
    let uris = [
        format!("spotify:track:{}", world.unsaved_track),
        format!("spotify:artist:{}", world.unfollowed_artist),
        "spotify:user:zo%C3%AB%2391".replace('%', "%25"),
    ]
    .join(",");
    let contains = format!("/me/library/contains?uris={uris}");
    assert_eq!(api.put(&format!("/me/library?uris={uris}"), "").await.status, 200);
    assert_eq!(api.read(&contains).await, json!([true, true, true]));
    let newest = api.read("/me/tracks?limit=1").await;
    assert_eq!(newest["items"][0]["track"]["id"], world.unsaved_track.as_str());
    assert_eq!(newest["total"], 2_346);
    let followed = api.read("/me/following?type=artist&limit=1").await;
    assert_eq!(followed["artists"]["items"][0]["id"], world.unfollowed_artist.as_str());

    let removed = api.delete(&format!("/me/library?uris={uris}"), "").await;
    assert_eq!((removed.status, removed.text.as_str()), (200, ""));
    assert_eq!(api.read(&contains).await, json!([false, false, false]));
}

#[tokio::test]
async fn saving_a_playlist_uri_follows_the_playlist() {
    let api = development().await;
    let list = api.mock.world().other_playlist.clone();
    let uri = format!("uris=spotify:playlist:{list}");
    assert_eq!(api.read(&format!("/me/library/contains?{uri}")).await, json!([true]));
    assert_eq!(api.delete(&format!("/me/library?{uri}"), "").await.status, 200);
    assert_eq!(api.read(&format!("/me/library/contains?{uri}")).await, json!([false]));
    assert_eq!(api.put(&format!("/me/library?{uri}"), "").await.status, 200);
    assert_eq!(api.read("/me/playlists?limit=1").await["items"][0]["id"], list.as_str());
}

#[tokio::test]
async fn library_calls_accept_up_to_40_valid_uris_in_the_query() {
    let api = development().await;
    let track = format!("spotify:track:{}", api.mock.world().unsaved_track);
    let body = json!({ "uris": [track] }).to_string();
    let refused = api.put("/me/library", &body).await;
    assert_eq!((refused.status, refused.message().as_str()), (400, "Missing required field: uris"));

    let forty = vec![track.as_str(); 40].join(",");
    assert_eq!(api.put(&format!("/me/library?uris={forty}"), "").await.status, 200);
    let refused = api.put(&format!("/me/library?uris={forty},{track}"), "").await;
    assert_eq!((refused.status, refused.message().as_str()), (400, "Too many uris requested"));

    for bad in ["nonsense", "spotify:track:short", "spotify:chapter:0000000000000000000000"] {
        let refused = api.put(&format!("/me/library?uris={bad}"), "").await;
        assert_eq!((refused.status, refused.message()), (400, format!("Invalid uri: {bad}")));
    }
    let unknown = "spotify:track:0000000000000000000000";
    assert_eq!(api.put(&format!("/me/library?uris={unknown}"), "").await.status, 404);
    assert_eq!(api.read(&format!("/me/library/contains?uris={unknown}")).await, json!([false]));
}

#[tokio::test]
async fn the_required_scope_depends_on_the_kind_of_the_uri() {
    let api = development().await;
    let token = api.mock.user_token(&["user-library-modify"]);
    let api = api.with_token(token);
    let world = api.mock.world();
    let track = format!("/me/library?uris=spotify:track:{}", world.unsaved_track);
    assert_eq!(api.put(&track, "").await.status, 200);
    let artist = format!("/me/library?uris=spotify:artist:{}", world.unfollowed_artist);
    assert_eq!(api.put(&artist, "").await.message(), "Insufficient client scope");
    let list = format!("/me/library?uris=spotify:playlist:{}", world.other_playlist);
    assert_eq!(api.put(&list, "").await.message(), "Insufficient client scope");
}

#[tokio::test]
async fn followed_artists_are_paged_by_cursor() {
    let api = development().await;
    let mut ids = Vec::new();
    let mut path = "/me/following?type=artist&limit=20".to_owned();
    loop {
        let page = api.read(&path).await["artists"].clone();
        assert!(page["total"].as_u64().unwrap() >= 60);
        assert!(page["cursors"].get("before").is_none());
        let id = |artist: &Value| artist["id"].as_str().unwrap().to_owned();
        ids.extend(page["items"].as_array().unwrap().iter().map(id));
        let Some(next) = page["next"].as_str() else {
            assert_eq!(page["cursors"]["after"], json!(null));
            break;
        };
        assert_eq!(page["cursors"]["after"], ids.last().unwrap().as_str());
        path = next.strip_prefix(api.mock.api_url()).unwrap().to_owned();
    }
    assert_eq!(ids.len(), 66);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 66);
}

#[tokio::test]
async fn deprecated_library_operations_work_in_extended_mode() {
    let api = extended().await;
    let world = api.mock.world();
    let track = world.unsaved_track.as_str();
    let body = json!({ "timestamped_ids": [{ "id": track, "added_at": "2020-01-01T00:00:00Z" }] });
    assert_eq!(api.put("/me/tracks", &body.to_string()).await.status, 200);
    assert_eq!(api.read(&format!("/me/tracks/contains?ids={track}")).await, json!([true]));
    let newest = api.read("/me/tracks?limit=1").await;
    assert_ne!(newest["items"][0]["track"]["id"], track, "saved long ago, it is not the newest");
    assert_eq!(api.delete(&format!("/me/tracks?ids={track}"), "").await.status, 200);
    assert_eq!(api.read(&format!("/me/tracks/contains?ids={track}")).await, json!([false]));

    let artist = world.unfollowed_artist.as_str();
    let path = format!("/me/following?type=artist&ids={artist}");
    assert_eq!(api.put(&path, "").await.status, 204);
    let asked = format!("/me/following/contains?type=artist&ids={artist}");
    assert_eq!(api.read(&asked).await, json!([true]));
    assert_eq!(api.delete(&path, "").await.status, 204);

    let list = world.other_playlist.as_str();
    let asked = format!("/playlists/{list}/followers/contains");
    assert_eq!(api.read(&asked).await, json!([true]));
    assert_eq!(api.delete(&format!("/playlists/{list}/followers"), "").await.status, 200);
    assert_eq!(api.read(&asked).await, json!([false]));
    assert_eq!(api.put(&format!("/playlists/{list}/followers"), "").await.status, 200);
    let other = api.get(&format!("{asked}?ids=somebody")).await;
    assert_eq!(other.status, 403);
}

#[tokio::test]
async fn each_user_has_a_separate_library() {
    let api = development().await;
    let other = api.mock.world().other_user.clone();
    let token = api.mock.user_token_for(&other, &["user-library-read"]).unwrap();
    assert_eq!(api.mock.user_token_for("nobody", &[]), None);
    assert_eq!(api.with_token(token).read("/me/tracks").await["total"], 0);
}
