//! Events of calls, for metrics.

use std::{fmt, time::Duration};

use spot_model::Operation;

use crate::{Error, ErrorKind};

/// Receives the events of calls, for metrics, progress and alarms.
///
/// It is called in the task of a call: it must return at once, or the call takes longer. A panic is
/// ignored. For logs use the `tracing` spans.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use spot_http::{Event, Observer};
///
/// #[derive(Debug, Default)]
/// struct Refusals(AtomicU64);
///
/// impl Observer for Refusals {
///     fn event(&self, event: &Event<'_>) {
///         if let Event::RateLimited { .. } = event {
///             self.0.fetch_add(1, Ordering::Relaxed);
///         }
///     }
/// }
/// ```
pub trait Observer: fmt::Debug + Send + Sync + 'static {
    /// Something happened.
    fn event(&self, event: &Event<'_>);
}

impl<T: Observer + ?Sized> Observer for std::sync::Arc<T> {
    fn event(&self, event: &Event<'_>) {
        (**self).event(event);
    }
}

/// Something that happened while calls were made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A call waited for the rate limit before an attempt.
    #[non_exhaustive]
    Throttled {
        /// What is called.
        operation: &'static Operation,
        /// For how long.
        waited: Duration,
    },
    /// A request is sent.
    #[non_exhaustive]
    AttemptStarted {
        /// What is called.
        operation: &'static Operation,
        /// Which attempt of the call this is, from 1.
        attempt: u32,
    },
    /// A request was answered, or was not.
    #[non_exhaustive]
    AttemptEnded {
        /// What was called.
        operation: &'static Operation,
        /// Which attempt of the call this was, from 1.
        attempt: u32,
        /// The status of the answer; `None` if there was none.
        status: Option<u16>,
        /// What kind of failure it was; `None` for a success.
        error: Option<ErrorKind>,
        /// From sending the request to the last byte of the answer.
        latency: Duration,
    },
    /// A request will be sent again.
    #[non_exhaustive]
    Retry {
        /// What is called.
        operation: &'static Operation,
        /// The attempt that failed, from 1.
        attempt: u32,
        /// Why.
        error: &'a Error,
        /// When.
        after: Duration,
    },
    /// A call was refused with a 429; calls pause.
    #[non_exhaustive]
    RateLimited {
        /// What was called.
        operation: &'static Operation,
        /// For how long calls pause.
        pause: Duration,
        /// Whether it is the quota of the developer account.
        quota: bool,
    },
    /// The limit of the rolling window is thought to be another one.
    #[non_exhaustive]
    LimitLearned {
        /// How many calls a window takes.
        limit: u32,
    },
    /// A call ended.
    #[non_exhaustive]
    CallEnded {
        /// What was called.
        operation: &'static Operation,
        /// How often it was sent.
        attempts: u32,
        /// For how long it waited for the rate limit and between attempts.
        waited: Duration,
        /// From its start to its end.
        took: Duration,
        /// Why it failed; `None` for a success.
        error: Option<&'a Error>,
    },
    /// An answer came from the cache, or with another call that asked the same.
    #[non_exhaustive]
    Cached {
        /// What was called.
        operation: &'static Operation,
    },
}
