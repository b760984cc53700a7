//! Tests search with the queries of real programs. Checks the first result.

use serde_json::Value;
use spot_mock::{
    MockSpotify,
    custom::{Album, Artist, Track, World},
};

use crate::support::{Api, development, extended};

/// Starts a mock with custom music in addition to the generated music.
async fn small_world() -> Api {
    let world = World::new()
        .artist(Artist::new("Ada Quill").genre("attic folk").popularity(10))
        .artist(Artist::new("Sigur Vöss").popularity(20))
        .artist(Artist::new("A.C./D.Q.").popularity(30))
        .album(
            Album::new("Paper Boats", "Ada Quill")
                .released("1994-05-03")
                .track(Track::new("Slip").popularity(1))
                .track(Track::new("Carissa's Keel").guest("Sigur Vöss"))
                .track(Track::new("Slip Away Slowly").popularity(90)),
        )
        .album(Album::new("Ágætis Vænta", "Sigur Vöss").track(Track::new("Straße & Mañana!")))
        .album(Album::new("Slip", "A.C./D.Q.").track(Track::new("Hi-Fi").popularity(5)));
    Api::new(MockSpotify::builder().world(world).start().await.unwrap())
}

/// Returns the names of the search results. The best result comes first.
async fn names(api: &Api, kind: &str, query: &str) -> Vec<String> {
    let query: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
    let found = api.read(&format!("/search?q={query}&type={kind}&limit=10")).await;
    let items = found[format!("{kind}s")]["items"].as_array().unwrap();
    items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn queries_of_real_programs_return_the_track_first() {
    let api = small_world().await;
    for query in [
        // spotDL sends the artists and the title as words, or as filters without quotes.
        "Ada Quill - Slip",
        "Slip - Ada Quill",
        "artist:Ada Quill track:Slip",
        "track:Slip artist:Ada Quill",
        "track:Slip artist:Ada Quill album:Paper Boats",
        // beets sends the title as words, followed by filters with or without quotes.
        "Slip album:\"Paper Boats\" artist:\"Ada Quill\"",
        "slip album:Paper Boats artist:Ada Quill",
        // Various other programs send the following queries.
        "\"Slip\" \"Ada Quill\"",
        "track:'Slip' artist:'Ada Quill'",
        "track:\u{201c}Slip\u{201d} artist:\u{201c}Ada Quill\u{201d}",
        "track: \"slip\" artist: \"ADA QUILL\"",
        "quill slip boats",
        "SLIP, ada quill!",
        "Slip (Paper Boats) ada quill",
    ] {
        assert_eq!(names(&api, "track", query).await.first().unwrap(), "Slip", "{query}");
    }
}

#[tokio::test]
async fn search_ignores_case_diacritics_and_punctuation() {
    let api = small_world().await;
    for query in ["carissas keel", "Carissa's Keel", "CARISSA\u{2019}S KEEL", "carissa keel"] {
        assert_eq!(names(&api, "track", query).await, ["Carissa's Keel"], "{query}");
    }
    for query in ["strasse manana", "STRASSE AND MANANA", "straße & mañana", "agaetis straße"] {
        assert_eq!(names(&api, "track", query).await, ["Straße & Mañana!"], "{query}");
    }
    assert_eq!(names(&api, "artist", "sigur voss").await, ["Sigur Vöss"]);
    assert_eq!(names(&api, "artist", "acdq").await, ["A.C./D.Q."]);
    assert_eq!(names(&api, "track", "hifi").await, ["Hi-Fi"]);
    assert_eq!(names(&api, "album", "agaetis vaenta").await, ["Ágætis Vænta"]);
    // The words can be in any order, and each word must match. The last word may be incomplete.
    assert_eq!(names(&api, "track", "keel cariss").await, ["Carissa's Keel"]);
    assert!(names(&api, "track", "keel nowhere").await.is_empty());
    assert!(names(&api, "track", "?!").await.is_empty());
}

#[tokio::test]
async fn an_exact_title_ranks_above_a_more_popular_longer_title() {
    let api = small_world().await;
    let found = names(&api, "track", "slip").await;
    assert_eq!(found[..2], ["Slip", "Slip Away Slowly"]);
    // The album of `Hi-Fi` is called `Slip`. Tracks with a matching title come first.
    assert!(found[2..].contains(&"Hi-Fi".to_owned()), "{found:?}");
}

#[tokio::test]
async fn search_filters_match_only_the_named_field() {
    let api = small_world().await;
    assert!(names(&api, "track", "artist:\"Paper Boats\"").await.is_empty());
    assert!(names(&api, "track", "track:Quill").await.is_empty());
    assert_eq!(names(&api, "track", "artist:voss keel").await, ["Carissa's Keel"]);
    assert_eq!(names(&api, "album", "artist:quill year:1994").await, ["Paper Boats"]);
    assert_eq!(names(&api, "album", "artist:quill year:1990-1999").await, ["Paper Boats"]);
    assert!(names(&api, "album", "artist:quill year:1995-1999").await.is_empty());
    for genre in
        ["genre:\"attic folk\"", "genre:attic-folk", "genre:attic folk", "GENRE:'Attic Folk'"]
    {
        let query = format!("quill {genre}");
        assert_eq!(names(&api, "artist", &query).await, ["Ada Quill"], "{query}");
        assert_eq!(names(&api, "track", &format!("slip away {query}")).await, ["Slip Away Slowly"]);
    }
}

#[tokio::test]
async fn isrc_and_upc_filters_find_the_matching_entry() {
    let api = extended().await;
    let world = api.mock.world();
    let track = api.read(&format!("/tracks/{}", world.track)).await;
    let album = api.read(&format!("/albums/{}", world.album)).await;
    let isrc = track["external_ids"]["isrc"].as_str().unwrap().to_lowercase();
    let upc = album["external_ids"]["upc"].as_str().unwrap();
    let found = api.read(&format!("/search?q=isrc:{isrc}&type=track")).await;
    assert_eq!(found["tracks"]["items"][0]["id"], world.track.as_str());
    let found = api.read(&format!("/search?q=upc:%220{upc}%22&type=album")).await;
    assert_eq!(found["albums"]["items"][0]["id"], world.album.as_str());
}

#[tokio::test]
async fn search_pages_end_at_1000_results() {
    let api = development().await;
    let last = api.read("/search?q=a&type=track&limit=10&offset=990").await;
    assert_eq!(last["tracks"]["next"], Value::Null);
    let beyond = api.get("/search?q=a&type=track&limit=10&offset=991").await;
    assert_eq!((beyond.status, beyond.message().as_str()), (400, "Invalid offset"));
    assert_eq!(api.get("/search?q=a&type=track&offset=1000").await.status, 400);
}
