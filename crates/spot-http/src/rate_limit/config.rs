use std::time::Duration;

use crate::{Limits, rate_limit::window::Window};

/// The rolling window in which Spotify counts, as documented.
const WINDOW: Duration = Duration::from_secs(30);

/// How a [`LocalLimiter`](crate::LocalLimiter) paces calls.
///
/// In every mode a 429 holds back further calls until its `Retry-After`.
#[derive(Clone, Debug)]
pub struct RateLimit {
    mode: Mode,
    window: Duration,
    limits: Limits,
}

#[derive(Clone, Copy, Debug)]
enum Mode {
    Learned,
    Known(u32),
    Unpaced,
}

impl RateLimit {
    /// Learns the limit from the first 429 and tries a higher limit now and then. This is the
    /// default.
    pub fn learned() -> Self {
        Self { mode: Mode::Learned, window: WINDOW, limits: Limits::default() }
    }

    /// Sends at most this many calls in 30 s, at least 1. The limit is not changed afterwards.
    ///
    /// With several processes on one application, give each process its share.
    pub fn known(calls: u32) -> Self {
        Self { mode: Mode::Known(calls), ..Self::learned() }
    }

    /// Sends every call at once until a 429.
    pub fn unpaced() -> Self {
        Self { mode: Mode::Unpaced, ..Self::learned() }
    }

    /// Sets the length of the rolling window; 30 s by default, as Spotify documents.
    #[must_use]
    pub fn window(mut self, window: Duration) -> Self {
        self.window = window.min(Duration::from_secs(86_400));
        self
    }

    /// Continues with what an earlier run learned and with the blocks that have not ended.
    /// [`Pipeline::limits`](crate::Pipeline::limits) returns them.
    #[must_use]
    pub fn resume(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    pub(crate) fn new_window(&self) -> Window {
        match self.mode {
            Mode::Learned => Window::learned(self.window),
            Mode::Known(calls) => Window::fixed(self.window, calls),
            Mode::Unpaced => Window::off(),
        }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }
}

impl Default for RateLimit {
    fn default() -> Self {
        Self::learned()
    }
}
