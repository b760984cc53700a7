//! What sessions need of a store.

use std::{any::Any, fmt, sync::Arc};

use async_trait::async_trait;
use spot_http::Error;

use crate::{scopes::Scopes, store::record::TokenRecord};

/// Keeps the records of sessions.
///
/// Several tasks, processes and machines may share one. Two things keep them from losing a refresh
/// token to each other: [`lock`](Self::lock), which is held from reading a record to writing the
/// refreshed one, and versions, by which [`save`](Self::save) refuses a writer who has not seen the
/// last record.
#[async_trait]
pub trait TokenStore: fmt::Debug + Send + Sync + 'static {
    /// The record under a key. `None` if there is none.
    ///
    /// # Errors
    ///
    /// If it cannot be told, or if what is there is no record.
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, Error>;

    /// Writes a record if the one that is there has the expected version, `None` meaning that there
    /// is none. A record that was saved is there for good: it survives a crash.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    async fn save(
        &self,
        key: &StoreKey,
        record: &TokenRecord,
        expected: Option<u64>,
    ) -> Result<SaveOutcome, Error>;

    /// Takes the record under a key away, if there is one: the user has signed out.
    ///
    /// # Errors
    ///
    /// If it cannot be taken away.
    async fn remove(&self, key: &StoreKey) -> Result<(), Error>;

    /// Waits until nobody else holds the lock of the key, and holds it until the value is dropped.
    /// The lock must end with the process that holds it. [`load`](Self::load) and
    /// [`save`](Self::save) work with and without it.
    ///
    /// # Errors
    ///
    /// [`Timeout`](crate::ErrorKind::Timeout) if somebody else does not let go of it.
    async fn lock(&self, key: &StoreKey) -> Result<StoreLock, Error>;
}

/// What a record is kept under.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StoreKey {
    client_id: String,
    account: String,
    scopes: Scopes,
}

/// A record as it is in a store.
#[derive(Clone, Debug)]
pub struct Stored {
    record: TokenRecord,
    version: u64,
}

/// What came of writing a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SaveOutcome {
    /// It is written, as this version.
    Saved(u64),
    /// It is not: another record was written since the expected version.
    Conflict,
}

/// Holds the lock of a key until it is dropped.
pub struct StoreLock {
    // Held, never read.
    _guard: Option<Box<dyn Any + Send + Sync>>,
}

impl StoreKey {
    /// The key of an application's session: `account` is the application's own name for the user,
    /// any text, and `scopes` are those it asks for. Two programs with different scopes have
    /// different consents.
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

    /// The application's name for the user.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The scopes that are asked for.
    pub fn scopes(&self) -> &Scopes {
        &self.scopes
    }
}

/// Prints on one line, for stores whose keys are text.
impl fmt::Display for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.client_id, self.account, self.scopes)
    }
}

impl Stored {
    /// A record and its version.
    pub fn new(record: TokenRecord, version: u64) -> Self {
        Self { record, version }
    }

    /// The record.
    pub fn record(&self) -> &TokenRecord {
        &self.record
    }

    /// The record alone.
    pub fn into_record(self) -> TokenRecord {
        self.record
    }

    /// Which of the records under the key it is: every save makes it another one.
    pub fn version(&self) -> u64 {
        self.version
    }
}

impl StoreLock {
    /// A lock that is held as long as the guard lives.
    pub fn new(guard: impl Any + Send + Sync) -> Self {
        Self { _guard: Some(Box::new(guard)) }
    }

    /// No lock, for stores that only one process uses.
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
