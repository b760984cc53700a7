//! The pipeline: limiter, token, attempts, retries and deadline of each call.

mod budget;
mod builder;
#[cfg(feature = "cache")]
mod cache;
#[cfg(feature = "cache")]
mod cached_call;
mod call;
mod observer;
mod observer_queue;
mod options;
mod shared;
mod trace;
pub(crate) mod user_code;

use std::{fmt, sync::Arc};

use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use spot_model::AccessMode;
use tokio::{runtime::Handle, time::Instant};
use url::Url;

use crate::{
    Error, Limits, Request, Response, TokenSource,
    pipeline::{
        call::Call,
        shared::{Caller, Shared, later},
    },
};

#[cfg(feature = "cache")]
pub use cache::Cache;
pub use {
    builder::PipelineBuilder,
    observer::{Event, Observer},
    observer_queue::ObserverQueue,
    options::CallOptions,
};

/// Sends calls: adds the token, stays below the rate limit, retries requests that are safe to
/// repeat, and enforces the deadline.
///
/// Cloning is cheap. Clones share the token, the connections and the rate limiter.
///
/// ```no_run
/// # async fn example() -> Result<(), spot_http::Error> {
/// use spot_http::{AccessToken, Pipeline, Request};
///
/// let pipeline = Pipeline::builder(AccessToken::new("a token")?).build()?;
/// let response = pipeline.call(Request::get("/me")).await?;
/// println!("{} after {} attempts", response.status(), response.attempts());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Pipeline {
    shared: Arc<Shared>,
    tokens: Arc<dyn TokenSource>,
    access: AccessMode,
}

impl Pipeline {
    /// The base URL of Spotify's Web API, which is the default.
    pub const SPOTIFY: &'static str = "https://api.spotify.com/v1";

    pub(crate) fn new(shared: Shared, tokens: Arc<dyn TokenSource>) -> Self {
        Self { shared: Arc::new(shared), tokens, access: AccessMode::default() }
    }

    /// Creates a builder of a pipeline with this token source.
    pub fn builder(tokens: impl TokenSource) -> PipelineBuilder {
        PipelineBuilder::new(tokens)
    }

    /// Sends a request and returns the response with its body as bytes.
    ///
    /// If you drop the future, Spotify may or may not carry out the request.
    ///
    /// # Errors
    ///
    /// Any response other than 2xx is an error. [`Error::kind`] classifies the error.
    pub async fn call(&self, request: Request) -> Result<Response<Bytes>, Error> {
        request.check()?;
        // Timers and connections panic without a runtime.
        if Handle::try_current().is_err() {
            let message = "the call was made outside of a tokio runtime; make it inside one, or \
                           use the feature `blocking`";
            return Err(Error::configuration(message).with_operation(request.operation()));
        }
        #[cfg(feature = "cache")]
        if let Some(cache) = &self.shared.cache {
            return cached_call::call(&self.caller(), cache, &request).await;
        }
        Call::new(self.caller(), &request).run().await
    }

    /// Sends a request and decodes the JSON of the response.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`call`](Self::call), and [`Decode`](crate::ErrorKind::Decode) if
    /// the response cannot be decoded as `T`.
    pub async fn call_json<T: DeserializeOwned>(
        &self,
        request: Request,
    ) -> Result<Response<T>, Error> {
        let operation = request.operation();
        self.call(request).await?.json(operation)
    }

    /// Sends a request whose response may be empty, and decodes the JSON of the response. Returns
    /// `None` as the body if the status is 204 or the body of the response is empty.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`call_json`](Self::call_json).
    pub async fn call_optional<T: DeserializeOwned>(
        &self,
        request: Request,
    ) -> Result<Response<Option<T>>, Error> {
        let operation = request.operation();
        self.call(request).await?.optional_json(operation)
    }

    /// Sends a command. The body of the response is not decoded, because it may be empty, JSON or
    /// text, even for the same command.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`call`](Self::call), and [`Decode`](crate::ErrorKind::Decode) if
    /// the response is an HTML page, for example the sign-in page of a public network.
    pub async fn call_empty(&self, request: Request) -> Result<Response<()>, Error> {
        let operation = request.operation();
        self.call(request).await?.of_command(operation)
    }

