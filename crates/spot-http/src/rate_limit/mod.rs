//! The rate limiter: what is known of Spotify's limits, and who may call when.

mod limiter;
mod state;
mod window;

pub use state::{Lane, RateLimit, RateLimitState};

pub(crate) use limiter::{Limiter, Permit, WaitLimit};
