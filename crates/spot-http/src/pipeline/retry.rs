//! Whether a request is sent again: by what happened, and by what the operation does.

use std::time::Duration;

use crate::{Error, ErrorKind, TransportErrorKind, pipeline::budget};

/// What became of an attempt that did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It never left.
    NotSent,
    /// It was refused for there being too many (429): it was not carried out.
    Throttled,
    /// The token was refused (401): it was not carried out.
    Unauthorized,
    /// It may or may not have been carried out: 408, 5xx, a broken connection, no answer.
    Ambiguous,
    /// It was answered, and asking again would be answered alike.
    Final,
}

impl Outcome {
    pub(crate) fn of_status(status: u16) -> Self {
        match status {
            429 => Self::Throttled,
            401 => Self::Unauthorized,
            408 | 500 | 502 | 503 | 504 => Self::Ambiguous,
            _ => Self::Final,
        }
    }

    pub(crate) fn of_transport(kind: TransportErrorKind) -> Self {
        match kind {
            TransportErrorKind::NotSent => Self::NotSent,
            TransportErrorKind::Reset | TransportErrorKind::Timeout | TransportErrorKind::Other => {
                Self::Ambiguous
            }
            TransportErrorKind::BodyTooLarge => Self::Final,
        }
    }

    /// Whether a request may be sent again after this. `repeatable` says whether doing it twice does
    /// no harm.
    pub(crate) fn may_repeat(self, repeatable: bool) -> bool {
        match self {
            Self::NotSent | Self::Throttled | Self::Unauthorized => true,
            Self::Ambiguous => repeatable,
            Self::Final => false,
        }
    }

    /// The error to report if it is not sent again.
    pub(crate) fn report(self, error: Error, repeatable: bool) -> Error {
        if self == Self::Ambiguous && !repeatable {
            return error.with_kind(ErrorKind::OutcomeUnknown);
        }
        error
    }

    /// What sending it again costs of the budget.
    pub(crate) fn price(self) -> u32 {
        match self {
            Self::Throttled => budget::THROTTLED,
            _ => budget::TRANSIENT,
        }
    }
}

/// How long to wait between attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Backoff {
    pub(crate) base: Duration,
    pub(crate) cap: Duration,
}

impl Backoff {
    /// Anything up to twice the wait of the attempt before, "full jitter": tasks that failed
    /// together do not come back together. `random` is from 0 to 1.
    pub(crate) fn wait(&self, attempt: u32, random: f64) -> Duration {
        let doubled = self.base.saturating_mul(1 << attempt.saturating_sub(1).min(16));
        doubled.min(self.cap).mul_f64(random.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use spot_model::Operation;

    use super::*;

    #[test]
    fn what_happened_and_what_it_does_decide() {
        let (get, post) = (Operation::GET_ARTIST, Operation::SKIP_TO_NEXT);
        assert!(get.idempotent && !post.idempotent);
        for (outcome, repeats_get, repeats_post) in [
            (Outcome::NotSent, true, true),
            (Outcome::Throttled, true, true),
            (Outcome::Unauthorized, true, true),
            (Outcome::Ambiguous, true, false),
            (Outcome::Final, false, false),
        ] {
            assert_eq!(outcome.may_repeat(get.idempotent), repeats_get, "{outcome:?}");
            assert_eq!(outcome.may_repeat(post.idempotent), repeats_post, "{outcome:?}");
        }
        // A reorder is a PUT and moves twice if it is sent twice.
        assert!(!Operation::REORDER_PLAYLIST_ITEMS.idempotent);
        assert!(Operation::REPLACE_PLAYLIST_ITEMS.idempotent);
    }

    #[test]
    fn waits_double_up_to_the_cap() {
        let backoff = Backoff { base: Duration::from_millis(500), cap: Duration::from_secs(20) };
        let most: Vec<_> = (1..9).map(|attempt| backoff.wait(attempt, 1.0).as_millis()).collect();
        assert_eq!(most, [500, 1000, 2000, 4000, 8000, 16_000, 20_000, 20_000]);
        assert_eq!(backoff.wait(3, 0.0), Duration::ZERO);
        assert_eq!(backoff.wait(u32::MAX, 1.0), Duration::from_secs(20));
    }
}
