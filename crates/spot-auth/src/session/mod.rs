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

/// A signed-in user: the tokens, kept fresh.
///
/// Clones share everything. However many tasks ask for a token, one refresh is made, in a task of
/// its own, five minutes before the old token ends; only in the last minute does anybody wait for
/// it. Refresh tokens that an answer does not replace are kept. When the user's consent has ended,
/// every call is a [`ConsentExpired`](crate::ErrorKind::ConsentExpired) error.
#[derive(Clone)]
pub struct Session {
    user: Arc<User>,
    cache: TokenCache<Arc<User>>,
}

impl Session {
    pub(crate) fn new(app: Arc<Application>, record: TokenRecord) -> Self {
        Self::open(app, record, None, None)
    }

    /// The session that a store has under a key.
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

    /// Keeps the session in a store from now on, under an account and the scopes that were asked
    /// for (those granted, if it is not known which were asked for): the record is written now, and at every refresh before the new token is used. It
    /// replaces what the store had there.
    ///
    /// # Errors
    ///
    /// What the store says. The session is good all the same, and writes the record with the next
    /// refresh.
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

    /// Forgets the session: takes the record out of the store, if it is in one. Clones that are in
    /// use go on, and are not stored any more. Spotify is not told, since it has no way to be; the
    /// user can take the consent back on their account's page.
    ///
    /// # Errors
    ///
    /// What the store says.
    pub async fn sign_out(self) -> Result<(), Error> {
        self.user.remove_from_store().await
    }

    /// Gets a new access token now, though the current one may be good. That one stays if there is
    /// no new one to be had.
    ///
    /// # Errors
    ///
    /// As for every token: [`ConsentExpired`](crate::ErrorKind::ConsentExpired) if the user has to
    /// sign in again, and what the accounts service or the network says.
    pub async fn refresh(&self) -> Result<(), Error> {
        self.cache.refresh().await.map(drop)
    }

    /// Waits until nothing of the session is under way: a refresh in the background has ended, and
    /// its tokens are in the store.
    ///
    /// A program calls this before it ends. Spotify may have replaced the refresh token already, and
    /// the user has to sign in again if the new one is not saved.
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
    /// Why the store could not save the record, which was tried once more. A refresh that failed is
    /// no error here. It returns after a few minutes at most, even if the store or the network hangs.
    pub async fn settled(&self) -> Result<(), Error> {
        self.cache.settled().await;
        self.user.save_now().await
    }

    /// The scopes the user granted, which may be fewer than were asked for. Empty if they are not
    /// known.
    pub fn granted_scopes(&self) -> Scopes {
        self.user.state().record.granted_scopes().clone()
    }

    /// An early error if the user has not granted all of the scopes. It is none if it is not known
    /// what they granted.
    ///
    /// # Errors
    ///
    /// [`MissingScope`](crate::ErrorKind::MissingScope), with the ones that are missing.
    pub fn require(&self, scopes: &Scopes) -> Result<(), Error> {
        let granted = self.granted_scopes();
        let missing = scopes.difference(&granted);
        if granted.is_empty() || missing.is_empty() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::MissingScope,
            format!("the user has not granted {missing}; let them sign in again and ask for it"),
        ))
    }

    /// When the user consented, if that is known.
    pub fn consented_at(&self) -> Option<SystemTime> {
        self.user.state().record.consented_at()
    }

    /// When the user's consent ends, at the earliest, if that is known: six months after it was
    /// given. The application's observer is told two weeks before.
    pub fn consent_expires_at(&self) -> Option<SystemTime> {
        self.user.state().record.consent_expires_at()
    }

    /// The tokens as they are now, to be kept elsewhere. [`keep_in`](Self::keep_in) does that by
    /// itself.
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
