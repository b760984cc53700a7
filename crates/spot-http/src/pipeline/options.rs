use std::time::Duration;

use crate::{Lane, failure::Backoff};

/// What a call does differently from the client's other calls.
///
/// What is not set is as the [`PipelineBuilder`](crate::PipelineBuilder) says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallOptions {
    pub(crate) deadline: Option<Duration>,
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) attempts: Option<u32>,
    pub(crate) max_wait: Option<Duration>,
    pub(crate) backoff: Option<Backoff>,
    pub(crate) lane: Option<Lane>,
    pub(crate) repeatable: Option<bool>,
}

impl CallOptions {
    /// Nothing different.
    pub fn new() -> Self {
        Self::default()
    }

    /// How long the call may take in all: queueing, sign-in, every attempt and the waits between.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// How long one attempt may take.
    #[must_use]
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = Some(timeout);
        self
    }

    /// How often the request is sent at most, at least once.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = Some(attempts);
        self
    }

    /// The longest wait, for the rate limit or between attempts, that is sat out; what is longer is
    /// an error at once.
    #[must_use]
    pub fn max_wait(mut self, max_wait: Duration) -> Self {
        self.max_wait = Some(max_wait);
        self
    }

    /// The waits between attempts: anything up to `base`, doubled each time, up to `cap`.
    #[must_use]
    pub fn backoff(mut self, base: Duration, cap: Duration) -> Self {
        self.backoff = Some(Backoff::new(base, cap));
        self
    }

    /// Which queue it waits in while the rate limit is met.
    #[must_use]
    pub fn lane(mut self, lane: Lane) -> Self {
        self.lane = Some(lane);
        self
    }

    /// Whether sending it twice does no harm, where the caller knows better than
    /// [`Operation::idempotent`](spot_model::Operation::idempotent).
    #[must_use]
    pub fn repeatable(mut self, repeatable: bool) -> Self {
        self.repeatable = Some(repeatable);
        self
    }

    /// These options, and where they say nothing, others.
    #[must_use]
    pub fn or(self, others: &Self) -> Self {
        Self {
            deadline: self.deadline.or(others.deadline),
            attempt_timeout: self.attempt_timeout.or(others.attempt_timeout),
            attempts: self.attempts.or(others.attempts),
            max_wait: self.max_wait.or(others.max_wait),
            backoff: self.backoff.or(others.backoff),
            lane: self.lane.or(others.lane),
            repeatable: self.repeatable.or(others.repeatable),
        }
    }
}
