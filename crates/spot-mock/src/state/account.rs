//! The account of a user.

use crate::{
    state::{history::History, library::Library, player::Player},
    world::{Artist, Key, Track},
};

/// What one user has, follows and plays.
#[derive(Debug, Default)]
pub(crate) struct Account {
    pub(crate) library: Library,
    pub(crate) player: Player,
    pub(crate) history: History,
    /// The top tracks and artists, if they were given.
    pub(crate) top_tracks: Option<Vec<Key<Track>>>,
    pub(crate) top_artists: Option<Vec<Key<Artist>>>,
}
