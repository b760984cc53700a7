use std::{sync::Arc, time::Duration};

use spot_model::PlaybackState;
use tokio::time::Instant;

/// A state of the player, and the local time at which the position in the state was correct.
///
/// Spotify's own timestamps are not used, because the clock of Spotify or of this machine may be
/// wrong.
#[derive(Clone, Debug)]
pub(crate) struct Observation {
    pub(crate) state: Option<Arc<PlaybackState>>,
    pub(crate) at: Instant,
}

impl Observation {
    /// Returns the position at a time, limited to the end of the item.
    pub(crate) fn position(&self, now: Instant) -> Option<Duration> {
        let position = self.unbounded_position(now)?;
        Some(self.duration().map_or(position, |end| position.min(end)))
    }

    /// Returns the time until the item should end; `None` if playback is paused or the length of
    /// the item is unknown.
    pub(crate) fn left(&self, now: Instant) -> Option<Duration> {
        if !self.is_playing() {
            return None;
        }
        Some(self.duration()?.saturating_sub(self.unbounded_position(now)?))
    }

    pub(crate) fn is_playing(&self) -> bool {
        self.state.as_ref().is_some_and(|state| state.is_playing)
    }

    fn unbounded_position(&self, now: Instant) -> Option<Duration> {
        let progress = self.state.as_ref()?.progress?;
        let passed =
            if self.is_playing() { now.saturating_duration_since(self.at) } else { Duration::ZERO };
        Some(progress.saturating_add(passed))
    }

    fn duration(&self) -> Option<Duration> {
        self.state.as_ref()?.item.as_ref()?.duration().filter(|duration| !duration.is_zero())
    }
}
