//! Names in lower case, for search.

use crate::world::{
    arena::{Arena, Key},
    music::{Album, Artist, Track},
    names::Name,
};

/// The names of artists, albums and tracks in lower case. Made by the first search, since most
/// runs never search.
#[derive(Debug)]
pub(crate) struct Lowercase {
    artists: Vec<String>,
    albums: Vec<String>,
    tracks: Vec<String>,
}

impl Lowercase {
    pub(super) fn new(
        artists: &Arena<Artist>,
        albums: &Arena<Album>,
        tracks: &Arena<Track>,
    ) -> Self {
        let lower = |name: &Name| name.to_string().to_lowercase();
        Self {
            artists: artists.iter().map(|(_, artist)| lower(&artist.name)).collect(),
            albums: albums.iter().map(|(_, album)| lower(&album.name)).collect(),
            tracks: tracks.iter().map(|(_, track)| lower(&track.name)).collect(),
        }
    }

    pub(crate) fn artist(&self, key: Key<Artist>) -> &str {
        text(&self.artists, key)
    }

    pub(crate) fn album(&self, key: Key<Album>) -> &str {
        text(&self.albums, key)
    }

    pub(crate) fn track(&self, key: Key<Track>) -> &str {
        text(&self.tracks, key)
    }
}

fn text<T>(names: &[String], key: Key<T>) -> &str {
    names.get(key.place() as usize).map_or("", String::as_str)
}
