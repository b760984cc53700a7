//! The state of a session, and how it is refreshed and stored.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use spot_http::{Error, ErrorKind};
use tokio::{sync::Mutex as AsyncMutex, time::Instant};

use crate::{
    StoreKey, TokenRecord, TokenStore,
    accounts::IssuedTokens,
    application::Application,
    session::{
        event::SessionEventKind,
        token_cache::{CachedToken, Refresh},
    },
    store::{SaveOutcome, Stored},
};

/// A user, as all clones of a session know them.
pub(crate) struct User {
    pub(crate) app: Arc<Application>,
    state: Mutex<SessionState>,
    /// Locked from reading a record to writing it: during a refresh, and when the session moves into
    /// a store or out of it. Other processes are kept out by the store's lock.
    exclusive: AsyncMutex<()>,
}

/// What is remembered of a user.
pub(crate) struct SessionState {
    pub(crate) record: TokenRecord,
    /// The version of the record that the store had when it was last seen.
    version: Option<u64>,
    pub(crate) location: Option<StoreLocation>,
    /// The accounts service refused this very refresh token.
    refresh_token_refused: bool,
    /// The store did not give the record when it was last asked, so that its absence need not mean
    /// that the user has signed out.
    unreadable: bool,
    /// The user has just moved into the store, which has not taken the record yet: whatever it has
    /// is older.
    overwrite: bool,
    /// The store does not have the record, which is to be written again then.
    save_due: Option<Instant>,
    warned_at: Option<SystemTime>,
}

/// Where a user is remembered.
#[derive(Clone)]
pub(crate) struct StoreLocation {
    pub(crate) store: Arc<dyn TokenStore>,
    pub(crate) key: StoreKey,
}

/// An access token of somebody else is taken over if it lasts at least this long.
const MIN_REMAINING: Duration = Duration::from_secs(60);

/// A store that fails is tried again after this time.
const SAVE_RETRY: Duration = Duration::from_secs(30);

/// How long before the end of a consent its coming is told.
const CONSENT_NOTICE: Duration = Duration::from_secs(14 * 86_400);

impl SessionState {
    pub(crate) fn new(
        record: TokenRecord,
        version: Option<u64>,
        location: Option<StoreLocation>,
    ) -> Self {
        Self {
            record,
            version,
            location,
            refresh_token_refused: false,
            unreadable: false,
            overwrite: false,
            save_due: None,
            warned_at: None,
        }
    }

    /// Whether a record that is not in the store is to be put there.
    fn may_recreate(&self) -> bool {
        self.unreadable || self.overwrite
    }

    fn adopt(&mut self, stored: Stored) {
        self.version = Some(stored.version());
        self.refresh_token_refused &= self.record.same_refresh_token(stored.record());
        self.record = stored.into_record();
        self.save_due = None;
    }
}

