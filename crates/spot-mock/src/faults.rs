//! Troubles that can be ordered.

use std::collections::VecDeque;
use std::fmt::Display;
use std::time::Duration;

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

/// The faults that were ordered and have not happened yet.
#[derive(Debug, Default)]
pub(crate) struct Faults(VecDeque<(Option<String>, Fault)>);

impl Faults {
    pub(crate) fn order(&mut self, operation: Option<&str>, fault: Fault) {
        self.0.push_back((operation.map(ToOwned::to_owned), fault));
    }

    /// The first fault that is meant for this operation, or for any.
    pub(crate) fn take(&mut self, operation: Option<&str>) -> Option<Fault> {
        let matches = |wanted: &Option<String>| match wanted {
            Some(wanted) => operation == Some(wanted.as_str()),
            None => true,
        };
        let place = self.0.iter().position(|(wanted, _)| matches(wanted))?;
        self.0.remove(place).map(|(_, fault)| fault)
    }
}
