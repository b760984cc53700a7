//! Transports for tests: one that records, one that replays a recording, and one that fails.
//!
//! The recording transport and the failing transport each wrap another [`Transport`]. All calls go
//! through the real pipeline:
//!
//! ```
//! use spot_http::{AccessToken, Pipeline, Request, test::{Exchange, Faulty, Replay}};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), spot_http::Error> {
//! let record = [Exchange::new("GET", "/v1/me", 200, r#"{"id":"listener"}"#)];
//! let flaky = Faulty::new(Replay::new(record), 7).server_error(0.3);
//! let pipeline =
//!     Pipeline::builder(AccessToken::new("a token")?).transport(flaky).attempts(20).build()?;
//! assert_eq!(pipeline.call(Request::get("/me")).await?.status(), 200);
//! # Ok(()) }
//! ```

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use http::header;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Transport, TransportError, TransportErrorKind, failure::redact};

/// A recorded request and its response. Headers of the request are left out. A [`Recorder`]
/// replaces tokens, codes and the client secret in bodies and queries by placeholders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Exchange {
    /// The HTTP method.
    pub method: String,
    /// The path with the query, without the host.
    pub path: String,
    /// Body of the request, as text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sent: String,
    /// Status of the response.
    pub status: u16,
    /// Media type of the response, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// The `Retry-After` header of the response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<String>,
    /// Body of the response, as text.
    #[serde(default)]
    pub body: String,
}

impl Exchange {
    /// Creates an exchange: a request without a body, and its response.
    pub fn new(method: &str, path: &str, status: u16, body: &str) -> Self {
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            sent: String::new(),
            status,
            content_type: None,
            retry_after: None,
            body: body.to_owned(),
        }
    }
}

/// Records the exchanges of another transport. Clones share the recording.
#[derive(Clone, Debug)]
pub struct Recorder {
    inner: Arc<dyn Transport>,
    record: Arc<Mutex<Vec<Exchange>>>,
}

impl Recorder {
    /// Wraps a transport.
    pub fn new(transport: impl Transport) -> Self {
        Self { inner: Arc::new(transport), record: Arc::default() }
    }

    /// The exchanges so far, in the order of their responses.
    pub fn exchanges(&self) -> Vec<Exchange> {
        lock(&self.record).clone()
    }
}

#[async_trait]
impl Transport for Recorder {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let (method, path) = line(&request);
        let secret = secret_of(&request);
        let sent = without_secrets(&String::from_utf8_lossy(request.body()), &secret);
        let response = self.inner.send(request).await?;
        let text = |name| {
            let value = response.headers().get(name).and_then(|value| value.to_str().ok());
            value.map(str::to_owned)
        };
        lock(&self.record).push(Exchange {
            method,
            path,
            sent,
            status: response.status().as_u16(),
            content_type: text(header::CONTENT_TYPE),
            retry_after: text(header::RETRY_AFTER),
            body: without_secrets(&String::from_utf8_lossy(response.body()), &secret),
        });
        Ok(response)
    }
}

/// Replays recorded responses without a network. A request receives the response that was recorded
/// for the same method, path and query. If several responses were recorded for a request, each
/// repetition of the request receives the next response. After the last recorded response, the
/// transport repeats this response.
#[derive(Clone, Debug)]
pub struct Replay {
    /// Remaining responses for each method and path, in reverse order. The last entry of a list is
    /// returned first.
    answers: Arc<Mutex<HashMap<Line, Vec<Exchange>>>>,
}

/// The method and the path with its query.
type Line = (String, String);

impl Replay {
    /// Creates a transport that replays a recording.
    pub fn new(record: impl IntoIterator<Item = Exchange>) -> Self {
        let mut answers: HashMap<_, Vec<_>> = HashMap::new();
        for exchange in record {
            let key = (exchange.method.clone(), exchange.path.clone());
            answers.entry(key).or_default().push(exchange);
        }
        answers.values_mut().for_each(|answers| answers.reverse());
        Self { answers: Arc::new(Mutex::new(answers)) }
    }
}