#[async_trait]
impl Refresh for Arc<User> {
    async fn refresh(&self, refused: bool) -> Result<CachedToken, Error> {
        let result = self.refresh_exclusively(refused).await;
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
        Self { app, state: Mutex::new(state), exclusive: AsyncMutex::new(()) }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, SessionState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn notify(&self, kind: SessionEventKind<'_>) {
        let account =
            self.state().location.as_ref().map(|location| location.key.account().to_owned());
        self.app.observer.notify(account.as_deref(), kind);
    }

    /// Tells once a day that the consent is about to end.
    pub(crate) fn warn_of_consent_end(&self) {
        let now = self.app.clock().now().wall;
        let at = {
            let mut state = self.state();
            let Some(at) = state.record.consent_expires_at() else { return };
            let far = at.duration_since(now).is_ok_and(|left| left > CONSENT_NOTICE);
            let told = state.warned_at.and_then(|told| now.duration_since(told).ok());
            if far || told.is_some_and(|since| since < Duration::from_secs(86_400)) {
                return;
            }
            state.warned_at = Some(now);
            at
        };
        self.notify(SessionEventKind::ConsentExpiring { at });
    }

    /// Holds the store's lock from reading to writing, so that of any number of processes one
    /// refreshes and the others find its tokens.
    async fn refresh_exclusively(&self, refused: bool) -> Result<CachedToken, Error> {
        let _exclusive = self.exclusive.lock().await;
        let location = self.state().location.clone();
        let _lock = match &location {
            Some(location) => match location.store.lock(&location.key).await {
                Ok(lock) => Some(lock),
                Err(error) if error.kind() == ErrorKind::Timeout => return Err(error),
                Err(error) => {
                    self.notify(SessionEventKind::StoreFailed { error: &error });
                    None
                }
            },
            None => None,
        };
        if let Some(cached) = self.reread(location.as_ref(), refused).await {
            return Ok(cached);
        }
        let mut asked_again = false;
        loop {
            let record = {
                let state = self.state();
                if state.refresh_token_refused {
                    return Err(consent_expired());
                }
                state.record.clone()
            };
            let Some(refresh_token) = record.refresh_token() else {
                return Err(Error::authentication(
                    "the access token has ended, and there is no refresh token: sign in again",
                ));
            };
            match self.app.endpoint.refresh(refresh_token).await {
                Ok(issued) => return self.save_issued(&record, &issued, location.as_ref()).await,
                Err(error) if error.kind() == ErrorKind::ConsentExpired => {}
                Err(error) => return Err(error),
            }
            // Where locks do nothing, as on some network drives, somebody else may have refreshed
            // and rotated the token meanwhile.
            if let Some(cached) = self.reread(location.as_ref(), refused).await {
                return Ok(cached);
            }
            let mut state = self.state();
            if asked_again || state.record.same_refresh_token(&record) {
                state.refresh_token_refused = true;
                drop(state);
                self.notify(SessionEventKind::ConsentExpired);
                return Err(consent_expired());
            }
            asked_again = true;
        }
    }

    /// Reads the store again, and takes over what somebody else has written there since. Their
    /// access token saves a refresh if it lasts.
    async fn reread(&self, location: Option<&StoreLocation>, refused: bool) -> Option<CachedToken> {
        let location = location?;
        let stored = match location.store.load(&location.key).await {
            Ok(stored) => {
                self.state().unreadable = false;
                stored?
            }
            Err(error) => {
                self.state().unreadable = true;
                self.notify(SessionEventKind::StoreFailed { error: &error });
                return None;
            }
        };
        let now = self.app.clock().now();
        let cached = {
            let mut state = self.state();
            if state.overwrite || state.version == Some(stored.version()) {
                return None;
            }
            let known = state.record.same_access_token(stored.record());
            state.adopt(stored);
            let cached = CachedToken::stored(&state.record, now)
                .filter(|cached| cached.ends.left(now) >= MIN_REMAINING);
            cached.filter(|_| !(refused && known))
        };
        self.notify(SessionEventKind::Adopted);
        cached
    }

    /// Writes what came, and only then lets it be used: an unsaved refresh token that replaced
    /// another one is a lost user, if the program ends.
    async fn save_issued(
        &self,
        before: &TokenRecord,
        issued: &IssuedTokens,
        location: Option<&StoreLocation>,
    ) -> Result<CachedToken, Error> {
        self.state().record = before.refreshed(issued);
        if let Some(location) = location {
            self.write(location).await;
        }
        let cached = CachedToken::issued(issued)?;
        self.notify(SessionEventKind::Refreshed { expires_at: cached.ends.wall() });
        Ok(cached)
    }

    /// Writes the record. If the store fails, the record is written on a later occasion.
    async fn write(&self, location: &StoreLocation) {
        let expected = self.state().version;
        let mut saved = self.save(location, expected).await;
        if matches!(saved, Ok(SaveOutcome::Conflict)) {
            match location.store.load(&location.key).await {
                Ok(Some(stored)) if self.state().overwrite => {
                    saved = self.save(location, Some(stored.version())).await;
                }
                Ok(Some(stored)) => {
                    self.state().adopt(stored);
                    self.notify(SessionEventKind::Adopted);
                    return;
                }
                // A broken file was set aside, and the place is free.
                Ok(None) if self.state().may_recreate() => saved = self.save(location, None).await,
                // It was taken away: the user signed out elsewhere.
                Ok(None) => return,
                Err(error) => saved = Err(error),
            }
        }
        if let Err(error) = saved {
            self.state().save_due = Some(Instant::now() + SAVE_RETRY);
            self.notify(SessionEventKind::StoreFailed { error: &error });
        }
    }

    async fn save(
        &self,
        location: &StoreLocation,
        expected: Option<u64>,
    ) -> Result<SaveOutcome, Error> {
        let record = self.state().record.clone();
        let saved = location.store.save(&location.key, &record, expected).await?;
        if let SaveOutcome::Saved(version) = saved {
            let mut state = self.state();
            state.version = Some(version);
            state.unreadable = false;
            state.overwrite = false;
            state.save_due = None;
        }
        Ok(saved)
    }

    /// Starts to write a record that could not be written, if it is time.
    pub(crate) fn retry_save(self: &Arc<Self>) {
        let location = {
            let mut state = self.state();
            let due = state.save_due.is_some_and(|at| at <= Instant::now());
            let Some(location) = state.location.clone().filter(|_| due) else { return };
            state.save_due = Some(Instant::now() + SAVE_RETRY);
            location
        };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let user = Arc::clone(self);
        runtime.spawn(async move {
            let _exclusive = user.exclusive.lock().await;
            let lock = location.store.lock(&location.key).await;
            if lock.is_ok() && user.state().save_due.is_some() {
                user.write(&location).await;
            }
        });
    }

    /// Moves into a store, in the place of who was there.
    pub(crate) async fn move_to_store(&self, location: StoreLocation) -> Result<(), Error> {
        let _exclusive = self.exclusive.lock().await;
        let lock = location.store.lock(&location.key).await;
        let there = location.store.load(&location.key).await;
        let version = there.as_ref().ok().and_then(|stored| stored.as_ref().map(Stored::version));
        {
            let mut state = self.state();
            state.location = Some(location.clone());
            state.version = version;
            state.overwrite = true;
            state.save_due = Some(Instant::now() + SAVE_RETRY);
        }
        let saved = self.save(&location, version).await;
        drop(lock);
        let error = match saved {
            Ok(SaveOutcome::Saved(_)) => return Ok(()),
            Ok(SaveOutcome::Conflict) => {
                Error::configuration("somebody else has signed in under the same key")
            }
            Err(error) => error,
        };
        self.notify(SessionEventKind::StoreFailed { error: &error });
        Err(error)
    }

    pub(crate) async fn remove_from_store(&self) -> Result<(), Error> {
        let _exclusive = self.exclusive.lock().await;
        let location = self.state().location.take();
        match location {
            Some(location) => {
                let _lock = location.store.lock(&location.key).await?;
                location.store.remove(&location.key).await
            }
            None => Ok(()),
        }
    }
}

fn consent_expired() -> Error {
    Error::consent_expired(
        "the accounts service refuses the refresh token: six months have passed since the user \
         consented, or the consent was taken back",
    )
    .with_status(400)
    .with_reason("invalid_grant")
}
