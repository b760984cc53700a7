use std::{borrow::Cow, fmt, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, header};
use serde::de::DeserializeOwned;
use serde_json::{Value, error::Category};
use spot_model::Operation;

use crate::{
    AccessToken, Error, ErrorKind,
    error::json_path,
    failure::{Refusal, html_title, redact, start_of},
};

/// Number of bytes at the start of a body that are checked for an HTML page.
const START: usize = 16 * 1024;

/// A response: the body, the status, the headers, and facts about the call, such as the number of
/// attempts.
#[derive(Clone)]
pub struct Response<T> {
    pub(crate) body: T,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) attempts: u32,
    pub(crate) waited: Duration,
    pub(crate) cached: bool,
    /// The token of the request. Error messages redact the token, because a response may repeat it.
    pub(crate) token: Option<AccessToken>,
}

impl<T> Response<T> {
    /// Converts an error into a response with the given body. Use this function if an error, for
    /// example a 404, is a normal result for the caller. The status and the number of attempts are
    /// copied from the error. The response has no headers.
    pub fn of_error(error: &Error, body: T) -> Self {
        Self {
            body,
            status: error.status().unwrap_or_default(),
            headers: HeaderMap::new(),
            attempts: error.attempts(),
            waited: Duration::ZERO,
            cached: false,
            token: None,
        }
    }

    /// The body.
    pub fn body(&self) -> &T {
        &self.body
    }

    /// Returns the body and drops the rest of the response.
    pub fn into_body(self) -> T {
        self.body
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Number of times the request was sent.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Total time that the call waited for the rate limit and between attempts.
    pub fn waited(&self) -> Duration {
        self.waited
    }

    /// Whether the response came from the cache, or from an identical call that ran at the same
    /// time.
    pub fn cached(&self) -> bool {
        self.cached
    }

    /// Converts the body with `map`. The rest of the response stays the same.
    pub fn map<U>(self, map: impl FnOnce(T) -> U) -> Response<U> {
        let Self { body, status, headers, attempts, waited, cached, token } = self;
        Response { body: map(body), status, headers, attempts, waited, cached, token }
    }
}

impl Response<Bytes> {
    /// Decodes the JSON of the body, as [`Pipeline::call_json`](crate::Pipeline::call_json) does.
    /// If decoding fails, the error names the operation.
    ///
    /// # Errors
    ///
    /// [`Decode`](ErrorKind::Decode) if the body cannot be decoded as `T`.
    pub fn json<T: DeserializeOwned>(
        self,
        operation: &'static Operation,
    ) -> Result<Response<T>, Error> {
        let body =
            decode(&self.body, self.secret()).map_err(|error| self.describe(error, operation))?;
        Ok(self.map(|_| body))
    }

    /// Decodes the JSON of the body. Returns `None` for an empty body and for status 204.
    pub(crate) fn optional_json<T: DeserializeOwned>(
        self,
        operation: &'static Operation,
    ) -> Result<Response<Option<T>>, Error> {
        let body = match self.body.trim_ascii() {
            [] => None,
            _ if self.status == 204 => None,
            body => {
                let decoded = decode(body, self.secret());
                Some(decoded.map_err(|error| self.describe(error, operation))?)
            }
        };
        Ok(self.map(|_| body))
    }

    /// Returns the response of a command without the body. Returns an error if the body is an HTML
    /// page. A network that requires a sign-in responds to every request with an HTML page and
    /// status 200.
    pub(crate) fn of_command(self, operation: &'static Operation) -> Result<Response<()>, Error> {
        let kind = self.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let is_html = kind.is_some_and(|kind| {
            let kind = kind.split(';').next().unwrap_or_default().trim();
            kind.eq_ignore_ascii_case("text/html")
                || kind.eq_ignore_ascii_case("application/xhtml+xml")
        });
        let start = String::from_utf8_lossy(self.body.get(..START).unwrap_or(&self.body));
        let has_content = !self.body.trim_ascii().is_empty();
        let title = match html_title(&start) {
            None if is_html && has_content => Some(String::new()),
            title => title,
        };
        match title {
            Some(title) => {
                let body = redact(&start, &[self.secret()]);
                let message = format!(
                    "the response is an HTML page titled {title:?}; the request did not reach \
                     Spotify"
                );
                let error = Error::new(ErrorKind::Decode, redact(&message, &[self.secret()]));
                Err(self.describe(error.with_body(body.as_bytes()), operation))
            }
            None => Ok(self.map(drop)),
        }
    }

