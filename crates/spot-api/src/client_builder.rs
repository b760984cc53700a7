//! The builder of a client.

use std::time::Duration;

use spot_http::{
    CallOptions, Error, Observer, Pipeline, PipelineBuilder, RateLimit, RateLimiter, TokenSource,
    Transport,
};
use spot_model::AccessMode;

use crate::{client::Client, market::Market, optional::Optional};

/// Builder of a [`Client`] and its [`Pipeline`].
///
/// ```no_run
/// # fn example(tokens: spot_http::AccessToken) -> Result<(), spot_api::Error> {
/// use std::time::Duration;
///
/// use spot_api::{AccessMode, Client};
///
/// let client = Client::builder(tokens)
///     .access_mode(AccessMode::Extended)
///     .market("SE")
///     .deadline(Duration::from_secs(20))
///     .build()?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct ClientBuilder {
    pipeline: PipelineBuilder,
    market: Option<Market>,
    access: AccessMode,
    options: CallOptions,
}

/// Settings.
impl Client {
    /// Creates a builder. The builder sets the base URL, access mode, market, transport, deadlines
    /// and more.
    pub fn builder(tokens: impl TokenSource) -> ClientBuilder {
        ClientBuilder {
            pipeline: Pipeline::builder(tokens),
            market: None,
            access: AccessMode::default(),
            options: CallOptions::new(),
        }
    }
}

impl ClientBuilder {
    /// Access mode of the application. See [`Client::with_access_mode`].
    pub fn access_mode(mut self, mode: AccessMode) -> Self {
        self.access = mode;
        self
    }

    /// Market of all calls that do not set a market themselves. See [`Client::with_market`].
    pub fn market(mut self, market: impl Optional<Market>) -> Self {
        self.market = market.into_optional();
        self
    }

    /// Options of all calls. See [`Client::with_options`].
    pub fn options(mut self, options: CallOptions) -> Self {
        self.options = options;
        self
    }

    /// Changes the settings of the pipeline. Use this method for settings that are missing in this
    /// builder, such as `backoff` or `seed`.
    pub fn pipeline(mut self, change: impl FnOnce(PipelineBuilder) -> PipelineBuilder) -> Self {
        self.pipeline = change(self.pipeline);
        self
    }

    /// Builds the client.
    ///
    /// # Errors
    ///
    /// Fails with [`Configuration`](crate::ErrorKind::Configuration) if a setting is invalid, or if
    /// the transport cannot be created.
    pub fn build(self) -> Result<Client, Error> {
        let client = Client::from(self.pipeline.build()?);
        let client = client.with_access_mode(self.access).with_options(self.options);
        Ok(match self.market {
            Some(market) => client.with_market(market),
            None => client,
        })
    }
}

/// Settings of the pipeline.
macro_rules! pipeline {
    ($($(#[$meta:meta])* $name:ident($argument:ident: $ty:ty);)*) => {
        impl ClientBuilder {
            $(
                $(#[$meta])*
                #[doc = concat!("See [`PipelineBuilder::", stringify!($name), "`].")]
                pub fn $name(mut self, $argument: $ty) -> Self {
                    self.pipeline = self.pipeline.$name($argument);
                    self
                }
            )*
        }
    };
}

pipeline! {
    /// Base URL of the API, with the version.
    base_url(url: &str);
    /// Transport to use instead of reqwest with its default settings.
    transport(transport: impl Transport);
    /// Proxy of the default transport.
    proxy(url: &str);
    /// Preferred languages of names, in the format of the header `Accept-Language`.
    accept_language(languages: &str);
    /// Time limit of a call. The time limit covers the time in the queue, the time to get a token,
    /// all attempts, and all waits.
    deadline(deadline: Duration);
    /// Time limit of one attempt.
    attempt_timeout(timeout: Duration);
    /// Maximum number of attempts of a call.
    attempts(attempts: u32);
    /// Longest time that a call may wait for the rate limit or for its next attempt. A call that
    /// would have to wait longer than `max_wait` fails immediately.
    max_wait(wait: Duration);
    /// Settings of the rate limit, for example the maximum number of calls in 30 s.
    rate_limit(limit: RateLimit);
    /// Rate limiter of all calls, for example a limiter that several machines share.
    rate_limiter(limiter: impl RateLimiter);
    /// Observer that receives events, for example for metrics.
    observer(observer: impl Observer);
}

#[cfg(feature = "cache")]
pipeline! {
    /// Cache of responses. The headers of a response determine whether the response is cached, and
    /// for how long.
    cache(cache: spot_http::Cache);
}
