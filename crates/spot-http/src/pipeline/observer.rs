//! Events of calls, for metrics.

use std::{fmt, time::Duration};

use spot_model::Operation;

use crate::{Error, ErrorKind};

/// Receives the events of calls, for metrics, progress and alarms. For logs use the `tracing` spans.
///
/// It runs on a thread of its own, which starts with the first event of a pipeline, so that an
/// observer that blocks does not delay calls. A panic is ignored. The runtime of the call is entered:
/// an observer may spawn tasks.
///
/// Events arrive in the order in which they happen. They arrive soon, but the call may have returned
/// before: [`Pipeline::settled`](crate::Pipeline::settled) waits for them, as a test does or a program
/// before it ends. At most 1,024 events wait for an observer that is behind. Later ones are lost, and
/// [`Event::Lost`] counts them.
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
        /// How long it waited.
        waited: Duration,
    },
    /// An attempt started: its request is sent.
    #[non_exhaustive]
    AttemptStarted {
        /// The operation.
        operation: &'static Operation,
        /// The number of the attempt, from 1.
        attempt: u32,
    },
    /// An attempt ended, with a response or without.
    #[non_exhaustive]
    AttemptEnded {
        /// The operation.
        operation: &'static Operation,
        /// The number of the attempt, from 1.
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
        /// The number of the failed attempt, from 1.
        attempt: u32,
        /// The failure.
        error: Error,
        /// The wait before the retry.
        after: Duration,
    },
    /// Spotify answered 429. All operations pause, or this one is closed.
    #[non_exhaustive]
    RateLimited {
        /// The operation.
        operation: &'static Operation,
        /// How long.
        pause: Duration,
        /// Whether a quota is used up. Only this operation is closed then.
        quota: bool,
    },
    /// The learned limit of the rolling window changed.
    #[non_exhaustive]
    LimitLearned {
        /// The number of calls that fit in a window.
        limit: u32,
    },
    /// The limiter cannot reach the server that it shares with other machines, and goes on alone.
    #[non_exhaustive]
    LimiterAlone {
        /// Why.
        error: Error,
        /// The calls per window of this process from now on, if a limit is known.
        limit: Option<u32>,
    },
    /// The limiter shares its state with other machines again.
    #[non_exhaustive]
    LimiterShared {
        /// How long it was alone.
        after: Duration,
    },
    /// A call ended.
    #[non_exhaustive]
    CallEnded {
        /// The operation.
        operation: &'static Operation,
        /// The number of attempts.
        attempts: u32,
        /// How long it waited for the rate limit and between attempts.
        waited: Duration,
        /// How long it took in all.
        took: Duration,
        /// The failure; `None` after a success.
        error: Option<Error>,
    },
    /// A response came from the cache, or from an identical call in flight.
    #[non_exhaustive]
    Cached {
        /// The operation.
        operation: &'static Operation,
    },
    /// The observer was behind, and events after the last one that it received are lost.
    #[non_exhaustive]
    Lost {
        /// The number of lost events.
        count: u64,
    },
}

impl Event {
    /// The event of a limiter that goes on alone. For implementations of limiters.
    pub fn limiter_alone(error: Error, limit: Option<u32>) -> Self {
        Self::LimiterAlone { error, limit }
    }

    /// The event of a limiter that shares its state again. For implementations of limiters.
    pub fn limiter_shared(after: Duration) -> Self {
        Self::LimiterShared { after }
    }
}
