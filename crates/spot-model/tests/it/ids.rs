//! Tests that all forms of a reference parse to the same id, and that the errors of invalid text
//! are helpful.

use std::{
    fmt::{Debug, Display},
    str::FromStr,
};

use proptest::prelude::*;
use spot_model::{
    AlbumId, ArtistId, AudiobookId, CategoryId, ChapterId, ContextUri, Country, CountrySet,
    DeviceId, EpisodeId, Id, IntoId, LibraryUri, LocalFile, ParseIdError, PlayableUri, PlaylistId,
    ReleaseDate, ShowId, SnapshotId, TrackId, Uri, UserId,
};

const ID: &str = "4uLU6hMCjMI75M1A2tKUQC";

fn base62() -> impl Strategy<Value = String> {
    "[0-9A-Za-z]{1,22}"
}

#[test]
fn a_parse_error_is_short_and_has_no_control_characters() {
    let text = "\u{15}".repeat(1_000);
    let errors = [
        text.parse::<TrackId>().unwrap_err(),
        text.parse::<LibraryUri>().unwrap_err(),
        format!("spotify:album:{text}").parse::<Uri>().unwrap_err(),
    ];
    for error in errors.map(|error| error.to_string()) {
        assert!(error.chars().count() < 300 && !error.contains(char::is_control), "{error}");
    }
}

/// Checks that parsing the output of `Display` returns the same value.
fn same<T>(text: &str) -> Result<(), TestCaseError>
where
    T: FromStr<Err: Debug + PartialEq> + Display + Debug + PartialEq,
{
    if let Ok(value) = text.parse::<T>() {
        prop_assert_eq!(value.to_string().parse::<T>(), Ok(value));
    }
    Ok(())
}

