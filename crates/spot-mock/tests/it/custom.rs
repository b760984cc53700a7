//! Tests of custom test data that is added to the generated test data.

use spot_mock::{MockSpotify, custom};

use crate::support::Api;

const WORLD: &str = r#"{
    "artists": [{ "name": "Ada Quill", "genres": ["Attic Folk"] }, { "name": "B. Holm" }],
    "albums": [
        {
            "name": "Paper Boats", "artist": "Ada Quill", "type": "single", "released": "2024-05",
            "tracks": [
                { "name": "Slip", "duration_ms": 181000, "guest": "B. Holm" },
                { "name": "Keel", "id": "4keel4keel4keel4keel4k", "unavailable": true }
            ]
        },
        { "name": "Weirs", "artist": "Ada Quill", "released": "1999" }
    ],
    "shows": [{ "name": "Tide Tables", "episodes": [{ "name": "Low water", "released": "2026-01-02" }] }],
    "audiobooks": [{ "name": "The Weir", "author": "B. Holm", "chapters": [{ "name": "One" }] }],
    "users": [{ "id": "ada #1", "display_name": "Ada" }],
    "playlists": [
        { "name": "First", "items": ["Keel", "Low water", "Slip"] },
        { "name": "Hers", "owner": "ada #1", "collaborators": ["mockuser"] }
    ],
    "saved_tracks": ["Slip", "4keel4keel4keel4keel4k"],
    "saved_albums": [],
    "followed_artists": ["Ada Quill"]
}"#;

async fn start(world: custom::World) -> Api {
    Api::new(MockSpotify::builder().world(world).start().await.unwrap())
}

#[tokio::test]
async fn custom_data_appears_in_the_library_catalogue_and_search() {
    let api = start(custom::World::from_json(WORLD).unwrap()).await;

    let saved = api.read("/me/tracks").await;
    assert_eq!(saved["total"], 2);
    let (slip, keel) = (&saved["items"][0]["track"], &saved["items"][1]["track"]);
    assert_eq!((&slip["name"], &slip["duration_ms"]), (&"Slip".into(), &181_000.into()));
    assert_eq!(slip["artists"][1]["name"], "B. Holm");
    assert_eq!(keel["uri"], "spotify:track:4keel4keel4keel4keel4k");
    assert_eq!(api.read("/me/albums").await["total"], 0);
    // The JSON has no field `saved_shows`, so the mock returns the generated saved shows.
    assert_eq!(api.read("/me/shows").await["total"], 14);

    let album = api.read(&format!("/albums/{}", slip["album"]["id"].as_str().unwrap())).await;
    assert_eq!(
        (&album["album_type"], &album["release_date"]),
        (&"single".into(), &"2024-05".into())
    );
    assert_eq!(album["tracks"]["items"].as_array().unwrap().len(), 2);

    let found = api.read("/search?q=artist:ada%20quill&type=artist,album").await;
    let artist = found["artists"]["items"][0]["id"].as_str().unwrap();
    assert_eq!(found["albums"]["items"].as_array().unwrap().len(), 2);
    let discography = api.read(&format!("/artists/{artist}/albums")).await;
    // The discography lists albums before singles.
    assert_eq!(discography["items"][0]["name"], "Weirs");
    assert_eq!(discography["items"][1]["name"], "Paper Boats");
    assert_eq!(api.read("/me/following?type=artist").await["artists"]["items"][0]["id"], artist);

    let track = api.read("/tracks/4keel4keel4keel4keel4k?market=GB").await;
    assert_eq!((&track["name"], &track["is_playable"]), (&"Keel".into(), &false.into()));

    let lists = api.read("/me/playlists?limit=2").await;
    assert_eq!(lists["items"][0]["name"], "First");
    let path = format!(
        "/playlists/{}/items?additional_types=episode",
        lists["items"][0]["id"].as_str().unwrap()
    );
    let items = api.read(&path).await;
    let names: Vec<_> = (0..3).map(|place| &items["items"][place]["item"]["name"]).collect();
    assert_eq!(names, ["Keel", "Low water", "Slip"]);
}

