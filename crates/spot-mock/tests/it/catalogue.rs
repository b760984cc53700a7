//! Tests artists, albums, tracks, search and browsing.

use std::collections::HashSet;

use serde_json::{Value, json};
use spot_mock::MockSpotify;

use crate::support::{Api, development, extended};

fn absent(object: &Value, names: &[&str]) -> bool {
    names.iter().all(|name| object.get(name).is_none())
}

#[tokio::test]
async fn development_mode_omits_fields_that_extended_mode_has() {
    let development = development().await;
    let extended = extended().await;
    let world = development.mock.world();
    let (track, album, artist) = (
        format!("/tracks/{}", world.track),
        format!("/albums/{}", world.album),
        format!("/artists/{}", world.artist),
    );
    let track_fields = ["popularity", "available_markets"];
    let album_fields = ["popularity", "available_markets", "label", "genres"];
    let artist_fields = ["popularity", "followers", "genres"];

    assert!(absent(
        &development.read(&track).await,
        &["popularity", "available_markets", "linked_from"]
    ));
    assert!(absent(&development.read(&album).await, &album_fields));
    assert!(absent(&development.read(&artist).await, &artist_fields));
    assert!(development.read(&track).await["external_ids"]["isrc"].is_string());

    for (path, fields) in
        [(track, &track_fields[..]), (album, &album_fields), (artist, &artist_fields)]
    {
        let object = extended.read(&path).await;
        assert!(fields.iter().all(|field| object.get(field).is_some()), "{object}");
        if let Some(markets) = object.get("available_markets") {
            assert_eq!(markets.as_array().unwrap().len(), 185);
        }
    }
}

/// Follows `next` to the last page. Returns the ids of all items.
async fn walk(api: &Api, path: &str) -> Vec<String> {
    let mut ids = Vec::new();
    let mut next = Some(path.to_owned());
    while let Some(path) = next {
        let page = api.read(&path).await;
        let id = |item: &Value| item["id"].as_str().unwrap().to_owned();
        ids.extend(page["items"].as_array().unwrap().iter().map(id));
        assert!(ids.len() <= page["total"].as_u64().unwrap() as usize);
        next = page["next"]
            .as_str()
            .map(|link| link.strip_prefix(api.mock.api_url()).unwrap().to_owned());
    }
    ids
}

#[tokio::test]
async fn a_discography_can_be_paged_to_the_end() {
    let api = development().await;
    let artist = api.mock.world().artist.clone();
    let path = format!("/artists/{artist}/albums?limit=10&include_groups=album,single,compilation");
    let albums = walk(&api, &path).await;
    assert!(albums.len() >= 25);
    assert_eq!(albums.iter().collect::<HashSet<_>>().len(), albums.len());

    let singles = api.read(&format!("/artists/{artist}/albums?include_groups=single")).await;
    assert!(
        singles["items"].as_array().unwrap().iter().all(|album| album["album_type"] == "single")
    );
    let refused = api.get(&format!("/artists/{artist}/albums?include_groups=ep")).await;
    assert_eq!(refused.status, 400);
}

#[tokio::test]
async fn an_album_contains_up_to_50_tracks_and_a_next_link() {
    let api = development().await;
    let (album, long) = (api.mock.world().album.clone(), api.mock.world().long_album.clone());
    let whole = api.read(&format!("/albums/{album}")).await;
    assert_eq!(whole["tracks"]["items"].as_array().unwrap().len(), 26);
    assert_eq!(whole["tracks"]["items"][13]["disc_number"], 2);
    assert_eq!(whole["tracks"]["next"], json!(null));

    let whole = api.read(&format!("/albums/{long}")).await;
    assert_eq!(whole["tracks"]["total"], 64);
    let next = whole["tracks"]["next"].as_str().unwrap().strip_prefix(api.mock.api_url()).unwrap();
    assert_eq!(api.read(next).await["items"].as_array().unwrap().len(), 14);
    assert_eq!(walk(&api, &format!("/albums/{long}/tracks?limit=7")).await.len(), 64);
}

#[tokio::test]
async fn the_market_determines_playability_and_relinking() {
    let api = extended().await;
    let world = api.mock.world();
    let track = api.read(&format!("/tracks/{}?market=GB", world.track)).await;
    assert_eq!(track["is_playable"], true);
    assert!(absent(&track, &["available_markets"]));
    let far = api.read(&format!("/tracks/{}?market=from_token", world.unavailable_track)).await;
    assert_eq!(
        (&far["is_playable"], &far["restrictions"]["reason"]),
        (&json!(false), &json!("market"))
    );

    let original = world.relinked_track.as_str();
    assert_eq!(api.read(&format!("/tracks/{original}")).await["id"], original);
    let relinked = api.read(&format!("/tracks/{original}?market=GB")).await;
    assert_ne!(relinked["id"], original);
    assert_eq!(relinked["linked_from"]["id"], original);

    // An application token has no user, so the `market` parameter applies.
    let path = format!("/tracks/{}?market=JP", world.unavailable_track);
    assert_eq!(api.read(&path).await["is_playable"], false);
    let token = api.mock.app_token();
    assert_eq!(api.with_token(token).read(&path).await["is_playable"], true);
}

