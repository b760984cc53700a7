use std::time::Duration;

use crate::{Priority, failure::Backoff};

/// Options of a single call. If an option is not set, the value from the
/// [`PipelineBuilder`](crate::PipelineBuilder) applies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallOptions {
    pub(crate) deadline: Option<Duration>,
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) attempts: Option<u32>,
    pub(crate) max_wait: Option<Duration>,
    pub(crate) backoff: Option<Backoff>,
    pub(crate) priority: Option<Priority>,
    pub(crate) repeatable: Option<bool>,
}

impl CallOptions {
    /// Creates options without any values: all defaults apply.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the time limit of the call. The time limit covers the time in the queue, the wait for
    /// the token, all attempts, and the waits between attempts.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Sets the time limit of an attempt.
    #[must_use]
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = Some(timeout);
        self
    }

    /// Sets the maximum number of attempts. The value 0 is treated as 1.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = Some(attempts);
        self
    }

    /// Sets the longest time that the call may wait for the rate limit or for its next attempt. A
    /// call that would have to wait longer than `max_wait` fails immediately.
    #[must_use]
    pub fn max_wait(mut self, max_wait: Duration) -> Self {
        self.max_wait = Some(max_wait);
        self
    }

    /// Sets the maximum length of the random waits between attempts. The maximum wait after the
    /// first attempt is `base`. With each further attempt, the maximum wait doubles, up to `cap`.
    #[must_use]
    pub fn backoff(mut self, base: Duration, cap: Duration) -> Self {
        self.backoff = Some(Backoff::new(base, cap));
        self
    }

    /// Sets the priority of the call while it waits for the rate limit.
    #[must_use]
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = Some(priority);
        self
    }

    /// Sets whether it is safe to send the request twice. Overrides
    /// [`Operation::idempotent`](spot_model::Operation::idempotent).
    #[must_use]
    pub fn repeatable(mut self, repeatable: bool) -> Self {
        self.repeatable = Some(repeatable);
        self
    }

    /// Takes the value from `others` for each option that is not set.
    #[must_use]
    pub fn or(self, others: &Self) -> Self {
        Self {
            deadline: self.deadline.or(others.deadline),
            attempt_timeout: self.attempt_timeout.or(others.attempt_timeout),
            attempts: self.attempts.or(others.attempts),
            max_wait: self.max_wait.or(others.max_wait),
            backoff: self.backoff.or(others.backoff),
            priority: self.priority.or(others.priority),
            repeatable: self.repeatable.or(others.repeatable),
        }
    }
}
