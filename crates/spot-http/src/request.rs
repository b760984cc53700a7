//! A call as plain data.

use std::{
    fmt,
    fmt::{Display, Write},
};

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use spot_model::{Method, Operation};

use crate::{CallOptions, Error};

/// Characters to escape in a path segment: all except the unreserved characters.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Characters to escape in an entry of a list in a query. Colons are not escaped, because every
/// Spotify URI contains them.
const ENTRY: &AsciiSet = &SEGMENT.remove(b':');

/// Characters to escape in the value of a query parameter.
const VALUE: &AsciiSet = &ENTRY.remove(b',');

/// A call as plain data: operation, path, query, body. Creating a request sends nothing.
///
/// If the path, a parameter or the body is invalid, the request fails when it is sent.
///
/// ```
/// use spot_http::Request;
/// use spot_model::Operation;
///
/// let request = Request::new(Operation::GET_ARTIST_ALBUMS)
///     .path("id", "spotmockArtist00000001")
///     .query_list("include_groups", ["album", "single"])
///     .query("limit", 10);
/// assert_eq!(
///     request.path_and_query(),
///     "/artists/spotmockArtist00000001/albums?include_groups=album,single&limit=10"
/// );
/// ```
#[derive(Clone)]
pub struct Request {
    operation: &'static Operation,
    path: String,
    query: String,
    body: Option<Body>,
    options: CallOptions,
    /// Error to return instead of sending the request.
    deferred_error: Option<Error>,
}

/// The body of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Body {
    /// Media type.
    pub content_type: &'static str,
    /// The data.
    pub data: Bytes,
}

impl Request {
    /// Creates a request for an operation. Set every path parameter with [`path`](Self::path).
    pub fn new(operation: &'static Operation) -> Self {
        // Reserves capacity for ids, which are longer than the parameter names that they replace.
        let mut path = String::with_capacity(operation.path.len() + 24);
        path.push_str(operation.path);
        Self {
            operation,
            path,
            query: String::new(),
            body: None,
            options: CallOptions::new(),
            deferred_error: None,
        }
    }

    /// Creates a `GET` request, for endpoints that have no [`Operation`] in this SDK. The path and
    /// the query are relative to the base URL.
    pub fn get(path_and_query: &str) -> Self {
        const GET: &Operation = &Operation::custom(Method::Get, "/{path}");
        Self::at(GET, path_and_query)
    }

    /// Creates a `PUT` request. For the path, see [`get`](Self::get).
    pub fn put(path_and_query: &str) -> Self {
        const PUT: &Operation = &Operation::custom(Method::Put, "/{path}");
        Self::at(PUT, path_and_query)
    }

    /// Creates a `POST` request. For the path, see [`get`](Self::get).
    pub fn post(path_and_query: &str) -> Self {
        const POST: &Operation = &Operation::custom(Method::Post, "/{path}");
        Self::at(POST, path_and_query)
    }

    /// Creates a `DELETE` request. For the path, see [`get`](Self::get).
    pub fn delete(path_and_query: &str) -> Self {
        const DELETE: &Operation = &Operation::custom(Method::Delete, "/{path}");
        Self::at(DELETE, path_and_query)
    }

    /// Creates a request for an operation. `path_and_query` is relative to the base URL. Use this
    /// function for links from responses.
    pub fn at(operation: &'static Operation, path_and_query: &str) -> Self {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let slash = if path.starts_with('/') { "" } else { "/" };
        Self { path: format!("{slash}{path}"), query: query.to_owned(), ..Self::new(operation) }
    }

    /// Creates a request that fails with this error instead of being sent.
    pub fn failed(error: Error) -> Self {
        const NONE: &Operation = &Operation::custom(Method::Get, "/");
        let operation = error.operation().unwrap_or(NONE);
        Self { deferred_error: Some(error), ..Self::new(operation) }
    }

    /// Sets a parameter of the path. The value is escaped, so that it stays one segment of the
    /// path.
    #[must_use]
    pub fn path(mut self, name: &str, value: impl Display) -> Self {
        let Some((start, end)) = self.placeholder(name) else {
            // The path has no parameter with this name. This function does not use the value. An
            // empty value is an error nevertheless.
            return if value.to_string().is_empty() { self.empty(name) } else { self };
        };
        let rest = self.path.split_off(end);
        self.path.truncate(start);
        // Writing to a string does not fail.
        let _ = write!(Escaped { out: &mut self.path, set: SEGMENT }, "{value}");
        let segment = self.path.get(start..).unwrap_or_default();
        if segment.is_empty() {
            self.path.push_str(&format!("{{{name}}}{rest}"));
            return self.empty(name);
        }
        // The segments `.` and `..` would be resolved as relative paths, so their dots are escaped.
        if segment.bytes().all(|byte| byte == b'.') {
            let dots = segment.replace('.', "%2E");
            self.path.truncate(start);
            self.path.push_str(&dots);
        }
        self.path.push_str(&rest);
        self
    }

    /// Returns the range of a parameter in the path, including its braces.
    fn placeholder(&self, name: &str) -> Option<(usize, usize)> {
        let mut braces = self.path.match_indices('{');
        braces.find_map(|(start, _)| {
            let rest = self.path.get(start + 1..)?.strip_prefix(name)?.strip_prefix('}')?;
            Some((start, self.path.len() - rest.len()))
        })
    }

    fn empty(self, name: &str) -> Self {
        self.or_deferred_error(format!("`{name}` is empty"))
    }

