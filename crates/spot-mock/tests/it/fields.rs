//! Tests the `fields` parameter over HTTP, and the form of episodes in playlists.

use serde_json::json;

use crate::support::{development, extended};

#[tokio::test]
async fn the_fields_parameter_filters_the_response() {
    let api = development().await;
    let list = api.mock.world().own_playlist.clone();
    let page = api
        .read(&format!(
            "/playlists/{list}/items?fields=items(item(name,artists(name))),total&limit=2"
        ))
        .await;
    assert_eq!(page["total"], 250);
    assert_eq!(page.as_object().unwrap().len(), 2);
    let item = &page["items"][0]["item"];
    let keys: Vec<_> = item.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["artists", "name"]);

    let head = api.read(&format!("/playlists/{list}?fields=name,owner.id,items.total")).await;
    let user = api.mock.world().user.as_str();
    assert_eq!(head["owner"], json!({ "id": user }));
    assert_eq!(head["items"], json!({ "total": 250 }));

    let rest = api.read(&format!("/playlists/{list}?fields=!items")).await;
    assert_eq!(rest.get("items"), None);
    assert_eq!(rest["type"], "playlist");

    let refused = api.get(&format!("/playlists/{list}?fields=items(name")).await;
    assert_eq!((refused.status, refused.message().as_str()), (400, "Invalid fields parameter"));
}

#[tokio::test]
async fn fields_finds_the_old_track_field_only_in_extended_mode() {
    let api = development().await;
    let list = api.mock.world().own_playlist.clone();
    let path = format!("/playlists/{list}/items?fields=items(track(name))&limit=2");
    assert_eq!(api.read(&path).await, json!({ "items": [{}, {}] }));
    let page = extended().await.read(&path).await;
    assert!(page["items"][0]["track"]["name"].is_string());
}

#[tokio::test]
async fn additional_types_selects_the_format_of_episodes() {
    let api = development().await;
    let list = api.mock.world().episodes_playlist.clone();
    let page = api.read(&format!("/playlists/{list}/items?limit=3")).await;
    let disguised = &page["items"][2]["item"];
    assert_eq!(disguised["type"], "episode");
    assert_eq!(disguised["album"]["type"], "show");
    assert_eq!(disguised["album"]["release_date"], json!(null));
    assert_eq!(disguised["artists"][0]["name"], disguised["album"]["name"]);

    let page =
        api.read(&format!("/playlists/{list}/items?limit=3&additional_types=track,episode")).await;
    let episode = &page["items"][2]["item"];
    assert_eq!(episode["id"], disguised["id"]);
    assert_eq!(episode["show"]["type"], "show");
    assert!(episode.get("album").is_none());
}
