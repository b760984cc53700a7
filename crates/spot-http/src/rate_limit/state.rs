//! What is known of the limits before a program starts, and what it learned when it ends.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::rate_limit::window::{Learned, Window};

/// The window Spotify documents.
const WINDOW: Duration = Duration::from_secs(30);

/// How calls are paced, so that Spotify's limit is hardly ever met.
///
/// Whatever is chosen, a 429 pauses all calls of a client until its `Retry-After`.
#[derive(Clone, Debug)]
pub struct RateLimit {
    pace: Pace,
    window: Duration,
    state: RateLimitState,
}

#[derive(Clone, Copy, Debug)]
enum Pace {
    Learned,
    Known(u32),
    Unpaced,
}

impl RateLimit {
    /// The limit is learned from the first 429 and probed upwards now and then. This is the default.
    pub fn learned() -> Self {
        Self { pace: Pace::Learned, window: WINDOW, state: RateLimitState::default() }
    }

    /// The limit is known: so many calls in 30 s, at least 1. It is never exceeded and never probed.
    ///
    /// With several machines on one application, give each its share.
    pub fn known(calls: u32) -> Self {
        Self { pace: Pace::Known(calls), ..Self::learned() }
    }

    /// Calls are sent as they come, until a 429.
    pub fn unpaced() -> Self {
        Self { pace: Pace::Unpaced, ..Self::learned() }
    }

    /// The length of the rolling window, 30 s unless this is called: what Spotify documents.
    #[must_use]
    pub fn window(mut self, window: Duration) -> Self {
        self.window = window.min(Duration::from_secs(86_400));
        self
    }

    /// Goes on with what an earlier run learned, and with a block that has not ended:
    /// [`Pipeline::rate_limit`](crate::Pipeline::rate_limit) gives it.
    #[must_use]
    pub fn resume(mut self, state: RateLimitState) -> Self {
        self.state = state;
        self
    }

    pub(crate) fn new_window(&self) -> Window {
        match self.pace {
            Pace::Learned => Window::learned(self.window),
            Pace::Known(calls) => Window::fixed(self.window, calls),
            Pace::Unpaced => Window::off(),
        }
    }

    pub(crate) fn state(&self) -> &RateLimitState {
        &self.state
    }
}

impl Default for RateLimit {
    fn default() -> Self {
        Self::learned()
    }
}

/// What a client knows of Spotify's limits: to be shown, or kept for the next run.
///
/// A program that starts anew while it is blocked must not call: that makes the block longer.
///
/// ```
/// use spot_http::{AccessToken, Pipeline, RateLimit, RateLimitState};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let kept = r#"{"limit": 180}"#;
/// let state: RateLimitState = serde_json::from_str(kept)?;
/// let pipeline = Pipeline::builder(AccessToken::new("a token")?)
///     .rate_limit(RateLimit::learned().resume(state))
///     .build()?;
/// assert_eq!(pipeline.rate_limit().limit(), Some(180));
/// let kept = serde_json::to_string(&pipeline.rate_limit())?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RateLimitState {
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u32>,
    probe_step: u32,
    /// In seconds.
    probe_every: u64,
    /// When the slots in use are free again, in milliseconds since 1970.
    taken: Vec<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    block: Option<Block>,
}

/// A block that had not ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Block {
    /// In milliseconds since 1970.
    until: u64,
    pub(crate) quota: bool,
    pub(crate) message: String,
}

impl RateLimitState {
    /// How many calls a window takes, if that is known.
    pub fn limit(&self) -> Option<u32> {
        self.limit
    }

    /// Until when no call is sent; `None` if calls are.
    pub fn blocked_until(&self) -> Option<SystemTime> {
        self.block.as_ref().map(|block| at(block.until))
    }

    pub(crate) fn new(learned: &Learned, now: SystemTime) -> Self {
        Self {
            limit: learned.limit,
            probe_step: learned.step,
            probe_every: learned.every.as_secs(),
            taken: learned.taken.iter().map(|left| millis(now, *left)).collect(),
            block: None,
        }
    }

    pub(crate) fn with_block(
        mut self,
        now: SystemTime,
        left: Duration,
        quota: bool,
        message: &str,
    ) -> Self {
        self.block = Some(Block { until: millis(now, left), quota, message: message.to_owned() });
        self
    }

    pub(crate) fn learned(&self, now: SystemTime) -> Learned {
        let left = |until: &u64| at(*until).duration_since(now).ok();
        Learned {
            limit: self.limit,
            step: self.probe_step,
            every: Duration::from_secs(self.probe_every),
            taken: self.taken.iter().filter_map(left).collect(),
        }
    }

    /// The block, and how long it still lasts.
    pub(crate) fn block(&self, now: SystemTime) -> Option<(&Block, Duration)> {
        let block = self.block.as_ref()?;
        Some((block, at(block.until).duration_since(now).ok()?))
    }
}

fn at(millis: u64) -> SystemTime {
    let since = Duration::from_millis(millis);
    SystemTime::UNIX_EPOCH.checked_add(since).unwrap_or(SystemTime::UNIX_EPOCH)
}

fn millis(now: SystemTime, left: Duration) -> u64 {
    let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.saturating_add(left).as_millis()).unwrap_or(u64::MAX)
}

/// Which of two queues a call waits in while the limit is met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Lane {
    /// Somebody waits for it: it passes every bulk call that waits. The default.
    #[default]
    Interactive,
    /// Part of a long job: while there are interactive calls, it leaves the last twentieth of the
    /// limit, or two calls if that is more, to them. Of ten calls that had to wait, one is a bulk
    /// call, so that a long job goes on.
    Bulk,
}
