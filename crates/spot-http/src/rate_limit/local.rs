//! The rate limiter for one process.

use std::time::SystemTime;

use async_trait::async_trait;
use tokio::time::Instant;

use crate::{
    Error, Limits, RateLimit,
    rate_limit::{
        blocks::Blocks,
        limiter::{Permit, PermitRequest, RateLimiter},
        limits::Saved,
        queued::{Candidate, EndedCall, QueuedLimiter, Slots},
        window::{Slot, Window},
    },
};

/// A rate limiter for one process. This limiter is the default.
///
/// The limiter learns Spotify's limit and stays below the limit. Cloning is cheap, and clones share
/// all state. All [`Pipeline`](crate::Pipeline)s of an application must share one limiter, because
/// Spotify counts the calls of the application.
/// [`Pipeline::with_tokens`](crate::Pipeline::with_tokens) returns a pipeline with the same limiter
/// as the original pipeline.
///
/// ```
/// use spot_http::{AccessToken, LocalLimiter, Pipeline, RateLimit};
///
/// # fn main() -> Result<(), spot_http::Error> {
/// let limiter = LocalLimiter::new(&RateLimit::learned());
/// for user in ["a token", "another token"] {
///     let pipeline =
///         Pipeline::builder(AccessToken::new(user)?).rate_limiter(limiter.clone()).build()?;
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct LocalLimiter {
    queued: QueuedLimiter<Window>,
}

impl LocalLimiter {
    /// Creates a limiter that applies this rate limit.
    pub fn new(limit: &RateLimit) -> Self {
        let (mut window, mut blocks) = (limit.new_window(), Blocks::default());
        let now = Instant::now();
        let saved = limit.limits().left(SystemTime::now());
        window.restore(&saved.window, now);
        blocks.restore(&saved.blocks, now);
        Self { queued: QueuedLimiter::new(window, blocks) }
    }
}

/// When a limiter loads the state of other processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Absorb {
    /// The state is loaded at the start, including blocks that have ended but still need a probe.
    AtStart,
    /// The state is loaded while the limiter runs. Blocks that have ended are left out, because
    /// this limiter sends its own probes.
    WhileRunning,
}

impl LocalLimiter {
    /// Loads the state of other processes. The limit is loaded if this limiter does not know a
    /// limit. A block is loaded if it ends later than the block of this limiter. Calls that still
    /// use slots are loaded too, and replace the calls of the previous load.
    pub(crate) fn absorb<'a>(&self, others: impl Iterator<Item = &'a Limits>, when: Absorb) {
        let wall = SystemTime::now();
        self.queued.change(|window, blocks, now| {
            let mut slots = Vec::new();
            for other in others {
                let mut saved = other.left(wall);
                slots.append(&mut saved.window.taken);
                if when == Absorb::WhileRunning {
                    saved.blocks.all = saved.blocks.all.filter(|block| !block.left.is_zero());
                    saved.blocks.operations.retain(|(_, block)| !block.left.is_zero());
                }
                window.learn(&saved.window, now);
                blocks.restore(&saved.blocks, now);
            }
            window.set_foreign(&slots, now);
            ((), true)
        });
    }

    /// Returns the known limits, without the calls of other processes.
    pub(crate) fn own_limits(&self) -> Limits {
        self.queued.with(|window, blocks, now| save(window, blocks, now, false))
    }
}

fn save(window: &Window, blocks: &Blocks, now: Instant, foreign: bool) -> Limits {
    let saved = Saved { window: window.save(now, foreign), blocks: blocks.save(now) };
    Limits::new(saved, SystemTime::now())
}

#[async_trait]
impl RateLimiter for LocalLimiter {
    async fn acquire(&self, request: PermitRequest) -> Result<Box<dyn Permit>, Error> {
        self.queued.acquire(request).await
    }

    fn limits(&self) -> Limits {
        self.queued.limits()
    }
}

impl Slots for Window {
    fn take(&mut self, call: &Candidate<'_>, now: Instant) -> Slot {
        self.take(call.priority, now)
    }

    fn end(&mut self, ended: &EndedCall<'_>, now: Instant) -> Option<u32> {
        let changed = self.end(ended.end, ended.sent, now);
        self.limit().filter(|_| changed)
    }

    fn limit(&self) -> Option<u32> {
        self.limit()
    }

    fn next_change(&self, now: Instant) -> Option<Instant> {
        self.next_change(now)
    }

    fn snapshot(&self, blocks: &Blocks, now: Instant) -> Limits {
        save(self, blocks, now, true)
    }
}
