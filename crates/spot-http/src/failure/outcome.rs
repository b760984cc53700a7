use crate::{Error, ErrorKind, TransportErrorKind};

/// Outcome of a failed attempt: whether the server may have carried out the request, and whether a
/// retry may succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The request did not leave this machine.
    NotSent,
    /// The server refused the request because of a limit (429). The request had no effect.
    RateLimited,
    /// The server refused the token (401). The request had no effect.
    Unauthorized,
    /// The server may have carried out the request, and a retry may succeed. The connection broke,
    /// no response arrived in time, or the status is 408, 500, 502, 503, 504 or 520.
    Unknown,
    /// The server may have carried out the request, but the response is unusable. A retry would get
    /// an unusable response too. Either the status is a 5xx other than 500, 502, 503, 504 and 520,
    /// or the response is successful and its body is too large.
    Failed,
    /// The server refused the request, and would refuse a retry too.
    Rejected,
}

impl Outcome {
    /// Returns the outcome of an attempt that got a response with this error status.
    pub fn of_status(status: u16) -> Self {
        match status {
            429 => Self::RateLimited,
            401 => Self::Unauthorized,
            // A final status below 200 violates HTTP.
            100..=199 | 408 | 500 | 502 | 503 | 504 | 520 => Self::Unknown,
            501.. => Self::Failed,
            _ => Self::Rejected,
        }
    }

    /// Returns the outcome of an attempt that failed with this kind of transport error.
    pub fn of_transport_error(kind: TransportErrorKind) -> Self {
        match kind {
            TransportErrorKind::NotSent => Self::NotSent,
            TransportErrorKind::Reset | TransportErrorKind::Timeout | TransportErrorKind::Other => {
                Self::Unknown
            }
            TransportErrorKind::BodyTooLarge => Self::Failed,
        }
    }

    /// Whether a retry is allowed and may help. `repeatable` says whether the request may be sent
    /// twice without harm.
    pub fn may_retry(self, repeatable: bool) -> bool {
        match self {
            Self::NotSent | Self::RateLimited | Self::Unauthorized => true,
            Self::Unknown => repeatable,
            Self::Failed | Self::Rejected => false,
        }
    }

    /// Converts the error of the last attempt into the error of the call. The kind becomes
    /// [`ErrorKind::OutcomeUnknown`] if Spotify may have carried out a request that must not be
    /// repeated.
    pub fn report(self, error: Error, repeatable: bool) -> Error {
        match self {
            Self::Unknown | Self::Failed if !repeatable => {
                let advice = "check whether the call took effect before you repeat it";
                let message = match error.message() {
                    "" => advice.to_owned(),
                    words => format!("{words}; {advice}"),
                };
                error.with_kind(ErrorKind::OutcomeUnknown).with_message(message)
            }
            _ => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use spot_model::Operation;

    use super::*;

    #[test]
    fn retries_depend_on_the_outcome_and_on_the_operation() {
        let (get, post) = (Operation::GET_ARTIST, Operation::SKIP_TO_NEXT);
        assert!(get.idempotent && !post.idempotent);
        for (outcome, retries_get, retries_post) in [
            (Outcome::NotSent, true, true),
            (Outcome::RateLimited, true, true),
            (Outcome::Unauthorized, true, true),
            (Outcome::Unknown, true, false),
            (Outcome::Failed, false, false),
            (Outcome::Rejected, false, false),
        ] {
            assert_eq!(outcome.may_retry(get.idempotent), retries_get, "{outcome:?}");
            assert_eq!(outcome.may_retry(post.idempotent), retries_post, "{outcome:?}");
        }
        // Reordering uses PUT, but sending the request twice moves the items twice.
        assert!(!Operation::REORDER_PLAYLIST_ITEMS.idempotent);
        assert!(Operation::REPLACE_PLAYLIST_ITEMS.idempotent);
    }

    #[test]
    fn a_5xx_or_408_leaves_the_outcome_of_a_command_unknown() {
        for status in [408, 500, 501, 502, 503, 504, 507, 520] {
            let error = Error::from_response(status, b"");
            let reported = Outcome::of_status(status).report(error.clone(), false);
            assert_eq!(reported.kind(), ErrorKind::OutcomeUnknown, "{status}");
            let reported = Outcome::of_status(status).report(error, true);
            assert_ne!(reported.kind(), ErrorKind::OutcomeUnknown, "{status}");
        }
        for status in [302, 400, 403, 404, 405, 410] {
            assert_eq!(Outcome::of_status(status), Outcome::Rejected, "{status}");
        }
    }
}
