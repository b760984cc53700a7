//! The transport: sends a request and reads the response.

#[cfg(feature = "reqwest")]
mod address;
#[cfg(feature = "reqwest")]
mod clients;
#[cfg(all(feature = "reqwest", feature = "gzip"))]
mod gzip;
#[cfg(feature = "reqwest")]
mod reqwest;
#[cfg(feature = "test")]
pub mod test;

use std::{error::Error as StdError, fmt, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use spot_model::printable;

#[cfg(feature = "reqwest")]
pub use self::reqwest::{ReqwestTransport, ReqwestTransportBuilder};

/// Sends a request once and reads the response.
///
/// The pipeline handles retries, rate limits and deadlines. A transport must not follow redirects,
/// because a redirect would send the token to another address. A transport must not block its
/// thread: see [`TokenSource`](crate::TokenSource) for the reason.
#[async_trait]
pub trait Transport: fmt::Debug + Send + Sync + 'static {
    /// Sends the request and reads the whole response.
    ///
    /// # Errors
    ///
    /// A network failure. The kind of the error says whether the request may have reached the
    /// server.
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError>;
}

#[async_trait]
impl<T: Transport + ?Sized> Transport for Arc<T> {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        (**self).send(request).await
    }
}

#[async_trait]
impl<T: Transport + ?Sized> Transport for Box<T> {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        (**self).send(request).await
    }
}

/// The failure of a request that got no complete response.
pub struct TransportError {
    kind: TransportErrorKind,
    source: Box<dyn StdError + Send + Sync>,
}

/// Kind of a transport failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// The request was not sent: name resolution, connecting or TLS failed.
    NotSent,
    /// The connection broke. The request may have reached the server.
    Reset,
    /// No response arrived in time. The request may have reached the server.
    Timeout,
    /// The body of the response is larger than the transport allows.
    BodyTooLarge,
    /// Another failure. The request may have reached the server.
    Other,
}

/// Maximum length of the message of an error's cause, in characters. The message may contain data
/// that the server sent.
const CAUSE: usize = 300;

impl TransportError {
    /// Creates an error from its kind and cause. The message of the cause must not contain a query
    /// or a token.
    pub fn new(
        kind: TransportErrorKind,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Self {
        Self { kind, source: source.into() }
    }

    /// The kind of the failure.
    pub fn kind(&self) -> TransportErrorKind {
        self.kind
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            TransportErrorKind::NotSent => "no connection to the server",
            TransportErrorKind::Reset => "the connection broke before the response was complete",
            TransportErrorKind::Timeout => "the server did not respond in time",
            TransportErrorKind::BodyTooLarge => "the response is larger than the transport allows",
            TransportErrorKind::Other => "the request failed",
        })?;
        // The innermost cause contains the useful information, such as "connection refused".
        let mut cause: &dyn StdError = &*self.source;
        let mut chain = cause.to_string();
        while let Some(deeper) = cause.source() {
            cause = deeper;
            chain.push_str(&cause.to_string());
        }
        write!(f, " ({}{})", printable(&cause.to_string(), CAUSE), advice(&chain))
    }
}

/// Returns advice for a refused certificate. `chain` contains the messages of all causes. With
/// `rustls`, the innermost cause contains the reason for the refusal. With `native-tls`, any of the
/// causes may contain the reason for the refusal.
fn advice(chain: &str) -> &'static str {
    let says = |words: &[&str]| words.iter().any(|word| chain.contains(word));
    if !says(&["ertificate"]) {
        ""
    } else if says(&["xpired", "NotValidYet", "not yet valid"]) {
        "; check the clock of this machine"
    } else if says(&["UnknownIssuer", "certificate verify failed"]) {
        "; add the certificate authority of the proxy or the test server with `root_certificate`"
    } else {
        ""
    }
}

impl fmt::Debug for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("TransportError");
        let source = printable(&self.source.to_string(), CAUSE);
        out.field("kind", &self.kind).field("source", &source).finish()
    }
}

impl StdError for TransportError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.source)
    }
}
