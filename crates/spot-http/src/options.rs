use std::time::Duration;

/// What a call does differently from the client's other calls.
///
/// What is not set is as the [`PipelineBuilder`](crate::PipelineBuilder) says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallOptions {
    pub(crate) deadline: Option<Duration>,
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) attempts: Option<u32>,
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
}
