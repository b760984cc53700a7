//! The user of a session. Token refreshes are coordinated with other processes that use the same
//! session.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use spot_http::{Error, ErrorKind};
use tokio::time::sleep;

use crate::{
    TokenRecord,
    accounts::IssuedTokens,
    application::Application,
    session::{
        event::SessionEventKind,
        exclusive::{Exclusive, Turn},
        state::{LOCK_LIMIT, SessionState, StoreLocation},
        token_cache::{CachedToken, Refresh},
    },
    store::SET_ASIDE,
};

/// A user, shared by all clones of a session.
pub(crate) struct User {
    pub(crate) app: Arc<Application>,
    state: Mutex<SessionState>,
    /// Gives one task exclusive access from reading a record until writing it. The store's lock
    /// excludes other processes.
    pub(crate) exclusive: Exclusive,
    /// Number of refresh requests that are waiting for a response.
    outstanding: AtomicUsize,
}

/// If an access token from another process is valid for at least this long, no refresh is needed.
const MIN_REMAINING: Duration = Duration::from_secs(60);

/// The observer is warned this long before the consent ends.
const CONSENT_NOTICE: Duration = Duration::from_secs(14 * 86_400);

/// Minimum time between two warnings.
const DAY: Duration = Duration::from_secs(86_400);

/// Maximum number of refresh tokens to try. Another process may replace a refresh token before it
/// is used.
const MAX_RECORDS: usize = 8;

/// How long to wait before each check whether another process has saved a new record.
const REREAD_AFTER: [Duration; 7] = [
    Duration::ZERO,
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
    Duration::from_millis(1_500),
];

#[async_trait]
impl Refresh for Arc<User> {
    async fn refresh(&self, refused: bool) -> Result<CachedToken, Error> {
        let turn = self.exclusive.enter().await;
        let result = turn.run(self.refresh_in(&turn, refused)).await;
        drop(turn);
        match &result {
            Ok(_) => self.warn_of_consent_end(),
            Err(error) if error.kind() == ErrorKind::ConsentExpired => {}
            Err(error) => self.notify(SessionEventKind::RefreshFailed { error }),
        }
        result
    }
}

