//! Tests `KeyringStore` with an in-memory keyring.

use spot_auth::{ExposeSecret, KeyringStore, SaveOutcome, TokenStore};

use crate::stores::{key, record};

/// This is a single test because the choice of a keyring applies to the whole process.
#[tokio::test]
async fn the_keyring_store_saves_no_access_token() {
    let store = KeyringStore::new("spot-auth's tests");
    let error = store.load(&key()).await.unwrap_err();
    assert!(error.message().contains("keyring cannot read the session of `me`"), "{error}");

    keyring_core::set_default_store(keyring_core::mock::Store::new().unwrap());
    assert!(store.load(&key()).await.unwrap().is_none());
    let hour = std::time::SystemTime::now() + std::time::Duration::from_secs(3_600);
    let first = record("one").with_access_token("an-access-token", hour);
    let SaveOutcome::Saved(version) = store.save(&key(), &first, None).await.unwrap() else {
        panic!("nobody was there");
    };
    let stored = store.load(&key()).await.unwrap().unwrap();
    assert_eq!(stored.version(), version);
    assert_eq!(stored.record().refresh_token().unwrap().expose_secret(), "one");
    assert!(stored.record().access_token().is_none());
    assert_eq!(store.save(&key(), &record("x"), None).await.unwrap(), SaveOutcome::Conflict);
    let same = store.save(&key(), &first, Some(version)).await.unwrap();
    assert_eq!(same, SaveOutcome::Saved(version), "nothing to write");
    let next = store.save(&key(), &record("two"), Some(version)).await.unwrap();
    assert_ne!(next, SaveOutcome::Conflict);
    store.remove(&key()).await.unwrap();
    store.remove(&key()).await.unwrap();
    assert!(store.load(&key()).await.unwrap().is_none());
    keyring_core::unset_default_store();
}
