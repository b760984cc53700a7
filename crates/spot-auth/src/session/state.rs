//! What a session remembers.

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

/// What all clones of a session share.
pub(crate) struct SessionState {
    pub(crate) record: TokenRecord,
    /// The record before the one that was taken over from the store.
    previous: Option<TokenRecord>,
    /// The version of the record in the store when it was last seen.
    pub(crate) version: Option<u64>,
    pub(crate) location: Option<StoreLocation>,
    /// The accounts service refused this very refresh token.
    pub(crate) refresh_token_refused: bool,
    /// The store could not be read when it was last asked. That the record is not in it need not
    /// mean that the user has signed out.
    pub(crate) unreadable: bool,
    /// The session has moved into the store, which has not saved the record yet: the record in the
    /// store is older.
    pub(crate) overwrite: bool,
    pub(crate) unsaved: Option<Unsaved>,
    /// A task tries to save the record.
    pub(crate) saving: bool,
    /// When the observer was last told that the consent ends soon.
    pub(crate) warned_at: Option<SystemTime>,
}

/// The store does not have the record.
#[derive(Clone, Debug)]
pub(crate) struct Unsaved {
    pub(crate) error: Error,
    /// When to try again.
    pub(crate) due: Instant,
}

/// The place of the record.
#[derive(Clone)]
pub(crate) struct StoreLocation {
    pub(crate) store: Arc<dyn TokenStore>,
    pub(crate) key: StoreKey,
}

/// The time limit of reading a record. A keyring may ask the user for a
/// password meanwhile.
pub(crate) const LOAD_LIMIT: Duration = Duration::from_secs(20);

/// The time limit of writing and removing a record.
pub(crate) const SAVE_LIMIT: Duration = Duration::from_secs(10);

/// The time limit of waiting for others who refresh the same record. A store may give up earlier.
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
            refresh_token_refused: false,
            unreadable: false,
            overwrite: false,
            unsaved: None,
            saving: false,
            warned_at: None,
        }
    }

    /// Whether a record that is not in the store is to be put there.
    pub(crate) fn may_recreate(&self) -> bool {
        self.unreadable || self.overwrite
    }

    /// Takes over the record of the store.
    pub(crate) fn adopt(&mut self, stored: Stored) {
        self.version = Some(stored.version());
        self.refresh_token_refused &= self.record.same_refresh_token(stored.record());
        self.previous = Some(std::mem::replace(&mut self.record, stored.into_record()));
        self.unsaved = None;
    }

    /// Goes back to the record before the one of the store, whose refresh token the service refuses.
    /// A store that lost its last writes, as after a failover or a restored backup, has a record
    /// that is older than the one of a session in use.
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

    /// The record is in the store.
    pub(crate) fn saved(&mut self, version: u64) {
        self.version = Some(version);
        self.previous = None;
        self.unreadable = false;
        self.overwrite = false;
        self.unsaved = None;
    }
}

/// The calls of the store, with their time limits. A panic is an error.
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
