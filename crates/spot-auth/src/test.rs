//! Conformance tests for token stores.
//!
//! ```
//! use spot_auth::{MemoryStore, test::check_store};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), spot_auth::Error> {
//! check_store(MemoryStore::new()).await?;
//! # Ok(()) }
//! ```

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use secrecy::ExposeSecret;
use spot_http::Error;
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    Scopes,
    store::{SaveOutcome, StoreKey, TokenRecord, TokenStore},
};

/// Maximum time that a store may need to acquire a lock that nobody holds.
const FREE: Duration = Duration::from_secs(5);

/// Checks that a store meets the requirements of the trait [`TokenStore`].
///
/// The store must be empty. After the checks, the store is empty again, unless a check failed.
///
/// # Errors
///
/// If the store violates a requirement, an error of the kind [`Store`](crate::ErrorKind::Store)
/// describes the requirement. If the store itself returns an error, this function returns the same
/// error.
pub async fn check_store(store: impl TokenStore) -> Result<(), Error> {
    let store: Arc<dyn TokenStore> = Arc::new(store);
    check_versions(&*store).await?;
    check_keys(&*store).await?;
    check_lock(&store).await?;
    ensure(!format!("{store:?}").contains(SECRET), "`Debug` must not print the tokens")
}

/// A string that every token in these tests contains.
const SECRET: &str = "CANARY";

fn record(name: &str) -> TokenRecord {
    TokenRecord::from_refresh_token(format!("{SECRET}-{name}"))
        .with_granted_scopes("streaming user-library-read")
        .with_consented_at(std::time::UNIX_EPOCH + Duration::from_secs(1_795_000_000))
}

fn ensure(holds: bool, requirement: &str) -> Result<(), Error> {
    if holds {
        Ok(())
    } else {
        Err(Error::store(format!("the store violates a requirement: {requirement}")))
    }
}

async fn save(
    store: &dyn TokenStore,
    key: &StoreKey,
    name: &str,
    expected: Option<u64>,
) -> Result<Option<u64>, Error> {
    Ok(match store.save(key, &record(name), expected).await? {
        SaveOutcome::Saved(version) => Some(version),
        SaveOutcome::Conflict => None,
    })
}

/// Checks that the record of this name is stored, and returns its version.
async fn there(store: &dyn TokenStore, key: &StoreKey, name: &str) -> Result<u64, Error> {
    let stored = store.load(key).await?;
    ensure(stored.is_some(), "`load` must return a record after `save`")?;
    let Some(stored) = stored else { return Ok(0) };
    let (found, expected) = (stored.record(), record(name));
    let secret =
        |record: &TokenRecord| record.refresh_token().map(|token| token.expose_secret().to_owned());
    ensure(
        secret(found) == secret(&expected)
            && found.granted_scopes() == expected.granted_scopes()
            && found.consented_at() == expected.consented_at(),
        "`load` must return the record that `save` received",
    )?;
    Ok(stored.version())
}