#[tokio::test]
async fn search_matches_words_and_field_filters() {
    let api = development().await;
    let world = api.mock.world();
    let name = world.artist_name.replace(' ', "%20");
    let found = api.read(&format!("/search?q={name}&type=artist,album&limit=10")).await;
    let artists = found["artists"]["items"].as_array().unwrap();
    assert!(artists.iter().any(|artist| artist["id"] == world.artist.as_str()));
    assert!(found["albums"]["total"].as_u64().unwrap() >= 25);

    let track = api.read(&format!("/tracks/{}", world.track)).await;
    let isrc = track["external_ids"]["isrc"].as_str().unwrap();
    let found = api.read(&format!("/search?q=isrc:{isrc}&type=track")).await;
    assert_eq!(found["tracks"]["items"][0]["id"], world.track.as_str());

    // The `next` link of the albums requests only albums.
    let next = api.read(&format!("/search?q={name}&type=artist,album")).await;
    let next = next["albums"]["next"].as_str().unwrap().strip_prefix(api.mock.api_url()).unwrap();
    assert!(next.contains("query=") && next.ends_with("type=album"), "{next}");
    let page = api.read(next).await;
    assert_eq!((&page["albums"]["offset"], page.get("artists")), (&json!(5), None));
}

#[tokio::test]
async fn playlist_search_contains_nulls_with_null_values_enabled() {
    let api = Api::new(MockSpotify::builder().null_values(true).start().await.unwrap());
    let mut holes = 0;
    for offset in (0..60).step_by(10) {
        let found = api.read(&format!("/search?q=a&type=playlist&limit=10&offset={offset}")).await;
        let lists = found["playlists"]["items"].as_array().unwrap();
        holes += lists.iter().filter(|list| list.is_null()).count();
    }
    assert!(holes > 3, "{holes}");
}

#[tokio::test]
async fn a_batch_request_returns_null_for_unknown_ids() {
    let api = extended().await;
    let album = api.mock.world().album.clone();
    let found = api.read(&format!("/albums?ids={album},0000000000000000000000,{album}")).await;
    let albums = found["albums"].as_array().unwrap();
    assert_eq!(albums.len(), 3);
    assert!(albums[1].is_null());
    assert_eq!(albums[0], albums[2]);
}

#[tokio::test]
async fn browse_operations_are_available_in_extended_mode() {
    let api = extended().await;
    assert_eq!(api.read("/markets").await["markets"].as_array().unwrap().len(), 185);
    let categories = api.read("/browse/categories?limit=50").await;
    assert_eq!(categories["categories"]["total"], 40);
    let category = categories["categories"]["items"][0]["id"].as_str().unwrap();
    assert_eq!(category, api.mock.world().category);
    let lists = api.read(&format!("/browse/categories/{category}/playlists")).await;
    assert_eq!(lists["playlists"]["items"][0]["owner"]["id"], "spotify");
    assert_eq!(api.read("/browse/new-releases").await["albums"]["total"], 100);
}

#[tokio::test]
async fn top_items_of_a_user_end_after_50_entries() {
    let api = development().await;
    let top = api.read("/me/top/tracks?limit=50").await;
    let ids: HashSet<_> =
        top["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 50);
    let beyond = api.read("/me/top/artists?offset=50").await;
    assert_eq!((&beyond["total"], &beyond["limit"]), (&json!(0), &json!(0)));
    assert_eq!(api.get("/me/top/tracks?time_range=ever").await.status, 400);
}

#[tokio::test]
async fn recommendations_require_1_to_5_seeds() {
    let api = extended().await;
    let track = api.mock.world().track.clone();
    let found =
        api.read(&format!("/recommendations?seed_tracks={track}&limit=100&max_energy=0.5")).await;
    assert_eq!(found["tracks"].as_array().unwrap().len(), 100);
    assert_eq!(found["seeds"][0]["type"], "TRACK");
    assert_eq!(api.get("/recommendations").await.message(), "At least one seed is required");
    let six = [track.as_str(); 6].join(",");
    assert_eq!(api.get(&format!("/recommendations?seed_tracks={six}")).await.status, 400);
    let refused = api.get(&format!("/recommendations?seed_tracks={track}&max_energy=2")).await;
    assert_eq!(refused.message(), "Invalid max_energy");
}

#[tokio::test]
async fn profile_fields_depend_on_mode_and_scopes() {
    let api = development().await;
    let me = api.read("/me").await;
    assert!(me["account_id"].is_string());
    assert!(absent(&me, &["country", "email", "explicit_content", "followers", "product"]));

    let api = extended().await;
    assert_eq!(api.read("/me").await["product"], "premium");
    let token = api.mock.user_token(&["user-read-email"]);
    let me = api.with_token(token).read("/me").await;
    assert!(me["email"].is_string());
    assert!(absent(&me, &["country", "product"]));
}

#[tokio::test]
async fn a_percent_encoded_user_name_is_found() {
    let api = extended().await;
    let name: String = api.mock.world().other_user.clone();
    assert_eq!(name, "zoë#91");
    let user = api.read("/users/zo%C3%AB%2391").await;
    assert_eq!(user["id"], name.as_str());
    assert_eq!(user["uri"], "spotify:user:zo%C3%AB%2391");
    assert_eq!(api.get("/users/nobody").await.status, 404);
}
