//! The error type of all crates.

mod forbidden_cause;
pub(crate) mod json_path;
mod player_reason;

use std::{borrow::Cow, error::Error as StdError, fmt, sync::Arc, time::Duration};

use spot_model::{Operation, ParseCountryError, ParseIdError, printable};

use crate::{TransportError, TransportErrorKind, failure::redact};

pub use {forbidden_cause::ForbiddenCause, player_reason::PlayerReason};

/// Why a call failed.
///
/// Match on [`kind`](Self::kind); the other methods return the details. The `Display` output of an
/// error is one line of at most 500 characters, without the source. The output never contains a
/// token or another secret. Clones are cheap and share the details.
///
/// ```
/// use spot_http::{Error, ErrorKind};
///
/// /// What a program shows to its user, or the error if it is the program's fault.
/// fn text_for_user(error: Error) -> Result<String, Error> {
///     Ok(match error.kind() {
///         ErrorKind::ConsentExpired => "Sign in again.".to_owned(),
///         ErrorKind::Player(reason) => format!("The player refused: {reason}."),
///         ErrorKind::NotFound => "This item no longer exists.".to_owned(),
///         _ if error.is_transient() => match error.retry_after() {
///             Some(wait) => format!("Try again in {} s.", wait.as_secs()),
///             None => "Try again later.".to_owned(),
///         },
///         _ => return Err(error),
///     })
/// }
///
/// let error = Error::from_response(404, br#"{"error":{"status":404,"message":"Not found."}}"#);
/// assert_eq!(error.to_string(), "not found (404): Not found.");
/// assert_eq!(text_for_user(error).unwrap(), "This item no longer exists.");
/// ```
#[derive(Clone)]
pub struct Error {
    inner: Arc<Inner>,
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
    forbidden_cause: Option<ForbiddenCause>,
    target: Option<String>,
    attempts: u32,
    done: Option<usize>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// The kind of an [`Error`], for use in a `match`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The token is missing, expired or refused, and a new token did not help.
    Authentication,
    /// The user's consent ended after six months, or was revoked. The user has to sign in again.
    ConsentExpired,
    /// The token lacks a scope that the operation needs.
    MissingScope,
    /// The operation is not available to this application. The message contains the date since
    /// which the operation is unavailable, and the operation to use instead, if there is one.
    Restricted,
    /// The user or the application is not allowed to make this call.
    Forbidden,
    /// The item does not exist, or the application is not allowed to see the item.
    NotFound,
    /// The request is invalid. [`Error::status`] is `None` if the request was not sent.
    BadRequest,
    /// The object changed after it was read. The call changed nothing. Read the object again before
    /// you retry.
    Conflict,
    /// The player refused a command.
    Player(PlayerReason),
    /// Too many calls were sent. [`Error::retry_after`] returns the time to wait before the next
    /// call.
    RateLimited,
    /// The quota of the developer account is used up. [`Error::retry_after`] returns the time to
    /// wait before the next call, which may be several hours.
    QuotaExceeded,
    /// The outcome is unknown: Spotify may have carried out the call, so a retry could carry it out
    /// a second time.
    OutcomeUnknown,
    /// Spotify failed (5xx).
    Server,
    /// The deadline of the call passed. It is safe to repeat the call.
    Timeout,
    /// The network failed.
    Transport,
    /// A token store failed: it could not be read, written or locked.
    Store,
    /// The response could not be decoded. [`Error::path`] returns the path of the value in the
    /// JSON, and [`Error::body`] returns the beginning of the body.
    Decode,
    /// The client, the application or the environment is not configured correctly.
    Configuration,
}

impl ErrorKind {
    fn describe(&self) -> &'static str {
        match self {
            Self::Authentication => "not authenticated",
            Self::ConsentExpired => "the user has to sign in again",
            Self::MissingScope => "a scope is missing",
            Self::Restricted => "not available to this application",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not found",
            Self::BadRequest => "bad request",
            Self::Conflict => "conflict",
            Self::Player(_) => "the player refused the command",
            Self::RateLimited => "too many calls",
            Self::QuotaExceeded => "the quota is used up",
            Self::OutcomeUnknown => "the call may or may not have been carried out",
            Self::Server => "Spotify failed",
            Self::Timeout => "timed out",
            Self::Transport => "the network failed",
            Self::Store => "the token store failed",
            Self::Decode => "the response could not be decoded",
            Self::Configuration => "configuration error",
        }
    }
}

/// Maximum number of bytes of the body in an error.
const BODY: usize = 1024;

/// Maximum length of an error text, in characters.
const TEXT: usize = 500;

/// Maximum length of a reason code, in characters.
const REASON: usize = 64;

