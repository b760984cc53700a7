//! The rate limiter: what is known of Spotify's limits, and which call may be sent when.

mod blocks;
mod config;
mod file;
mod lane;
mod limiter;
mod limits;
mod local;
mod queue;
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
