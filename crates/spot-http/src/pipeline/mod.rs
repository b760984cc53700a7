//! How a call gets there and back.

mod budget;
mod builder;
#[cfg(feature = "cache")]
mod cache;
mod call;
mod observer;
mod options;
mod retry;
mod trace;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use http::HeaderValue;
use serde::de::DeserializeOwned;
use spot_model::Operation;
use url::Url;

use crate::{
    Error, ErrorKind, RateLimitState, Request, Response, TokenSource, Transport,
    error::{html_title, json_path},
    pipeline::{budget::Budget, builder::Settings, call::Call},
    rate_limit::Gate,
};

#[cfg(feature = "cache")]
pub use cache::Cache;
pub use {
    builder::PipelineBuilder,
    observer::{Event, Observer},
    options::CallOptions,
};

/// Sends calls: with a token, through the rate gate, again if that helps and harms nobody, and not
/// for longer than the deadline.
///
/// Cloning is cheap; clones share the token, the connections and the gate.
///
/// ```no_run
/// # async fn example() -> Result<(), spot_http::Error> {
/// use spot_http::{AccessToken, Pipeline, Request};
///
/// let pipeline = Pipeline::builder(AccessToken::new("a token")?).build()?;
/// let answer = pipeline.call(Request::get("/me")).await?;
/// println!("{} after {} attempts", answer.status(), answer.attempts());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Pipeline {
    inner: Arc<Inner>,
}

/// What the clones of a pipeline share.
pub(crate) struct Inner {
    pub(crate) tokens: Box<dyn TokenSource>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) gate: Gate,
    pub(crate) budget: Budget,
    pub(crate) random: Mutex<fastrand::Rng>,
    pub(crate) observer: Option<Box<dyn Observer>>,
    #[cfg(feature = "cache")]
    pub(crate) cache: Option<Cache>,
    pub(crate) origin: url::Origin,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) accept_language: Option<HeaderValue>,
    pub(crate) settings: Settings,
}

impl Inner {
    /// A number from 0 to 1, by which waits differ.
    pub(crate) fn chance(&self) -> f64 {
        self.random.lock().unwrap_or_else(PoisonError::into_inner).f64()
    }

    /// Tells the observer, if there is one.
    pub(crate) fn observe<'a>(&self, event: impl FnOnce() -> Event<'a>) {
        if let Some(observer) = &self.observer {
            observer.event(&event());
        }
    }
}

impl Pipeline {
    /// Where calls go unless the builder says otherwise.
    pub const SPOTIFY: &'static str = "https://api.spotify.com/v1";

    #[cfg(feature = "cache")]
    pub(crate) fn inner(&self) -> &Inner {
        &self.inner
    }

    pub(crate) fn new(inner: Inner) -> Self {
        Self { inner: Arc::new(inner) }
    }

    /// A pipeline with the given source of tokens.
    pub fn builder(tokens: impl TokenSource) -> PipelineBuilder {
        PipelineBuilder::new(tokens)
    }

    /// Sends a request and gives the answer as it came.
    ///
    /// Dropping the future is safe at any time; whether the request was carried out is not known
    /// then.
    ///
    /// # Errors
    ///
    /// Everything but an answer of 2xx.
    pub async fn call(&self, request: Request) -> Result<Response<Bytes>, Error> {
        request.check()?;
        #[cfg(feature = "cache")]
        if let Some(cache) = &self.inner.cache {
            return cache.call(self, &request).await;
        }
        Call::new(&self.inner, &request).run().await
    }

    /// Sends a request and decodes the answer.
    ///
    /// # Errors
    ///
    /// [`Decode`](ErrorKind::Decode) with the place and the beginning of the answer, if that is not a
    /// `T`; else as [`call`](Self::call).
    pub async fn call_json<T: DeserializeOwned>(
        &self,
        request: Request,
    ) -> Result<Response<T>, Error> {
        let operation = request.operation();
        self.call(request).await?.json(operation)
    }

    /// Sends a request whose answer may be missing: 204, or a body of nothing.
    ///
    /// # Errors
    ///
    /// As [`call_json`](Self::call_json).
    pub async fn call_optional<T: DeserializeOwned>(
        &self,
        request: Request,
    ) -> Result<Response<Option<T>>, Error> {
        let operation = request.operation();
        let answer = self.call(request).await?;
        let (status, attempts) = (answer.status, answer.attempts);
        let decode = |body: Bytes| match body.trim_ascii() {
            [] => Ok(None),
            _ if status == 204 => Ok(None),
            body => decode(body).map(Some),
        };
        answer.try_map(decode).map_err(|error| {
            error.with_operation(operation).with_status(status).with_attempts(attempts)
        })
    }

    /// Sends a command. Its success is the status; what comes with it is not read, since Spotify
    /// answers nothing, JSON or text as it likes.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub async fn call_empty(&self, request: Request) -> Result<Response<()>, Error> {
        Ok(self.call(request).await?.map(drop))
    }

    /// What is known of Spotify's limits now: to be shown, or to be kept for the next run.
    pub fn rate_limit(&self) -> RateLimitState {
        self.inner.gate.save()
    }

    /// Where calls go.
    pub fn base_url(&self) -> &str {
        &self.inner.settings.base_url
    }

    /// Whether a link leads to where calls go, so that the token may go there too.
    pub fn same_origin(&self, link: &str) -> bool {
        Url::parse(link).is_ok_and(|link| link.origin() == self.inner.origin)
    }
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Pipeline");
        out.field("base_url", &self.inner.settings.base_url);
        out.field("tokens", &self.inner.tokens).finish_non_exhaustive()
    }
}

impl Response<Bytes> {
    /// Decodes the answer to a call, as [`call_json`](Pipeline::call_json) does: for those who have
    /// something to do between the two.
    ///
    /// # Errors
    ///
    /// [`Decode`](ErrorKind::Decode) of the operation that was called, if the answer is not a `T`.
    pub fn json<T: DeserializeOwned>(
        self,
        operation: &'static Operation,
    ) -> Result<Response<T>, Error> {
        let (status, attempts) = (self.status, self.attempts);
        self.try_map(|body| decode(&body)).map_err(|error| {
            error.with_operation(operation).with_status(status).with_attempts(attempts)
        })
    }
}

fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    spot_model::from_slice(body).map_err(|error| {
        let text = String::from_utf8_lossy(body);
        let failed = if body.trim_ascii().is_empty() {
            Error::new(ErrorKind::Decode, "it is empty")
        } else if let Some(title) = html_title(&text) {
            Error::new(ErrorKind::Decode, format!("it is a page of HTML, not JSON: {title:?}"))
        } else {
            // Only now is it worth finding out where.
            let failed = Error::new(ErrorKind::Decode, error.to_string());
            match json_path::find(body, error.line(), error.column()) {
                Some(place) => failed.with_path(place),
                None => failed,
            }
        };
        failed.with_body(body).with_source(error)
    })
}
