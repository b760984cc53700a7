//! Tests of mocks without generated test data.

use serde_json::{Value, json};
use spot_mock::{
    Device, MockSpotify, Mode,
    custom::{Album, Artist, Category, LocalFile, Playlist, Track, User, World},
};

use crate::support::Api;

const FILE: &str = r#"{
    "generated": false,
    "default_user": { "id": "ada", "display_name": "Ada", "premium": false, "followers": 3 },
    "users": [{ "id": "ben" }],
    "artists": [{ "name": "Ada Quill", "genres": ["attic folk"] }],
    "albums": [{ "name": "Paper Boats", "artist": "Ada Quill", "tracks": [
        { "name": "Slip", "markets": ["SE", "no"] },
        { "name": "Keel" },
        { "name": "Keel (remaster)", "relinked_to": "Keel" }
    ]}],
    "playlists": [
        { "name": "Mixed", "items": ["Keel", null, { "title": "Demo", "artist": "Me", "seconds": 61 }] },
        null
    ],
    "categories": [{ "name": "Small Boats" }, { "id": "x", "name": "Other" }],
    "genres": ["attic-folk"],
    "devices": [{ "id": "desk", "name": "Desk", "type": "Computer", "is_active": true }],
    "played": ["Keel", "Slip"],
    "top_tracks": ["Slip", "Keel"],
    "top_artists": ["Ada Quill"],
    "saved_tracks": ["Slip"]
}"#;

async fn whole(world: World) -> Api {
    let mock = MockSpotify::builder().mode(Mode::Extended).world(world);
    Api::new(mock.start().await.unwrap())
}

fn same_in_rust() -> World {
    let track = |name: &str| Track::new(name);
    World::empty()
        .default_user(User::new("ada").display_name("Ada").premium(false).followers(3))
        .user(User::new("ben"))
        .artist(Artist::new("Ada Quill").genre("attic folk"))
        .album(
            Album::new("Paper Boats", "Ada Quill")
                .track(track("Slip").markets(["SE", "no"]))
                .track(track("Keel"))
                .track(track("Keel (remaster)").relinked_to("Keel")),
        )
        .playlist(
            Playlist::new("Mixed")
                .item("Keel")
                .removed_item()
                .local_file(LocalFile::new("Demo").artist("Me").seconds(61)),
        )
        .hidden_playlist()
        .category(Category::new("Small Boats"))
        .category(Category::new("Other").id("x"))
        .genres(["attic-folk"])
        .device(Device::new("desk", "Desk").kind("Computer").active())
        .played(["Keel", "Slip"])
        .top_tracks(["Slip", "Keel"])
        .top_artists(["Ada Quill"])
        .saved_tracks(["Slip"])
}

fn names(page: &Value, item: &str) -> Vec<String> {
    let name = |entry: &Value| {
        let thing = if item.is_empty() { entry } else { &entry[item] };
        thing["name"].as_str().unwrap_or("null").to_owned()
    };
    page["items"].as_array().unwrap().iter().map(name).collect()
}

#[tokio::test]
async fn a_custom_only_world_contains_exactly_the_given_data() {
    for world in [World::from_json(FILE).unwrap(), same_in_rust()] {
        let api = whole(world).await;
        let me = api.read("/me").await;
        assert_eq!((&me["id"], &me["product"]), (&json!("ada"), &json!("free")));
        assert_eq!(names(&api.read("/me/tracks").await, "track"), ["Slip"]);
        for empty in ["/me/albums", "/me/shows", "/me/episodes", "/me/audiobooks"] {
            assert_eq!(api.read(empty).await["total"], 0, "{empty}");
        }
        assert_eq!(names(&api.read("/me/playlists").await, ""), ["Mixed", "null"]);
        let list = api.read("/me/playlists").await["items"][0]["id"].as_str().unwrap().to_owned();
        let items = api.read(&format!("/playlists/{list}/items")).await;
        assert_eq!(names(&items, "item"), ["Keel", "null", "Demo"]);
        assert_eq!(items["items"][2]["item"]["uri"], "spotify:local:Me::Demo:61");
        assert_eq!(names(&api.read("/me/player/recently-played").await, "track"), ["Keel", "Slip"]);
        assert_eq!(names(&api.read("/me/top/tracks").await, ""), ["Slip", "Keel"]);
        assert_eq!(names(&api.read("/me/top/artists").await, ""), ["Ada Quill"]);
        let categories = api.read("/browse/categories").await;
        assert_eq!(names(&categories["categories"], ""), ["Small Boats", "Other"]);
        assert_eq!(api.read("/browse/categories/small_boats").await["name"], "Small Boats");
        let genres = api.read("/recommendations/available-genre-seeds").await;
        assert_eq!(genres["genres"], json!(["attic-folk"]));
        let devices = api.read("/me/player/devices").await;
        assert_eq!(names(&json!({ "items": devices["devices"] }), ""), ["Desk"]);
        assert_eq!(api.get("/me/player").await.status, 204, "nothing plays");
        let found =
            api.read("/search?q=a&type=track,album,artist,playlist,show,episode,audiobook").await;
        assert_eq!(found["tracks"]["total"], 3);
        assert_eq!(found["albums"]["total"], 1);
        assert_eq!(found["playlists"]["total"], 0);
        assert_eq!(api.read("/browse/featured-playlists").await["playlists"]["total"], 0);
        let tracks = api.read("/recommendations?seed_genres=attic-folk").await;
        assert!(tracks["tracks"].as_array().unwrap().len() <= 3);
        assert_eq!(api.get("/recommendations?seed_genres=pop").await.status, 400);
    }
}

