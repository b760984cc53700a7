//! Measures the time and the allocations of decoding.

use std::{
    error::Error,
    fs,
    hint::black_box,
    path::Path,
    time::{Duration, Instant},
};

use serde::de::{DeserializeOwned, IgnoredAny};
use spot_http::Pipeline;
use spot_mock::{MockSpotify, Mode};
use spot_model::{Album, Page, PlaylistItem, SavedTrack, SearchResults};

use crate::{
    count,
    effort::Effort,
    report::{Report, Table},
    sketch,
};

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The kind of a response body. For each kind, each crate has a type that decodes the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Saved,
    PlaylistItems,
    Search,
    Album,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Saved, Self::PlaylistItems, Self::Search, Self::Album];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Saved => "saved",
            Self::PlaylistItems => "playlist-items",
            Self::Search => "search",
            Self::Album => "album",
        }
    }

    pub(crate) fn from_name(name: &str) -> Result<Self> {
        let kind = Self::ALL.into_iter().find(|kind| kind.name() == name);
        Ok(kind.ok_or_else(|| format!("unknown kind of body {name:?}"))?)
    }
}

pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) body: Vec<u8>,
    pub(crate) items: usize,
}

/// Decodes a body, and returns whether the decoding succeeded.
pub(crate) type Reads = Box<dyn Fn(&[u8]) -> bool>;

/// Names of the compared decoders.
pub(crate) const NOTHING: &str = "serde: IgnoredAny";
pub(crate) const OURS: &str = "**spot-model**";
pub(crate) const RSPOTIFY: &str = "rspotify-model";
pub(crate) const SONIC: &str = "sonic_rs::Value";
pub(crate) const SKETCH: &str = "derived structs that borrow text";

/// Target: spot-model takes at most this many times as long as the simple structs of `sketch`.
const TIMES_SKETCH: f64 = 1.15;

/// Returns the bodies of spot-mock, and the recorded bodies if the directory exists.
pub(crate) async fn samples(recorded: Option<&str>) -> Result<Vec<Sample>> {
    let mut samples = made().await?;
    if let Some(recorded) = recorded.map(Path::new).filter(|path| path.is_dir()) {
        for (kind, name, file) in [
            (Kind::Saved, "saved tracks", "python-spotify/saved_tracks.json"),
            (Kind::Saved, "saved tracks, 2020", "web-api-js/user_saved_tracks.json"),
            (Kind::PlaylistItems, "playlist items, 2015", "zmb3-spotify/playlist_tracks.json"),
            (Kind::Search, "search", "web-api-js/search_track.json"),
            (Kind::Album, "album", "ts-sdk/validAlbumResult.json"),
            (Kind::Album, "album, 2015", "zmb3-spotify/find_album_1.json"),
        ] {
            let body = fs::read(recorded.join(file))?;
            samples.push(Sample::new(format!("recorded: {name}"), kind, body));
        }
    }
    Ok(samples)
}

pub(crate) async fn run(recorded: Option<&str>, effort: Effort, report: &mut Report) -> Result<()> {
    let samples = samples(recorded).await?;
    let mut table = Table::new(
        "Decoding",
        &[
            "body",
            "KB",
            "items",
            "reader",
            "MB/s",
            "time / IgnoredAny",
            "allocations / item",
            "allocated bytes / body bytes",
            "throughput / rspotify",
            "time / sketch",
            "target",
        ],
    );
    for sample in &samples {
        measure(sample, effort, &mut table);
    }
    report.add(table);
    report.note(format!(
        "Target: spot-model takes at most {TIMES_SKETCH} times as long as the reader `{SKETCH}` \
         (`sketch` in the column names). If rspotify-model can decode the body, spot-model must not \
         take more time, make more allocations or allocate more bytes than rspotify-model. If a row \
         misses the target, the last column lists the reasons."
    ));
    Ok(())
}

/// Returns bodies of spot-mock in both access modes. The links in the bodies point to Spotify.
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
            let body = request.send().await?.error_for_status()?.text().await?;
            let body = body.replace(mock.api_url(), Pipeline::SPOTIFY);
            samples.push(Sample::new(format!("{shape}: {name}"), kind, body.into_bytes()));
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

/// Decodes a body in the same way as the models. The UTF-8 of the whole body is validated before
/// decoding.
macro_rules! borrows {
    ($sketch:ty) => {
        Box::new(|body: &[u8]| {
            let text = std::str::from_utf8(black_box(body)).unwrap_or_default();
            black_box(serde_json::from_str::<$sketch>(text)).is_ok()
        })
    };
}