impl User {
    pub(crate) fn new(app: Arc<Application>, state: SessionState) -> Self {
        Self {
            app,
            state: Mutex::new(state),
            exclusive: Exclusive::default(),
            outstanding: AtomicUsize::new(0),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, SessionState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn notify(&self, kind: SessionEventKind<'_>) {
        let account =
            self.state().location.as_ref().map(|location| location.key.account().to_owned());
        self.app.observer.notify(account.as_deref(), kind);
    }

    /// Warns once a day that the consent ends soon.
    pub(crate) fn warn_of_consent_end(&self) {
        let now = self.app.clock().now().wall;
        let at = {
            let mut state = self.state();
            let Some(at) = state.record.consent_expires_at() else { return };
            let far = at.duration_since(now).is_ok_and(|left| left > CONSENT_NOTICE);
            let warned = state.warned_at.and_then(|warned| now.duration_since(warned).ok());
            if far || warned.is_some_and(|since| since < DAY) {
                return;
            }
            state.warned_at = Some(now);
            at
        };
        self.notify(SessionEventKind::ConsentExpiring { at });
    }

    /// Refreshes while holding the store's lock. If several processes share the store, only one
    /// process refreshes. The other processes find the new tokens in the store.
    async fn refresh_in(
        self: &Arc<Self>,
        turn: &Turn<'_>,
        refused: bool,
    ) -> Result<CachedToken, Error> {
        let location = self.state().location.clone();
        if let Some(location) = &location {
            match location.lock(LOCK_LIMIT).await {
                Ok(lock) => turn.hold(lock),
                // A process that holds the lock for this long has stalled. The versions of the
                // records prevent conflicts between the two processes.
                Err(error) => self.notify(SessionEventKind::StoreFailed { error: &error }),
            }
        }
        if let Some(cached) = self.reread(location.as_ref(), refused).await {
            return Ok(cached);
        }
        for _ in 0..MAX_RECORDS {
            let record = {
                let state = self.state();
                if state.refresh_token_refused {
                    return Err(consent_expired());
                }
                state.record.clone()
            };
            let Some(refresh_token) = record.refresh_token() else {
                return Err(Error::authentication(
                    "the access token has expired, and there is no refresh token: sign in again",
                ));
            };
            let request = Outstanding::new(&self.outstanding);
            let issued = self.app.endpoint.refresh(refresh_token).await;
            drop(request);
            match issued {
                Ok(issued) => return self.use_issued(&record, &issued, location.as_ref()).await,
                Err(error) if error.kind() == ErrorKind::ConsentExpired => {}
                Err(error) => return Err(error),
            }
            match self.replaced(location.as_ref(), &record, refused).await {
                Some(Replaced::Token(cached)) => return Ok(cached),
                Some(Replaced::Record) => {}
                None if self.state().go_back() => {}
                None => return Err(self.refused(&record)),
            }
        }
        Err(Error::new(
            ErrorKind::Timeout,
            "other processes kept replacing the refresh token during the refresh",
        ))
    }

    /// Finds out whether another process has replaced a refresh token that the service refuses. Two
    /// processes can refresh at the same time if locks have no effect, as on some network drives.
    /// The other process may not have saved the new token yet.
    async fn replaced(
        &self,
        location: Option<&StoreLocation>,
        record: &TokenRecord,
        refused: bool,
    ) -> Option<Replaced> {
        for wait in REREAD_AFTER {
            if !wait.is_zero() {
                sleep(wait).await;
            }
            if let Some(cached) = self.reread(location, refused).await {
                return Some(Replaced::Token(cached));
            }
            if !self.state().record.same_refresh_token(record) {
                return Some(Replaced::Record);
            }
            if location.is_none() {
                break;
            }
        }
        None
    }

    /// Returns the error if the service refused the refresh token and no other process has replaced
    /// it.
    fn refused(&self, record: &TokenRecord) -> Error {
        if self.outstanding.load(Ordering::SeqCst) > 0 {
            return Error::new(
                ErrorKind::Timeout,
                "an earlier refresh has not finished, because its async runtime is stalled; that \
                 refresh may have replaced the refresh token",
            );
        }
        let mut state = self.state();
        if state.record.same_refresh_token(record) {
            state.refresh_token_refused = true;
        }
        drop(state);
        self.notify(SessionEventKind::ConsentExpired);
        consent_expired()
    }

    /// Reads the store, and adopts a record that another process has saved. Returns the access
    /// token of the record, unless the token expires so soon that a refresh is needed.
    async fn reread(&self, location: Option<&StoreLocation>, refused: bool) -> Option<CachedToken> {
        let stored = match location?.load().await {
            Ok(stored) => {
                self.state().set_aside = false;
                stored?
            }
            Err(error) => {
                // If a broken record was renamed, a missing record does not mean that the user has
                // signed out.
                self.state().set_aside = error.reason() == Some(SET_ASIDE);
                self.notify(SessionEventKind::StoreFailed { error: &error });
                return None;
            }
        };
        let now = self.app.clock().now();
        let cached = {
            let mut state = self.state();
            // If the session's record could not be saved, it is newer than the store's record.
            let unsaved = state.overwrite || state.unsaved.is_some();
            if unsaved || state.version == Some(stored.version()) {
                return None;
            }
            let known = state.record.same_access_token(stored.record());
            state.adopt(stored);
            let cached = CachedToken::stored(&state.record, now);
            let cached = cached.filter(|cached| cached.ends.left(now) >= MIN_REMAINING);
            cached.filter(|_| !(refused && known))
        };
        self.notify(SessionEventKind::Adopted);
        cached
    }

    /// Saves the tokens before they are used: a new refresh token that is not saved is lost when
    /// the program ends.
    async fn use_issued(
        self: &Arc<Self>,
        before: &TokenRecord,
        issued: &IssuedTokens,
        location: Option<&StoreLocation>,
    ) -> Result<CachedToken, Error> {
        let current = {
            let mut state = self.state();
            // If the refresh token has changed, this refresh was abandoned, and another refresh has
            // already got new tokens.
            let current = state.record.same_refresh_token(before);
            if current {
                state.record = before.refreshed(issued);
                state.refresh_token_refused = false;
            }
            current
        };
        if let Some(location) = location.filter(|_| current) {
            self.write(location).await;
        }
        let cached = CachedToken::issued(issued)?;
        self.notify(SessionEventKind::Refreshed { expires_at: cached.ends.wall() });
        Ok(cached)
    }
}

/// What another process has saved: a record with another refresh token, or a valid access token.
enum Replaced {
    Record,
    Token(CachedToken),
}

/// Counts a request until the response arrives or the request is dropped.
struct Outstanding<'a>(&'a AtomicUsize);

impl<'a> Outstanding<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count)
    }
}

impl Drop for Outstanding<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn consent_expired() -> Error {
    Error::consent_expired(
        "the accounts service refuses the refresh token: the consent is older than six months or \
         was revoked, or the token belongs to another application; let the user sign in again",
    )
    .with_status(400)
    .with_reason("invalid_grant")
}
