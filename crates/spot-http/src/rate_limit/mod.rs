//! The rate limiter: tracks Spotify's limits and decides when each call may be sent.

mod blocks;
mod config;
mod file;
mod limiter;
mod limits;
mod local;
mod priority;
mod queue;
mod queued;
mod tally;
mod window;

pub use {
    config::RateLimit,
    file::FileLimiter,
    limiter::{AttemptEnd, Feedback, Permit, PermitRequest, RateLimiter},
    limits::{ClosedOperation, Limits},
    local::LocalLimiter,
    priority::Priority,
};

pub(crate) use blocks::describe;

/// Parts for building limiters in other crates of this workspace. These items may change in any
/// version.
#[doc(hidden)]
pub mod parts {
    pub use crate::rate_limit::{
        blocks::{Blocks, Probes, SharedBlock},
        limits::millis,
        queue::Waiting,
        queued::{Candidate, EndedCall, QueuedLimiter, Slots, WeakLimiter},
        window::{End, Learned, Slot, Window},
    };
}
