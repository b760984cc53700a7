//! Access tokens, and the trait for token sources.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use http::HeaderValue;

use crate::Error;

/// Provides the token of a call.
///
/// Many calls may request the token at the same time. If several calls need a new token, the source
/// refreshes the token once for all these calls.
///
/// If a source hangs, the call fails at its deadline. If a source panics, the call fails with an
/// error. A source must not block its thread, because it runs in the task of the call. If the
/// thread is blocked, the deadline has no effect, and the timers and connections of the runtime may
/// stop as well. Run blocking code with `tokio::task::spawn_blocking`.
#[async_trait]
pub trait TokenSource: fmt::Debug + Send + Sync + 'static {
    /// Returns a token that is valid now. The call waits for the token until the deadline of the
    /// call.
    ///
    /// # Errors
    ///
    /// [`Authentication`](crate::ErrorKind::Authentication) or
    /// [`ConsentExpired`](crate::ErrorKind::ConsentExpired) if there is no valid token. If a
    /// refresh fails, this method returns the error of the refresh.
    async fn token(&self) -> Result<AccessToken, Error>;

    /// Reports that the API refused this token (401). If the refused token is still the current
    /// token, the source gets a new token. If the source returns the refused token again, the call
    /// fails with the error of the 401 response.
    async fn reject(&self, token: &AccessToken);
}

/// An access token, stored as the value of a header. The `Debug` output does not show the token.
///
/// An access token implements [`TokenSource`], for programs that obtain their tokens without this
/// SDK. After the API has refused the token, every call fails with an
/// [`Authentication`](crate::ErrorKind::Authentication) error.
#[derive(Clone)]
pub struct AccessToken(Arc<Inner>);

struct Inner {
    header: HeaderValue,
    rejected: AtomicBool,
}

impl AccessToken {
    /// Creates a token from a string, with or without the prefix `Bearer `.
    ///
    /// # Errors
    ///
    /// [`Configuration`](crate::ErrorKind::Configuration) if the token is empty or contains
    /// characters that are not allowed in a header.
    pub fn new(token: &str) -> Result<Self, Error> {
        let token = token.trim();
        let token = match token.get(..7) {
            Some(scheme) if scheme.eq_ignore_ascii_case("Bearer ") => token.get(7..),
            _ => Some(token),
        };
        let token = token.unwrap_or_default().trim();
        if token.is_empty() {
            return Err(Error::configuration("the access token is empty"));
        }
        let mut header = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| {
            Error::configuration(
                "the access token contains characters that a header cannot contain",
            )
        })?;
        header.set_sensitive(true);
        Ok(Self(Arc::new(Inner { header, rejected: AtomicBool::new(false) })))
    }

    /// The value of the `Authorization` header, marked as sensitive.
    pub fn header(&self) -> &HeaderValue {
        &self.0.header
    }

    /// The token as a string, without `Bearer`. The string is a secret and must not be logged.
    pub fn expose(&self) -> &str {
        let text = self.0.header.to_str().unwrap_or_default();
        text.strip_prefix("Bearer ").unwrap_or_default()
    }

    /// Whether both values are clones of one token. For two tokens that were created separately,
    /// `same` returns `false`, even if their strings are equal.
    pub fn same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(<redacted>)")
    }
}

#[async_trait]
impl TokenSource for AccessToken {
    async fn token(&self) -> Result<AccessToken, Error> {
        if self.0.rejected.load(Ordering::Acquire) {
            return Err(Error::authentication(
                "the access token was refused: it expired, was revoked, or is malformed; get a new one",
            ));
        }
        Ok(self.clone())
    }

    async fn reject(&self, token: &AccessToken) {
        if self.same(token) {
            self.0.rejected.store(true, Ordering::Release);
        }
    }
}

#[async_trait]
impl<T: TokenSource + ?Sized> TokenSource for Arc<T> {
    async fn token(&self) -> Result<AccessToken, Error> {
        (**self).token().await
    }

    async fn reject(&self, token: &AccessToken) {
        (**self).reject(token).await;
    }
}
