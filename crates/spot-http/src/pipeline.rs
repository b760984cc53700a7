//! How a call gets there and back.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, header};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep, timeout_at};
use url::Url;

use crate::{
    Error, ErrorKind, Request, Response, TokenSource, Transport, TransportError,
    TransportErrorKind, answer,
    gate::Gate,
    retry::{Backoff, Outcome},
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

struct Inner {
    tokens: Box<dyn TokenSource>,
    transport: Arc<dyn Transport>,
    gate: Gate,
    base_url: String,
    origin: url::Origin,
    accept_language: Option<HeaderValue>,
    attempts: u32,
    attempt_timeout: Duration,
    deadline: Duration,
    max_wait: Duration,
    backoff: Backoff,
}

impl Pipeline {
    /// Where calls go unless the builder says otherwise.
    pub const SPOTIFY: &'static str = "https://api.spotify.com/v1";

    /// A pipeline with the given source of tokens.
    pub fn builder(tokens: impl TokenSource) -> PipelineBuilder {
        PipelineBuilder {
            tokens: Box::new(tokens),
            transport: None,
            base_url: Self::SPOTIFY.to_owned(),
            accept_language: None,
            attempts: 3,
            attempt_timeout: Duration::from_secs(15),
            deadline: Duration::from_secs(60),
            max_wait: Duration::from_secs(60),
            backoff: Backoff { base: Duration::from_millis(500), cap: Duration::from_secs(20) },
        }
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
        let Inner { gate, max_wait, .. } = &*self.inner;
        let options = request.options();
        let attempts = options.attempts.unwrap_or(self.inner.attempts).max(1);
        let start = Instant::now();
        let deadline = start + options.deadline.unwrap_or(self.inner.deadline);
        let operation = request.operation();
        let mut waited = Duration::ZERO;
        let mut refused_once = false;
        let mut attempt = 0;
        loop {
            let blocked = |error: Error| error.with_operation(operation).with_attempts(attempt);
            waited += gate.pass(deadline, *max_wait).await.map_err(blocked)?;
            let token = match timeout_at(deadline, self.inner.tokens.token()).await {
                Ok(token) => token.map_err(blocked)?,
                Err(_) => {
                    let error = Error::new(ErrorKind::Timeout, "no token before the deadline");
                    return Err(blocked(error));
                }
            };
            attempt += 1;
            let (error, outcome) = match self.send(&request, &token, deadline).await {
                Ok(response) if response.status().is_success() => {
                    let (head, body) = response.into_parts();
                    return Ok(Response {
                        body,
                        status: head.status.as_u16(),
                        headers: head.headers,
                        attempts: attempt,
                        waited,
                    });
                }
                Ok(response) => {
                    let outcome = Outcome::of_status(response.status().as_u16());
                    (Error::from_response(operation, &response), outcome)
                }
                Err(error) => {
                    let outcome = Outcome::of_transport(error.kind());
                    (Error::transport(error).with_operation(operation), outcome)
                }
            };
            let error = error.with_attempts(attempt);
            let mut wait = self.inner.backoff.wait(attempt, fastrand::f64());
            match outcome {
                Outcome::Unauthorized if error.kind() == ErrorKind::Authentication => {
                    if refused_once {
                        return Err(error);
                    }
                    // Not an attempt that failed: the request was fine, the token was not.
                    refused_once = true;
                    self.inner.tokens.reject(&token).await;
                    continue;
                }
                Outcome::Throttled => {
                    wait = wait.max(error.retry_after().unwrap_or_default());
                    gate.close(&error, wait);
                    // The gate sleeps, or says at once that it would be too long.
                    wait = Duration::ZERO;
                }
                outcome if !outcome.may_repeat(operation) => {
                    return Err(outcome.report(error, operation));
                }
                _ => wait = wait.max(error.retry_after().unwrap_or_default()),
            }
            if attempt >= attempts || outcome == Outcome::Unauthorized {
                return Err(outcome.report(error, operation));
            }
            if wait > *max_wait || Instant::now() + wait >= deadline {
                return Err(error);
            }
            sleep(wait).await;
            waited += wait;
        }
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
        let answer = self.call(request).await?;
        let (status, attempts) = (answer.status, answer.attempts);
        answer.try_map(|body| decode(&body)).map_err(|error| {
            error.with_operation(operation).with_status(status).with_attempts(attempts)
        })
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

    /// Where calls go.
    pub fn base_url(&self) -> &str {
        &self.inner.base_url
    }

    /// Whether a link leads to where calls go, so that the token may go there too.
    pub fn same_origin(&self, link: &str) -> bool {
        Url::parse(link).is_ok_and(|link| link.origin() == self.inner.origin)
    }

    async fn send(
        &self,
        request: &Request,
        token: &crate::AccessToken,
        deadline: Instant,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let message = self.message(request, token).map_err(|error| {
            // Nothing but the path and the query comes from outside, and both were escaped.
            TransportError::new(TransportErrorKind::NotSent, error)
        })?;
        let timeout = request.options().attempt_timeout.unwrap_or(self.inner.attempt_timeout);
        let latest = deadline.min(Instant::now() + timeout);
        match timeout_at(latest, self.inner.transport.send(message)).await {
            Ok(answer) => answer,
            Err(elapsed) => Err(TransportError::new(TransportErrorKind::Timeout, elapsed)),
        }
    }

    fn message(
        &self,
        request: &Request,
        token: &crate::AccessToken,
    ) -> Result<http::Request<Bytes>, http::Error> {
        let mut message = http::Request::builder()
            .method(request.operation().method.as_str())
            .uri(format!("{}{}", self.inner.base_url, request.path_and_query()))
            .header(header::AUTHORIZATION, token.header())
            .header(header::ACCEPT, "application/json");
        if let Some(language) = &self.inner.accept_language {
            message = message.header(header::ACCEPT_LANGUAGE, language);
        }
        match request.carried() {
            Some(body) => {
                let message = message.header(header::CONTENT_TYPE, body.content_type);
                message.body(body.data.clone())
            }
            None => {
                // Spotify answers 411 to a PUT or POST that says no length.
                if request.operation().method != spot_model::Method::Get {
                    message = message.header(header::CONTENT_LENGTH, 0);
                }
                message.body(Bytes::new())
            }
        }
    }
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Pipeline");
        out.field("base_url", &self.inner.base_url);
        out.field("tokens", &self.inner.tokens).finish_non_exhaustive()
    }
}

fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    spot_model::from_slice(body).map_err(|error| {
        let text = String::from_utf8_lossy(body);
        let failed = if body.trim_ascii().is_empty() {
            Error::new(ErrorKind::Decode, "it is empty")
        } else if let Some(title) = answer::html_title(&text) {
            Error::new(ErrorKind::Decode, format!("it is a page of HTML, not JSON: {title:?}"))
        } else {
            // Only now is it worth finding out where.
            let mut deserializer = serde_json::Deserializer::from_slice(body);
            let place = serde_path_to_error::deserialize::<_, T>(&mut deserializer).err();
            let failed = Error::new(ErrorKind::Decode, error.to_string());
            match place.map(|place| place.path().to_string()) {
                Some(place) if place != "." => failed.with_path(place),
                _ => failed,
            }
        };
        failed.with_body(body).with_source(error)
    })
}