fn sketch(kind: Kind, body: &[u8]) -> Reads {
    let has_new_name = || body.windows(7).any(|name| name == b"\"item\":");
    match kind {
        Kind::Saved => borrows!(sketch::Saved<'_>),
        Kind::PlaylistItems if has_new_name() => borrows!(sketch::PlaylistItems<'_>),
        Kind::PlaylistItems => borrows!(sketch::OldPlaylistItems<'_>),
        Kind::Search => borrows!(sketch::Found<'_>),
        Kind::Album => borrows!(sketch::FullAlbum<'_>),
    }
}

pub(crate) fn readers(kind: Kind, body: &[u8]) -> Vec<(&'static str, Reads)> {
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
        (NOTHING, reads(peer::<IgnoredAny>)),
        (OURS, own),
        (SKETCH, sketch(kind, body)),
        (RSPOTIFY, theirs),
        ("serde_json::Value", reads(peer::<serde_json::Value>)),
        (SONIC, reads(|body| sonic_rs::from_slice::<sonic_rs::Value>(body).ok())),
    ]
}

/// Results of one decoder.
struct Figures {
    name: &'static str,
    seconds: f64,
    allocations: f64,
    allocated: f64,
}

fn measure(sample: &Sample, effort: Effort, table: &mut Table) {
    let readers = readers(sample.kind, &sample.body);
    let mut best = vec![Duration::MAX; readers.len()];
    // The decoders take turns, so that the load of the machine affects all decoders equally. The
    // table shows the shortest time of each decoder.
    let rounds = (40_000_000 / sample.body.len()).clamp(60, 2000) / effort.pick(1, 10);
    for _ in 0..rounds {
        for (best, (_, read)) in best.iter_mut().zip(&readers) {
            let start = Instant::now();
            read(&sample.body);
            *best = (*best).min(start.elapsed());
        }
    }
    let figures: Vec<Option<Figures>> = best
        .iter()
        .zip(&readers)
        .map(|(best, (name, read))| {
            let (works, allocated) = count::of(|| read(&sample.body));
            works.then(|| Figures {
                name,
                seconds: best.as_secs_f64(),
                allocations: allocated.calls as f64 / sample.items as f64,
                allocated: allocated.bytes as f64 / sample.body.len() as f64,
            })
        })
        .collect();
    let of = |reader: &str| figures.iter().flatten().find(|figures| figures.name == reader);
    let (nothing, theirs, sketch) = (of(NOTHING), of(RSPOTIFY), of(SKETCH));
    let size = sample.body.len() as f64;
    for ((name, _), figures) in readers.iter().zip(&figures) {
        let head = [
            sample.name.clone(),
            format!("{:.0}", size / 1000.0),
            sample.items.to_string(),
            (*name).to_owned(),
        ];
        let cells = match figures {
            Some(figures) => {
                let over = |other: Option<&Figures>| match other {
                    Some(other) => format!("{:.2}", figures.seconds / other.seconds),
                    None => "—".to_owned(),
                };
                let target =
                    if *name == OURS { figures.target(sketch, theirs) } else { String::new() };
                [
                    format!("{:.0}", size / figures.seconds / 1e6),
                    over(nothing),
                    format!("{:.1}", figures.allocations),
                    format!("{:.2}", figures.allocated),
                    theirs.map_or_else(
                        || "—".to_owned(),
                        |theirs| format!("{:.2}", theirs.seconds / figures.seconds),
                    ),
                    over(sketch),
                    target,
                ]
            }
            None => ["cannot read it", "", "", "", "", "", ""].map(str::to_owned),
        };
        table.row(head.into_iter().chain(cells));
    }
}

impl Figures {
    /// Returns "met", or the reasons why the target is missed.
    fn target(&self, sketch: Option<&Self>, theirs: Option<&Self>) -> String {
        let is_over = |own: f64, other: Option<&Self>, of: fn(&Self) -> f64, times: f64| {
            other.is_some_and(|other| own > of(other) * times)
        };
        let missed = [
            (is_over(self.seconds, sketch, |figures| figures.seconds, TIMES_SKETCH), "sketch"),
            (is_over(self.seconds, theirs, |figures| figures.seconds, 1.0), "rspotify's time"),
            (is_over(self.allocations, theirs, |figures| figures.allocations, 1.0), "allocations"),
            (is_over(self.allocated, theirs, |figures| figures.allocated, 1.0), "bytes"),
        ];
        let missed: Vec<&str> =
            missed.into_iter().filter_map(|(missed, by)| missed.then_some(by)).collect();
        if missed.is_empty() { "met".to_owned() } else { format!("missed: {}", missed.join(", ")) }
    }
}
