//! The trait of token stores, and its types.

use std::{any::Any, fmt, sync::Arc};

use async_trait::async_trait;
use spot_http::Error;

use crate::{scopes::Scopes, store::record::TokenRecord};

/// Stores the records of sessions.
///
/// Several tasks, processes and machines may share a store. Two mechanisms prevent a session from
/// overwriting a newer refresh token that another session has saved. A session acquires the
/// [`lock`](Self::lock) before it reads a record, and keeps the lock until it has written the
/// refreshed record. [`save`](Self::save) writes nothing if the record has changed since the
/// session read it.
///
/// A session treats a panic of the store as an error. A session sets a time limit for each method
/// of the store: 20 s for `load`, 10 s for `save` and `remove`, and 65 s for `lock`. The session
/// cancels a method that exceeds its time limit. On a multi-threaded runtime, the time limit also
/// applies to a store method that blocks its thread. On a current-thread runtime, a store method
/// that blocks its thread stops the whole runtime until the method returns. Therefore run blocking
/// code with `tokio::task::spawn_blocking`.
///
/// `spot_auth::test::check_store` (feature `test`) checks an implementation. The crate `spot-redis`
/// provides a store for Redis.
#[async_trait]
pub trait TokenStore: fmt::Debug + Send + Sync + 'static {
    /// Reads the record of a key. Returns `None` if the store has no record of the key.
    ///
    /// # Errors
    ///
    /// Fails if the store cannot be read, or if its content is not a record.
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, Error>;

    /// Writes a record if the current record has the version `expected`. If `expected` is `None`,
    /// writes the record only if the key has no record yet. A saved record must survive a crash.
    ///
    /// # Errors
    ///
    /// Fails if the store cannot be written.
    async fn save(
        &self,
        key: &StoreKey,
        record: &TokenRecord,
        expected: Option<u64>,
    ) -> Result<SaveOutcome, Error>;

    /// Removes the record of a key, if there is one. A session calls this method when the user
    /// signs out.
    ///
    /// # Errors
    ///
    /// Fails if the record cannot be removed.
    async fn remove(&self, key: &StoreKey) -> Result<(), Error>;

    /// Waits for the lock of the key. The lock is released when the value is dropped. The store
    /// must also release the lock when the process that holds the lock ends. `load`, `save` and
    /// `remove` must work even if their caller does not hold the lock.
    ///
    /// # Errors
    ///
    /// Returns a [`Timeout`](crate::ErrorKind::Timeout) error if another process holds the lock for
    /// too long. The session then continues without the lock.
    async fn lock(&self, key: &StoreKey) -> Result<StoreLock, Error>;
}

/// The key of a record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StoreKey {
    client_id: String,
    account: String,
    scopes: Scopes,
}

/// A record in a store, with its version.
#[derive(Clone, Debug)]
pub struct Stored {
    record: TokenRecord,
    version: u64,
}

/// The result of saving a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SaveOutcome {
    /// The record was saved with this version.
    Saved(u64),
    /// The token record was not saved, because the stored version is not the expected version.
    Conflict,
}

/// The lock of a key. The lock is released when the value is dropped.
pub struct StoreLock {
    // This field only keeps the guard alive; nothing reads it.
    _guard: Option<Box<dyn Any + Send + Sync>>,
}

impl StoreKey {
    /// Creates the key of a session. `account` is any string that your program uses to identify the
    /// user. `scopes` are the requested scopes. Each set of requested scopes needs its own consent,
    /// and therefore its own key.
    pub fn new(
        client_id: impl Into<String>,
        account: impl Into<String>,
        scopes: impl Into<Scopes>,
    ) -> Self {
        Self { client_id: client_id.into(), account: account.into(), scopes: scopes.into() }
    }

    /// The client id of the application.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The string that the program uses to identify the user.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The requested scopes.
    pub fn scopes(&self) -> &Scopes {
        &self.scopes
    }
}

/// Formats the key as one line, for stores whose keys are strings.
impl fmt::Display for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.client_id, self.account, self.scopes)
    }
}

impl Stored {
    /// Creates a stored record from a record and its version.
    pub fn new(record: TokenRecord, version: u64) -> Self {
        Self { record, version }
    }

    /// The record.
    pub fn record(&self) -> &TokenRecord {
        &self.record
    }

    /// The record, without its version.
    pub fn into_record(self) -> TokenRecord {
        self.record
    }

    /// The version of the record. Every save changes the version.
    pub fn version(&self) -> u64 {
        self.version
    }
}

impl StoreLock {
    /// Creates a lock that is released when the guard is dropped.
    pub fn new(guard: impl Any + Send + Sync) -> Self {
        Self { _guard: Some(Box::new(guard)) }
    }

    /// Creates a lock that does nothing, for stores that only one process uses.
    pub fn none() -> Self {
        Self { _guard: None }
    }
}

impl fmt::Debug for StoreLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreLock")
    }
}

#[async_trait]
impl<S: TokenStore + ?Sized> TokenStore for Arc<S> {
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, Error> {
        (**self).load(key).await
    }

    async fn save(
        &self,
        key: &StoreKey,
        record: &TokenRecord,
        expected: Option<u64>,
    ) -> Result<SaveOutcome, Error> {
        (**self).save(key, record, expected).await
    }

    async fn remove(&self, key: &StoreKey) -> Result<(), Error> {
        (**self).remove(key).await
    }

    async fn lock(&self, key: &StoreKey) -> Result<StoreLock, Error> {
        (**self).lock(key).await
    }
}
