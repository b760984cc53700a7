//! Artists, albums and tracks.

use std::{borrow::Cow, ops::RangeInclusive};

use crate::world::{arena::Key, id::Id, markets::Availability, names::Name, rng::Rng};

/// An artist.
#[derive(Debug)]
pub(crate) struct Artist {
    pub(crate) id: Id,
    pub(crate) name: Name,
    pub(crate) genres: Vec<Cow<'static, str>>,
    pub(crate) popularity: u8,
    pub(crate) followers: u32,
    /// The artist's own albums, newest first.
    pub(crate) albums: Vec<Key<Album>>,
    /// Albums of other artists on which this artist is a guest.
    pub(crate) appears_on: Vec<Key<Album>>,
}

/// An album, a single or a compilation.
#[derive(Debug)]
pub(crate) struct Album {
    pub(crate) id: Id,
    pub(crate) name: Name,
    pub(crate) kind: AlbumKind,
    pub(crate) artist: Key<Artist>,
    pub(crate) released: Released,
    pub(crate) first_track: Key<Track>,
    pub(crate) track_count: u32,
    pub(crate) label: Name,
    pub(crate) popularity: u8,
    pub(crate) upc: u64,
    pub(crate) available: Availability,
}

/// Additional data of an album in custom test data.
#[derive(Debug, Default)]
pub(crate) struct AlbumDetails {
    /// All artists except the first.
    pub(crate) other_artists: Vec<Key<Artist>>,
    /// Value of `total_tracks` in responses, if the test data does not contain all
    /// tracks of the album.
    pub(crate) total_tracks: Option<u32>,
    /// Cover images that replace the generated cover images.
    pub(crate) images: Option<Vec<Image>>,
}

/// A cover image of an album in custom test data.
#[derive(Debug)]
pub(crate) struct Image {
    pub(crate) url: String,
    pub(crate) width: Option<u32>,
    pub(crate) height: Option<u32>,
}

impl Album {
    pub(crate) fn tracks(&self) -> impl DoubleEndedIterator<Item = Key<Track>> + ExactSizeIterator {
        self.first_track.run(self.track_count)
    }
}

/// Type of an album. Discographies are grouped by this type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AlbumKind {
    Album,
    Single,
    Compilation,
}

impl AlbumKind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Album => "album",
            Self::Single => "single",
            Self::Compilation => "compilation",
        }
    }
}

/// A release date. The month and the day may be unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Released {
    pub(crate) year: u32,
    month: u32,
    day: u32,
}

impl Released {
    pub(super) fn new(rng: &mut Rng) -> Self {
        let year = rng.between(1968, 2026);
        match rng.between(0, 19) {
            0 => Self { year, month: 0, day: 0 },
            1 => Self { year, month: rng.between(1, 9), day: 0 },
            _ => Self { year, month: rng.between(1, 9), day: rng.between(1, 28) },
        }
    }

    /// The default date of a custom album.
    pub(crate) const NEW_YEAR: Self = Self { year: 2026, month: 1, day: 1 };

    /// Reads `1981`, `1981-12` or `1981-12-24`. The year `0000` is valid, since Spotify has such
    /// albums.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let mut part = |length: usize, range: RangeInclusive<u32>| match parts.next() {
            Some(part) if part.len() == length => {
                part.parse().ok().filter(|number| range.contains(number)).map(Some)
            }
            Some(_) => None,
            None => Some(None),
        };
        let (year, month, day) = (part(4, 0..=9_999)??, part(2, 1..=12)?, part(2, 1..=31)?);
        let date = Self { year, month: month.unwrap_or(0), day: day.unwrap_or(0) };
        parts.next().is_none().then_some(date)
    }

    pub(crate) fn text(self) -> String {
        match (self.month, self.day) {
            (0, _) => format!("{:04}", self.year),
            (month, 0) => format!("{:04}-{month:02}", self.year),
            (month, day) => format!("{:04}-{month:02}-{day:02}", self.year),
        }
    }

    pub(crate) const fn precision(self) -> &'static str {
        match (self.month, self.day) {
            (0, _) => "year",
            (_, 0) => "month",
            _ => "day",
        }
    }
}

/// A track.
#[derive(Debug)]
pub(crate) struct Track {
    pub(crate) id: Id,
    pub(crate) name: Name,
    pub(crate) album: Key<Album>,
    pub(crate) artist: Key<Artist>,
    pub(crate) guest: Option<Key<Artist>>,
    pub(crate) disc: u8,
    pub(crate) number: u16,
    pub(crate) duration_ms: u32,
    pub(crate) explicit: bool,
    pub(crate) popularity: u8,
    pub(crate) recording: u32,
    pub(crate) available: Availability,
    /// A track on another album that replaces this track if the call has a `market`. Both tracks
    /// contain the same recording.
    pub(crate) relinked: Option<Key<Track>>,
}

/// Additional data of a track in custom test data.
#[derive(Debug, Default)]
pub(crate) struct TrackDetails {
    /// All artists except the main artist and the guest.
    pub(crate) other_artists: Vec<Key<Artist>>,
    pub(crate) isrc: Option<String>,
}

impl Track {
    /// The International Standard Recording Code. The country code `ZZ` is not assigned to any
    /// country.
    pub(crate) fn isrc(&self, year: u32) -> String {
        format!("ZZMCK{:02}{:05}", year % 100, self.recording % 100_000)
    }
}