/// Sets up a [`Pipeline`].
#[must_use = "a builder does nothing until it builds"]
pub struct PipelineBuilder {
    tokens: Box<dyn TokenSource>,
    transport: Option<Arc<dyn Transport>>,
    base_url: String,
    accept_language: Option<String>,
    attempts: u32,
    attempt_timeout: Duration,
    deadline: Duration,
    max_wait: Duration,
    backoff: Backoff,
}

impl PipelineBuilder {
    /// What carries the requests, instead of reqwest with its defaults.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// Where calls go, with the version: `https://api.spotify.com/v1`.
    pub fn base_url(mut self, base_url: &str) -> Self {
        base_url.trim_end_matches('/').clone_into(&mut self.base_url);
        self
    }

    /// The languages in which names are wanted, as in the header `Accept-Language`.
    pub fn accept_language(mut self, languages: &str) -> Self {
        self.accept_language = Some(languages.to_owned());
        self
    }

    /// How often a request is sent at most; 3 unless this is called.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// How long one attempt may take; 15 s unless this is called.
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
        self
    }

    /// How long a call may take in all, queueing, sign-in and waits included; 60 s unless this is
    /// called.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The longest wait that is sat out; what is longer is an error at once. 60 s unless this is
    /// called.
    pub fn max_wait(mut self, max_wait: Duration) -> Self {
        self.max_wait = max_wait;
        self
    }

    /// The waits between attempts: anything up to `base`, doubled each time, up to `cap`. 0.5 s and
    /// 20 s unless this is called.
    pub fn backoff(mut self, base: Duration, cap: Duration) -> Self {
        self.backoff = Backoff { base, cap };
        self
    }

    /// The pipeline.
    ///
    /// # Errors
    ///
    /// [`Configuration`](ErrorKind::Configuration) if the base URL or a header is none, or if there is
    /// no transport.
    pub fn build(self) -> Result<Pipeline, Error> {
        let base_url = Url::parse(&self.base_url).map_err(|error| {
            Error::configuration(format!("`base_url` is {:?}: {error}", self.base_url))
        })?;
        if !matches!(base_url.scheme(), "http" | "https") {
            let message = format!("`base_url` is {:?}; expected http or https", self.base_url);
            return Err(Error::configuration(message));
        }
        let accept_language = self.accept_language.map(|languages| {
            HeaderValue::try_from(&languages).map_err(|_| {
                Error::configuration(format!("`accept_language` is no header: {languages:?}"))
            })
        });
        let transport = match self.transport {
            Some(transport) => transport,
            None => default_transport()?,
        };
        Ok(Pipeline {
            inner: Arc::new(Inner {
                tokens: self.tokens,
                transport,
                gate: Gate::default(),
                origin: base_url.origin(),
                base_url: self.base_url,
                accept_language: accept_language.transpose()?,
                attempts: self.attempts,
                attempt_timeout: self.attempt_timeout,
                deadline: self.deadline,
                max_wait: self.max_wait,
                backoff: self.backoff,
            }),
        })
    }
}

#[cfg(feature = "reqwest")]
fn default_transport() -> Result<Arc<dyn Transport>, Error> {
    Ok(Arc::new(crate::ReqwestTransport::builder().build()?))
}

#[cfg(not(feature = "reqwest"))]
fn default_transport() -> Result<Arc<dyn Transport>, Error> {
    Err(Error::configuration(
        "there is no transport: give one, or switch on the feature `rustls` or `native-tls`",
    ))
}

impl fmt::Debug for PipelineBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PipelineBuilder").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}
