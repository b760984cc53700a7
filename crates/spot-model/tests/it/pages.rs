//! Tests that broken entries do not fail a page, and that the indexes stay correct.

use proptest::prelude::*;
use serde_json::{Value, json};
use spot_model::{
    CursorPage, Page, PlayHistory, Playlist, SavedTrack, SimplifiedPlaylist, SkipReason, Track,
};

/// Returns a valid, null or broken entry for a list of saved tracks.
fn entry(at: usize, how: u8) -> Value {
    match how {
        0 => Value::Null,
        1 => json!({ "added_at": "2026-01-01T00:00:00Z" }),
        2 => json!({ "added_at": "2026-01-01T00:00:00Z", "track": { "name": ["no text"] } }),
        _ => json!({ "added_at": "2026-01-01T00:00:00Z",
                     "track": { "type": "track", "id": format!("{at:022}"), "name": at.to_string() } }),
    }
}

proptest! {
    #[test]
    fn skipped_and_kept_entries_have_correct_indexes(hows in prop::collection::vec(0_u8..8, 0..60)) {
        let items: Vec<Value> = hows.iter().enumerate().map(|(at, how)| entry(at, *how)).collect();
        let body = json!({ "items": items, "limit": 60, "offset": 0, "total": hows.len() });
        let text = body.to_string();
        let page: Page<SavedTrack> = spot_model::from_slice(text.as_bytes()).unwrap();
        // The fast decoder and serde_json return the same page.
        prop_assert_eq!(&page, &serde_json::from_str(&text).unwrap());
        prop_assert_eq!(page.items.len() + page.skipped.len(), hows.len());
        for skipped in &page.skipped {
            match &skipped.reason {
                SkipReason::Null => prop_assert_eq!(hows[skipped.index], 0),
                SkipReason::Broken { error, json, .. } => {
                    prop_assert!(matches!(hows[skipped.index], 1 | 2));
                    prop_assert!(!error.is_empty());
                    prop_assert!(json.contains("added_at"));
                }
                _ => prop_assert!(false),
            }
        }
        let kept: Vec<usize> = page.items.iter().map(|item| item.track.name.parse().unwrap()).collect();
        let whole: Vec<usize> = (0..hows.len()).filter(|at| hows[*at] > 2).collect();
        prop_assert_eq!(&kept, &whole);
        // In the encoded page, skipped entries are null, and all other entries keep their indexes.
        let again: Value = serde_json::to_value(&page).unwrap();
        let again = again["items"].as_array().unwrap();
        for (at, how) in hows.iter().enumerate() {
            prop_assert_eq!(again[at].is_null(), *how <= 2);
        }
    }
}

