//! The account of a user.

use crate::{
    state::{history::History, library::Library, player::Player},
    world::{Artist, Key, Track},
};

/// Library, player and history of a user.
#[derive(Debug, Default)]
pub(crate) struct Account {
    pub(crate) library: Library,
    pub(crate) player: Player,
    pub(crate) history: History,
    /// Top tracks and artists, if the custom test data sets them.
    pub(crate) top_tracks: Option<Vec<Key<Track>>>,
    pub(crate) top_artists: Option<Vec<Key<Artist>>>,
}
