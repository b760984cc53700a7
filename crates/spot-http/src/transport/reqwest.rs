//! The transport that uses reqwest.

use std::{error::Error as StdError, fmt, io, pin::Pin, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};

#[cfg(feature = "gzip")]
use crate::transport::gzip;
use crate::{
    Error, Transport, TransportError, TransportErrorKind,
    transport::{address::Addresses, clients::Clients},
};

/// Sends requests with reqwest, over HTTP/2 and with gzip if the server supports them. The
/// transport does not follow redirects, does not retry, and limits the size of responses.
///
/// A transport may be used on any number of runtimes. Each runtime has its own connections.
// The compiler does not need this `cfg`, but the docs of `spot-sdk` need it to show the feature.
#[cfg(feature = "reqwest")]
#[derive(Clone)]
pub struct ReqwestTransport {
    clients: Arc<Clients>,
    max_body: usize,
    addresses: Arc<Addresses>,
}

impl ReqwestTransport {
    /// Creates a builder of a transport.
    pub fn builder() -> ReqwestTransportBuilder {
        ReqwestTransportBuilder {
            user_agent: concat!("spot-http/", env!("CARGO_PKG_VERSION")).to_owned(),
            proxy: None,
            no_proxy: false,
            #[cfg(any(feature = "rustls", feature = "native-tls"))]
            root_certificates: Vec::new(),
            connect_timeout: Duration::from_secs(5),
            pool_idle_timeout: Duration::from_secs(60),
            #[cfg(feature = "http2")]
            http2_keep_alive: (Duration::from_secs(4), Duration::from_secs(4)),
            max_body: 16 * 1024 * 1024,
        }
    }
}

impl Transport for ReqwestTransport {
    // This is the code that `async_trait` would generate, except that the future does not contain
    // the request. Allocating a future of more than a kilobyte would cost as much as all other work
    // of this function.
    fn send<'life, 'answer>(
        &'life self,
        request: http::Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<http::Response<Bytes>, TransportError>> + Send + 'answer>>
    where
        'life: 'answer,
        Self: 'answer,
    {
        let client = self.clients.current();
        let client =
            client.map_err(|error| TransportError::new(TransportErrorKind::NotSent, error));
        let sent = client.and_then(|client| Ok(client.execute(self.request(request)?)));
        Box::pin(async move { read(sent?.await.map_err(classify)?, self.max_body).await })
    }
}

impl ReqwestTransport {
    /// Converts a request into reqwest's type.
    fn request(&self, request: http::Request<Bytes>) -> Result<reqwest::Request, TransportError> {
        let (head, body) = request.into_parts();
        let url = self.addresses.url(&head.uri);
        let url = url.map_err(|error| TransportError::new(TransportErrorKind::NotSent, error))?;
        let mut request = reqwest::Request::new(head.method, url);
        *request.version_mut() = head.version;
        *request.headers_mut() = head.headers;
        #[cfg(feature = "gzip")]
        gzip::accept(request.headers_mut());
        *request.body_mut() = Some(body.into());
        Ok(request)
    }
}

/// Reads the body of a response, up to `max_body` bytes.
async fn read(
    mut response: reqwest::Response,
    max_body: usize,
) -> Result<http::Response<Bytes>, TransportError> {
    let mut answer = http::Response::new(());
    *answer.status_mut() = response.status();
    *answer.version_mut() = response.version();
    *answer.headers_mut() = std::mem::take(response.headers_mut());
    let announced = response.content_length().unwrap_or_default();
    let mut body = Bytes::new();
    let mut parts = BytesMut::new();
    while let Some(part) = response.chunk().await.map_err(broken_body)? {
        if body.len() + parts.len() + part.len() > max_body {
            // For an error response, the beginning of the body is sufficient.
            if !answer.status().is_success() {
                break;
            }
            let message = format!("the body has more than {max_body} bytes");
            return Err(TransportError::new(TransportErrorKind::BodyTooLarge, message));
        }
        // Most bodies arrive in one part, which is not copied.
        if body.is_empty() && parts.is_empty() {
            body = part;
            continue;
        }
        if !body.is_empty() {
            let most = usize::try_from(announced).unwrap_or(usize::MAX).min(max_body);
            parts.reserve(most.max(body.len() + part.len()));
            parts.extend_from_slice(&std::mem::take(&mut body));
        }
        parts.extend_from_slice(&part);
    }
    let body = if parts.is_empty() { body } else { parts.freeze() };
    let answer = answer.map(|()| body);
    #[cfg(feature = "gzip")]
    let answer = gzip::decompress(answer, max_body)?;
    Ok(answer)
}

impl fmt::Debug for ReqwestTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestTransport").field("max_body", &self.max_body).finish_non_exhaustive()
    }
}

