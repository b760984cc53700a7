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

use std::collections::HashMap;
use std::sync::OnceLock;

pub(crate) use arena::{Arena, Key};
pub(crate) use id::Id;
pub(crate) use lowercase::Lowercase;
pub(crate) use markets::{Availability, HOME, MARKETS};
pub(crate) use music::{Album, AlbumKind, Artist, Released, Track};
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
    spotify: Key<User>,
    /// The places of what was given an id of its own, by its kind and that id.
    own_ids: HashMap<(&'static str, Id), u32>,
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
            spotify: Key::FIRST,
            own_ids: HashMap::new(),
            lowercase: OnceLock::new(),
        };
        music::fill(&mut world, seed);
        spoken::fill(&mut world, seed);
        people::fill(&mut world, seed);
        world.spotify = world.users.keys().next_back().unwrap_or(Key::FIRST);
        world
    }

    pub(crate) fn user(&self, id: &str) -> Option<Key<User>> {
        self.users.iter().find(|(_, user)| user.id == id).map(|(key, _)| key)
    }

    /// Adds a user who is not made up.
    pub(crate) fn add_user(&mut self, id: &str, display_name: Option<String>, followers: u32) {
        people::add_own(self, id, display_name, followers);
    }

    /// Brings discographies into their order after albums were added.
    pub(crate) fn sort_discographies(&mut self) {
        music::sort_discographies(self);
    }

    /// Gives what will be added next an id of its own. False if another thing of its kind has it.
    pub(crate) fn reserve<T: Kind>(&mut self, id: Id) -> bool {
        let is_free = T::find(self, &id).is_none();
        if is_free {
            self.own_ids.insert((T::NAME, id), T::arena(self).len());
        }
        is_free
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
        self.spotify
    }
}

/// What the catalogue is made of.
pub(crate) trait Kind: Sized + 'static {
    /// As it is in made-up ids.
    const NAME: &'static str;
    /// As it is in a message.
    const WORD: &'static str;

    fn arena(world: &World) -> &Arena<Self>;
    fn id(&self) -> &Id;
    fn name(&self) -> &Name;

    /// The id of the thing that will be added next, if it gets none of its own.
    fn next_id(world: &World) -> Id {
        Id::numbered(Self::NAME, Self::arena(world).len())
    }

    /// The thing that has this id.
    fn find(world: &World, id: &Id) -> Option<Key<Self>> {
        let own = || world.own_ids.get(&(Self::NAME, *id)).copied();
        let arena = Self::arena(world);
        let key = arena.key(id.place(Self::NAME).or_else(own)?)?;
        // The usual id of a thing that was given one of its own leads nowhere.
        (arena[key].id() == id).then_some(key)
    }
}

macro_rules! kinds {
    ($($kind:ident, $word:literal, in $arena:ident: $find:ident;)*) => {
        $(
            impl Kind for $kind {
                const NAME: &'static str = stringify!($kind);
                const WORD: &'static str = $word;

                fn arena(world: &World) -> &Arena<Self> {
                    &world.$arena
                }

                fn id(&self) -> &Id {
                    &self.id
                }

                fn name(&self) -> &Name {
                    &self.name
                }
            }

            impl World {
                pub(crate) fn $find(&self, id: &Id) -> Option<Key<$kind>> {
                    $kind::find(self, id)
                }
            }
        )*
    };
}

kinds! {
    Artist, "artist", in artists: artist;
    Album, "album", in albums: album;
    Track, "track", in tracks: track;
    Show, "show", in shows: show;
    Episode, "episode", in episodes: episode;
    Audiobook, "audiobook", in audiobooks: audiobook;
    Chapter, "chapter", in chapters: chapter;
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
