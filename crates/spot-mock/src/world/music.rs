//! Artists, albums and tracks.

use std::borrow::Cow;

use super::arena::{Arena, Key};
use super::id::Id;
use super::markets::Availability;
use super::names::{GENRES, Name};
use super::rng::Rng;
use super::{Kind, World};

/// Somebody who makes music.
#[derive(Debug)]
pub(crate) struct Artist {
    pub(crate) id: Id,
    pub(crate) name: Name,
    pub(crate) genres: Vec<Cow<'static, str>>,
    pub(crate) popularity: u8,
    pub(crate) followers: u32,
    /// The artist's own albums, newest first.
    pub(crate) albums: Vec<Key<Album>>,
    /// Albums of others with a track on which the artist is a guest.
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

impl Album {
    pub(crate) fn tracks(&self) -> impl DoubleEndedIterator<Item = Key<Track>> + ExactSizeIterator {
        self.first_track.run(self.track_count)
    }
}

/// What an artist's discography is grouped by.
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

/// A release date as precise as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Released {
    pub(crate) year: u32,
    month: u32,
    day: u32,
}

impl Released {
    fn new(rng: &mut Rng) -> Self {
        let year = rng.between(1968, 2026);
        match rng.between(0, 19) {
            0 => Self { year, month: 0, day: 0 },
            1 => Self { year, month: rng.between(1, 9), day: 0 },
            _ => Self { year, month: rng.between(1, 9), day: rng.between(1, 28) },
        }
    }

    /// When nothing else is said.
    pub(crate) const NEW_YEAR: Self = Self { year: 2026, month: 1, day: 1 };

    /// Reads `1981`, `1981-12` or `1981-12-24`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let mut part = |length: usize, most: u32| match parts.next() {
            Some(part) if part.len() == length => {
                part.parse().ok().filter(|number| (1..=most).contains(number)).map(Some)
            }
            Some(_) => None,
            None => Some(None),
        };
        let (year, month, day) = (part(4, 9_999)??, part(2, 12)?, part(2, 31)?);
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
    /// The same recording on another album, which is played instead when a market is asked for.
    pub(crate) relinked: Option<Key<Track>>,
}

impl Track {
    pub(crate) fn artists(&self) -> impl Iterator<Item = Key<Artist>> {
        std::iter::once(self.artist).chain(self.guest)
    }

    /// The International Standard Recording Code. `ZZ` belongs to no country.
    pub(crate) fn isrc(&self, year: u32) -> String {
        format!("ZZMCK{:02}{:05}", year % 100, self.recording % 100_000)
    }
}

const ARTISTS: u32 = 200;
const ALBUMS: u32 = 1_500;
/// The first artist has a discography worth paging through.
const LONG_DISCOGRAPHY: u32 = 32;

/// Fills the world with music. The first album has 26 tracks on two discs, the second 64 on
/// three.
pub(super) fn fill(world: &mut World, seed: u64) {
    let mut rng = Rng::new(seed, "artists");
    for _ in 0..ARTISTS {
        let artist = Artist {
            id: Artist::next_id(world),
            name: Name::artist(&mut rng),
            genres: genres(&mut rng),
            popularity: small(rng.between(4, 88)),
            followers: rng.between(3, 4_000) * rng.between(1, 900),
            albums: Vec::new(),
            appears_on: Vec::new(),
        };
        world.artists.push(artist);
    }
    let mut rng = Rng::new(seed, "albums");
    for place in 0..ALBUMS {
        let owner = if place < LONG_DISCOGRAPHY { 0 } else { rng.next() };
        let artist = world.artists.some(owner);
        add_album(world, &mut rng, artist, place);
    }
    sort_discographies(world);
}

fn add_album(world: &mut World, rng: &mut Rng, artist: Key<Artist>, place: u32) {
    let (kind, track_count, per_disc) = match (place, rng.between(0, 99)) {
        (0, _) => (AlbumKind::Album, 26, 13),
        (1, _) => (AlbumKind::Compilation, 64, 24),
        (_, 0..55) => (AlbumKind::Album, rng.between(8, 15), 40),
        (_, 55..88) => (AlbumKind::Single, rng.between(1, 4), 40),
        _ => (AlbumKind::Compilation, rng.between(14, 20), 40),
    };
    let far = place > 1 && rng.chance(2);
    let first_track = world.tracks.next_key();
    let album = Album {
        id: Album::next_id(world),
        name: Name::title(rng),
        kind,
        artist,
        released: Released::new(rng),
        first_track,
        track_count,
        label: Name::label(rng),
        popularity: small(rng.between(0, 80)),
        upc: 100_000_000_000 + rng.next() % 800_000_000_000,
        available: if far { Availability::Far } else { Availability::Everywhere },
    };
    let key = world.albums.push(album);
    for index in 0..track_count {
        let track = track(world, rng, key, index, per_disc);
        if let Some(guest) = track.guest {
            world.artists[guest].appears_on.push(key);
        }
        world.tracks.push(track);
    }
    world.artists[artist].albums.push(key);
}

fn track(world: &World, rng: &mut Rng, album: Key<Album>, index: u32, per_disc: u32) -> Track {
    let artist = world.albums[album].artist;
    let guest =
        rng.chance(12).then(|| world.artists.some(rng.next())).filter(|guest| *guest != artist);
    // Relinking leads back to a track of the first album, never onwards from one.
    let relinked = (album.place() > 1 && rng.chance(1)).then(|| world.tracks.some(rng.next() % 26));
    Track {
        id: Track::next_id(world),
        name: Name::title(rng),
        album,
        artist,
        guest,
        disc: small(index / per_disc + 1),
        number: u16::try_from(index % per_disc + 1).unwrap_or(1),
        duration_ms: rng.between(61_000, 412_000),
        explicit: rng.chance(8),
        popularity: small(rng.between(0, 90)),
        recording: world.tracks.len(),
        available: world.albums[album].available,
        relinked,
    }
}

/// Newest first, as Spotify lists them; an artist who is a guest twice is listed once.
pub(super) fn sort_discographies(world: &mut World) {
    let albums = &world.albums;
    let newest_first = |list: &mut Vec<Key<Album>>| {
        list.sort_by_key(|key| (std::cmp::Reverse(albums[*key].released), *key));
        list.dedup();
    };
    for key in world.artists.keys() {
        let artist: &mut Artist = &mut world.artists[key];
        newest_first(&mut artist.albums);
        newest_first(&mut artist.appears_on);
    }
}

fn genres(rng: &mut Rng) -> Vec<Cow<'static, str>> {
    let count = rng.between(0, 2);
    let mut genres: Vec<_> = (0..count).map(|_| Cow::Borrowed(rng.pick(GENRES))).collect();
    genres.sort_unstable();
    genres.dedup();
    genres
}

fn small(number: u32) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}

/// An arena of the size this module is going to fill it to.
pub(super) fn arenas() -> (Arena<Artist>, Arena<Album>, Arena<Track>) {
    (
        Arena::with_capacity(ARTISTS as usize),
        Arena::with_capacity(ALBUMS as usize),
        Arena::with_capacity(ALBUMS as usize * 9),
    )
}