/// Creates the error for an incomplete body. The kind is never
/// [`NotSent`](TransportErrorKind::NotSent), because the server has already responded.
fn broken_body(error: reqwest::Error) -> TransportError {
    let error = classify(error);
    match error.kind() {
        TransportErrorKind::NotSent => TransportError::new(TransportErrorKind::Reset, error),
        _ => error,
    }
}

/// Classifies a failure of reqwest. Leaves out the URL, because its query is private.
fn classify(error: reqwest::Error) -> TransportError {
    let error = error.without_url();
    let refused = |cause| of_http2(cause) == Some(TransportErrorKind::NotSent);
    let kind = if error.is_connect() || error.is_builder() || causes(&error).any(refused) {
        TransportErrorKind::NotSent
    } else if error.is_timeout() {
        TransportErrorKind::Timeout
    } else if broke_off(&error) {
        TransportErrorKind::Reset
    } else {
        TransportErrorKind::Other
    };
    TransportError::new(kind, error)
}

/// Classifies an HTTP/2 error; `None` for other errors.
#[cfg(feature = "http2")]
fn of_http2(cause: &(dyn StdError + 'static)) -> Option<TransportErrorKind> {
    let error = cause.downcast_ref::<h2::Error>()?;
    // The server did not process the request: it sent `REFUSED_STREAM`, or a `GOAWAY` that excludes
    // the stream of the request (RFC 9113, 8.7).
    let refused = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
    let gone = error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR);
    Some(if error.is_remote() && (refused || gone) {
        TransportErrorKind::NotSent
    } else if error.is_reset() || error.is_go_away() {
        TransportErrorKind::Reset
    } else {
        TransportErrorKind::Other
    })
}

#[cfg(not(feature = "http2"))]
fn of_http2(_: &(dyn StdError + 'static)) -> Option<TransportErrorKind> {
    None
}

/// Whether the connection ended before the response was complete.
fn broke_off(error: &reqwest::Error) -> bool {
    causes(error).any(|error| {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return matches!(
                error.kind(),
                io::ErrorKind::ConnectionReset
                    | io::ErrorKind::ConnectionAborted
                    | io::ErrorKind::BrokenPipe
                    | io::ErrorKind::UnexpectedEof
            );
        }
        if let Some(kind) = of_http2(error) {
            return kind == TransportErrorKind::Reset;
        }
        // hyper's own error type is not part of reqwest's interface, but its message is stable.
        let words = error.to_string();
        words.contains("before message completed") || words.contains("closed")
    })
}

fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn StdError + 'static)> {
    std::iter::successors(error.source(), |error: &&(dyn StdError + 'static)| (*error).source())
}

/// Builder of a [`ReqwestTransport`].
// The compiler does not need this `cfg`, but the docs of `spot-sdk` need it to show the feature.
#[cfg(feature = "reqwest")]
#[must_use = "a builder does nothing until `build` is called"]
#[derive(Clone)]
pub struct ReqwestTransportBuilder {
    user_agent: String,
    proxy: Option<String>,
    no_proxy: bool,
    #[cfg(any(feature = "rustls", feature = "native-tls"))]
    root_certificates: Vec<Vec<u8>>,
    connect_timeout: Duration,
    pool_idle_timeout: Duration,
    #[cfg(feature = "http2")]
    http2_keep_alive: (Duration, Duration),
    max_body: usize,
}

impl ReqwestTransportBuilder {
    /// Sets the `User-Agent`.
    pub fn user_agent(mut self, user_agent: &str) -> Self {
        user_agent.clone_into(&mut self.user_agent);
        self
    }

    /// Sets the URL of the proxy for all requests. By default, the system's settings apply.
    pub fn proxy(mut self, url: &str) -> Self {
        self.proxy = Some(url.to_owned());
        self
    }

    /// Uses no proxy, regardless of the system's settings.
    pub fn no_proxy(mut self) -> Self {
        self.no_proxy = true;
        self
    }

    /// Adds a trusted root certificate in PEM format.
    #[cfg(any(feature = "rustls", feature = "native-tls"))]
    pub fn root_certificate(mut self, pem: &[u8]) -> Self {
        self.root_certificates.push(pem.to_owned());
        self
    }

    /// Sets the time limit for connecting; 5 s by default.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets how long an unused connection stays open; 60 s by default.
    pub fn pool_idle_timeout(mut self, timeout: Duration) -> Self {
        self.pool_idle_timeout = timeout;
        self
    }

    /// Sets the interval and the timeout of HTTP/2 keep-alive pings; 4 s each by default. The
    /// transport sends pings over a connection only while a call waits for a response on this
    /// connection. With the default values, the transport detects a dead connection within 8 s, for
    /// example after the machine slept. Keep the sum of `interval` and `timeout` below the time
    /// limit of an attempt. Otherwise an attempt can end before the transport detects the dead
    /// connection, and the retry can use this connection again.
    #[cfg(feature = "http2")]
    pub fn http2_keep_alive(mut self, interval: Duration, timeout: Duration) -> Self {
        self.http2_keep_alive = (interval, timeout);
        self
    }

    /// Sets the maximum size of a response body, in bytes; 16 MiB by default.
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// Builds the transport.
    ///
    /// # Errors
    ///
    /// [`Configuration`](crate::ErrorKind::Configuration) if the proxy, a certificate or the user
    /// agent is invalid, or if TLS cannot be set up.
    pub fn build(self) -> Result<ReqwestTransport, Error> {
        let max_body = self.max_body;
        let clients = Arc::new(Clients::new(move || self.client())?);
        Ok(ReqwestTransport { clients, max_body, addresses: Arc::default() })
    }

    fn client(&self) -> Result<reqwest::Client, Error> {
        let fail = |what: &str, error: reqwest::Error| {
            Error::configuration(format!("{what}: {}", error.without_url()))
        };
        // Installs a default crypto provider if the program has none. If the program installs a
        // provider at the same moment, the installation fails, and the program's provider is used.
        #[cfg(feature = "rustls")]
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let mut client = reqwest::Client::builder()
            // Only the pipeline retries, because only the pipeline knows which retries are safe.
            .retry(reqwest::retry::never())
            // A redirect would send the token to another address.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(&self.user_agent)
            .connect_timeout(self.connect_timeout)
            .pool_idle_timeout(self.pool_idle_timeout);
        #[cfg(feature = "http2")]
        {
            let (interval, timeout) = self.http2_keep_alive;
            client = client.http2_keep_alive_interval(interval).http2_keep_alive_timeout(timeout);
        }
        if self.no_proxy {
            client = client.no_proxy();
        }
        if let Some(url) = &self.proxy {
            // The parse error is left out, because it may contain the password of the URL.
            let proxy = reqwest::Proxy::all(url).map_err(|_| {
                Error::configuration("`proxy` is not a URL; expected http://HOST:PORT")
            })?;
            client = client.proxy(proxy);
        }
        #[cfg(any(feature = "rustls", feature = "native-tls"))]
        for pem in &self.root_certificates {
            let certificate = reqwest::Certificate::from_pem(pem)
                .map_err(|error| fail("`root_certificate`", error))?;
            client = client.tls_certs_merge([certificate]);
        }
        client.build().map_err(|error| fail("the HTTP client", error))
    }
}

impl fmt::Debug for ReqwestTransportBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestTransportBuilder")
            .field("user_agent", &self.user_agent)
            // The URL may contain a password.
            .field("proxy", &self.proxy.as_ref().map(|_| "<redacted>"))
            .field("no_proxy", &self.no_proxy)
            .field("connect_timeout", &self.connect_timeout)
            .field("pool_idle_timeout", &self.pool_idle_timeout)
            .field("max_body", &self.max_body)
            .finish_non_exhaustive()
    }
}
