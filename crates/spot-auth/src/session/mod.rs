//! The session of a signed-in user.

pub(crate) mod event;
mod exclusive;
mod heartbeat;
mod saving;
mod state;
pub(crate) mod token_cache;
mod user;

use std::{fmt, sync::Arc, time::SystemTime};

use async_trait::async_trait;
use spot_http::{AccessToken, Error, ErrorKind, TokenSource};

pub use self::event::{SessionEvent, SessionEventKind};
use crate::{
    Scopes, StoreKey, TokenRecord, TokenStore,
    application::Application,
    session::{
        state::{SessionState, StoreLocation},
        token_cache::{CachedToken, TokenCache},
        user::User,
    },
};

/// The session of a signed-in user: a [`TokenSource`] that refreshes its tokens before they expire.
///
/// Clones share the same state. If several tasks need a new token, they wait for the same refresh.
/// A refresh runs in the background, about five minutes before the token expires. Callers wait for
/// the refresh if the token expires within one minute. In the first five minutes after a session is
/// loaded, callers wait for the refresh of a token that expires within about five minutes. Without
/// this wait, a program could exit before the new tokens are saved. Call [`settled`](Self::settled)
/// before the program ends.
///
/// After the user's consent has expired or was revoked, every call fails with
/// [`ConsentExpired`](crate::ErrorKind::ConsentExpired).
#[derive(Clone)]
pub struct Session {
    user: Arc<User>,
    cache: TokenCache<Arc<User>>,
}

impl Session {
    pub(crate) fn new(app: Arc<Application>, record: TokenRecord) -> Self {
        Self::open(app, record, None, None)
    }

    /// Loads the session that is stored under a key.
    pub(crate) async fn load(
        app: Arc<Application>,
        store: Arc<dyn TokenStore>,
        key: StoreKey,
    ) -> Result<Option<Self>, Error> {
        let location = StoreLocation { store, key };
        let Some(stored) = location.load().await? else { return Ok(None) };
        let version = stored.version();
        Ok(Some(Self::open(app, stored.into_record(), Some(version), Some(location))))
    }

    fn open(
        app: Arc<Application>,
        record: TokenRecord,
        version: Option<u64>,
        location: Option<StoreLocation>,
    ) -> Self {
        let clock = app.clock().clone();
        let cached = CachedToken::stored(&record, clock.now());
        let user = Arc::new(User::new(app, SessionState::new(record, version, location)));
        user.warn_of_consent_end();
        Self { cache: TokenCache::new(Arc::clone(&user), cached, clock), user }
    }

    /// Saves the session to a store, now and after every refresh. After a refresh, the record is
    /// saved before the new token is used. An existing record under the same key is overwritten.
    ///
    /// `account` is a string that your program uses to identify the user. The key also contains the
    /// requested scopes, or the granted scopes if the requested scopes are unknown.
    ///
    /// # Errors
    ///
    /// Returns a [`Store`](crate::ErrorKind::Store) error if the record could not be saved. The
    /// session remains usable, and tries again in the background until the record is saved.
    pub async fn keep_in(&self, store: impl TokenStore, account: &str) -> Result<(), Error> {
        let record = self.record();
        let scopes = match record.requested_scopes() {
            unknown if unknown.is_empty() => record.granted_scopes(),
            requested => requested,
        };
        let key = StoreKey::new(self.user.app.client_id.as_str(), account, scopes.clone());
        self.move_to_store(Arc::new(store), key).await
    }

    pub(crate) async fn move_to_store(
        &self,
        store: Arc<dyn TokenStore>,
        key: StoreKey,
    ) -> Result<(), Error> {
        self.user.move_to_store(StoreLocation { store, key }).await
    }

    /// Removes the record from the store, if there is one. Clones of the session stay usable, but
    /// their new tokens are not saved.
    ///
    /// Spotify has no revocation API: users withdraw their consent on their account page.
    ///
    /// # Errors
    ///
    /// Returns a [`Store`](crate::ErrorKind::Store) error if the record could not be removed.
    pub async fn sign_out(self) -> Result<(), Error> {
        self.user.remove_from_store().await
    }

    /// Gets a new access token now, even if the current token is still valid. If the refresh fails,
    /// the current token stays in use.
    ///
    /// # Errors
    ///
    /// Returns a [`ConsentExpired`](crate::ErrorKind::ConsentExpired) error if the user has to sign
    /// in again. If the accounts service or the network fails, this method returns the error. After
    /// a failed refresh, the session waits before the next attempt. Until the next attempt, this
    /// method returns the error of the failed refresh.
    pub async fn refresh(&self) -> Result<(), Error> {
        self.cache.refresh().await.map(drop)
    }

    /// Waits until a running background refresh has ended and its tokens are saved. Call this
    /// method before the program ends. If the program ends before a new refresh token is saved, the
    /// user may have to sign in again.
    ///
    /// ```no_run
    /// # async fn run(session: spot_auth::Session) -> Result<(), spot_auth::Error> {
    /// // At the end of `main`:
    /// session.settled().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// If an earlier save failed, this method tries once more to save the record. Returns a
    /// [`Store`](crate::ErrorKind::Store) error if the record cannot be saved. This method does not
    /// return the error of a failed refresh. The call returns within a few minutes, even if the
    /// store or the network hangs.
    pub async fn settled(&self) -> Result<(), Error> {
        self.cache.settled().await;
        self.user.save_now().await
    }

    /// The scopes that the user granted, which may be fewer than requested. The set is empty if the
    /// granted scopes are unknown.
    pub fn granted_scopes(&self) -> Scopes {
        self.user.state().record.granted_scopes().clone()
    }

    /// Checks that the user has granted all of these scopes. If the granted scopes are unknown,
    /// this method returns `Ok`.
    ///
    /// # Errors
    ///
    /// Returns a [`MissingScope`](crate::ErrorKind::MissingScope) error if a scope is missing. The
    /// message lists the missing scopes.
    pub fn require(&self, scopes: &Scopes) -> Result<(), Error> {
        let granted = self.granted_scopes();
        let missing = scopes.difference(&granted);
        if granted.is_empty() || missing.is_empty() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::MissingScope,
            format!(
                "the user has not granted these scopes: {missing}; let the user sign in again with \
                 them"
            ),
        ))
    }

    /// The time at which the user consented; `None` if unknown.
    pub fn consented_at(&self) -> Option<SystemTime> {
        self.user.state().record.consented_at()
    }

    /// The time at which the user's consent expires; `None` if unknown. The SDK counts the six
    /// months of the consent as 181 days. The observer that you set with
    /// [`AppBuilder::observer`](crate::AppBuilder::observer) receives a warning two weeks before
    /// the consent expires.
    pub fn consent_expires_at(&self) -> Option<SystemTime> {
        self.user.state().record.consent_expires_at()
    }

    /// Returns a copy of the current tokens, for applications that store the tokens themselves. See
    /// also [`keep_in`](Self::keep_in).
    pub fn record(&self) -> TokenRecord {
        self.user.state().record.clone()
    }
}

#[async_trait]
impl TokenSource for Session {
    async fn token(&self) -> Result<AccessToken, Error> {
        self.user.save_if_due();
        self.cache.token().await
    }

    async fn reject(&self, token: &AccessToken) {
        self.cache.reject(token);
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.user.state();
        f.debug_struct("Session")
            .field("app", &self.user.app)
            .field("record", &state.record)
            .field("kept_in", &state.location.as_ref().map(|location| &location.store))
            .finish_non_exhaustive()
    }
}