/// Details of the error.
impl Error {
    /// The kind of the error, for use in a `match`.
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind.clone()
    }

    /// The HTTP status; `None` if there was no response.
    pub fn status(&self) -> Option<u16> {
        self.inner.status
    }

    /// A sentence that says what happened. The sentence contains the message of the API, if there
    /// is one.
    pub fn message(&self) -> &str {
        &self.inner.message
    }

    /// The reason code of the API, such as `NO_ACTIVE_DEVICE`, `QUOTA_EXCEEDED` or `invalid_grant`.
    pub fn reason(&self) -> Option<&str> {
        self.inner.reason.as_deref()
    }

    /// The cause, if Spotify does not allow the call; otherwise `None`. The error message says what
    /// to do.
    pub fn forbidden_cause(&self) -> Option<ForbiddenCause> {
        self.inner.forbidden_cause
    }

    /// The time to wait before the next call, if known.
    pub fn retry_after(&self) -> Option<Duration> {
        self.inner.retry_after
    }

    /// The beginning of the body, as text.
    pub fn body(&self) -> Option<&str> {
        self.inner.body.as_deref()
    }

    /// The operation that was called.
    pub fn operation(&self) -> Option<&'static Operation> {
        self.inner.operation
    }

    /// The place in the JSON where decoding failed, for example `items[3].track.name`.
    pub fn path(&self) -> Option<&str> {
        self.inner.path.as_deref()
    }

    /// Whether the same call may succeed later. `true` for network failures, failures of Spotify's
    /// servers, timeouts, rate limits and exhausted quotas. If [`retry_after`](Self::retry_after)
    /// is known, wait for that time first. The pipeline makes its own retries before it returns an
    /// error.
    pub fn is_transient(&self) -> bool {
        matches!(
            self.inner.kind,
            ErrorKind::RateLimited
                | ErrorKind::QuotaExceeded
                | ErrorKind::Server
                | ErrorKind::Timeout
                | ErrorKind::Transport
        )
    }

    /// The path of the request without the query string, for example
    /// `/playlists/37i9dQZF1DXcBWIGoYBM5M/items`. The `Display` output of the error does not
    /// contain the ids of users.
    pub fn target(&self) -> Option<&str> {
        self.inner.target.as_deref()
    }

    /// The cause of this error. The cause can be downcast to its concrete type.
    pub fn cause(&self) -> Option<&(dyn StdError + 'static)> {
        let source = self.inner.source.as_deref()?;
        Some(source)
    }

    /// How many times the request was sent.
    pub fn attempts(&self) -> u32 {
        self.inner.attempts
    }

    /// For a list that needs several requests, the number of entries that Spotify processed before
    /// the failure. For a playlist sync, the number of calls that succeeded before the failure.
    /// `None` for calls that send a single request.
    pub fn done(&self) -> Option<usize> {
        self.inner.done
    }
}

/// Constructors of errors, and setters for the details of an error. Use these methods in your own
/// transports, token sources, stores and tests.
impl Error {
    /// Creates an error of this kind. The message is a sentence that says what happened.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            inner: Arc::new(Inner {
                kind,
                message: printable(&message.into(), TEXT),
                status: None,
                reason: None,
                retry_after: None,
                body: None,
                operation: None,
                path: None,
                forbidden_cause: None,
                target: None,
                attempts: 0,
                done: None,
                source: None,
            }),
        }
    }

    /// Creates the error of a request that is not sent because it is invalid.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::BadRequest, message)
    }

    /// Creates a configuration error.
    pub fn configuration(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Configuration, message)
    }

    /// Creates an error for a token store that failed.
    pub fn store(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Store, message)
    }

    /// Creates an error for a token that is missing, expired or refused.
    pub fn authentication(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Authentication, message)
    }

    /// Creates an error for a user whose consent has expired or was revoked.
    pub fn consent_expired(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::ConsentExpired, message)
    }

    /// Creates an error for a network failure.
    pub fn transport(error: TransportError) -> Self {
        let kind = match error.kind() {
            TransportErrorKind::Timeout => ErrorKind::Timeout,
            _ => ErrorKind::Transport,
        };
        Self::new(kind, error.to_string()).with_source(error)
    }

    /// Replaces the message.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.inner().message = printable(&message.into(), TEXT);
        self
    }

    /// Sets the operation.
    #[must_use]
    pub fn with_operation(mut self, operation: &'static Operation) -> Self {
        self.inner().operation = Some(operation);
        self
    }

    /// Sets the HTTP status of the response.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.inner().status = Some(status);
        self
    }

    /// Sets the reason code of the API.
    #[must_use]
    pub fn with_reason(mut self, reason: impl Into<String>) -> Self {
        self.inner().reason = Some(printable(&reason.into(), REASON));
        self
    }

    /// Sets the time to wait before the next call.
    #[must_use]
    pub fn with_retry_after(mut self, retry_after: Duration) -> Self {
        self.inner().retry_after = Some(retry_after);
        self
    }

    /// Sets the body of the response. Only the first KiB of the body is stored. The body must not
    /// contain a token.
    #[must_use]
    pub fn with_body(mut self, body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body.get(..BODY).unwrap_or(body));
        self.inner().body = (!text.is_empty()).then(|| text.into_owned());
        self
    }

    /// Sets the place in the JSON where decoding failed, for example `items[3].track.name`.
    #[must_use]
    pub fn with_path(mut self, path: impl Into<String>) -> Self {
        self.inner().path = Some(printable(&path.into(), TEXT));
        self
    }

    /// Sets the number of entries or calls that succeeded before the failure.
    #[must_use]
    pub fn with_done(mut self, done: usize) -> Self {
        self.inner().done = Some(done);
        self
    }

    /// Sets the cause: an error or a boxed error.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.inner().source = Some(Arc::from(source.into()));
        self
    }

    pub(crate) fn with_target(mut self, target: &str) -> Self {
        self.inner().target = Some(target.to_owned());
        self
    }

    pub(crate) fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.inner().kind = kind;
        self
    }

    pub(crate) fn with_forbidden_cause(mut self, cause: ForbiddenCause) -> Self {
        self.inner().forbidden_cause = Some(cause);
        self
    }

    pub(crate) fn with_attempts(mut self, attempts: u32) -> Self {
        self.inner().attempts = attempts;
        self
    }

    /// Replaces the secrets in the message, the reason code, the JSON path and the body of this
    /// error, as [`redact`](crate::failure::redact) does. Drops the cause if its `Display` or
    /// `Debug` output contains a secret.
    #[must_use]
    pub fn without_secrets(mut self, secrets: &[&str]) -> Self {
        let inner = self.inner();
        let texts = [Some(&mut inner.message), inner.reason.as_mut(), inner.path.as_mut()];
        for text in texts.into_iter().chain([inner.body.as_mut()]).flatten() {
            if let Cow::Owned(clean) = redact(text, secrets) {
                *text = clean;
            }
        }
        let mut cause = inner.source.as_deref().map(|cause| cause as &dyn StdError);
        let mut shows_secret = false;
        while let Some(shown) = cause {
            let texts = [shown.to_string(), format!("{shown:?}")];
            shows_secret |= texts.iter().any(|text| matches!(redact(text, secrets), Cow::Owned(_)));
            cause = shown.source();
        }
        if shows_secret {
            inner.source = None;
        }
        self
    }

    /// Returns a mutable reference to the details. If a clone shares the details, the details are
    /// copied first.
    fn inner(&mut self) -> &mut Inner {
        Arc::make_mut(&mut self.inner)
    }
}

