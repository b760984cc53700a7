//! Responses and errors of handlers, before they are converted to HTTP.

use crate::http::json::{Json, object};

/// Result of a handler.
pub(crate) type Answer = Result<Reply, Refusal>;

/// A response, before it is converted to HTTP.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Body,
    pub(crate) headers: Vec<(&'static str, String)>,
}

/// The body of a response.
#[derive(Debug)]
pub(crate) enum Body {
    Empty,
    Json(Json),
    Text { media_type: String, text: String },
}

impl Reply {
    pub(crate) fn new(status: u16, body: Body) -> Self {
        Self { status, body, headers: Vec::new() }
    }

    pub(crate) fn ok(body: impl Into<Json>) -> Self {
        Self::new(200, Body::Json(body.into()))
    }

    pub(crate) fn created(body: impl Into<Json>) -> Self {
        Self::new(201, Body::Json(body.into()))
    }

    /// The response to library writes: status 200 without a body.
    pub(crate) fn done() -> Self {
        Self::new(200, Body::Empty)
    }

    /// The response to player commands: status 204.
    pub(crate) fn no_content() -> Self {
        Self::new(204, Body::Empty)
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// An error response. The response is boxed to keep [`Answer`] small.
#[derive(Debug)]
pub(crate) struct Refusal(Box<Reply>);

impl Refusal {
    /// The regular error body with this status and message.
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Self {
        Self::json(status, object! { "status": status, "message": message.into() })
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }

    pub(crate) fn missing(field: &str) -> Self {
        Self::bad_request(format!("Missing required field: {field}"))
    }

    pub(crate) fn not_found() -> Self {
        Self::new(404, "Resource not found")
    }

    pub(crate) fn forbidden() -> Self {
        Self::new(403, "Forbidden")
    }

    /// The response if the application has reached its rate limit.
    pub(crate) fn rate_limited(seconds: u64) -> Self {
        Self::new(429, "API rate limit exceeded").with_header("retry-after", seconds.to_string())
    }

    /// The response if the developer account has used up its quota.
    pub(crate) fn quota_exceeded(seconds: u64) -> Self {
        let error = object! {
            "status": 429,
            "message": "Too many requests",
            "reason": "QUOTA_EXCEEDED",
        };
        Self::json(429, error).with_header("retry-after", seconds.to_string())
    }

    pub(crate) fn scope() -> Self {
        Self::new(403, "Insufficient client scope")
    }

    /// An error of the player, with a machine-readable reason.
    pub(crate) fn player(status: u16, message: &str, reason: &'static str) -> Self {
        let message = format!("Player command failed: {message}");
        Self::json(status, object! { "status": status, "message": message, "reason": reason })
    }

    /// An error body that contains only the status.
    pub(crate) fn without_message(status: u16) -> Self {
        Self::json(status, object! { "status": status })
    }

    /// A status without a body.
    pub(crate) fn bare(status: u16) -> Self {
        Self(Box::new(Reply::new(status, Body::Empty)))
    }

    /// Refuses the request with this response.
    pub(crate) fn other(reply: Reply) -> Self {
        Self(Box::new(reply))
    }

    pub(crate) fn with_header(self, name: &'static str, value: impl Into<String>) -> Self {
        Self(Box::new((*self.0).with_header(name, value)))
    }

    pub(crate) fn into_reply(self) -> Reply {
        *self.0
    }

    fn json(status: u16, error: Json) -> Self {
        Self(Box::new(Reply::new(status, Body::Json(object! { "error": error }))))
    }
}
