//! Records in the program's own storage.

use std::{error::Error as StdError, fmt, future::Future, pin::Pin, sync::Arc};

use async_trait::async_trait;
use spot_http::Error;

use crate::store::{
    locks::{Locks, version},
    record::TokenRecord,
    token_store::{SaveOutcome, StoreKey, StoreLock, Stored, TokenStore},
};

/// Stores records with three functions that you supply, for example in a database table.
///
/// Any number of tasks of one process may use this store. For several processes, use the store of
/// `spot-redis`, or implement [`TokenStore`]. Such an implementation needs a version in each row,
/// and a lock that works across processes.
///
/// ```
/// use spot_auth::{CallbackStore, ExposeSecret, TokenRecord};
/// # async fn select(_: &str) -> Result<Option<String>, std::io::Error> { Ok(None) }
/// # async fn upsert(_: &str, _: &str) -> Result<(), std::io::Error> { Ok(()) }
/// # async fn delete(_: &str) -> Result<(), std::io::Error> { Ok(()) }
///
/// let store = CallbackStore::new(
///     |key| async move {
///         let row = select(key.account()).await?;
///         Ok(row.map(|json| TokenRecord::from_json(&json)).transpose()?)
///     },
///     |key, record| async move {
///         Ok(upsert(key.account(), record.to_json().expose_secret()).await?)
///     },
///     |key| async move { Ok(delete(key.account()).await?) },
/// );
/// ```
#[derive(Clone)]
pub struct CallbackStore {
    calls: Arc<Calls>,
    locks: Locks,
}

struct Calls {
    load: Call<StoreKey, Option<TokenRecord>>,
    save: Call<(StoreKey, TokenRecord), ()>,
    remove: Call<StoreKey, ()>,
}

type Failure = Box<dyn StdError + Send + Sync>;
type Outcome<T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send>>;
type Call<A, T> = Box<dyn Fn(A) -> Outcome<T> + Send + Sync>;

impl CallbackStore {
    /// Creates a store from three functions, which read, write and remove the record under a key.
    pub fn new<Load, Loaded, Save, Saved, Remove, Removed>(
        load: Load,
        save: Save,
        remove: Remove,
    ) -> Self
    where
        Load: Fn(StoreKey) -> Loaded + Send + Sync + 'static,
        Loaded: Future<Output = Result<Option<TokenRecord>, Failure>> + Send + 'static,
        Save: Fn(StoreKey, TokenRecord) -> Saved + Send + Sync + 'static,
        Saved: Future<Output = Result<(), Failure>> + Send + 'static,
        Remove: Fn(StoreKey) -> Removed + Send + Sync + 'static,
        Removed: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        Self {
            calls: Arc::new(Calls {
                load: Box::new(move |key| Box::pin(load(key))),
                save: Box::new(move |(key, record)| Box::pin(save(key, record))),
                remove: Box::new(move |key| Box::pin(remove(key))),
            }),
            locks: Locks::default(),
        }
    }
}

#[async_trait]
impl TokenStore for CallbackStore {
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, Error> {
        let loaded = (self.calls.load)(key.clone()).await;
        let record = loaded.map_err(|error| failed("read", key, error))?;
        Ok(record.map(|record| {
            let version = version(&record);
            Stored::new(record, version)
        }))
    }

    async fn save(
        &self,
        key: &StoreKey,
        record: &TokenRecord,
        expected: Option<u64>,
    ) -> Result<SaveOutcome, Error> {
        let there = self.load(key).await?;
        if there.map(|stored| stored.version()) != expected {
            return Ok(SaveOutcome::Conflict);
        }
        let saved = (self.calls.save)((key.clone(), record.clone())).await;
        saved.map_err(|error| failed("write", key, error))?;
        Ok(SaveOutcome::Saved(version(record)))
    }

    async fn remove(&self, key: &StoreKey) -> Result<(), Error> {
        let removed = (self.calls.remove)(key.clone()).await;
        removed.map_err(|error| failed("remove", key, error))
    }

    async fn lock(&self, key: &StoreKey) -> Result<StoreLock, Error> {
        Ok(self.locks.lock(key).await)
    }
}

fn failed(what: &str, key: &StoreKey, error: Failure) -> Error {
    let account = key.account();
    Error::store(format!("the custom token store cannot {what} the session of `{account}`"))
        .with_source(error)
}

impl fmt::Debug for CallbackStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallbackStore")
    }
}
