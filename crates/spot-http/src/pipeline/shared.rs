//! State that all calls of a pipeline share.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::HeaderValue;
use spot_model::AccessMode;
use tokio::time::{Instant, timeout_at};

#[cfg(feature = "cache")]
use crate::Cache;
use crate::{
    AccessToken, Error, ErrorKind, Event, RateLimiter, Request, TokenSource, Transport,
    TransportError, TransportErrorKind,
    failure::{Backoff, Jitter},
    pipeline::{budget::Budget, observer_queue::ObserverQueue, user_code},
};

/// State that the pipelines of an application share: everything except the tokens.
pub(crate) struct Shared {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) limiter: Arc<dyn RateLimiter>,
    pub(crate) budget: Budget,
    pub(crate) random: Mutex<Jitter>,
    pub(crate) observer: Option<ObserverQueue>,
    #[cfg(feature = "cache")]
    pub(crate) cache: Option<Cache>,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) accept_language: Option<HeaderValue>,
    pub(crate) settings: Settings,
}

/// The parts of a pipeline that a call uses.
#[derive(Clone, Copy)]
pub(crate) struct Caller<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) tokens: &'a dyn TokenSource,
    pub(crate) access: AccessMode,
}

/// Default settings of all calls.
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
        // The base URL is not printed, because an unchecked base URL may contain a password.
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
    /// Returns a random number from 0 to 1, for the jitter of the waits.
    pub(crate) fn random(&self) -> f64 {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).draw()
    }

    /// Reports an event to the observer. Without an observer, the event is not created.
    pub(crate) fn observe(&self, event: impl FnOnce() -> Event) {
        if let Some(observer) = &self.observer {
            observer.send(event());
        }
    }

    /// Sends a message through the transport, which may hang or panic.
    pub(crate) async fn send(
        &self,
        message: http::Request<Bytes>,
        latest: Instant,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let answer = user_code::call(async { self.transport.send(message).await });
        match timeout_at(latest, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(user_code::Panicked)) => {
                Err(TransportError::new(TransportErrorKind::Other, "the transport panicked"))
            }
            Err(elapsed) => Err(TransportError::new(TransportErrorKind::Timeout, elapsed)),
        }
    }

    /// Returns the deadline of a call that starts now.
    pub(crate) fn deadline(&self, request: &Request, now: Instant) -> Instant {
        later(now, request.options().deadline.unwrap_or(self.settings.deadline))
    }
}

/// Gets a token from the program's token source, which may hang or panic.
pub(crate) async fn token(
    tokens: &dyn TokenSource,
    deadline: Instant,
) -> Result<AccessToken, Error> {
    let token = user_code::call(async { tokens.token().await });
    match timeout_at(deadline, token).await {
        Ok(Ok(token)) => token,
        Ok(Err(user_code::Panicked)) => Err(Error::configuration("the token source panicked")),
        Err(_) => {
            let message = "the token source returned no token before the deadline";
            Err(Error::new(ErrorKind::Timeout, message))
        }
    }
}

/// Returns `now` plus `by`, limited to one year after `now`, because tokio's timers support only
/// about two years.
pub(crate) fn later(now: Instant, by: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(365 * 86_400);
    now + by.min(FAR)
}