proptest! {
    #[test]
    fn every_form_of_a_track_reference_parses_to_the_same_id(id in base62(), tail in "(\\?si=[0-9a-f]{1,16})?(#x)?") {
        let track: TrackId = id.parse().unwrap();
        let forms = [
            format!("  {id}\n"),
            format!("spotify:track:{id}"),
            format!("SPOTIFY:track:{id}"),
            format!("https://open.spotify.com/track/{id}{tail}"),
            format!("http://open.spotify.com/track/{id}/{tail}"),
            format!("open.spotify.com/intl-de/track/{id}{tail}"),
            format!("https://open.spotify.com/embed/track/{id}{tail}"),
            format!("https://open.spotify.com/intl-pt-BR/embed/track/{id}{tail}"),
            format!("https://play.spotify.com/track/{id}{tail}"),
            format!("https://api.spotify.com/v1/tracks/{id}{tail}"),
            track.uri().to_string(),
            track.url(),
            track.href(),
        ];
        for form in forms {
            prop_assert_eq!(form.parse::<TrackId>().unwrap(), track, "{}", form);
        }
        prop_assert_eq!(track.to_string(), id.clone());
        let json = serde_json::to_string(&track).unwrap();
        prop_assert_eq!(&json, &format!("{id:?}"));
        prop_assert_eq!(serde_json::from_str::<TrackId>(&json).unwrap(), track);
    }

    #[test]
    fn every_kind_of_id_accepts_the_same_forms(id in base62()) {
        fn check<I>(id: &str, word: &str, kind: &str) -> Result<(), TestCaseError>
        where
            I: Id + Copy + PartialEq + std::fmt::Debug + std::fmt::Display + serde::Serialize,
            I: for<'a> TryFrom<&'a str, Error = ParseIdError> + serde::de::DeserializeOwned,
        {
            let first: I = id.parse().unwrap();
            for form in [
                format!("spotify:{word}:{id}"),
                format!("spotify:{word}:{id}?si=1#x"),
                format!("https://open.spotify.com/{word}/{id}?si=1"),
                format!("https://open.spotify.com/intl-fr/{word}/{id}/"),
                format!("OPEN.spotify.com/embed/{word}/{id}"),
                format!("http://play.spotify.com/{word}/{id}#x"),
                format!("https://api.spotify.com/v1/{kind}s/{id}"),
                format!("http://127.0.0.1:8080/v1/{kind}s/{id}"),
            ] {
                prop_assert_eq!(form.parse::<I>().unwrap(), first, "{}", form);
                prop_assert_eq!(I::try_from(form.as_str()).unwrap(), first);
                let json = serde_json::to_string(&form).unwrap();
                prop_assert_eq!(serde_json::from_str::<I>(&json).unwrap(), first);
            }
            prop_assert_eq!(first.to_string(), id);
            prop_assert_eq!(serde_json::to_string(&first).unwrap(), format!("{id:?}"));
            Ok(())
        }
        check::<TrackId>(&id, "track", "track")?;
        check::<AlbumId>(&id, "album", "album")?;
        check::<ArtistId>(&id, "artist", "artist")?;
        check::<PlaylistId>(&id, "playlist", "playlist")?;
        check::<ShowId>(&id, "show", "show")?;
        check::<EpisodeId>(&id, "episode", "episode")?;
        check::<AudiobookId>(&id, "show", "audiobook")?;
        check::<AudiobookId>(&id, "audiobook", "audiobook")?;
        check::<ChapterId>(&id, "episode", "chapter")?;
        check::<ChapterId>(&id, "chapter", "chapter")?;
    }

    #[test]
    fn playlist_references_with_a_user_name_are_parsed(id in base62(), user in "[a-z0-9.]{1,12}") {
        let playlist: PlaylistId = id.parse().unwrap();
        for form in [
            format!("spotify:user:{user}:playlist:{id}"),
            format!("https://open.spotify.com/user/{user}/playlist/{id}?si=1"),
            format!("https://api.spotify.com/v1/users/{user}/playlists/{id}"),
            format!("spotify:playlist:{id}"),
        ] {
            prop_assert_eq!(form.parse::<PlaylistId>().unwrap(), playlist, "{}", form);
        }
    }

    #[test]
    fn user_names_in_any_script_survive_uri_and_url_round_trips(name in "[^\\s:/?#]\\PC{0,20}[^\\s:/?#]") {
        let Ok(user) = name.parse::<UserId>() else { return Ok(()) };
        prop_assume!(user.as_str() == name);
        prop_assert_eq!(&user.uri().to_string().parse::<UserId>().unwrap(), &user);
        prop_assert_eq!(&user.url().parse::<UserId>().unwrap(), &user);
        prop_assert_eq!(&user.href().parse::<UserId>().unwrap(), &user);
        // `LibraryUri` percent-encodes the user name, because a comma in a list of URIs would end
        // the URI.
        let group = LibraryUri::from(user.clone()).to_string();
        prop_assert_eq!(&group, &user.uri().to_string());
        prop_assert!(!group.contains([',', ' ', '#']));
        prop_assert_eq!(group.parse::<LibraryUri>().unwrap(), LibraryUri::User(user));
    }

    #[test]
    fn the_text_of_a_user_id_parses_to_the_same_user_id(
        name in "(%[0-9a-f]{2}|[ \\x00:/?#@%a-zA-Z0-9]){0,12}", start in "spotify:user:|https://open\\.spotify\\.com/user/|"
    ) {
        let Ok(user) = format!("{start}{name}").parse::<UserId>() else { return Ok(()) };
        prop_assert_eq!(user.to_string().parse::<UserId>(), Ok(user.clone()));
        prop_assert_eq!(user.uri().to_string().parse::<UserId>(), Ok(user));
    }

    #[test]
    fn display_of_a_parsed_value_parses_to_the_same_value(
        text in "(spotify:|SPOTIFY:|(https://|http://)?(open|play|api|www)\\.spotify\\.com/(v1/)?|//)?\
                 ((intl-de/|embed/)?(collection|local|users?|tracks?|playlists?|shows?|audiobooks?|chapters?|s)?)\
                 ([ /:?#%@.&+,\\-\\x00-\\x1f\\x7f\u{85}\u{a0}\u{2028}\u{3000}\u{200b}ßa-zA-Z0-9]|%[0-9a-fA-F]{2}|:playlist:|/playlist/|spotify:|://){0,14}"
    ) {
        same::<AlbumId>(&text)?;
        same::<ArtistId>(&text)?;
        same::<AudiobookId>(&text)?;
        same::<CategoryId>(&text)?;
        same::<ChapterId>(&text)?;
        same::<Country>(&text)?;
        same::<DeviceId>(&text)?;
        same::<EpisodeId>(&text)?;
        same::<LibraryUri>(&text)?;
        same::<LocalFile>(&text)?;
        same::<PlaylistId>(&text)?;
        same::<ReleaseDate>(&text)?;
        same::<ShowId>(&text)?;
        same::<SnapshotId>(&text)?;
        same::<TrackId>(&text)?;
        same::<UserId>(&text)?;
        // Like Spotify, `Display` writes an audiobook as `spotify:show:ID`, and a chapter as
        // `spotify:episode:ID`.
        for printed in [
            text.parse::<Uri>().map(|uri| uri.to_string()),
            text.parse::<ContextUri>().map(|uri| uri.to_string()),
            text.parse::<PlayableUri>().map(|uri| uri.to_string()),
        ] {
            let Ok(printed) = printed else { continue };
            prop_assert_eq!(&printed.parse::<Uri>().unwrap().to_string(), &printed);
            same::<Uri>(&printed)?;
            same::<ContextUri>(&printed)?;
            same::<PlayableUri>(&printed)?;
        }
    }

    #[test]
    fn parsing_arbitrary_text_does_not_panic(text in "\\PC{0,60}") {
        let _ = text.parse::<TrackId>();
        let _ = text.parse::<Uri>().map(|uri| uri.to_string());
        let _ = text.parse::<UserId>();
        let _ = text.parse::<PlayableUri>();
        let _ = text.parse::<ReleaseDate>();
        let _ = text.parse::<Country>();
    }

    #[test]
    fn uris_round_trip_through_text(id in base62(), kind in 0_usize..6) {
        let word = ["track", "album", "artist", "playlist", "show", "episode"][kind];
        let text = format!("spotify:{word}:{id}");
        let uri: Uri = text.parse().unwrap();
        prop_assert_eq!(uri.to_string(), text);
    }

    #[test]
    fn country_set_behaves_like_a_btree_set(letters in prop::collection::vec("[A-Z]{2}", 0..300)) {
        let model: std::collections::BTreeSet<String> = letters.iter().cloned().collect();
        let json = serde_json::to_string(&letters).unwrap();
        let set: CountrySet = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(set.len(), model.len());
        prop_assert_eq!(set.is_empty(), model.is_empty());
        let listed: Vec<String> = set.iter().map(|country| country.to_string()).collect();
        prop_assert_eq!(listed, model.iter().cloned().collect::<Vec<_>>());
        prop_assert!(letters.iter().all(|letters| set.contains(letters.parse().unwrap())));
        let again: CountrySet = serde_json::from_str(&serde_json::to_string(&set).unwrap()).unwrap();
        prop_assert_eq!(again, set);
    }

    #[test]
    fn country_set_ignores_entries_that_are_not_countries(letters in "[A-Za-z]{2}") {
        let list = serde_json::json!([null, letters, "", "abc", "a1", 1, -1, 1.5, true, [], {"a": [1]}]);
        let set: CountrySet = serde_json::from_value(list).unwrap();
        let country: Country = letters.parse().unwrap();
        prop_assert_eq!(set.iter().collect::<Vec<_>>(), [country]);
        prop_assert_eq!(country.to_string(), letters.to_ascii_uppercase());
    }

    #[test]
    fn release_dates_round_trip_through_text(year in 0_u16..10_000, month in 1_u8..13, day in 1_u8..32) {
        for text in [
            format!("{year:04}"),
            format!("{year:04}-{month:02}"),
            format!("{year:04}-{month:02}-{day:02}"),
        ] {
            prop_assert_eq!(text.parse::<ReleaseDate>().unwrap().to_string(), text);
        }
    }
}

