//! The library of a user.

use crate::{
    clock::Moment,
    state::playlist::Playlist,
    world::{Album, Artist, Audiobook, Episode, Key, Show, Track, User},
};

/// Saved entries of a user, and followed artists, users and playlists.
#[derive(Debug, Default)]
pub(crate) struct Library {
    pub(crate) tracks: SavedList<Track>,
    pub(crate) albums: SavedList<Album>,
    pub(crate) shows: SavedList<Show>,
    pub(crate) episodes: SavedList<Episode>,
    pub(crate) audiobooks: SavedList<Audiobook>,
    pub(crate) artists: SavedList<Artist>,
    pub(crate) users: SavedList<User>,
    /// The user's list of own and followed playlists.
    pub(crate) playlists: Vec<ListSlot>,
}

/// An entry of a user's list of playlists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListSlot {
    Playlist(Key<Playlist>),
    /// One of Spotify's own playlists. The playlist appears as `null` in the list only if the
    /// setting `null_values` is true.
    Hidden,
    /// A hidden playlist that the list always shows as `null`.
    Null,
}

impl Library {
    pub(crate) fn follows_playlist(&self, playlist: Key<Playlist>) -> bool {
        self.playlists.contains(&ListSlot::Playlist(playlist))
    }

    pub(crate) fn follow_playlist(&mut self, playlist: Key<Playlist>) {
        if !self.follows_playlist(playlist) {
            self.playlists.insert(0, ListSlot::Playlist(playlist));
        }
    }

    pub(crate) fn unfollow_playlist(&mut self, playlist: Key<Playlist>) {
        self.playlists.retain(|slot| *slot != ListSlot::Playlist(playlist));
    }
}

/// Saved entries of one kind, the most recently saved first.
#[derive(Debug)]
pub(crate) struct SavedList<T>(Vec<Saved<T>>);

/// A saved entry, and the time at which it was saved.
pub(crate) type Saved<T> = (Key<T>, Moment);

impl<T> SavedList<T> {
    pub(crate) fn new(saved: Vec<Saved<T>>) -> Self {
        Self(saved)
    }

    pub(crate) fn entries(&self) -> &[Saved<T>] {
        &self.0
    }

    pub(crate) fn contains(&self, key: Key<T>) -> bool {
        self.0.iter().any(|(saved, _)| *saved == key)
    }

    /// Saves an entry. If the entry is already saved, its date does not change.
    pub(crate) fn save(&mut self, key: Key<T>, at: Moment) {
        if !self.contains(key) {
            let place = self.0.iter().take_while(|(_, earlier)| *earlier > at).count();
            self.0.insert(place, (key, at));
        }
    }

    pub(crate) fn remove(&mut self, key: Key<T>) {
        self.0.retain(|(saved, _)| *saved != key);
    }
}

impl<T> Default for SavedList<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}