#[tokio::test]
async fn custom_tracks_support_markets_and_relinking() {
    let api = whole(World::from_json(FILE).unwrap()).await;
    let found = api.read("/search?q=paper%20boats&type=album").await;
    let album = found["albums"]["items"][0]["id"].as_str().unwrap().to_owned();
    let album = api.read(&format!("/albums/{album}/tracks")).await;
    let id = |place: usize| album["items"][place]["id"].as_str().unwrap().to_owned();
    let slip = api.read(&format!("/tracks/{}", id(0))).await;
    assert_eq!(slip["available_markets"], json!(["NO", "SE"]));
    let slip = api.read(&format!("/tracks/{}?market=GB", id(0))).await;
    assert_eq!(
        (&slip["is_playable"], &slip["restrictions"]["reason"]),
        (&json!(false), &json!("market"))
    );
    let token = api.mock.app_token();
    let remaster = api.read(&format!("/tracks/{}?market=GB", id(2))).await;
    assert_eq!((&remaster["id"], &remaster["linked_from"]["id"]), (&json!(id(1)), &json!(id(2))));
    let api = api.with_token(token);
    assert_eq!(api.read(&format!("/tracks/{}?market=SE", id(0))).await["is_playable"], true);
}

#[tokio::test]
async fn player_commands_of_a_free_account_are_refused() {
    let api = whole(World::from_json(FILE).unwrap()).await;
    let refused = api.put("/me/player/pause", "").await;
    assert_eq!(
        (refused.status, &refused.json()["error"]["reason"]),
        (403, &json!("PREMIUM_REQUIRED"))
    );
    let ben = api.mock.user_token_for("ben", &["user-modify-playback-state"]).unwrap();
    let refused = api.with_token(ben).put("/me/player/pause", "").await;
    assert_eq!(refused.json()["error"]["reason"], "NO_ACTIVE_DEVICE");
}

/// Reads every list and the playback state of a mock without test data. No call may panic or return
/// a 5xx status.
#[tokio::test]
async fn list_operations_succeed_in_an_empty_world() {
    let api = whole(World::empty()).await;
    for path in [
        "/me",
        "/me/tracks",
        "/me/albums",
        "/me/shows",
        "/me/episodes",
        "/me/audiobooks",
        "/me/playlists",
        "/me/following?type=artist",
        "/me/top/tracks",
        "/me/top/artists",
        "/me/player/devices",
        "/me/player/recently-played",
        "/me/player/queue",
        "/browse/new-releases",
        "/browse/categories",
        "/browse/featured-playlists",
        "/markets",
        "/search?q=x&type=track,album,artist,playlist,show,episode,audiobook",
        "/recommendations?seed_genres=pop",
        "/users/spotify/playlists",
    ] {
        assert_eq!(api.get(path).await.status, 200, "{path}");
    }
    assert_eq!(api.get("/me/player").await.status, 204);
    let played = api.put("/me/player/play", "").await;
    assert!(played.status < 500, "{}", played.text);
}

#[test]
fn world_file_errors_name_the_path_of_the_field() {
    for (text, expected) in [
        (
            r#"{ "playlists": [{ "name": "A", "items": [7] }] }"#,
            "playlists[0].items[0]: must be a name, an id, null, or an object with the `title` of a local file",
        ),
        (r#"{ "users": [{ "id": "a", "premium": "no" }] }"#, "users[0].premium: invalid type"),
        (
            r#"{ "devices": [{ "name": "A", "volume": 3 }] }"#,
            "devices[0].volume: unknown field `volume`",
        ),
        (r#"{ "categories": [{}] }"#, "categories[0]: missing field `name`"),
    ] {
        let error = World::from_json(text).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[tokio::test]
async fn a_world_file_with_invalid_references_is_rejected() {
    let album = |field: &str| {
        format!(
            r#"{{ "artists": [{{ "name": "A" }}], "albums": [{{ "name": "B", "artist": "A", "tracks": [{{ "name": "C", {field} }}] }}] }}"#
        )
    };
    for (text, expected) in [
        (
            album(r#""markets": ["XX"]"#),
            "world: albums[0].tracks[0].markets: \"XX\" is not a market; expected a code such as \"DE\"",
        ),
        (
            album(r#""relinked_to": "Nothing""#),
            "world: albums[0].tracks[0].relinked_to: no track has the name or the id Nothing",
        ),
        (
            r#"{ "played": ["Nothing"] }"#.to_owned(),
            "world: played[0]: no track has the name or the id Nothing",
        ),
        (
            r#"{ "top_artists": ["Nobody"] }"#.to_owned(),
            "world: top_artists[0]: no artist has the name or the id Nobody",
        ),
        (
            r#"{ "default_user": { "id": "spotify" } }"#.to_owned(),
            "world: default_user.id: another user has the id spotify",
        ),
    ] {
        let world = World::from_json(&text).unwrap();
        let error = MockSpotify::builder().world(world).start().await.unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[cfg(feature = "control")]
#[test]
fn the_json_schema_describes_every_field_of_a_world_file() {
    let schema: Value = serde_json::from_str(&World::json_schema()).unwrap();
    let file: Value = serde_json::from_str(FILE).unwrap();
    for field in file.as_object().unwrap().keys() {
        assert!(schema["properties"][field].is_object(), "{field}");
    }
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["$defs"]["Track"]["required"], json!(["name"]));
    for (name, definition) in schema["properties"].as_object().unwrap() {
        let list = ["artists", "albums", "shows", "audiobooks"].contains(&name.as_str());
        assert!(list || definition["description"].is_string(), "{name} is not described");
    }
}