#[test]
fn an_optional_id_has_the_size_of_an_id() {
    assert_eq!(size_of::<TrackId>(), 23);
    assert_eq!(size_of::<Option<TrackId>>(), 23);
}

#[test]
fn parse_errors_of_invalid_ids_explain_the_cause() {
    let explain = |text: &str| text.parse::<ArtistId>().unwrap_err().to_string();
    insta::assert_snapshot!(
        [
            "",
            "not-an-id",
            "12345678901234567890123",
            "spotify:album:4uLU6hMCjMI75M1A2tKUQC",
            "https://open.spotify.com/track/4uLU6hMCjMI75M1A2tKUQC",
            "spotify:local:a:b:c:1",
            "https://spotify.link/abc",
            "https://open.spotify.com/s/abc",
            "https://example.org/artist/4uLU6hMCjMI75M1A2tKUQC",
            "spotify:artist:not-an-id",
            "spotify:artist:",
        ]
        .map(explain)
        .join("\n"),
        @r#"
    expected an artist id, URI or URL, but the text is empty
    "not-an-id" is not an artist id, URI or URL: '-' is not a base-62 character
    "12345678901234567890123" is not an artist id, URI or URL: the id has 23 characters; the maximum is 22
    "spotify:album:4uLU6hMCjMI75M1A2tKUQC" is not an artist id, URI or URL: the text refers to an album
    "https://open.spotify.com/track/4uLU6hMCjMI75M1A2tKUQC" is not an artist id, URI or URL: the text refers to a track
    "spotify:local:a:b:c:1" is not an artist id, URI or URL: the text is a URI of another kind
    "https://spotify.link/abc" is not an artist id, URI or URL: a short link contains no id; call `client.resolve_link(..)` to get the URI
    "https://open.spotify.com/s/abc" is not an artist id, URI or URL: a short link contains no id; call `client.resolve_link(..)` to get the URI
    "https://example.org/artist/4uLU6hMCjMI75M1A2tKUQC" is not an artist id, URI or URL: the URL does not refer to a Spotify item
    "spotify:artist:not-an-id" is not an artist id, URI or URL: '-' is not a base-62 character
    "spotify:artist:" is not an artist id, URI or URL: the id is missing
    "#
    );
}

