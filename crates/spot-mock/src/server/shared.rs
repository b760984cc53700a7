//! What all requests of a mock share.
use std::{
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use tokio::sync::watch;

use crate::{
    accounts::Apps,
    render::TrackCache,
    settings::Settings,
    state::State,
    world::{SearchIndex, World},
};

/// What all requests share.
pub(crate) struct Shared {
    pub(crate) world: World,
    pub(crate) apps: Apps,
    pub(crate) settings: Settings,
    pub(crate) track_cache: TrackCache,
    pub(crate) search_index: OnceLock<SearchIndex>,
    pub(crate) latency: Duration,
    pub(crate) state: Mutex<State>,
    /// Becomes true when the mock stops, so that nobody is kept waiting.
    pub(crate) stopped: watch::Receiver<bool>,
}

impl Shared {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // A panic of another thread is that test's failure, not this one's.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits, but not beyond the end of the mock.
    pub(super) async fn pause(&self, duration: Duration) {
        let mut stopped = self.stopped.clone();
        tokio::select! {
            () = tokio::time::sleep(duration) => {}
            _ = stopped.wait_for(|stopped| *stopped) => {}
        }
    }
}
