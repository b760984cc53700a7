//! The account of a user.

use crate::state::{history::History, library::Library, player::Player};

/// What one user has, follows and plays.
#[derive(Debug, Default)]
pub(crate) struct Account {
    pub(crate) library: Library,
    pub(crate) player: Player,
    pub(crate) history: History,
}
