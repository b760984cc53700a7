//! Events of calls, for metrics.

use std::{fmt, time::Duration};

use spot_model::Operation;

use crate::{Error, ErrorKind};

/// Receives the events of calls, for metrics, progress and alerts. For logs, use the `tracing`
/// spans.
///
/// The observer runs on its own thread, so that a slow observer does not delay calls. Panics of the
/// observer are ignored. The thread enters the tokio runtime of the call, so that the observer may
/// spawn tasks.
///
/// Events arrive in the order in which they happen. A call may return before its events arrive.
/// [`Pipeline::settled`](crate::Pipeline::settled) waits until the observer has handled the events
/// of all calls that have ended. Up to 1,024 events are queued for a slow observer. If this queue
/// is full, new events are lost, and [`Event::Lost`] reports the number of lost events.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use spot_http::{Event, Observer};
///
/// #[derive(Debug, Default)]
/// struct Refusals(AtomicU64);
///
/// impl Observer for Refusals {
///     fn event(&self, event: &Event) {
///         if let Event::RateLimited { .. } = event {
///             self.0.fetch_add(1, Ordering::Relaxed);
///         }
///     }
/// }
/// ```
pub trait Observer: fmt::Debug + Send + Sync + 'static {
    /// Handles an event.
    fn event(&self, event: &Event);
}

impl<T: Observer + ?Sized> Observer for std::sync::Arc<T> {
    fn event(&self, event: &Event) {
        (**self).event(event);
    }
}

/// An event of a call.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A call waited for the rate limit before an attempt.
    #[non_exhaustive]
    Throttled {
        /// The operation.
        operation: &'static Operation,
        /// How long the call waited.
        waited: Duration,
    },
    /// An attempt started: its request is about to be sent.
    #[non_exhaustive]
    AttemptStarted {
        /// The operation.
        operation: &'static Operation,
        /// The number of the attempt, counted from 1.
        attempt: u32,
    },
    /// An attempt ended, with or without a response.
    #[non_exhaustive]
    AttemptEnded {
        /// The operation.
        operation: &'static Operation,
        /// The number of the attempt, counted from 1.
        attempt: u32,
        /// The status of the response; `None` without a response.
        status: Option<u16>,
        /// The kind of the failure; `None` after a success.
        error: Option<ErrorKind>,
        /// The time from sending the request to the last byte of the response.
        latency: Duration,
    },
    /// An attempt failed, and a retry follows.
    #[non_exhaustive]
    Retry {
        /// The operation.
        operation: &'static Operation,
        /// The number of the failed attempt, counted from 1.
        attempt: u32,
        /// The failure.
        error: Error,
        /// The wait before the retry.
        after: Duration,
    },
    /// Spotify responded with 429, so the limiter pauses calls. The pause applies either to all
    /// operations or only to the refused operation.
    #[non_exhaustive]
    RateLimited {
        /// The operation.
        operation: &'static Operation,
        /// Length of the pause.
        pause: Duration,
        /// Whether a quota is exhausted. If `true`, only this operation pauses.
        quota: bool,
    },
    /// After a response from Spotify, the limiter changed its limit for the rolling window.
    #[non_exhaustive]
    LimitLearned {
        /// The maximum number of calls in the rolling window.
        limit: u32,
    },
    /// The limiter cannot reach the server that stores the shared state. The limiter continues with
    /// its local state.
    #[non_exhaustive]
    LimiterAlone {
        /// The failure.
        error: Error,
        /// The limit that this process now uses, in calls per window; `None` if no limit is known.
        limit: Option<u32>,
    },
    /// The limiter shares its state with other machines again.
    #[non_exhaustive]
    LimiterShared {
        /// The time for which the limiter could not reach the server that stores the shared state.
        after: Duration,
    },
    /// A call ended.
    #[non_exhaustive]
    CallEnded {
        /// The operation.
        operation: &'static Operation,
        /// The number of attempts.
        attempts: u32,
        /// Total time that the call waited for the rate limit and between attempts.
        waited: Duration,
        /// Total duration.
        took: Duration,
        /// The failure; `None` after a success.
        error: Option<Error>,
    },
    /// A call got its response from the cache, or from an identical call that ran at the same time.
    #[non_exhaustive]
    Cached {
        /// The operation.
        operation: &'static Operation,
    },
    /// Events before this event were lost, because the observer was too slow.
    #[non_exhaustive]
    Lost {
        /// The number of lost events.
        count: u64,
    },
}

impl Event {
    /// Creates the event [`LimiterAlone`](Self::LimiterAlone). Your own
    /// [`RateLimiter`](crate::RateLimiter) can send this event to an observer when the server that
    /// stores the shared state becomes unreachable.
    pub fn limiter_alone(error: Error, limit: Option<u32>) -> Self {
        Self::LimiterAlone { error, limit }
    }

    /// Creates the event [`LimiterShared`](Self::LimiterShared). Your own
    /// [`RateLimiter`](crate::RateLimiter) can send this event to an observer when the server that
    /// stores the shared state is reachable again.
    pub fn limiter_shared(after: Duration) -> Self {
        Self::LimiterShared { after }
    }
}