#[test]
fn a_skipped_entry_has_a_reason() {
    let body = br#"{"items":[{"added_at":"2026-01-01T00:00:00Z"}],"limit":1,"offset":0,"total":1}"#;
    let page: Page<SavedTrack> = spot_model::from_slice(body).unwrap();
    insta::assert_debug_snapshot!(page.skipped, @r#"
    [
        Skipped {
            index: 0,
            reason: Broken {
                error: "missing field `track`",
                json: "{\"added_at\":\"2026-01-01T00:00:00Z\"}",
            },
        },
    ]
    "#);
}

#[test]
fn missing_page_fields_get_default_values() {
    for part in [r#"{"items":[]}"#, r#"{"total":null}"#, r#"{"next":null}"#, r#"{"limit":0}"#] {
        let page: Page<SavedTrack> = spot_model::from_slice(part.as_bytes()).unwrap();
        assert_eq!(page, Page::default(), "{part}");
    }
    let page: Page<SavedTrack> = spot_model::from_slice(
        br#"{"items":null,"limit":null,"offset":2.0,"total":2.0,"next":null,"extra":[1]}"#,
    )
    .unwrap();
    assert_eq!((page.total, page.offset), (Some(2), 2));
    let page: CursorPage<PlayHistory> =
        spot_model::from_slice(br#"{"items":[],"cursors":null,"limit":20}"#).unwrap();
    assert_eq!(page.cursors.after, None);
}

#[test]
fn json_that_is_not_a_page_is_an_error() {
    for json in [
        "[]",
        "[[]]",
        "{}",
        "null",
        "7",
        r#"{"error":{"status":500,"message":"No"}}"#,
        r#"{"error":"no","total":1}"#,
        r#"{"message":"Hello"}"#,
    ] {
        let page: Result<Page<SavedTrack>, _> = spot_model::from_slice(json.as_bytes());
        assert!(page.is_err(), "{json}");
        let page: Result<CursorPage<PlayHistory>, _> = spot_model::from_slice(json.as_bytes());
        assert!(page.is_err(), "{json}");
    }
}

#[test]
fn a_page_with_more_than_10000_entries_is_rejected() {
    for entry in ["{}", "null", "7"] {
        let json = |entries: usize| {
            format!("{{\"items\":[{entry}{}]}}", format!(",{entry}").repeat(entries - 1))
        };
        let page: Page<SavedTrack> = spot_model::from_slice(json(10_000).as_bytes()).unwrap();
        assert_eq!(page.skipped.len(), 10_000);
        let page: Result<Page<SavedTrack>, _> = spot_model::from_slice(json(10_001).as_bytes());
        let error = page.unwrap_err().to_string();
        assert!(error.starts_with("the page has more than 10000 entries"), "{error}");
    }
}

#[test]
fn decode_errors_are_short_and_have_no_control_characters() {
    let long = format!("\u{1b}[2J\n\u{202e}{}", "x".repeat(100_000));
    let long = serde_json::to_string(&long).unwrap();
    let error = spot_model::from_slice::<Track>(format!("{{\"album\":{long}}}").as_bytes());
    let error = error.unwrap_err();
    let text = error.to_string();
    assert!(text.chars().count() <= 500 && !text.contains(char::is_control), "{text}");
    assert_eq!((error.line(), error.is_data()), (1, true));
    let json = format!("{{\"items\":[{{\"track\":{long}}}]}}");
    let page: Page<SavedTrack> = spot_model::from_slice(json.as_bytes()).unwrap();
    let SkipReason::Broken { error, .. } = &page.skipped[0].reason else { panic!() };
    assert!(error.chars().count() <= 500 && !error.contains(char::is_control), "{error}");
}

#[test]
fn entries_with_invalid_numbers_or_surrogates_are_skipped() {
    // serde_json reports a syntax error for a number that is out of range, and for an unpaired
    // surrogate.
    for broken in [r#"{"added_at":1e999}"#, r#"{"track":{"name":"\ud800"}}"#] {
        let body = format!(r#"{{"items":[{broken},null],"limit":2,"total":2}}"#);
        let page: Page<SavedTrack> = spot_model::from_slice(body.as_bytes()).unwrap();
        assert_eq!(page, serde_json::from_str(&body).unwrap());
        assert_eq!(page.skipped.len(), 2);
    }
}

#[test]
fn a_broken_entry_is_skipped_only_in_the_nested_page() {
    let entry = r#"{"items":{"items":[{"item":{"type":"track","name":1}},{"is_local":true}]}}"#;
    let page: Page<Playlist> =
        spot_model::from_slice(format!(r#"{{"items":[{entry}]}}"#).as_bytes()).unwrap();
    let inner = page.items[0].items.as_ref().unwrap();
    assert!(page.skipped.is_empty());
    assert_eq!((inner.items.len(), inner.skipped[0].index), (1, 0));
}

#[test]
fn next_offset_and_is_last_follow_from_the_page_fields() {
    let page = |json: Value| -> Page<SimplifiedPlaylist> { serde_json::from_value(json).unwrap() };
    let two = json!([null, { "name": "x" }]);
    // The next offset depends on the server's limit. The server's limit can differ from the
    // requested limit and from the number of entries.
    let middle = page(json!({ "items": two, "limit": 18, "offset": 18, "total": 90, "next": "n" }));
    assert_eq!((middle.next_offset(), middle.is_last()), (36, false));
    let last = page(json!({ "items": two, "limit": 2, "offset": 4, "total": 6 }));
    assert_eq!((last.next_offset(), last.is_last()), (6, true));
    let filtered = page(json!({ "items": two, "offset": 0, "total": 6 }));
    assert_eq!((filtered.next_offset(), filtered.is_last()), (2, false));
    let endless = page(json!({ "items": [], "limit": 20, "offset": 20, "total": 90, "next": "n" }));
    assert!(endless.is_last());
}

#[test]
fn a_json_syntax_error_reports_line_and_column() {
    let error = spot_model::from_slice::<Page<SimplifiedPlaylist>>(b"{\"items\": [}").unwrap_err();
    assert!(error.is_syntax());
    assert_eq!((error.line(), error.column()), (1, 12));
}