#[test]
fn audiobooks_use_show_uris_and_chapters_use_episode_uris() {
    let book: AudiobookId = format!("spotify:show:{ID}").parse().unwrap();
    assert_eq!(book.uri().to_string(), format!("spotify:show:{ID}"));
    assert_eq!(LibraryUri::from(book).to_string(), format!("spotify:audiobook:{ID}"));
    let chapter: ChapterId = format!("https://open.spotify.com/episode/{ID}").parse().unwrap();
    assert_eq!(PlayableUri::from(chapter).to_string(), format!("spotify:episode:{ID}"));
    assert!(format!("spotify:audiobook:{ID}").parse::<ShowId>().is_err());
    // The conversion of a `Uri` does not change the kind of the object.
    let library: LibraryUri = book.uri().into_id().unwrap();
    assert_eq!(library.to_string(), format!("spotify:audiobook:{ID}"));
    assert_eq!(AudiobookId::try_from(&Uri::Show(ID.parse().unwrap())), Ok(book));
    let error = ShowId::try_from(book.uri()).unwrap_err().to_string();
    assert!(error.contains("the text refers to an audiobook"), "{error}");
}

#[test]
fn local_file_uris_are_parsed_and_kept_verbatim() {
    let text = "spotify:local:Caf%C3%A9+Tacvba::Las+Flores+%28live%29:231";
    let Uri::Local(file) = text.parse().unwrap() else { panic!("not a local file") };
    assert_eq!(file.artist, "Café Tacvba");
    assert_eq!(file.album, "");
    assert_eq!(file.title, "Las Flores (live)");
    assert_eq!(file.duration.unwrap().as_secs(), 231);
    assert_eq!(file.to_string(), text);
}