#[tokio::test]
async fn custom_users_have_playlists_and_are_not_registered() {
    let api = start(custom::World::from_json(WORLD).unwrap()).await;
    let token = api.mock.user_token_for("ada #1", &["playlist-read-private"]).unwrap();
    // By default, the mock registers its first five users. The custom user is not one of these five
    // users.
    assert_eq!(api.with_token(token).get("/me/playlists").await.status, 403);

    let builder = MockSpotify::builder().world(custom::World::from_json(WORLD).unwrap());
    let mock = builder.mode(spot_mock::Mode::Extended).start().await.unwrap();
    let token = mock.user_token_for("ada #1", &["playlist-read-private"]).unwrap();
    let lists = Api::new(mock).with_token(token).read("/me/playlists").await;
    assert_eq!(lists["items"][0]["name"], "Hers");
    assert_eq!(lists["items"][0]["collaborative"], true);
}

#[tokio::test]
async fn a_world_can_be_built_with_the_rust_api() {
    let world = custom::World::new()
        .artist(custom::Artist::new("Ada Quill"))
        .album(
            custom::Album::new("Paper Boats", "Ada Quill")
                .kind(custom::AlbumType::Compilation)
                .track(custom::Track::new("Slip").explicit(true)),
        )
        .show(custom::Show::new("Tide Tables").episode(custom::Episode::new("Low water")))
        .saved_episodes(["Low water"])
        .saved_tracks(["Slip"]);
    let api = start(world).await;
    assert_eq!(api.read("/me/tracks").await["items"][0]["track"]["explicit"], true);
    assert_eq!(api.read("/me/episodes").await["items"][0]["episode"]["name"], "Low water");
}

#[tokio::test]
async fn world_errors_name_the_invalid_field() {
    let json = |text: &str| custom::World::from_json(text).unwrap_err().to_string();
    assert_eq!(
        json(r#"{"albums": [{"name": "A", "artist": "B", "tracks": [{"name": 7}]}]}"#),
        "albums[0].tracks[0].name: invalid type: integer `7`, expected a string at line 1 column 62"
    );
    assert!(json(r#"{"album": []}"#).starts_with("album: unknown field `album`"));
    assert!(json("{").starts_with("EOF while parsing"));

    let refused = |text: &'static str| async move {
        let world = custom::World::from_json(text).unwrap();
        MockSpotify::builder().world(world).start().await.unwrap_err().to_string()
    };
    for (text, message) in [
        (
            r#"{"albums": [{"name": "A", "artist": "Nobody At All"}]}"#,
            "world: albums[0].artist: no artist has the name or the id Nobody At All",
        ),
        (
            r#"{"artists": [{"name": "A", "id": "short"}]}"#,
            "world: artists[0].id: \"short\" is not an id; expected 22 characters, each a letter or a digit",
        ),
        (
            r#"{"artists": [{"name": "A", "id": "4keel4keel4keel4keel4k"}, {"name": "B", "id": "4keel4keel4keel4keel4k"}]}"#,
            "world: artists[1].id: another artist has the id 4keel4keel4keel4keel4k",
        ),
        (
            r#"{"artists": [{"name": "A"}], "albums": [{"name": "A", "artist": "A", "released": "May 2024"}]}"#,
            "world: albums[0].released: \"May 2024\" is not a date; expected YYYY, YYYY-MM or YYYY-MM-DD",
        ),
        (
            r#"{"saved_tracks": ["Slip into what"]}"#,
            "world: saved_tracks[0]: no track has the name or the id Slip into what",
        ),
        (
            r#"{"playlists": [{"name": "P", "owner": "nobody"}]}"#,
            "world: playlists[0].owner: no user has the id nobody",
        ),
        (
            r#"{"users": [{"id": "mockuser"}]}"#,
            "world: users[0].id: another user has the id mockuser",
        ),
    ] {
        assert_eq!(refused(text).await, message);
    }
}

#[tokio::test]
async fn a_missing_world_file_is_named_in_the_error() {
    let error = custom::World::read("no/such/world.json").unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
    assert!(error.to_string().starts_with("no/such/world.json: "), "{error}");
}