    fn secret(&self) -> &str {
        self.token.as_ref().map_or("", AccessToken::expose)
    }

    fn describe(&self, error: Error, operation: &'static Operation) -> Error {
        error.with_operation(operation).with_status(self.status).with_attempts(self.attempts)
    }
}

fn decode<T: DeserializeOwned>(body: &[u8], secret: &str) -> Result<T, Error> {
    let failed = match spot_model::from_slice(body) {
        Ok(_) if says_error(body) => None,
        Ok(value) => return Ok(value),
        Err(error) => Some(error),
    };
    // The error quotes the beginning of the body. The token is removed before the text is
    // truncated, so that no part of the token remains.
    let text = String::from_utf8_lossy(body);
    let clean = redact(&text, &[secret]);
    let failed = match (failed, &clean) {
        (Some(_), Cow::Owned(clean)) => spot_model::from_slice::<T>(clean.as_bytes()).err(),
        (failed, _) => failed,
    };
    let start = start_of(&clean, START);
    Err(undecoded(clean.as_bytes(), start, failed).with_body(start.as_bytes()))
}

/// Creates the error for a body that cannot be decoded.
fn undecoded(body: &[u8], start: &str, error: Option<serde_json::Error>) -> Error {
    let failed = |message: &str| Error::new(ErrorKind::Decode, message);
    if body.trim_ascii().is_empty() {
        return failed("the body is empty; expected JSON");
    }
    if let Some(title) = html_title(start) {
        return failed(&format!("the body is an HTML page titled {title:?}; expected JSON"));
    }
    let Some(error) = error else {
        let message = Refusal::read(body).message;
        return failed(&format!(
            "the body contains an error, although the status means success: {message}"
        ));
    };
    // The path is computed only after a failure, because tracking the path slows down decoding.
    let path = json_path::find(body, error.line(), error.column());
    let failed = match error.classify() {
        Category::Eof => failed(&format!("the body ends early: {error}")),
        Category::Syntax => failed(&format!("the body is not JSON: {error}")),
        Category::Data | Category::Io => match unusable_field(body, path.as_deref(), &error) {
            Some(message) => failed(&message),
            None => failed(&error.to_string()),
        },
    };
    let failed = match path {
        Some(path) => failed.with_path(path),
        None => failed,
    };
    failed.with_source(error)
}

/// Returns the message for a field with a value of the wrong type. Decoding treats a field with a
/// value of the wrong type as absent. Therefore the error of `serde_json` says that the field is
/// missing.
fn unusable_field(body: &[u8], path: Option<&str>, error: &serde_json::Error) -> Option<String> {
    let error = error.to_string();
    let name = error.strip_prefix("missing field `")?.split('`').next()?;
    let mut object = &serde_json::from_slice::<Value>(body).ok()?;
    for part in path.unwrap_or_default().split(['.', '[']).filter(|part| !part.is_empty()) {
        object = match part.strip_suffix(']') {
            Some(index) => object.get(index.parse::<usize>().ok()?)?,
            None => object.get(part)?,
        };
    }
    let kind = match object.get(name)? {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string in an unexpected format",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    Some(format!("field `{name}` is {kind}, which the documentation of the API does not allow"))
}

/// Whether the body is an error of the API: an object whose first field is `error`. Most models
/// would accept the body of an error, because all of their fields are optional.
fn says_error(body: &[u8]) -> bool {
    let object = body.trim_ascii_start().strip_prefix(b"{");
    object.is_some_and(|object| object.trim_ascii_start().starts_with(b"\"error\""))
}

impl<T: fmt::Debug> fmt::Debug for Response<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secret = self.token.as_ref().map_or("", AccessToken::expose);
        let shown = |value: &dyn fmt::Debug| redact(&format!("{value:?}"), &[secret]).into_owned();
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("headers", &format_args!("{}", shown(&self.headers)))
            .field("body", &format_args!("{}", shown(&self.body)))
            .field("attempts", &self.attempts)
            .field("waited", &self.waited)
            .field("cached", &self.cached)
            .finish()
    }
}