#[async_trait]
impl Transport for Replay {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let key = line(&request);
        let unknown = format!("{} {} was not recorded", key.0, key.1);
        let fail = |why: String| TransportError::new(TransportErrorKind::NotSent, why);
        let exchange = {
            let mut answers = lock(&self.answers);
            match answers.get_mut(&key) {
                Some(left) if left.len() > 1 => left.pop(),
                left => left.and_then(|left| left.last().cloned()),
            }
        };
        let exchange = exchange.ok_or_else(|| fail(unknown))?;
        let mut response = http::Response::builder().status(exchange.status);
        if let Some(content_type) = exchange.content_type {
            response = response.header(header::CONTENT_TYPE, content_type);
        }
        if let Some(retry_after) = exchange.retry_after {
            response = response.header(header::RETRY_AFTER, retry_after);
        }
        response.body(exchange.body.into()).map_err(|error| fail(error.to_string()))
    }
}

/// Makes requests and responses fail at random. The same seed and the same order of calls give the
/// same failures. Every rate is between 0 (never) and 1 (always), and 0 by default. Clones share
/// the random number generator.
#[derive(Clone)]
pub struct Faulty {
    inner: Arc<dyn Transport>,
    luck: Arc<Mutex<Luck>>,
    rates: Rates,
}

#[derive(Clone, Copy, Debug, Default)]
struct Rates {
    drop_before_send: f64,
    reset_after_send: f64,
    delay: (f64, Duration),
    server_error: f64,
    truncated_body: f64,
    storm: (f64, u32, Duration),
}

struct Luck {
    random: fastrand::Rng,
    /// Number of further calls to refuse.
    storm: u32,
}

/// The faults of one request.
#[derive(Clone, Copy, Debug, Default)]
struct Fate {
    refused: bool,
    dropped: bool,
    delay: Duration,
    server_error: bool,
    reset: bool,
    truncated: bool,
}

impl Faulty {
    /// Wraps another transport. `seed` is the seed of the random number generator.
    pub fn new(transport: impl Transport, seed: u64) -> Self {
        let luck = Luck { random: fastrand::Rng::with_seed(seed), storm: 0 };
        Self {
            inner: Arc::new(transport),
            luck: Arc::new(Mutex::new(luck)),
            rates: Rates::default(),
        }
    }

    /// Sets the probability that a request is not sent.
    #[must_use]
    pub fn drop_before_send(mut self, rate: f64) -> Self {
        self.rates.drop_before_send = rate;
        self
    }

    /// Sets the probability that a response is lost after the server has received the request.
    #[must_use]
    pub fn reset_after_send(mut self, rate: f64) -> Self {
        self.rates.reset_after_send = rate;
        self
    }

    /// Sets the probability that a request is delayed, and the length of the delay.
    #[must_use]
    pub fn delay(mut self, rate: f64, delay: Duration) -> Self {
        self.rates.delay = (rate, delay);
        self
    }

    /// Sets the probability of a 503 response with an HTML page. The transport creates this
    /// response, and does not send the request.
    #[must_use]
    pub fn server_error(mut self, rate: f64) -> Self {
        self.rates.server_error = rate;
        self
    }

    /// Sets the probability that a response is truncated.
    #[must_use]
    pub fn truncated_body(mut self, rate: f64) -> Self {
        self.rates.truncated_body = rate;
        self
    }

    /// Sets the probability that a request starts a series of 429 responses. The parameter
    /// `requests` is the number of requests in the series. The parameter `retry_after` is the value
    /// of the `Retry-After` header of the 429 responses.
    #[must_use]
    pub fn storm(mut self, rate: f64, requests: u32, retry_after: Duration) -> Self {
        self.rates.storm = (rate, requests, retry_after);
        self
    }

    fn fate(&self) -> Fate {
        let mut luck = lock(&self.luck);
        let Rates { drop_before_send, reset_after_send, delay, server_error, .. } = self.rates;
        let (storm, requests, _) = self.rates.storm;
        // All random numbers are drawn for every request, so that a change of one rate does not
        // affect the other faults.
        let mut drawn = || luck.random.f64();
        let (begins, dropped) = (drawn() < storm, drawn() < drop_before_send);
        let (delayed, server_error) = (drawn() < delay.0, drawn() < server_error);
        let (reset, truncated) = (drawn() < reset_after_send, drawn() < self.rates.truncated_body);
        if luck.storm == 0 && begins {
            luck.storm = requests;
        }
        let refused = luck.storm > 0;
        luck.storm = luck.storm.saturating_sub(1);
        let delay = if delayed { delay.1 } else { Duration::ZERO };
        Fate { refused, dropped, delay, server_error, reset, truncated }
    }
}

