//! Computes statistics of a recorded page of saved tracks. The example uses only `spot-model`,
//! without a client, a network or a runtime.
//!
//! `cargo run -p spot-sdk --example listening_statistics -- page.json`
#![expect(clippy::print_stdout, reason = "the example prints its output to stdout")]

use std::{collections::BTreeMap, error::Error, time::Duration};

use spot_model::{Page, SavedTrack};

/// A page as the Web API sends it, without the fields that this example does not use. One entry of
/// the page is invalid.
const RECORDED: &str = r#"{
    "total": 4, "limit": 4, "offset": 0, "next": null,
    "items": [
        {"added_at": "2026-10-01T08:00:00Z", "track": {"id": "spotmockTrack000000001", "name": "Low Tide",
            "type": "track", "duration_ms": 181000, "explicit": true,
            "artists": [{"id": "spotmockArtist00000001", "name": "Nils Ilddal"}]}},
        {"added_at": "2026-10-02T08:00:00Z", "track": {"id": "spotmockTrack000000002", "name": "Moth",
            "type": "track", "duration_ms": 242000,
            "artists": [{"id": "spotmockArtist00000001", "name": "Nils Ilddal"},
                        {"id": "spotmockArtist00000002", "name": "The Quiet Ones"}]}},
        null,
        {"added_at": "2026-11-01T08:00:00Z", "track": {"id": "spotmockTrack000000003", "name": "Harbour",
            "type": "track", "duration_ms": 199000,
            "artists": [{"id": "spotmockArtist00000002", "name": "The Quiet Ones"}]}}
    ]
}"#;

fn main() -> Result<(), Box<dyn Error>> {
    let text = match std::env::args().nth(1) {
        Some(path) => std::fs::read_to_string(path)?,
        None => RECORDED.to_owned(),
    };
    let page: Page<SavedTrack> = spot_model::from_slice(text.as_bytes())?;
    let mut artists: BTreeMap<&str, usize> = BTreeMap::new();
    let mut months: BTreeMap<String, usize> = BTreeMap::new();
    let mut length = Duration::ZERO;
    for saved in &page.items {
        length += saved.track.duration;
        for artist in &saved.track.artists {
            *artists.entry(&artist.name).or_default() += 1;
        }
        if let Some(added_at) = saved.added_at {
            *months.entry(added_at.format("%Y-%m").to_string()).or_default() += 1;
        }
    }
    println!("{} of {} tracks", page.items.len(), page.total.unwrap_or_default());
    println!("{} min {} s", length.as_secs() / 60, length.as_secs() % 60);
    for (artist, count) in artists {
        println!("{count:4}  {artist}");
    }
    for (month, count) in months {
        println!("{count:4}  {month}");
    }
    for skipped in &page.skipped {
        println!("entry {} was left out: {:?}", skipped.index, skipped.reason);
    }
    Ok(())
}
