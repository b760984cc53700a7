use std::time::Duration;

use http::HeaderMap;

/// An answer with all that is known of it.
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

    /// How long the call waited before its attempts: for the rate gate, and between attempts.
    pub fn waited(&self) -> Duration {
        self.waited
    }

    /// Whether it came from the cache, or with another call that asked the same.
    pub fn cached(&self) -> bool {
        self.cached
    }

    /// The same answer with another body.
    pub fn map<U>(self, map: impl FnOnce(T) -> U) -> Response<U> {
        let Self { body, status, headers, attempts, waited, cached } = self;
        Response { body: map(body), status, headers, attempts, waited, cached }
    }

    pub(crate) fn try_map<U, E>(
        self,
        map: impl FnOnce(T) -> Result<U, E>,
    ) -> Result<Response<U>, E> {
        let Self { body, status, headers, attempts, waited, cached } = self;
        Ok(Response { body: map(body)?, status, headers, attempts, waited, cached })
    }
}