#[test]
fn uris_of_unknown_kinds_are_kept_unchanged() {
    for text in
        ["spotify:collection:tracks", "spotify:user:nora:collection", "spotify:prerelease:abc"]
    {
        let uri: Uri = text.parse().unwrap();
        assert!(matches!(uri, Uri::Other(_)), "{uri:?}");
        assert_eq!(uri.to_string(), text);
        assert_eq!(text.parse::<ContextUri>().unwrap().to_string(), text);
    }
}

#[test]
fn collection_urls_parse_to_collection_uris() {
    for (page, uri) in [
        ("https://open.spotify.com/collection/tracks", "spotify:collection:tracks"),
        ("https://open.spotify.com/intl-de/collection/tracks/?si=1", "spotify:collection:tracks"),
        ("open.spotify.com/collection", "spotify:collection"),
        ("https://open.spotify.com/collection//\u{b}?si=1", "spotify:collection::"),
    ] {
        assert_eq!(page.parse::<Uri>().unwrap().to_string(), uri);
        assert_eq!(page.parse::<ContextUri>().unwrap().to_string(), uri);
        assert!(page.parse::<TrackId>().is_err());
    }
}

#[test]
fn uri_accessors_return_the_id_or_the_local_file() {
    let uri: Uri = format!("spotify:album:{ID}").parse().unwrap();
    let album: AlbumId = ID.parse().unwrap();
    assert_eq!(uri.as_album(), Some(&album));
    assert_eq!(uri.as_track(), None);
    assert_eq!(Uri::from(album), uri);
    assert_eq!(Uri::from(ContextUri::from(album)), uri);
    let local: Uri = "spotify:local:::Song:".parse().unwrap();
    assert_eq!(
        local.as_local().map(|file| (file.title.as_str(), file.duration)),
        Some(("Song", None))
    );
    let error = PlayableUri::try_from(&uri).unwrap_err().to_string();
    assert!(error.contains("the text refers to an album"), "{error}");
}

#[test]
fn into_id_accepts_ids_uris_text_and_options() {
    let album: AlbumId = ID.parse().unwrap();
    let given: [Result<AlbumId, ParseIdError>; 10] = [
        album.into_id(),
        (&album).into_id(),
        ID.into_id(),
        format!("spotify:album:{ID}").into_id(),
        Some(album).into_id(),
        (&Some(album)).into_id(),
        Some(ID).into_id(),
        (&ID).into_id(),
        album.uri().into_id(),
        (&album.uri()).into_id(),
    ];
    assert!(given.into_iter().all(|given| given == Ok(album)));
    let none: Result<AlbumId, _> = None::<AlbumId>.into_id();
    assert!(none.unwrap_err().to_string().contains("the object has no id"));
    // Calls that add to a playlist accept bare ids of tracks.
    let track: PlayableUri = ID.into_id().unwrap();
    assert_eq!(track.to_string(), format!("spotify:track:{ID}"));
    let error = ID.parse::<LibraryUri>().unwrap_err();
    assert!(error.to_string().contains("the kind of a plain id is unknown; pass a URI"), "{error}");
    let error = format!("spotify:album:{ID}").parse::<PlayableUri>().unwrap_err();
    assert!(error.to_string().contains("the text refers to an album"), "{error}");
    assert_eq!(TrackId::EXPECTED, "a track id, URI or URL");
}