    /// Adds a parameter to the query.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl Display) -> Self {
        self.push(name);
        // Writing to a string does not fail.
        let _ = write!(Escaped { out: &mut self.query, set: VALUE }, "{value}");
        self
    }

    /// Adds a parameter to the query if there is a value.
    #[must_use]
    pub fn query_opt(self, name: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// Replaces all values of a query parameter with `value`. If `value` is `None`, the method
    /// removes the parameter.
    #[must_use]
    pub fn replace_query(mut self, name: &str, value: Option<impl Display>) -> Self {
        let mut rest = String::with_capacity(self.query.len() + 16);
        for pair in self.query.split('&').filter(|pair| !is_named(pair, name)) {
            if !rest.is_empty() {
                rest.push('&');
            }
            rest.push_str(pair);
        }
        self.query = rest;
        self.query_opt(name, value)
    }

    /// Adds a list to the query, with commas between the entries. If the list is empty, nothing is
    /// added.
    #[must_use]
    pub fn query_list(
        mut self,
        name: &str,
        entries: impl IntoIterator<Item = impl Display>,
    ) -> Self {
        let before = self.query.len();
        self.push(name);
        let start = self.query.len();
        for entry in entries {
            if self.query.len() > start {
                self.query.push(',');
            }
            // Writing to a string does not fail.
            let _ = write!(Escaped { out: &mut self.query, set: ENTRY }, "{entry}");
        }
        if self.query.len() == start {
            self.query.truncate(before);
        }
        self
    }

    /// Appends the name of a parameter to the query. The caller then appends the value.
    fn push(&mut self, name: &str) {
        if !self.query.is_empty() {
            self.query.push('&');
        }
        self.query.extend(utf8_percent_encode(name, SEGMENT));
        self.query.push('=');
    }

    /// Sets the body to a value that is serialised as JSON.
    #[must_use]
    pub fn json(self, value: &(impl Serialize + ?Sized)) -> Self {
        match serde_json::to_vec(value) {
            Ok(data) => self.with_body("application/json", data),
            Err(error) => {
                self.or_deferred_error(format!("the body cannot be serialized as JSON: {error}"))
            }
        }
    }

    /// Sets the body.
    #[must_use]
    pub fn with_body(mut self, content_type: &'static str, data: impl Into<Bytes>) -> Self {
        self.body = Some(Body { content_type, data: data.into() });
        self
    }

    /// Sets the options of this call.
    #[must_use]
    pub fn with_options(mut self, options: CallOptions) -> Self {
        self.options = options;
        self
    }

    /// Stores an error to report when the request is sent. Only the first error is stored.
    fn or_deferred_error(mut self, message: String) -> Self {
        let operation = self.operation;
        let error = || Error::bad_request(message).with_operation(operation);
        self.deferred_error.get_or_insert_with(error);
        self
    }

    /// The operation.
    pub fn operation(&self) -> &'static Operation {
        self.operation
    }

    /// The path below the base URL, with the query.
    pub fn path_and_query(&self) -> String {
        if self.query.is_empty() {
            self.path.clone()
        } else {
            format!("{}?{}", self.path, self.query)
        }
    }

    /// The path below the base URL, without the query.
    pub fn url_path(&self) -> &str {
        &self.path
    }

    /// Returns the percent-encoded value of a query parameter. `None` if the request has no such
    /// parameter.
    pub fn query_value(&self, name: &str) -> Option<&str> {
        let pair = self.query.split('&').find(|pair| is_named(pair, name))?;
        Some(pair.split_once('=').map_or("", |(_, value)| value))
    }

    /// Returns the full URL.
    pub(crate) fn url(&self, base: &str) -> String {
        let mut url = String::with_capacity(base.len() + self.path.len() + self.query.len() + 1);
        url.push_str(base);
        url.push_str(&self.path);
        if !self.query.is_empty() {
            url.push('?');
            url.push_str(&self.query);
        }
        url
    }

    /// The body, if there is one.
    pub fn body(&self) -> Option<&Body> {
        self.body.as_ref()
    }

    /// The options of this call.
    pub fn options(&self) -> &CallOptions {
        &self.options
    }

    /// Checks that the request can be sent.
    ///
    /// # Errors
    ///
    /// [`BadRequest`](crate::ErrorKind::BadRequest) if a path parameter is missing or empty, or if
    /// the body cannot be serialised as JSON. If the request was created with
    /// [`Request::failed`](Self::failed), fails with the error that was passed to that function.
    pub fn check(&self) -> Result<(), Error> {
        if let Some(error) = &self.deferred_error {
            return Err(error.clone().with_operation(self.operation));
        }
        if let Some((_, rest)) = self.path.split_once('{') {
            let name = rest.split('}').next().unwrap_or(rest);
            let error = Error::bad_request(format!(
                "the path parameter `{name}` is missing; set it with `Request::path`"
            ));
            return Err(error.with_operation(self.operation));
        }
        Ok(())
    }
}

/// Whether a pair of the form `name=value` sets the parameter `name`.
fn is_named(pair: &str, name: &str) -> bool {
    pair.split('=').next() == Some(name)
}

/// A writer that escapes its input without an intermediate string.
struct Escaped<'a> {
    out: &'a mut String,
    /// Characters to escape.
    set: &'static AsciiSet,
}

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.out.extend(utf8_percent_encode(text, self.set));
        Ok(())
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Request");
        out.field("call", &format_args!("{} {}", self.operation.method, self.path_and_query()));
        if let Some(body) = &self.body {
            out.field("content_type", &body.content_type).field("bytes", &body.data.len());
        }
        if let Some(error) = &self.deferred_error {
            out.field("error", &error.message());
        }
        out.finish_non_exhaustive()
    }
}
