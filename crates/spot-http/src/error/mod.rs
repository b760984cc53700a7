//! The one error of all crates.

pub(crate) mod json_path;
mod player_reason;
mod refusal;

use std::{error::Error as StdError, fmt, sync::Arc, time::Duration};

use spot_model::Operation;

use crate::{TransportError, TransportErrorKind};

pub use player_reason::PlayerReason;

pub(crate) use refusal::html_title;

/// Why a call did not do what it was to do.
///
/// Match on [`kind`](Self::kind); the methods give what else is known. It prints as one line, without
/// its source, and never holds a token or a secret.
///
/// ```
/// use spot_http::{Error, ErrorKind};
///
/// let error = Error::from_answer(404, br#"{"error":{"status":404,"message":"Not found."}}"#);
/// assert_eq!(error.kind(), ErrorKind::NotFound);
/// assert_eq!(error.to_string(), "not found (404): Not found.");
/// ```
pub struct Error {
    inner: Box<Inner>,
}

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    status: Option<u16>,
    reason: Option<String>,
    retry_after: Option<Duration>,
    body: Option<String>,
    operation: Option<&'static Operation>,
    path: Option<String>,
    attempts: u32,
    done: Option<usize>,
    /// Shared, for those who are told of one failure together.
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// What kind of failure an [`Error`] is, to be matched on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The token is missing, expired or refused, and a new one did not help.
    Authentication,
    /// The user's consent has ended: six months are over, or it was revoked. Only signing in again
    /// helps.
    ConsentExpired,
    /// The token lacks a scope that the operation needs.
    MissingScope,
    /// The operation is closed to the application: the message says since when, and what to use.
    Restricted,
    /// The user may not do this: somebody else's playlist, a user who is not on the list of the
    /// application.
    Forbidden,
    /// There is no such thing, or none that the application may see.
    NotFound,
    /// What was asked for is wrong. [`Error::status`] is `None` if that was found before anything
    /// was sent.
    BadRequest,
    /// The player refused a command.
    Player(PlayerReason),
    /// Too many calls: [`Error::retry_after`] says when to go on. Until then no call is sent.
    RateLimited,
    /// The developer account has used up its quota: [`Error::retry_after`] says when it ends, which
    /// may be hours away. Until then no call is sent.
    QuotaExceeded,
    /// Whether the call was carried out is not known, and sending it again could do it twice.
    OutcomeUnknown,
    /// Spotify failed (5xx).
    Server,
    /// The deadline ended the call. It was not carried out, or may be sent again without harm.
    Timeout,
    /// The network failed.
    Transport,
    /// The answer is not what it should be: [`Error::path`] says where, [`Error::body`] what came.
    Decode,
    /// The client, its sign-in or its surroundings are not set up right.
    Configuration,
}

impl ErrorKind {
    fn describe(&self) -> &'static str {
        match self {
            Self::Authentication => "not authenticated",
            Self::ConsentExpired => "the user has to sign in again",
            Self::MissingScope => "a scope is missing",
            Self::Restricted => "closed to this application",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not found",
            Self::BadRequest => "bad request",
            Self::Player(_) => "the player refused",
            Self::RateLimited => "too many calls",
            Self::QuotaExceeded => "the quota is used up",
            Self::OutcomeUnknown => "it is not known whether the call was carried out",
            Self::Server => "Spotify failed",
            Self::Timeout => "timed out",
            Self::Transport => "the network failed",
            Self::Decode => "the answer could not be read",
            Self::Configuration => "not set up right",
        }
    }
}

/// How much of an answer an error keeps, in bytes.
const BODY: usize = 1024;