async fn check_versions(store: &dyn TokenStore) -> Result<(), Error> {
    let key = StoreKey::new("the-client", "me", "user-library-read");
    ensure(store.load(&key).await?.is_none(), "`load` must return `None` if the store is new")?;
    let first = save(store, &key, "one", None).await?;
    ensure(first.is_some(), "`save` without an expected version must write the first record")?;
    let late = save(store, &key, "x", None).await?;
    ensure(
        late.is_none(),
        "if a record exists, `save` without an expected version must report a conflict",
    )?;
    ensure(
        first == Some(there(store, &key, "one").await?),
        "`load` must return the version that `save` returned",
    )?;
    let second = save(store, &key, "two", first).await?;
    ensure(second.is_some(), "`save` with the current version must write the record")?;
    ensure(first != second, "every `save` must change the version")?;
    let late = save(store, &key, "x", first).await?;
    ensure(late.is_none(), "`save` with an old version must report a conflict")?;
    let (one, other) =
        tokio::join!(save(store, &key, "three", second), save(store, &key, "four", second));
    let (one, other) = (one?, other?);
    ensure(
        one.is_some() != other.is_some(),
        "if two saves expect the same version, exactly one of them must report a conflict",
    )?;
    let third = there(store, &key, if one.is_some() { "three" } else { "four" }).await?;

    store.remove(&key).await?;
    store.remove(&key).await?;
    ensure(store.load(&key).await?.is_none(), "`load` must return `None` after `remove`")?;
    let late = save(store, &key, "x", Some(third)).await?;
    ensure(
        late.is_none(),
        "if a record was removed, `save` with the version of this record must report a conflict",
    )?;
    let fourth = save(store, &key, "five", None).await?;
    ensure(
        fourth.is_some(),
        "if the record was removed, `save` without an expected version must write the new record",
    )?;
    ensure(
        ![first, second, Some(third)].contains(&fourth),
        "`save` after `remove` must not reuse an earlier version",
    )?;
    store.remove(&key).await
}

/// Similar keys, which a store with a bug may treat as the same key.
fn similar_keys() -> Vec<StoreKey> {
    let keys = [
        ("client", "me", ""),
        ("client", "ME", ""),
        ("client", "", ""),
        ("other", "me", ""),
        ("client", "me", "streaming"),
        ("client", "me", "streaming user-library-read"),
        ("client", "me/streaming", ""),
        ("client/me", "", ""),
        ("client", "me ", ""),
        ("client", "m e", ""),
        ("client", "m+e", ""),
        ("client", "m%20e", ""),
        ("client", "{me}", ""),
        ("client", "me}:lock", ""),
        ("client", "me:lock", ""),
        ("client", "me\nyou", ""),
        ("client", "../me", ""),
        ("client", "*", ""),
        ("client", "Zoë", ""),
        ("client", "Zoe\u{308}", ""),
        ("client", "\0", ""),
    ];
    keys.into_iter()
        .map(|(client, account, scopes)| StoreKey::new(client, account, Scopes::parse(scopes)))
        .collect()
}

async fn check_keys(store: &dyn TokenStore) -> Result<(), Error> {
    let keys = similar_keys();
    for (number, key) in keys.iter().enumerate() {
        let apart = store.load(key).await?.is_none();
        ensure(apart, &format!("the key {key:?} must have its own record"))?;
        save(store, key, &number.to_string(), None).await?;
    }
    for (number, key) in keys.iter().enumerate() {
        there(store, key, &number.to_string()).await?;
        store.remove(key).await?;
    }
    Ok(())
}

async fn check_lock(store: &Arc<dyn TokenStore>) -> Result<(), Error> {
    let key = StoreKey::new("the-client", "me", "user-library-read");
    let inside = Arc::new(AtomicBool::new(false));
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let (store, inside, key) = (Arc::clone(store), Arc::clone(&inside), key.clone());
        tasks.spawn(async move {
            let lock = store.lock(&key).await?;
            let alone = !inside.swap(true, Ordering::SeqCst);
            sleep(Duration::from_millis(3)).await;
            inside.store(false, Ordering::SeqCst);
            drop(lock);
            ensure(alone, "only one task at a time may hold the lock of a key")
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap_or_else(|_| Err(Error::store("`lock` of the store panicked")))?;
    }
    let held = store.lock(&key).await?;
    let other = StoreKey::new("the-client", "you", "user-library-read");
    let free = timeout(FREE, store.lock(&other)).await;
    ensure(free.is_ok(), "each key must have its own lock")?;
    let second = timeout(Duration::from_millis(50), store.lock(&key)).await;
    ensure(second.is_err(), "`lock` must wait while another task holds the lock")?;
    drop(held);
    let free = timeout(FREE, store.lock(&key)).await;
    ensure(
        free.is_ok(),
        "after the lock is dropped, a task must get it, even if a waiting task was cancelled",
    )?;
    Ok(())
}
