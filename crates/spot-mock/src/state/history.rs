//! Recent plays of a user.

use crate::{
    clock::Moment,
    state::playback::Context,
    world::{Key, Track},
};

/// Maximum number of recent plays of a user, as in the Web API.
pub(crate) const HISTORY_LENGTH: usize = 50;

/// The plays of a user, newest first.
#[derive(Debug, Default)]
pub(crate) struct History(Vec<Play>);

/// A play of a track. Plays of episodes are not recorded.
#[derive(Clone, Debug)]
pub(crate) struct Play {
    pub(crate) track: Key<Track>,
    pub(crate) played_at: Moment,
    pub(crate) context: Option<Context>,
}

impl History {
    pub(crate) fn new(plays: Vec<Play>) -> Self {
        Self(plays)
    }

    pub(crate) fn plays(&self) -> &[Play] {
        &self.0
    }

    pub(crate) fn remember(&mut self, play: Play) {
        self.0.insert(0, play);
        self.0.truncate(HISTORY_LENGTH);
    }
}
