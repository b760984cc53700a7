//! The world the mock answers from: made up, seeded, and never changed while it runs.
//!
//! What users change (libraries, playlists, what plays) is in [`crate::state`].

mod arena;
mod id;
mod lowercase;
mod markets;
mod music;
mod names;
mod people;
mod rng;
mod spoken;

use std::sync::OnceLock;

pub(crate) use arena::{Arena, Key};
pub(crate) use id::Id;
pub(crate) use lowercase::Lowercase;
pub(crate) use markets::{Availability, HOME, MARKETS};
pub(crate) use music::{Album, AlbumKind, Artist, Track};
pub(crate) use names::{GENRES, Name};
pub(crate) use people::{Category, User};
pub(crate) use rng::{Rng, mix};
pub(crate) use spoken::{Audiobook, Chapter, Episode, Show};

/// Everything that is in the catalogue, and everybody who has an account.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) artists: Arena<Artist>,
    pub(crate) albums: Arena<Album>,
    pub(crate) tracks: Arena<Track>,
    pub(crate) shows: Arena<Show>,
    pub(crate) episodes: Arena<Episode>,
    pub(crate) audiobooks: Arena<Audiobook>,
    pub(crate) chapters: Arena<Chapter>,
    pub(crate) users: Arena<User>,
    pub(crate) categories: Vec<Category>,
    lowercase: OnceLock<Lowercase>,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let (artists, albums, tracks) = music::arenas();
        let mut world = Self {
            seed,
            artists,
            albums,
            tracks,
            shows: Arena::with_capacity(24),
            episodes: Arena::with_capacity(1_000),
            audiobooks: Arena::with_capacity(16),
            chapters: Arena::with_capacity(400),
            users: Arena::with_capacity(8),
            categories: Vec::new(),
            lowercase: OnceLock::new(),
        };
        music::fill(&mut world, seed);
        spoken::fill(&mut world, seed);
        people::fill(&mut world, seed);
        world
    }

    pub(crate) fn user(&self, id: &str) -> Option<Key<User>> {
        self.users.iter().find(|(_, user)| user.id == id).map(|(key, _)| key)
    }

    pub(crate) fn category(&self, id: &str) -> Option<&Category> {
        self.categories.iter().find(|category| category.id == id)
    }

    /// The names of music in lower case.
    pub(crate) fn lowercase(&self) -> &Lowercase {
        self.lowercase.get_or_init(|| Lowercase::new(self))
    }

    /// The user on whose behalf tokens are given out.
    pub(crate) fn listener(&self) -> Key<User> {
        self.users.some(0)
    }

    /// Spotify's own account, which owns the editorial playlists.
    pub(crate) fn spotify(&self) -> Key<User> {
        self.users.keys().next_back().unwrap_or_else(|| self.listener())
    }
}

/// Makes, for one kind of thing, its ids and the function that finds it by one.
macro_rules! kinds {
    ($($kind:ident in $arena:ident: $find:ident;)*) => {
        $(
            impl $kind {
                /// The id of the thing that will be added next.
                fn next_id(world: &World) -> Id {
                    Id::numbered(stringify!($kind), world.$arena.len())
                }
            }

            impl World {
                pub(crate) fn $find(&self, id: &Id) -> Option<Key<$kind>> {
                    self.$arena.key(id.place(stringify!($kind))?)
                }
            }
        )*
    };
}

kinds! {
    Artist in artists: artist;
    Album in albums: album;
    Track in tracks: track;
    Show in shows: show;
    Episode in episodes: episode;
    Audiobook in audiobooks: audiobook;
    Chapter in chapters: chapter;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_world_has_the_size_it_promises() {
        let world = World::new(7);
        assert_eq!(world.artists.len(), 200);
        assert_eq!(world.albums.len(), 1_500);
        assert!((11_000..15_000).contains(&world.tracks.len()), "{}", world.tracks.len());
        assert_eq!(world.categories.len(), 40);
        assert!(world.artists[world.artists.some(0)].albums.len() >= 25);
    }

    #[test]
    fn a_seed_makes_one_world_and_another_seed_another() {
        let name =
            |seed| World::new(seed).tracks.iter().map(|(_, track)| track.name.to_string()).last();
        assert_eq!(name(7), name(7));
        assert_ne!(name(7), name(8));
    }

    #[test]
    fn every_id_leads_to_one_thing() {
        let world = World::new(7);
        for (key, track) in world.tracks.iter() {
            assert_eq!(world.track(&track.id), Some(key));
            assert_eq!(world.album(&track.id), None);
        }
        for (key, chapter) in world.chapters.iter() {
            assert_eq!(world.chapter(&chapter.id), Some(key));
        }
        let beyond = Id::numbered("Artist", world.artists.len());
        assert_eq!(world.artist(&beyond), None);
    }
}
