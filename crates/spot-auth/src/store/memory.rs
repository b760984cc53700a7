//! Records in memory.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use spot_http::Error;

use crate::store::{
    locks::Locks,
    record::TokenRecord,
    token_store::{SaveOutcome, StoreKey, StoreLock, Stored, TokenStore},
};

/// Stores records in memory, for tests and for programs whose users sign in at every start.
///
/// Clones share the records.
#[derive(Clone, Default)]
pub struct MemoryStore {
    shelves: Arc<Mutex<HashMap<StoreKey, Shelf>>>,
    locks: Locks,
}

#[derive(Default)]
struct Shelf {
    stored: Option<Stored>,
    /// The version that the latest save assigned. A removal does not reset this number: a writer
    /// that still expects the removed record must get a conflict.
    last: u64,
}

impl MemoryStore {
    /// Creates an empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn shelves(&self) -> MutexGuard<'_, HashMap<StoreKey, Shelf>> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl TokenStore for MemoryStore {
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, Error> {
        Ok(self.shelves().get(key).and_then(|shelf| shelf.stored.clone()))
    }

    async fn save(
        &self,
        key: &StoreKey,
        record: &TokenRecord,
        expected: Option<u64>,
    ) -> Result<SaveOutcome, Error> {
        let mut shelves = self.shelves();
        let shelf = shelves.entry(key.clone()).or_default();
        if shelf.stored.as_ref().map(Stored::version) != expected {
            return Ok(SaveOutcome::Conflict);
        }
        shelf.last = shelf.last.wrapping_add(1);
        shelf.stored = Some(Stored::new(record.clone(), shelf.last));
        Ok(SaveOutcome::Saved(shelf.last))
    }

    async fn remove(&self, key: &StoreKey) -> Result<(), Error> {
        if let Some(shelf) = self.shelves().get_mut(key) {
            shelf.stored = None;
        }
        Ok(())
    }

    async fn lock(&self, key: &StoreKey) -> Result<StoreLock, Error> {
        Ok(self.locks.lock(key).await)
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("records", &self.shelves().len()).finish()
    }
}
