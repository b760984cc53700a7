//! What all calls of a pipeline share.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http::HeaderValue;
use spot_model::AccessMode;
use tokio::time::Instant;

#[cfg(feature = "cache")]
use crate::Cache;
use crate::{
    Event, Observer, RateLimiter, Request, TokenSource, Transport,
    failure::{Backoff, Jitter},
    pipeline::{budget::Budget, user_code},
};

/// What the pipelines of an application share: everything but the tokens.
pub(crate) struct Shared {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) limiter: Arc<dyn RateLimiter>,
    pub(crate) budget: Budget,
    pub(crate) random: Mutex<Jitter>,
    pub(crate) observer: Option<Box<dyn Observer>>,
    #[cfg(feature = "cache")]
    pub(crate) cache: Option<Cache>,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) accept_language: Option<HeaderValue>,
    pub(crate) settings: Settings,
}

/// A pipeline, as one of its calls sees it.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) tokens: &'a dyn TokenSource,
    pub(crate) access: AccessMode,
}

/// The settings of all calls that do not set their own.
pub(crate) struct Settings {
    pub(crate) base_url: String,
    pub(crate) attempts: u32,
    pub(crate) attempt_timeout: Duration,
    pub(crate) deadline: Duration,
    pub(crate) max_wait: Duration,
    pub(crate) backoff: Backoff,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the base URL, which may hold a password until it is checked.
        f.debug_struct("Settings")
            .field("attempts", &self.attempts)
            .field("attempt_timeout", &self.attempt_timeout)
            .field("deadline", &self.deadline)
            .field("max_wait", &self.max_wait)
            .field("backoff", &self.backoff)
            .finish_non_exhaustive()
    }
}

impl Shared {
    /// A random number from 0 to 1, for the random parts of waits.
    pub(crate) fn random(&self) -> f64 {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).draw()
    }

    /// Reports an event to the observer, if there is one.
    pub(crate) fn observe<'a>(&self, event: impl FnOnce() -> Event<'a>) {
        if let Some(observer) = &self.observer {
            let event = event();
            // A panic is the observer's own affair.
            let _ = user_code::catch(|| observer.event(&event));
        }
    }

    /// The end of a call that starts now.
    pub(crate) fn deadline(&self, request: &Request, now: Instant) -> Instant {
        later(now, request.options().deadline.unwrap_or(self.settings.deadline))
    }
}

/// `now` plus `by`, or a time a year ahead if `by` is longer: tokio's timers reach two years.
pub(crate) fn later(now: Instant, by: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(365 * 86_400);
    now + by.min(FAR)
}
