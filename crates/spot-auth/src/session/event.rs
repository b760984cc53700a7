//! What happens to sessions, told to whoever wants to know.

use std::{fmt, sync::Arc, time::SystemTime};

use spot_http::Error;

/// Something that happened to a session.
#[derive(Clone, Copy, Debug)]
pub struct SessionEvent<'a> {
    kind: SessionEventKind<'a>,
    account: Option<&'a str>,
}

/// What happened to a session.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum SessionEventKind<'a> {
    /// There is a new access token.
    #[non_exhaustive]
    Refreshed {
        /// When it ends.
        expires_at: SystemTime,
    },
    /// Somebody else who uses the same store has refreshed it or signed in.
    Adopted,
    /// There is no new access token. The old one is used while it lasts.
    #[non_exhaustive]
    RefreshFailed {
        /// Why.
        error: &'a Error,
    },
    /// The user's consent ends within two weeks. Told once a day at most.
    #[non_exhaustive]
    ConsentExpiring {
        /// When it ends, at the earliest.
        at: SystemTime,
    },
    /// The user's consent has ended: the user has to sign in again.
    ConsentExpired,
    /// The record could not be read from the store or written to it. The session goes on, and
    /// writes the record when the store is back.
    #[non_exhaustive]
    StoreFailed {
        /// Why.
        error: &'a Error,
    },
}

impl<'a> SessionEvent<'a> {
    /// What happened.
    pub fn kind(&self) -> SessionEventKind<'a> {
        self.kind
    }

    /// The account the session is stored under, if it is stored.
    pub fn account(&self) -> Option<&'a str> {
        self.account
    }
}

type Tell = dyn Fn(&SessionEvent<'_>) + Send + Sync;

/// Whoever wants to know.
#[derive(Clone, Default)]
pub(crate) struct Observer(Option<Arc<Tell>>);

impl Observer {
    pub(crate) fn new(tell: impl Fn(&SessionEvent<'_>) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(tell)))
    }

    pub(crate) fn notify(&self, account: Option<&str>, kind: SessionEventKind<'_>) {
        if let Some(tell) = &self.0 {
            tell(&SessionEvent { kind, account });
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Observer(set)" } else { "Observer(none)" })
    }
}
