//! Locks and versions for stores that serve one process.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, PoisonError},
};

use secrecy::ExposeSecret;
use tokio::sync::Mutex as AsyncMutex;

use crate::store::{
    record::TokenRecord,
    token_store::{StoreKey, StoreLock},
};

/// One lock per key. Clones share the locks.
#[derive(Clone, Debug, Default)]
pub(super) struct Locks(Arc<Mutex<HashMap<StoreKey, Arc<AsyncMutex<()>>>>>);

impl Locks {
    pub(super) async fn lock(&self, key: &StoreKey) -> StoreLock {
        let lock = {
            let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // If no task holds a lock or waits for it, only this map references the lock.
            locks.retain(|known, lock| known == key || Arc::strong_count(lock) > 1);
            Arc::clone(locks.entry(key.clone()).or_default())
        };
        StoreLock::new(lock.lock_owned().await)
    }
}

/// Computes a version from the content.
pub(super) fn version(record: &TokenRecord) -> u64 {
    let mut hasher = DefaultHasher::new();
    record.to_json().expose_secret().hash(&mut hasher);
    hasher.finish()
}