impl Error {
    /// An error of a kind, with a sentence of what happened.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            inner: Box::new(Inner {
                kind,
                message: message.into(),
                status: None,
                reason: None,
                retry_after: None,
                body: None,
                operation: None,
                path: None,
                attempts: 0,
                done: None,
                source: None,
            }),
        }
    }

    /// What was asked for is wrong, found before anything was sent.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::BadRequest, message)
    }

    /// Something is not set up right.
    pub fn configuration(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Configuration, message)
    }

    /// The token is missing, expired or refused.
    pub fn authentication(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Authentication, message)
    }

    /// The user's consent has ended.
    pub fn consent_expired(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::ConsentExpired, message)
    }

    /// The network failed.
    pub fn transport(error: TransportError) -> Self {
        let kind = match error.kind() {
            TransportErrorKind::Timeout => ErrorKind::Timeout,
            _ => ErrorKind::Transport,
        };
        Self::new(kind, error.to_string()).with_source(error)
    }

    /// The same error, about an operation.
    #[must_use]
    pub fn with_operation(mut self, operation: &'static Operation) -> Self {
        self.inner.operation = Some(operation);
        self
    }

    /// The same error, with the HTTP status of the answer.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.inner.status = Some(status);
        self
    }

    /// The same error, with the reason the API gave.
    #[must_use]
    pub fn with_reason(mut self, reason: impl Into<String>) -> Self {
        self.inner.reason = Some(reason.into());
        self
    }

    /// The same error, with the time after which to go on.
    #[must_use]
    pub fn with_retry_after(mut self, retry_after: Duration) -> Self {
        self.inner.retry_after = Some(retry_after);
        self
    }

    /// The same error, with the answer, of which the first KiB is kept. It must not be an answer that
    /// holds a token.
    #[must_use]
    pub fn with_body(mut self, body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body.get(..BODY).unwrap_or(body));
        self.inner.body = (!text.is_empty()).then(|| text.into_owned());
        self
    }

    /// The same error, with the place in the answer: `items[3].track.name`.
    #[must_use]
    pub fn with_path(mut self, path: impl Into<String>) -> Self {
        self.inner.path = Some(path.into());
        self
    }

    /// The same error, with how many inputs of a long list were carried out before it.
    #[must_use]
    pub fn with_done(mut self, done: usize) -> Self {
        self.inner.done = Some(done);
        self
    }

    /// The same error, with what caused it.
    #[must_use]
    pub fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.inner.source = Some(Arc::new(source));
        self
    }

    /// The same error again, for another who waited for the same call.
    #[cfg(feature = "cache")]
    pub(crate) fn share(&self) -> Self {
        Self { inner: self.inner.clone() }
    }

    pub(crate) fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.inner.kind = kind;
        self
    }

    pub(crate) fn with_attempts(mut self, attempts: u32) -> Self {
        self.inner.attempts = attempts;
        self
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind.clone()
    }

    /// The HTTP status of the answer; `None` if there was none.
    pub fn status(&self) -> Option<u16> {
        self.inner.status
    }

    /// What happened, in a sentence: the API's own words if it gave any.
    pub fn message(&self) -> &str {
        &self.inner.message
    }

    /// The reason code the API gave: `NO_ACTIVE_DEVICE`, `QUOTA_EXCEEDED`, `invalid_grant`.
    pub fn reason(&self) -> Option<&str> {
        self.inner.reason.as_deref()
    }

    /// How long to wait before another call, if that is known.
    pub fn retry_after(&self) -> Option<Duration> {
        self.inner.retry_after
    }

    /// The beginning of the answer, as text.
    pub fn body(&self) -> Option<&str> {
        self.inner.body.as_deref()
    }

    /// The operation that was called.
    pub fn operation(&self) -> Option<&'static Operation> {
        self.inner.operation
    }

    /// Where in the answer a decode failed: `items[3].track.name`.
    pub fn path(&self) -> Option<&str> {
        self.inner.path.as_deref()
    }

    /// How often the request was sent.
    pub fn attempts(&self) -> u32 {
        self.inner.attempts
    }

    /// How many inputs of a long list were carried out before the call that failed; `None` for calls
    /// that are one request.
    pub fn done(&self) -> Option<usize> {
        self.inner.done
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, message, status, operation, path, .. } = &*self.inner;
        if let Some(operation) = operation {
            write!(f, "{operation}: ")?;
        }
        f.write_str(kind.describe())?;
        if let Some(status) = status {
            write!(f, " ({status})")?;
        }
        if let Some(path) = path {
            write!(f, " at `{path}`")?;
        }
        if message.is_empty() { Ok(()) } else { write!(f, ": {message}") }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.inner;
        let mut out = f.debug_struct("Error");
        out.field("kind", &inner.kind).field("message", &inner.message);
        if let Some(operation) = inner.operation {
            out.field("operation", &operation.id);
        }
        if let Some(status) = inner.status {
            out.field("status", &status);
        }
        if let Some(reason) = &inner.reason {
            out.field("reason", reason);
        }
        if let Some(retry_after) = inner.retry_after {
            out.field("retry_after", &retry_after);
        }
        if let Some(path) = &inner.path {
            out.field("path", path);
        }
        if let Some(done) = inner.done {
            out.field("done", &done);
        }
        if let Some(body) = &inner.body {
            out.field("body", body);
        }
        if inner.attempts > 0 {
            out.field("attempts", &inner.attempts);
        }
        if let Some(source) = &inner.source {
            out.field("source", &source.to_string());
        }
        out.finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let source = self.inner.source.as_deref()?;
        Some(source)
    }
}