/// The request is invalid, because an argument is not a valid id, URI or URL.
impl From<ParseIdError> for Error {
    fn from(error: ParseIdError) -> Self {
        Self::bad_request(error.to_string())
    }
}

/// The request is invalid, because an argument is not a country code.
impl From<ParseCountryError> for Error {
    fn from(error: ParseCountryError) -> Self {
        Self::bad_request(error.to_string())
    }
}

/// Returns the path that was called, without the id of a user. If no call was made, returns the
/// path of the operation. Returns `None` if the path of the operation is only a placeholder, for
/// example after [`Request::get`](crate::Request::get).
fn shown_path<'a>(of_operation: &'a str, target: Option<&'a str>) -> Option<Cow<'a, str>> {
    let Some(target) = target.filter(|target| !target.contains('{')) else {
        let says_something = of_operation.matches('/').count() > 1 || !of_operation.contains('{');
        return (says_something && of_operation != "/").then_some(Cow::Borrowed(of_operation));
    };
    let Some(user) = target.strip_prefix("/users/") else { return Some(Cow::Borrowed(target)) };
    let rest = user.find('/').and_then(|end| user.get(end..)).unwrap_or_default();
    Some(Cow::Owned(format!("/users/{{user_id}}{rest}")))
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, message, status, operation, path, target, .. } = &*self.inner;
        let mut text = String::new();
        if let Some(operation) = operation
            && let Some(path) = shown_path(operation.path, target.as_deref())
        {
            text.push_str(&format!("{} {path}: ", operation.method));
        }
        text.push_str(kind.describe());
        if let Some(status) = status {
            text.push_str(&format!(" ({status})"));
        }
        if let Some(path) = path {
            text.push_str(&format!(" at `{path}`"));
        }
        if !message.is_empty() {
            text.push_str(&format!(": {message}"));
        }
        f.write_str(&printable(&text, TEXT))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.inner;
        let mut out = f.debug_struct("Error");
        out.field("kind", &inner.kind).field("message", &inner.message);
        if let Some(operation) = inner.operation {
            out.field("operation", &operation.name);
        }
        if let Some(status) = inner.status {
            out.field("status", &status);
        }
        if let Some(reason) = &inner.reason {
            out.field("reason", reason);
        }
        if let Some(cause) = inner.forbidden_cause {
            out.field("forbidden_cause", &cause);
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
            out.field("source", &printable(&source.to_string(), TEXT));
        }
        out.finish()
    }
}

/// `source` returns `None` if the message of the error already contains the message of its cause.
/// Without this rule, a report that prints all sources would show the same message twice.
/// [`Error::cause`] returns the cause even if `source` does not.
impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let first = self.cause()?;
        let mut chain = Some(first);
        while let Some(source) = chain {
            if self.inner.message.contains(&source.to_string()) {
                return None;
            }
            chain = source.source();
        }
        Some(first)
    }
}
