//! Tests of a binary format without field names and types: ids are stored as text, and objects as
//! JSON.

use std::fmt::Debug;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use spot_model::{
    AlbumId, AlbumType, ArtistId, AudiobookId, CategoryId, ChapterId, ContextUri, Country,
    CountrySet, Cursors, DeviceId, EpisodeId, Image, LibraryUri, Page, PlayableUri, PlaylistId,
    ReleaseDate, SavedTrack, ShowId, SnapshotId, Track, TrackId, Uri, UserId,
};

const ID: &str = "4uLU6hMCjMI75M1A2tKUQC";

/// Encodes the value, and decodes it again.
pub(crate) fn round_trip<T: Serialize + DeserializeOwned>(value: &T) -> T {
    postcard::from_bytes(&postcard::to_stdvec(value).unwrap()).unwrap()
}

fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(json: &str) {
    let value: T = serde_json::from_str(json).unwrap();
    assert_eq!(round_trip(&value), value);
    assert_eq!(round_trip(&vec![value]).len(), 1);
}

#[test]
fn ids_and_other_values_are_encoded_as_text() {
    let id = format!("{ID:?}");
    check::<TrackId>(&id);
    check::<AlbumId>(&id);
    check::<ArtistId>(&id);
    check::<PlaylistId>(&id);
    check::<ShowId>(&id);
    check::<EpisodeId>(&id);
    check::<AudiobookId>(&id);
    check::<ChapterId>(&id);
    check::<UserId>(&id);
    check::<CategoryId>(&id);
    check::<DeviceId>(&id);
    check::<SnapshotId>(&id);
    let track = format!("\"spotify:track:{ID}\"");
    check::<Uri>(&track);
    check::<PlayableUri>(&track);
    check::<LibraryUri>(&track);
    check::<PlayableUri>("\"spotify:local:Artist:Album:Song:180\"");
    check::<ContextUri>(&format!("\"spotify:album:{ID}\""));
    check::<Country>("\"SE\"");
    check::<CountrySet>("[\"SE\", \"DE\"]");
    check::<ReleaseDate>("\"1981-12\"");
    check::<AlbumType>("\"album\"");
    check::<AlbumType>("\"of a kind that is not known\"");
    let track: TrackId = ID.parse().unwrap();
    assert_eq!(postcard::to_stdvec(&track).unwrap().len(), 1 + ID.len());
}

#[test]
fn objects_in_a_cache_struct_survive_a_binary_round_trip() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Cache {
        version: u32,
        track: Track,
        page: Page<SavedTrack>,
        images: Vec<Image>,
        cursors: Option<Cursors>,
        after: u8,
    }
    let cache: Cache = serde_json::from_str(
        r#"{
            "version": 3,
            "track": {"id": "4uLU6hMCjMI75M1A2tKUQC", "name": "Song", "duration_ms": 180000.0},
            "page": {"items": [{"track": {"name": "Old"}}], "limit": 1, "offset": 4, "total": 9},
            "images": [{"url": "https://example.org/a", "width": null, "height": 64}],
            "cursors": {"after": "x"},
            "after": 7
        }"#,
    )
    .unwrap();
    assert_eq!(round_trip(&cache), cache);
}

/// The binary form of a page contains the index of each skipped entry.
#[test]
fn a_binary_page_keeps_the_indexes_of_skipped_entries() {
    let page: Page<SavedTrack> =
        spot_model::from_slice(br#"{"items": [null, {"track": {"name": "B"}}, 5], "total": 3}"#)
            .unwrap();
    let kept = round_trip(&page);
    assert_eq!(kept.items, page.items);
    assert_eq!(kept.skipped.iter().map(|gap| gap.index).collect::<Vec<_>>(), [0, 2]);
}

#[test]
fn binary_data_without_a_json_object_is_an_error() {
    for text in ["", "null", "[]", "{\"id\": ", "{\"name\": []}"] {
        let bytes = postcard::to_stdvec(text).unwrap();
        assert!(postcard::from_bytes::<Track>(&bytes).is_err(), "{text}");
    }
    // The input has fewer bytes than its length field requires.
    assert!(postcard::from_bytes::<Track>(&[9, b'{']).is_err());
}
