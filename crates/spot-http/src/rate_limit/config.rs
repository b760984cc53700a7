use std::time::Duration;

use crate::{Limits, rate_limit::window::Window};

/// Length of the rolling window that Spotify documents.
const WINDOW: Duration = Duration::from_secs(30);

/// Rate limit of a [`LocalLimiter`](crate::LocalLimiter): learned from responses, set by the
/// program, or none.
///
/// In every mode, a 429 delays further calls until its `Retry-After` has passed.
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
    /// Learns the limit from the first 429, and occasionally tests whether Spotify accepts more
    /// calls. This mode is the default.
    pub fn learned() -> Self {
        Self { mode: Mode::Learned, window: WINDOW, limits: Limits::default() }
    }

    /// Sends at most this many calls in 30 s. The value 0 is treated as 1. The limit never changes.
    ///
    /// If several processes use one application, give each process a part of the limit.
    pub fn known(calls: u32) -> Self {
        Self { mode: Mode::Known(calls), ..Self::learned() }
    }

    /// Sends each call immediately, without waiting, until a 429 arrives.
    pub fn unpaced() -> Self {
        Self { mode: Mode::Unpaced, ..Self::learned() }
    }

    /// Sets the length of the rolling window; 30 s by default, as Spotify documents.
    #[must_use]
    pub fn window(mut self, window: Duration) -> Self {
        self.window = window.min(Duration::from_secs(86_400));
        self
    }

    /// Sets the initial state of the limiter to the state of an earlier run. This state contains
    /// the rate limit, the calls that count against it, and the blocked operations. Pass the value
    /// that [`Pipeline::limits`](crate::Pipeline::limits) returned in the earlier run.
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
