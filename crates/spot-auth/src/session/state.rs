//! The state of a session.

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, SystemTime},
};

use spot_http::Error;
use tokio::time::Instant;

use crate::{
    StoreKey, StoreLock, TokenRecord, TokenStore,
    store::{SaveOutcome, Stored},
    user_code,
};

/// State that all clones of a session share.
pub(crate) struct SessionState {
    pub(crate) record: TokenRecord,
    /// The record that the session used before it adopted the store's record.
    previous: Option<TokenRecord>,
    /// Version of the store's record when it was last read.
    pub(crate) version: Option<u64>,
    pub(crate) location: Option<StoreLocation>,
    /// Location of the record that a sign-out still has to remove.
    pub(crate) to_remove: Option<StoreLocation>,
    /// Whether the accounts service has refused the current refresh token.
    pub(crate) refresh_token_refused: bool,
    /// Whether the store has renamed a broken token record of this session. The store then has no
    /// token record for the session, although the user has not signed out.
    pub(crate) set_aside: bool,
    /// Whether the session was moved to a store but is not saved there yet. A token record that
    /// the store already contains is outdated, so the session overwrites this token record.
    pub(crate) overwrite: bool,
    pub(crate) unsaved: Option<Unsaved>,
    /// Whether a task is retrying to save the record.
    pub(crate) saving: bool,
    /// When the observer last received the warning that the consent ends soon.
    pub(crate) warned_at: Option<SystemTime>,
}

/// A record that the store does not have yet.
#[derive(Clone, Debug)]
pub(crate) struct Unsaved {
    pub(crate) error: Error,
    /// When to retry.
    pub(crate) due: Instant,
}

/// Location of the record.
#[derive(Clone)]
pub(crate) struct StoreLocation {
    pub(crate) store: Arc<dyn TokenStore>,
    pub(crate) key: StoreKey,
}

/// Time limit for reading a record. The limit is long because a keyring may ask the user for a
/// password.
pub(crate) const LOAD_LIMIT: Duration = Duration::from_secs(20);

/// Time limit for writing or removing a record.
pub(crate) const SAVE_LIMIT: Duration = Duration::from_secs(10);

/// Time limit for waiting while another session refreshes the same record. The store itself may
/// have a shorter time limit.
pub(crate) const LOCK_LIMIT: Duration = Duration::from_secs(65);

impl SessionState {
    pub(crate) fn new(
        record: TokenRecord,
        version: Option<u64>,
        location: Option<StoreLocation>,
    ) -> Self {
        Self {
            record,
            previous: None,
            version,
            location,
            to_remove: None,
            refresh_token_refused: false,
            set_aside: false,
            overwrite: false,
            unsaved: None,
            saving: false,
            warned_at: None,
        }
    }

    /// Whether the record may be written if it is missing from the store.
    pub(crate) fn may_recreate(&self) -> bool {
        self.set_aside || self.overwrite
    }

    /// Adopts the store's record.
    pub(crate) fn adopt(&mut self, stored: Stored) {
        self.version = Some(stored.version());
        self.refresh_token_refused &= self.record.same_refresh_token(stored.record());
        self.previous = Some(std::mem::replace(&mut self.record, stored.into_record()));
        self.unsaved = None;
    }

    /// Goes back to the previous record, after the service has refused the refresh token of the
    /// adopted record. The store may have an older record than the session, for example after a
    /// failover or after a backup was restored.
    pub(crate) fn go_back(&mut self) -> bool {
        let previous = self.previous.take();
        match previous.filter(|previous| !previous.same_refresh_token(&self.record)) {
            Some(previous) => {
                self.record = previous;
                true
            }
            None => false,
        }
    }

    /// Marks the record as saved in the store with this version.
    pub(crate) fn saved(&mut self, version: u64) {
        self.version = Some(version);
        self.previous = None;
        self.set_aside = false;
        self.overwrite = false;
        self.unsaved = None;
    }
}

/// Calls the store with time limits. A panic becomes an error.
impl StoreLocation {
    pub(crate) async fn load(&self) -> Result<Option<Stored>, Error> {
        let Self { store, key } = self.clone();
        call("load", LOAD_LIMIT, async move { store.load(&key).await }).await
    }

    pub(crate) async fn save(
        &self,
        record: TokenRecord,
        expected: Option<u64>,
    ) -> Result<SaveOutcome, Error> {
        let Self { store, key } = self.clone();
        call("save", SAVE_LIMIT, async move { store.save(&key, &record, expected).await }).await
    }

    pub(crate) async fn remove(&self) -> Result<(), Error> {
        let Self { store, key } = self.clone();
        call("remove", SAVE_LIMIT, async move { store.remove(&key).await }).await
    }

    pub(crate) async fn lock(&self, limit: Duration) -> Result<StoreLock, Error> {
        let Self { store, key } = self.clone();
        call("lock", limit, async move { store.lock(&key).await }).await
    }
}

async fn call<T: Send + 'static>(
    method: &str,
    limit: Duration,
    future: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> Result<T, Error> {
    user_code::call(limit, future).await.unwrap_or_else(|failure| {
        Err(Error::store(format!("`{method}` of the token store {failure}")))
    })
}