#[async_trait]
impl Transport for Faulty {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let fate = self.fate();
        let fail = |kind, why: &str| Err(TransportError::new(kind, why));
        if fate.dropped {
            return fail(TransportErrorKind::NotSent, "injected fault: the request was dropped");
        }
        if !fate.delay.is_zero() {
            tokio::time::sleep(fate.delay).await;
        }
        if fate.refused {
            let seconds = self.rates.storm.2.as_secs();
            return made_up(429, &[(header::RETRY_AFTER, &seconds.to_string())], "");
        }
        if fate.server_error {
            let page = "<html><head><title>503 Service Unavailable</title></head></html>";
            return made_up(503, &[(header::CONTENT_TYPE, "text/html")], page);
        }
        let response = self.inner.send(request).await?;
        if fate.reset {
            return fail(TransportErrorKind::Reset, "injected fault: the connection was reset");
        }
        if fate.truncated && !response.body().is_empty() {
            return fail(TransportErrorKind::Reset, "injected fault: the response was truncated");
        }
        Ok(response)
    }
}

impl fmt::Debug for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faulty").field("inner", &self.inner).field("rates", &self.rates).finish()
    }
}

fn made_up(
    status: u16,
    headers: &[(header::HeaderName, &str)],
    body: &'static str,
) -> Result<http::Response<Bytes>, TransportError> {
    let mut response = http::Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, *value);
    }
    let failed = |error| TransportError::new(TransportErrorKind::Other, error);
    response.body(Bytes::from_static(body.as_bytes())).map_err(failed)
}

fn line(request: &http::Request<Bytes>) -> Line {
    let path = match request.uri().query() {
        Some(query) => format!("{}?{}", request.uri().path(), form_without_secrets(query)),
        None => request.uri().path().to_owned(),
    };
    (request.method().to_string(), path)
}

/// Replacement for a secret in a recording.
const REDACTED: &str = "REDACTED";

/// Names of fields whose values are secrets, in forms, queries and JSON texts. The accounts service
/// uses these names.
const SECRETS: [&str; 9] = [
    "access_token",
    "assertion",
    "client_assertion",
    "client_secret",
    "code",
    "code_verifier",
    "id_token",
    "password",
    "refresh_token",
];

/// Returns the credentials of the request, which [`without_secrets`] replaces in both bodies.
fn secret_of(request: &http::Request<Bytes>) -> String {
    let header = request.headers().get(header::AUTHORIZATION);
    let header = header.and_then(|header| header.to_str().ok()).unwrap_or_default();
    header.split_once(' ').map_or(header, |(_, credentials)| credentials).to_owned()
}

/// Replaces the secrets in a body: the values of known fields, and the credentials of the request.
fn without_secrets(text: &str, secret: &str) -> String {
    let text = redact(text, &[secret]);
    match serde_json::from_str::<Value>(&text) {
        Ok(mut value) => match replace_secrets(&mut value) {
            true => value.to_string(),
            false => text.into_owned(),
        },
        Err(_) if text.contains('=') && !text.contains(char::is_whitespace) => {
            form_without_secrets(&text)
        }
        _ => text.into_owned(),
    }
}

/// Replaces the values of known fields. Returns whether any value was replaced.
fn replace_secrets(value: &mut Value) -> bool {
    let mut found = false;
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if SECRETS.contains(&name.as_str()) && value.is_string() {
                    *value = Value::from(REDACTED);
                    found = true;
                } else {
                    found |= replace_secrets(value);
                }
            }
        }
        Value::Array(entries) => {
            for entry in entries {
                found |= replace_secrets(entry);
            }
        }
        _ => {}
    }
    found
}

fn form_without_secrets(form: &str) -> String {
    let pairs = form.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if SECRETS.contains(&name) => format!("{name}={REDACTED}"),
        _ => pair.to_owned(),
    });
    pairs.collect::<Vec<_>>().join("&")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The data stays consistent if a thread panics, so a poisoned lock can be used.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
