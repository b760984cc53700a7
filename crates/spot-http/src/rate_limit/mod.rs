//! The rate limiter: what is known of Spotify's limits, and which call may be sent when.

mod blocks;
mod config;
mod file;
mod lane;
mod limiter;
mod limits;
mod local;
mod queue;
mod queued;
mod window;

pub use {
    config::RateLimit,
    file::FileLimiter,
    lane::Lane,
    limiter::{AttemptEnd, Feedback, Permit, PermitRequest, RateLimiter},
    limits::{ClosedOperation, Limits},
    local::LocalLimiter,
};

pub(crate) use blocks::describe;

/// Parts for authors of limiters in this workspace. They may change with every version.
#[doc(hidden)]
pub mod parts {
    pub use crate::rate_limit::{
        blocks::{Blocks, Probes, SharedBlock},
        queue::Waiting,
        queued::{Candidate, EndedCall, QueuedLimiter, Slots, WeakLimiter},
        window::{End, Learned, Slot, Window},
    };
}
