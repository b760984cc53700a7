//! The builder of a pipeline.

use std::{
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

use http::HeaderValue;
use url::Url;

#[cfg(feature = "cache")]
use crate::Cache;
use crate::{
    Error, LocalLimiter, Observer, Pipeline, RateLimit, RateLimiter, TokenSource, Transport,
    failure::{Backoff, Jitter, random_number},
    pipeline::{
        budget::Budget,
        observer_queue::ObserverQueue,
        shared::{Settings, Shared},
    },
};

/// Builder of a [`Pipeline`].
#[must_use = "a builder does nothing until `build` is called"]
pub struct PipelineBuilder {
    tokens: Arc<dyn TokenSource>,
    transport: Option<Arc<dyn Transport>>,
    proxy: Option<String>,
    observer: Option<ObserverQueue>,
    #[cfg(feature = "cache")]
    cache: Option<Cache>,
    accept_language: Option<String>,
    limiter: Limiter,
    retry_budget: Option<u32>,
    random: Jitter,
    settings: Settings,
}

/// The rate limiter of the pipeline to build.
enum Limiter {
    Local(RateLimit),
    Given(Arc<dyn RateLimiter>),
}

impl PipelineBuilder {
    pub(crate) fn new(tokens: impl TokenSource) -> Self {
        Self {
            tokens: Arc::new(tokens),
            transport: None,
            proxy: None,
            observer: None,
            #[cfg(feature = "cache")]
            cache: None,
            accept_language: None,
            limiter: Limiter::Local(RateLimit::learned()),
            retry_budget: Some(500),
            random: Jitter::new(random_number()),
            settings: Settings {
                base_url: Pipeline::SPOTIFY.to_owned(),
                attempts: 3,
                attempt_timeout: Duration::from_secs(15),
                deadline: Duration::from_secs(60),
                max_wait: Duration::from_secs(60),
                backoff: Backoff::default(),
            },
        }
    }

    /// Sets the transport. The default is a [`ReqwestTransport`](crate::ReqwestTransport).
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// Sets the proxy of the default transport. The URL includes the scheme:
    /// `http://user:password@localhost:8080`. By default, environment variables such as
    /// `HTTPS_PROXY` set the proxy.
    pub fn proxy(mut self, url: &str) -> Self {
        self.proxy = Some(url.to_owned());
        self
    }

    /// Sets the base URL, including the version. The default is `https://api.spotify.com/v1`.
    pub fn base_url(mut self, base_url: &str) -> Self {
        base_url.trim_end_matches('/').clone_into(&mut self.settings.base_url);
        self
    }

    /// Sets the preferred languages for names, as a value of the header `Accept-Language`.
    pub fn accept_language(mut self, languages: &str) -> Self {
        self.accept_language = Some(languages.to_owned());
        self
    }

    /// Sets the maximum number of attempts of a call; 3 by default.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.settings.attempts = attempts;
        self
    }

    /// Sets the time limit of an attempt; 15 s by default.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.settings.attempt_timeout = timeout;
        self
    }

    /// Sets the time limit of a call; 60 s by default. The time limit covers the time in the queue,
    /// the wait for the token, all attempts, and the waits between attempts.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.settings.deadline = deadline;
        self
    }

    /// Sets the longest time that a call may wait for the rate limit or for its next attempt; 60 s
    /// by default. A call that would have to wait longer than `max_wait` fails immediately.
    pub fn max_wait(mut self, max_wait: Duration) -> Self {
        self.settings.max_wait = max_wait;
        self
    }

    /// Sets the maximum length of the random waits between attempts. The maximum wait after the
    /// first attempt is `base`. With each further attempt, the maximum wait doubles, up to `cap`.
    /// By default, `base` is 0.5 s and `cap` is 20 s.
    pub fn backoff(mut self, base: Duration, cap: Duration) -> Self {
        self.settings.backoff = Backoff::new(base, cap);
        self
    }

    /// Sets the rate limit. By default, the limiter learns Spotify's limit from 429 responses.
    pub fn rate_limit(mut self, limit: RateLimit) -> Self {
        self.limiter = Limiter::Local(limit);
        self
    }

    /// Sets the limiter, to share it between pipelines or to use another implementation. Replaces
    /// [`rate_limit`](Self::rate_limit).
    pub fn rate_limiter(mut self, limiter: impl RateLimiter) -> Self {
        self.limiter = Limiter::Given(Arc::new(limiter));
        self
    }

    /// Sets the retry budget: a number of points that all calls share. The default is 500, and
    /// `None` means no limit. A retry costs 5 points after a 429, and 14 points after any other
    /// failure. If the retry succeeds, the budget gets these points back. A call that succeeds
    /// without a retry adds 1 point to the budget. If the budget contains fewer points than a retry
    /// costs, the failed call is not retried.
    pub fn retry_budget(mut self, tokens: impl Into<Option<u32>>) -> Self {
        self.retry_budget = tokens.into();
        self
    }

    /// Sets the random seed for the jitter of the waits, so that tests are reproducible.
    pub fn seed(mut self, seed: u64) -> Self {
        self.random = Jitter::new(seed);
        self
    }

    /// Sets the observer, which receives the events of calls. The observer runs on a separate
    /// thread.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observer = Some(ObserverQueue::new(observer));
        self
    }

    /// Sets the cache of responses. By default, the pipeline has no cache.
    #[cfg(feature = "cache")]
    pub fn cache(mut self, cache: Cache) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Builds the pipeline.
    ///
    /// # Errors
    ///
    /// [`Configuration`](crate::ErrorKind::Configuration) if the base URL or a header is malformed,
    /// or if there is no transport.
    pub fn build(self) -> Result<Pipeline, Error> {
        let base = &self.settings.base_url;
        let shown = without_user_info(base);
        let base_url = Url::parse(base).map_err(|error| {
            let why = match error {
                url::ParseError::RelativeUrlWithoutBase => {
                    "the URL has no scheme; start the URL with https://".to_owned()
                }
                error => error.to_string(),
            };
            Error::configuration(format!("`base_url` is {shown:?}: {why}"))
        })?;
        if !base_url.username().is_empty() || base_url.password().is_some() {
            let message =
                format!("`base_url` must not contain a user name or a password: {shown:?}");
            return Err(Error::configuration(message));
        }
        if base_url.query().is_some() || base_url.fragment().is_some() {
            let message = "`base_url` must not have a query or a fragment";
            return Err(Error::configuration(message));
        }
        if !matches!(base_url.scheme(), "http" | "https") {
            let message = format!("`base_url` is {shown:?}; expected http or https as the scheme");
            return Err(Error::configuration(message));
        }
        let accept_language = self.accept_language.map(|languages| {
            HeaderValue::try_from(&languages).map_err(|_| {
                Error::configuration(format!(
                    "`accept_language` is {languages:?}; expected a header value, such as \
                     \"de, en\""
                ))
            })
        });
        let transport = match (self.transport, self.proxy) {
            (Some(_), Some(_)) => {
                let message = "`proxy` applies only to the default transport; set the proxy on your own \
                               transport";
                return Err(Error::configuration(message));
            }
            (Some(transport), None) => transport,
            (None, proxy) => default_transport(proxy.as_deref())?,
        };
        let limiter = match self.limiter {
            Limiter::Local(limit) => Arc::new(LocalLimiter::new(&limit)),
            Limiter::Given(limiter) => limiter,
        };
        let shared = Shared {
            transport,
            limiter,
            budget: Budget::new(self.retry_budget),
            random: Mutex::new(self.random),
            observer: self.observer,
            #[cfg(feature = "cache")]
            cache: self.cache,
            host: base_url.host_str().unwrap_or_default().to_owned(),
            port: base_url.port_or_known_default().unwrap_or_default(),
            accept_language: accept_language.transpose()?,
            settings: self.settings,
        };
        Ok(Pipeline::new(shared, self.tokens))
    }
}

#[cfg(feature = "reqwest")]
fn default_transport(proxy: Option<&str>) -> Result<Arc<dyn Transport>, Error> {
    let transport = crate::ReqwestTransport::builder();
    let transport = match proxy {
        Some(url) => transport.proxy(url),
        None => transport,
    };
    Ok(Arc::new(transport.build()?))
}

#[cfg(not(feature = "reqwest"))]
fn default_transport(_proxy: Option<&str>) -> Result<Arc<dyn Transport>, Error> {
    Err(Error::configuration(
        "there is no transport: set one with `transport`, or enable the feature `rustls` or \
         `native-tls`",
    ))
}

/// Removes user name and password from a URL, for messages. The URL may be invalid.
fn without_user_info(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let mark = if scheme.is_empty() { "" } else { "://" };
    match rest.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}{mark}<redacted>@{host}"),
        None => url.to_owned(),
    }
}

impl fmt::Debug for PipelineBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("PipelineBuilder");
        let base_url = without_user_info(&self.settings.base_url);
        out.field("tokens", &self.tokens).field("base_url", &base_url);
        out.field("settings", &self.settings).finish_non_exhaustive()
    }
}
