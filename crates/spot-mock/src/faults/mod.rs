//! Troubles that can be ordered, or left to chance.

mod corruptions;

use std::{collections::VecDeque, fmt::Display, time::Duration};

pub use corruptions::Corruption;
pub(crate) use corruptions::corrupt;

use crate::world::Rng;

/// Something that goes wrong with one request.
///
/// ```
/// use spot_mock::Fault;
///
/// let gateway = Fault::status(502).body("text/html", "<html><title>Bad gateway</title></html>");
/// let blocked = Fault::quota_exceeded(86_207);
/// # let _ = (gateway, blocked);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The request is answered with this and not carried out.
    Status {
        /// The status, 200 to 999.
        status: u16,
        /// The body as it is sent.
        body: String,
        /// The media type of the body; no `Content-Type` is sent if there is none.
        content_type: Option<String>,
        /// The value of `Retry-After`: seconds, a date, or nonsense.
        retry_after: Option<String>,
    },
    /// The connection is reset before anything is done.
    Reset,
    /// The request is carried out, and the connection is reset before the answer is sent. The
    /// caller cannot know whether it was.
    LostAnswer,
    /// The request is carried out, and the answer ends in the middle of its body.
    TruncatedBody,
    /// The request is carried out as usual after this time on tokio's clock.
    Delay(Duration),
    /// The request is carried out, and its answer has something about it that Spotify's answers
    /// have had at times. An answer without a JSON body stays as it is.
    Corrupted(Corruption),
}

impl Fault {
    /// An answer with this status and Spotify's usual error body.
    pub fn status(status: u16) -> Self {
        let message = match status {
            500 => "Server error.",
            502 => "Bad gateway.",
            503 => "Service unavailable.",
            _ => "Something went wrong",
        };
        let body = format!(r#"{{"error":{{"status":{status},"message":"{message}"}}}}"#);
        let content_type = Some("application/json; charset=utf-8".to_owned());
        Self::Status { status, body, content_type, retry_after: None }
    }

    /// A 429 of the rate limit, to be over after so many seconds.
    pub fn rate_limited(seconds: u64) -> Self {
        let body = r#"{"error":{"status":429,"message":"API rate limit exceeded"}}"#;
        Self::status(429).body("application/json; charset=utf-8", body).retry_after(seconds)
    }

    /// A 429 because the quota of the developer account is used up, which lasts for hours.
    pub fn quota_exceeded(seconds: u64) -> Self {
        let body =
            r#"{"error":{"status":429,"message":"Too many requests","reason":"QUOTA_EXCEEDED"}}"#;
        Self::status(429).body("application/json; charset=utf-8", body).retry_after(seconds)
    }

    /// A 401 that says the token is missing, as a gateway of Spotify's has done for valid ones.
    pub fn unauthorized() -> Self {
        let body = r#"{"error":{"status":401,"message":"Access token missing"}}"#;
        Self::status(401).body("application/json; charset=utf-8", body)
    }

    /// The same answer with another body. Has no effect on what is not an answer.
    #[must_use]
    pub fn body(mut self, media_type: &str, text: impl Into<String>) -> Self {
        if let Self::Status { body, content_type, .. } = &mut self {
            *body = text.into();
            *content_type = (!media_type.is_empty()).then(|| media_type.to_owned());
        }
        self
    }

    /// The same answer with a `Retry-After`: a number of seconds, or any text. Has no effect on
    /// what is not an answer.
    #[must_use]
    pub fn retry_after(mut self, value: impl Display) -> Self {
        if let Self::Status { retry_after, .. } = &mut self {
            *retry_after = Some(value.to_string());
        }
        self
    }
}

/// Troubles that happen by chance: the same ones at the same requests for the same seed.
///
/// ```
/// use spot_mock::{Fault, MockSpotify, RandomFaults};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let weather = RandomFaults::new(7, 0.05)
///     .only([Fault::Reset, Fault::status(503)])
///     .on("get-users-saved-tracks");
/// let mock = MockSpotify::builder().random_faults(weather).start().await?;
/// # let _ = mock;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing happens until a mock is given them"]
pub struct RandomFaults {
    rng: Rng,
    /// Of a million requests.
    rate: u32,
    faults: Vec<Fault>,
    pub(crate) operations: Vec<String>,
}

impl RandomFaults {
    /// Troubles of all kinds at this share of the requests, 0 to 1; what lies beyond is taken for
    /// the nearest of the two. The kinds: a 429 of a second, 500, 502 with HTML, 503, a 401 that
    /// is none of the token's fault, a reset, a lost answer, a truncated body, a delay of
    /// 200 ms, and every [`Corruption`].
    pub fn new(seed: u64, rate: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it lies between 0 and a million"
        )]
        let rate = (rate.clamp(0.0, 1.0) * 1_000_000.0) as u32;
        let gateway = "<!DOCTYPE html><html><title>502 Bad Gateway</title><p>Try later.</p></html>";
        let troubles = [
            Fault::rate_limited(1),
            Fault::status(500),
            Fault::status(502).body("text/html; charset=UTF-8", gateway),
            Fault::status(503),
            Fault::unauthorized(),
            Fault::Reset,
            Fault::LostAnswer,
            Fault::TruncatedBody,
            Fault::Delay(Duration::from_millis(200)),
        ];
        let faults = troubles.into_iter().chain(Corruption::ALL.map(Fault::Corrupted)).collect();
        Self { rng: Rng::new(seed, "faults"), rate, faults, operations: Vec::new() }
    }

    /// These instead of all kinds, each as likely as the others.
    pub fn only(mut self, faults: impl IntoIterator<Item = Fault>) -> Self {
        self.faults = faults.into_iter().collect();
        self
    }

    /// At requests of this operation only, or of these if it is called again. The names are those
    /// of [`MockSpotify::fail_next_on`](crate::MockSpotify::fail_next_on).
    pub fn on(mut self, operation: impl Into<String>) -> Self {
        self.operations.push(operation.into());
        self
    }

    /// What happens to the next request.
    fn next(&mut self, operation: Option<&str>) -> Option<Fault> {
        let is_meant = self.operations.is_empty()
            || self.operations.iter().any(|wanted| operation == Some(wanted.as_str()));
        if !is_meant || self.faults.is_empty() || self.rng.between(1, 1_000_000) > self.rate {
            return None;
        }
        let place = self.rng.below(self.faults.len());
        self.faults.get(place).cloned()
    }
}

/// The faults that were ordered and have not happened yet, and those that are left to chance.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    ordered: VecDeque<(Option<String>, Fault)>,
    random: Option<RandomFaults>,
}

impl Faults {
    pub(crate) fn order(&mut self, operation: Option<&str>, fault: Fault) {
        self.ordered.push_back((operation.map(ToOwned::to_owned), fault));
    }

    pub(crate) fn leave_to_chance(&mut self, random: Option<RandomFaults>) {
        self.random = random;
    }

    /// The first fault that was ordered for this operation or for any, else what chance brings.
    pub(crate) fn take(&mut self, operation: Option<&str>) -> Option<Fault> {
        let matches = |wanted: &Option<String>| match wanted {
            Some(wanted) => operation == Some(wanted.as_str()),
            None => true,
        };
        match self.ordered.iter().position(|(wanted, _)| matches(wanted)) {
            Some(place) => self.ordered.remove(place).map(|(_, fault)| fault),
            None => self.random.as_mut()?.next(operation),
        }
    }
}
