//! Generates artists, albums and tracks.

use std::borrow::Cow;

use crate::world::{
    arena::Key,
    catalog::{Kind, World},
    markets::Availability,
    music::{Album, AlbumKind, Artist, Released, Track},
    names::{GENRES, Name},
    rng::Rng,
};

const ARTISTS: u32 = 200;
const ALBUMS: u32 = 1_500;
/// Minimum number of albums of the first artist, whose discography has several pages.
const LONG_DISCOGRAPHY: u32 = 32;

/// Adds artists, albums and tracks. The first album has 26 tracks on two discs, and the second
/// album has 64 tracks on three discs.
pub(super) fn fill(world: &mut World) {
    let mut rng = Rng::new(world.seed, "artists");
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
    let mut rng = Rng::new(world.seed, "albums");
    for place in 0..ALBUMS {
        let owner = if place < LONG_DISCOGRAPHY { 0 } else { rng.next() };
        let artist = world.artists.some(owner);
        add_album(world, &mut rng, artist, place);
    }
    world.sort_discographies();
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
    // Tracks are relinked to tracks of the first album, which are never relinked themselves.
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