    /// Sends a request to a link and returns the target of the redirect. The request contains no
    /// token, and the redirect is not followed. `None` if the response is not a redirect.
    ///
    /// # Errors
    ///
    /// [`BadRequest`](crate::ErrorKind::BadRequest) if the link is not an `https` URL.
    /// [`Timeout`](crate::ErrorKind::Timeout) or [`Transport`](crate::ErrorKind::Transport) if
    /// there is no response.
    pub async fn redirect_of(&self, link: &str) -> Result<Option<String>, Error> {
        let wrong = || Error::bad_request(format!("the link {link:?} is not an https URL"));
        let url = Url::parse(link).ok().filter(|url| url.scheme() == "https").ok_or_else(wrong)?;
        let request = http::Request::get(url.as_str()).body(Bytes::new()).map_err(|_| wrong())?;
        let start = Instant::now();
        let latest = later(start, self.shared.settings.attempt_timeout);
        let response = self.shared.send(request, latest).await.map_err(Error::transport)?;
        let target = response.headers().get(http::header::LOCATION);
        let target = target.filter(|_| response.status().is_redirection());
        Ok(target.and_then(|target| target.to_str().ok()).map(str::to_owned))
    }

    /// Returns a pipeline for another user of the same application. The new pipeline and the
    /// original pipeline share the connections, the rate limiter, the retry budget, the cache, the
    /// observer and all settings.
    ///
    /// A pipeline is small, so a server may keep one pipeline per session. Spotify counts all calls
    /// of an application together. Pipelines with separate limiters therefore get many more 429
    /// responses than pipelines that share a limiter.
    ///
    /// ```
    /// # fn main() -> Result<(), spot_http::Error> {
    /// use spot_http::{AccessToken, Pipeline};
    ///
    /// let base = Pipeline::builder(AccessToken::new("a token")?).build()?;
    /// let another_user = base.with_tokens(AccessToken::new("another token")?);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn with_tokens(&self, tokens: impl TokenSource) -> Self {
        Self { shared: Arc::clone(&self.shared), tokens: Arc::new(tokens), access: self.access }
    }

    /// Sets the access mode of the application; [`Development`](AccessMode::Development) by
    /// default. The access mode affects the error messages of operations that are available in only
    /// one mode.
    #[must_use]
    pub fn with_access_mode(mut self, mode: AccessMode) -> Self {
        self.access = mode;
        self
    }

    /// The access mode of the application.
    pub fn access_mode(&self) -> AccessMode {
        self.access
    }

    /// Waits until the observer has handled the events of all calls that have ended. If there is no
    /// observer, the method returns immediately.
    ///
    /// Call this method before the program exits, so that no event is lost. In tests, call this
    /// method before you check the received events. The wait has no time limit: use a timeout if
    /// the observer may be slow.
    pub async fn settled(&self) {
        if let Some(observer) = &self.shared.observer {
            observer.settled().await;
        }
    }

    fn caller(&self) -> Caller<'_> {
        Caller { shared: &self.shared, tokens: &*self.tokens, access: self.access }
    }

    /// Returns a snapshot of the limiter's state: the rate limit, the number of calls that count
    /// against the rate limit, and the paused operations. Show the snapshot on a dashboard, or save
    /// it for the next run.
    pub fn limits(&self) -> Limits {
        self.shared.limiter.limits()
    }

    /// The base URL of all calls.
    pub fn base_url(&self) -> &str {
        &self.shared.settings.base_url
    }

    /// Returns the part of a link after the base URL: the path and the query. Returns `None` if the
    /// link has another origin than the base URL, or may lead outside the path of the base URL. A
    /// request to such a link must not contain the token. The method treats escaped dots and
    /// slashes like unescaped dots and slashes, because a server may decode them.
    pub fn path_of(&self, link: &str) -> Option<String> {
        // Parsing resolves `.` and `..` in the same way as the transport, even if they are escaped.
        let (base, link) = (Url::parse(self.base_url()).ok()?, Url::parse(link).ok()?);
        let path = link.path().strip_prefix(base.path().trim_end_matches('/'))?;
        let decoded = percent_decode_str(path).decode_utf8_lossy();
        let leads_up = decoded.split(['/', '\\']).any(|segment| segment == "..");
        if link.origin() != base.origin() || !path.starts_with('/') || leads_up {
            return None;
        }
        let query = link.query().map(|query| format!("?{query}")).unwrap_or_default();
        Some(format!("{path}{query}"))
    }
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Pipeline");
        out.field("base_url", &self.shared.settings.base_url);
        out.field("tokens", &self.tokens).finish_non_exhaustive()
    }
}
