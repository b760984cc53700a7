//! How fast answers become objects, and what that allocates.

use std::{
    error::Error,
    fs,
    hint::black_box,
    path::Path,
    time::{Duration, Instant},
};

use serde::de::{DeserializeOwned, IgnoredAny};
use spot_mock::{MockSpotify, Mode};
use spot_model::{Album, Page, PlaylistItem, SavedTrack, SearchResults};

use crate::{count, table::Table};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A kind of body, and the types of the crates that read it.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Saved,
    PlaylistItems,
    Search,
    Album,
}

struct Sample {
    name: String,
    kind: Kind,
    body: Vec<u8>,
    items: usize,
}

/// Something that reads a body, and gives nothing if it cannot.
type Reads = Box<dyn Fn(&[u8]) -> bool>;

pub async fn run(recorded: Option<&str>) -> Result<()> {
    let mut samples = made().await?;
    if let Some(recorded) = recorded.map(Path::new).filter(|path| path.is_dir()) {
        for (kind, name, file) in [
            (Kind::Saved, "saved tracks", "python-spotify/saved_tracks.json"),
            (Kind::Saved, "saved tracks, 2020", "web-api-js/user_saved_tracks.json"),
            (Kind::PlaylistItems, "playlist items, 2015", "zmb3-spotify/playlist_tracks.json"),
            (Kind::Search, "search", "web-api-js/search_track.json"),
            (Kind::Album, "album, 2015", "zmb3-spotify/find_album_1.json"),
        ] {
            let body = fs::read(recorded.join(file))?;
            samples.push(Sample::new(format!("recorded: {name}"), kind, body));
        }
    }
    let mut table = Table::new(&[
        "body",
        "KB",
        "items",
        "reader",
        "MB/s",
        "time / IgnoredAny",
        "allocations / item",
        "allocated / body",
    ]);
    for sample in &samples {
        measure(sample, &mut table);
    }
    table.print("Decoding");
    Ok(())
}

/// Pages as spot-mock makes them, in both shapes.
async fn made() -> Result<Vec<Sample>> {
    let mut samples = Vec::new();
    for (mode, shape) in [(Mode::Extended, "Extended"), (Mode::Development, "Development")] {
        let mock = MockSpotify::builder().mode(mode).start().await?;
        let client = reqwest::Client::builder().no_proxy().build()?;
        let token = mock.user_token_all();
        let playlist = match mode {
            Mode::Extended => "tracks",
            _ => "items",
        };
        let items = format!("/playlists/spotmockPlaylist000001/{playlist}?limit=50");
        let limit = if shape == "Extended" { 50 } else { 10 };
        let search = format!("/search?q=the&type=track&limit={limit}");
        for (kind, name, path) in [
            (Kind::Saved, "saved tracks", "/me/tracks?limit=50"),
            (Kind::PlaylistItems, "playlist items", items.as_str()),
            (Kind::Search, "search", search.as_str()),
            (Kind::Album, "album", "/albums/spotmockAlbum000000001"),
        ] {
            let request = client.get(format!("{}{path}", mock.api_url())).bearer_auth(&token);
            let body = request.send().await?.error_for_status()?.bytes().await?;
            samples.push(Sample::new(format!("{shape}: {name}"), kind, body.to_vec()));
        }
    }
    Ok(samples)
}

impl Sample {
    fn new(name: String, kind: Kind, body: Vec<u8>) -> Self {
        let items = match kind {
            Kind::Saved => ours::<Page<SavedTrack>>(&body).map(|page| page.items.len()),
            Kind::PlaylistItems => ours::<Page<PlaylistItem>>(&body).map(|page| page.items.len()),
            Kind::Search => ours::<SearchResults>(&body)
                .map(|found| found.tracks.map_or(0, |page| page.items.len())),
            Kind::Album => ours::<Album>(&body).map(|album| album.tracks.items.len()),
        };
        Self { name, kind, body, items: items.unwrap_or(0).max(1) }
    }
}

fn ours<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    spot_model::from_slice(body).ok()
}

fn reads<T: DeserializeOwned + 'static>(read: fn(&[u8]) -> Option<T>) -> Reads {
    Box::new(move |body| black_box(read(black_box(body))).is_some())
}

fn peer<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    serde_json::from_slice(body).ok()
}

fn readers(kind: Kind) -> Vec<(&'static str, Reads)> {
    use rspotify::model;
    let (own, theirs) = match kind {
        Kind::Saved => {
            (reads(ours::<Page<SavedTrack>>), reads(peer::<model::Page<model::SavedTrack>>))
        }
        Kind::PlaylistItems => {
            (reads(ours::<Page<PlaylistItem>>), reads(peer::<model::Page<model::PlaylistItem>>))
        }
        Kind::Search => (reads(ours::<SearchResults>), reads(peer::<model::SearchMultipleResult>)),
        Kind::Album => (reads(ours::<Album>), reads(peer::<model::FullAlbum>)),
    };
    vec![
        ("serde: IgnoredAny", reads(peer::<IgnoredAny>)),
        ("**spot-model**", own),
        ("rspotify-model", theirs),
        ("serde_json::Value", reads(peer::<serde_json::Value>)),
        ("sonic_rs::Value", reads(|body| sonic_rs::from_slice::<sonic_rs::Value>(body).ok())),
    ]
}

fn measure(sample: &Sample, table: &mut Table) {
    let readers = readers(sample.kind);
    let mut best = vec![Duration::MAX; readers.len()];
    let works: Vec<bool> = readers.iter().map(|(_, read)| read(&sample.body)).collect();
    // Round robin, so that what else the machine does hits all of them alike; the minimum counts.
    let rounds = (40_000_000 / sample.body.len()).clamp(60, 2000);
    for _ in 0..rounds {
        for (best, (_, read)) in best.iter_mut().zip(&readers) {
            let start = Instant::now();
            read(&sample.body);
            *best = (*best).min(start.elapsed());
        }
    }
    let nothing = best[0].as_secs_f64();
    for (at, (name, read)) in readers.iter().enumerate() {
        let (_, allocated) = count::of(|| read(&sample.body));
        let seconds = best[at].as_secs_f64();
        let size = sample.body.len() as f64;
        let head = [
            sample.name.clone(),
            format!("{:.0}", size / 1000.0),
            sample.items.to_string(),
            (*name).to_owned(),
        ];
        let figures = if works[at] {
            [
                format!("{:.0}", size / seconds / 1e6),
                format!("{:.2}", seconds / nothing),
                format!("{:.1}", allocated.calls as f64 / sample.items as f64),
                format!("{:.2}", allocated.bytes as f64 / size),
            ]
        } else {
            ["cannot read it", "", "", ""].map(str::to_owned)
        };
        table.row(head.into_iter().chain(figures));
    }
}
