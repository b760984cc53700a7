use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use serde::de::DeserializeOwned;
use spot_model::Operation;

use crate::{Error, ErrorKind, error::json_path, failure::html_title};

/// A response: the body, the status, the headers, and how the call went.
#[derive(Clone, Debug)]
pub struct Response<T> {
    pub(crate) body: T,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) attempts: u32,
    pub(crate) waited: Duration,
    pub(crate) cached: bool,
}

impl<T> Response<T> {
    /// The answer of a call whose error has a meaning, such as a 404 for an entry that is to be
    /// `None`. It has the status and the attempts of the error, and no headers.
    pub fn of_error(error: &Error, body: T) -> Self {
        Self {
            body,
            status: error.status().unwrap_or_default(),
            headers: HeaderMap::new(),
            attempts: error.attempts(),
            waited: Duration::ZERO,
            cached: false,
        }
    }

    /// The body.
    pub fn body(&self) -> &T {
        &self.body
    }

    /// The body, without the rest.
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

    /// How often the request was sent.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// How long the call waited in all: for the rate limit and between attempts.
    pub fn waited(&self) -> Duration {
        self.waited
    }

    /// Whether it came from the cache, or from an identical call in flight.
    pub fn cached(&self) -> bool {
        self.cached
    }

    /// The same response with another body.
    pub fn map<U>(self, map: impl FnOnce(T) -> U) -> Response<U> {
        let Self { body, status, headers, attempts, waited, cached } = self;
        Response { body: map(body), status, headers, attempts, waited, cached }
    }
}

impl Response<Bytes> {
    /// Decodes the JSON of the body, as [`Pipeline::call_json`](crate::Pipeline::call_json) does.
    /// An error names the operation.
    ///
    /// # Errors
    ///
    /// [`Decode`](ErrorKind::Decode) if the body is not a `T`.
    pub fn json<T: DeserializeOwned>(
        self,
        operation: &'static Operation,
    ) -> Result<Response<T>, Error> {
        let body = decode(&self.body).map_err(|error| self.describe(error, operation))?;
        Ok(self.map(|_| body))
    }

    /// Decodes the JSON of the body. A body without content and status 204 are `None`.
    pub(crate) fn optional_json<T: DeserializeOwned>(
        self,
        operation: &'static Operation,
    ) -> Result<Response<Option<T>>, Error> {
        let body = match self.body.trim_ascii() {
            [] => None,
            _ if self.status == 204 => None,
            body => Some(decode(body).map_err(|error| self.describe(error, operation))?),
        };
        Ok(self.map(|_| body))
    }

    fn describe(&self, error: Error, operation: &'static Operation) -> Error {
        error.with_operation(operation).with_status(self.status).with_attempts(self.attempts)
    }
}

fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    spot_model::from_slice(body).map_err(|error| {
        let text = String::from_utf8_lossy(body);
        let failed = if body.trim_ascii().is_empty() {
            Error::new(ErrorKind::Decode, "the body is empty; expected JSON")
        } else if let Some(title) = html_title(&text) {
            let message = format!("the body is an HTML page, {title:?}; expected JSON");
            Error::new(ErrorKind::Decode, message)
        } else {
            // The path is worked out after the failure, since decoding without it is faster.
            let failed = Error::new(ErrorKind::Decode, error.to_string());
            match json_path::find(body, error.line(), error.column()) {
                Some(path) => failed.with_path(path),
                None => failed,
            }
        };
        failed.with_body(body).with_source(error)
    })
}
