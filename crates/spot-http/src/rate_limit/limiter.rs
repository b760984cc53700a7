use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use spot_model::Operation;
use tokio::time::Instant;

use crate::{Error, Limits, Priority};

/// Decides when a call may be sent.
///
/// Spotify counts the calls of an application, so all clients of the application must share one
/// limiter. [`LocalLimiter`](crate::LocalLimiter) is the default and works within one process. An
/// implementation for several machines keeps its state in a place that all machines can access.
///
/// An implementation must follow these rules:
///
/// - If a caller drops the future of [`acquire`](Self::acquire), the attempt must not count against
///   the rate limit.
/// - If a caller stops polling the future of `acquire`, the limiter must not delay other calls.
/// - Calls with the same priority must get their permits in the order in which they request them.
#[async_trait]
pub trait RateLimiter: fmt::Debug + Send + Sync + 'static {
    /// Waits until an attempt may be sent, and counts the attempt against the rate limit.
    ///
    /// # Errors
    ///
    /// - [`RateLimited`](crate::ErrorKind::RateLimited) or
    ///   [`QuotaExceeded`](crate::ErrorKind::QuotaExceeded) if the wait would exceed
    ///   [`max_wait`](PermitRequest::max_wait) or the deadline. The limiter returns the error
    ///   without waiting. [`Error::retry_after`] is the wait that the call would need.
    /// - [`Timeout`](crate::ErrorKind::Timeout) if the deadline passed while the call waited.
    async fn acquire(&self, request: PermitRequest) -> Result<Box<dyn Permit>, Error>;

    /// Returns a snapshot of the limiter's state.
    fn limits(&self) -> Limits;
}

/// A request for a permit to send one attempt.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct PermitRequest {
    /// The operation to call.
    pub operation: &'static Operation,
    /// Priority of the call while it waits.
    pub priority: Priority,
    /// The deadline of the call.
    pub deadline: Instant,
    /// The longest acceptable wait.
    pub max_wait: Duration,
}

impl PermitRequest {
    /// Creates a request with the priority `Interactive`. The call may wait until the deadline.
    pub fn new(operation: &'static Operation, deadline: Instant) -> Self {
        Self { operation, priority: Priority::default(), deadline, max_wait: Duration::MAX }
    }
}

/// A permit to send one attempt. The attempt counts against the rate limit.
///
/// If the permit is dropped before [`sent`](Self::sent) is called, the attempt does not count
/// against the rate limit. If the permit is dropped after `sent` is called, the attempt counts
/// against the rate limit for at least one window after the drop. The request of such an attempt
/// may have reached Spotify.
pub trait Permit: fmt::Debug + Send {
    /// Records the time at which the request is sent.
    fn sent(&mut self, now: Instant);

    /// Reports how the attempt ended.
    fn finish(self: Box<Self>, end: AttemptEnd<'_>) -> Feedback;
}

/// How an attempt ended. The pipeline passes this value to [`Permit::finish`]. If the outcome of an
/// attempt is unknown, the pipeline drops the [`Permit`] without calling `finish`.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum AttemptEnd<'a> {
    /// The server sent a response other than 429.
    Answered,
    /// The request did not leave this machine.
    NotSent,
    /// The server responded with 429.
    #[non_exhaustive]
    Refused {
        /// The error of the response, with its kind, message and `Retry-After`.
        error: &'a Error,
        /// The wait before the next attempt. The pipeline chooses the longer of `Retry-After` and
        /// the backoff, and adds a random time.
        wait: Duration,
    },
}

impl<'a> AttemptEnd<'a> {
    /// Creates a [`Refused`](Self::Refused), for an attempt that the server refused with 429.
    pub fn refused(error: &'a Error, wait: Duration) -> Self {
        Self::Refused { error, wait }
    }
}

/// The new limit or the new pause that a limiter sets when an attempt ends. The pipeline reports
/// the new limit and the new pause to the observer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Feedback {
    /// The new limit of the rolling window; `None` if the attempt did not change the limit.
    pub limit: Option<u32>,
    /// The length of the pause that a 429 caused; `None` if the attempt caused no pause. The pause
    /// applies either to all operations or only to the refused operation.
    pub block: Option<Duration>,
}

impl Feedback {
    /// Sets the new limit of the rolling window. Pass `None` if the limit did not change.
    #[must_use]
    pub fn with_limit(mut self, limit: Option<u32>) -> Self {
        self.limit = limit;
        self
    }

    /// Sets the length of the pause after a 429.
    #[must_use]
    pub fn with_block(mut self, block: Duration) -> Self {
        self.block = Some(block);
        self
    }
}

#[async_trait]
impl<T: RateLimiter + ?Sized> RateLimiter for Arc<T> {
    async fn acquire(&self, request: PermitRequest) -> Result<Box<dyn Permit>, Error> {
        (**self).acquire(request).await
    }

    fn limits(&self) -> Limits {
        (**self).limits()
    }
}
