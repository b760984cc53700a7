//! Faults that are injected one by one or at random.

mod corruptions;

use std::{collections::VecDeque, fmt::Display, time::Duration};

pub use corruptions::Corruption;
pub(crate) use corruptions::corrupt;

use crate::world::Rng;

/// A fault that affects one request.
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
    /// Returns this response instead of processing the request.
    Status {
        /// HTTP status, 200 to 999.
        status: u16,
        /// Body.
        body: String,
        /// Media type of the body. If the media type is `None`, the response has no `Content-Type`.
        content_type: Option<String>,
        /// Value of `Retry-After`: seconds, a date, or an invalid value.
        retry_after: Option<String>,
    },
    /// Resets the connection without processing the request.
    Reset,
    /// Processes the request, and resets the connection before the response is sent. The client
    /// cannot know whether the request succeeded.
    LostAnswer,
    /// Processes the request, and closes the connection in the middle of the response body.
    TruncatedBody,
    /// Processes the request after this delay on tokio's clock.
    Delay(Duration),
    /// Processes the request, and alters the response. Every kind of [`Corruption`] has occurred in
    /// real responses. A response without a JSON body stays unchanged.
    Corrupted(Corruption),
}

impl Fault {
    /// A response with this status and Spotify's usual error body.
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

    /// A response with status 429 and this `Retry-After`, as if the rate limit were exceeded.
    pub fn rate_limited(seconds: u64) -> Self {
        let body = r#"{"error":{"status":429,"message":"API rate limit exceeded"}}"#;
        Self::status(429).body("application/json; charset=utf-8", body).retry_after(seconds)
    }

    /// A response with status 429, the reason `QUOTA_EXCEEDED` and this `Retry-After`.
    pub fn quota_exceeded(seconds: u64) -> Self {
        let body =
            r#"{"error":{"status":429,"message":"Too many requests","reason":"QUOTA_EXCEEDED"}}"#;
        Self::status(429).body("application/json; charset=utf-8", body).retry_after(seconds)
    }

    /// A response with status 401 and the message "Access token missing". Spotify sometimes sends
    /// this response although the token is valid.
    pub fn unauthorized() -> Self {
        let body = r#"{"error":{"status":401,"message":"Access token missing"}}"#;
        Self::status(401).body("application/json; charset=utf-8", body)
    }

    /// Sets the body of a [`Fault::Status`]. Has no effect on a fault of another kind.
    #[must_use]
    pub fn body(mut self, media_type: &str, text: impl Into<String>) -> Self {
        if let Self::Status { body, content_type, .. } = &mut self {
            *body = text.into();
            *content_type = (!media_type.is_empty()).then(|| media_type.to_owned());
        }
        self
    }

    /// Sets the `Retry-After` header of a [`Fault::Status`] to a number of seconds or any other
    /// value. Has no effect on a fault of another kind.
    #[must_use]
    pub fn retry_after(mut self, value: impl Display) -> Self {
        if let Self::Status { retry_after, .. } = &mut self {
            *retry_after = Some(value.to_string());
        }
        self
    }
}

/// Faults that happen at random. The same seed and the same requests give the same faults.
///
/// ```
/// use spot_mock::{Fault, MockSpotify, RandomFaults};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let faults = RandomFaults::new(7, 0.05)
///     .only([Fault::Reset, Fault::status(503)])
///     .on("get-users-saved-tracks");
/// let mock = MockSpotify::builder().random_faults(faults).start().await?;
/// # let _ = mock;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "random faults have no effect until they are passed to a mock"]
pub struct RandomFaults {
    rng: Rng,
    /// Faults per million requests.
    rate: u32,
    faults: Vec<Fault>,
    pub(crate) operations: Vec<String>,
}

impl RandomFaults {
    /// Injects faults of all kinds at random. `rate` is the fraction of requests that get a fault,
    /// clamped to the range from 0 to 1. The possible faults are:
    ///
    /// - The mock sends an error response instead of processing the request. The status is 401,
    ///   429, 500, 502 or 503. A 429 has a `Retry-After` of one second, and a 502 has an HTML body.
    /// - The mock resets the connection before it processes the request.
    /// - The mock processes the request, but resets the connection before it sends the response.
    /// - The mock truncates the response body.
    /// - The mock delays the request by 200 ms.
    /// - The mock alters the response with one of the [`Corruption`]s.
    pub fn new(seed: u64, rate: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the value is between 0 and 1,000,000"
        )]
        let rate = (rate.clamp(0.0, 1.0) * 1_000_000.0) as u32;
        let gateway = "<!DOCTYPE html><html><title>502 Bad Gateway</title><p>Try later.</p></html>";
        let answers = [
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
        let faults = answers.into_iter().chain(Corruption::ALL.map(Fault::Corrupted)).collect();
        Self { rng: Rng::new(seed, "faults"), rate, faults, operations: Vec::new() }
    }

    /// Injects only the faults in this list. All faults in the list are equally likely.
    pub fn only(mut self, faults: impl IntoIterator<Item = Fault>) -> Self {
        self.faults = faults.into_iter().collect();
        self
    }

    /// Limits the faults to requests of this operation. Call this method again to add operations.
    /// `operation` is an operation id, as in
    /// [`MockSpotify::fail_next_on`](crate::MockSpotify::fail_next_on).
    pub fn on(mut self, operation: impl Into<String>) -> Self {
        self.operations.push(operation.into());
        self
    }

    /// The fault of the next request, if any.
    fn next(&mut self, operation: Option<&str>) -> Option<Fault> {
        let matches = self.operations.is_empty()
            || self.operations.iter().any(|wanted| operation == Some(wanted.as_str()));
        if !matches || self.faults.is_empty() || self.rng.between(1, 1_000_000) > self.rate {
            return None;
        }
        let place = self.rng.below(self.faults.len());
        self.faults.get(place).cloned()
    }
}

/// Injected faults that have not happened yet, and random faults.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    injected: VecDeque<(Option<String>, Fault)>,
    random: Option<RandomFaults>,
}

impl Faults {
    pub(crate) fn inject(&mut self, operation: Option<&str>, fault: Fault) {
        self.injected.push_back((operation.map(ToOwned::to_owned), fault));
    }

    pub(crate) fn set_random(&mut self, random: Option<RandomFaults>) {
        self.random = random;
    }

    /// Removes all injected and random faults.
    #[cfg(feature = "control")]
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Returns the first injected fault that matches the request. If no injected fault matches, the
    /// request can get a random fault.
    pub(crate) fn take(&mut self, operation: Option<&str>) -> Option<Fault> {
        let matches = |wanted: &Option<String>| match wanted {
            Some(wanted) => operation == Some(wanted.as_str()),
            None => true,
        };
        match self.injected.iter().position(|(wanted, _)| matches(wanted)) {
            Some(place) => self.injected.remove(place).map(|(_, fault)| fault),
            None => self.random.as_mut()?.next(operation),
        }
    }
}
