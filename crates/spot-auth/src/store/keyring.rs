//! Records in the keyring of the operating system.

use std::sync::Arc;

use async_trait::async_trait;
use keyring_core::Entry;
use secrecy::{ExposeSecret, SecretString};
use spot_http::Error;

use crate::store::{
    locks::{Locks, version},
    record::TokenRecord,
    token_store::{SaveOutcome, StoreKey, StoreLock, Stored, TokenStore},
};

/// Stores records in the keyring of the operating system, through `keyring-core`.
///
/// The program chooses the keyring with `keyring_core::set_default_store`. Without a keyring, every
/// call fails with a [`Store`](crate::ErrorKind::Store) error; there is no fallback to a file.
///
/// The access token is not stored, because some keyrings limit the size of entries. Therefore the
/// session gets a new access token after every start of the program. Only one process at a time may
/// use a session.
// The attribute is repeated here, so that the documentation of `spot-sdk` shows the feature.
#[cfg(feature = "keyring")]
#[derive(Clone, Debug)]
pub struct KeyringStore {
    service: Arc<str>,
    locks: Locks,
}

impl KeyringStore {
    /// Creates a store whose entries have this service name. The user sees the name in the keyring.
    pub fn new(service: &str) -> Self {
        Self { service: service.into(), locks: Locks::default() }
    }

    async fn with_entry<T, F>(
        &self,
        what: &'static str,
        key: &StoreKey,
        work: F,
    ) -> Result<T, Error>
    where
        F: FnOnce(Entry) -> keyring_core::Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let (service, user) = (Arc::clone(&self.service), key.to_string());
        let failed = |error: String| {
            let account = key.account();
            Error::store(format!("the keyring cannot {what} the session of `{account}`: {error}"))
        };
        // A keyring may ask the user for a password, and block until the user answers.
        tokio::task::spawn_blocking(move || Entry::new(&service, &user).and_then(work))
            .await
            .map_err(|_| failed("the tokio runtime shut down".to_owned()))?
            // Only the error message is used, because the error value may contain the content of
            // the entry.
            .map_err(|error| failed(error.to_string()))
    }
}

#[async_trait]
impl TokenStore for KeyringStore {
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, Error> {
        let text = self
            .with_entry("read", key, |entry| match entry.get_password() {
                Ok(text) => Ok(Some(SecretString::from(text))),
                Err(keyring_core::Error::NoEntry) => Ok(None),
                Err(error) => Err(error),
            })
            .await?;
        let Some(text) = text else { return Ok(None) };
        let record = TokenRecord::from_json(text.expose_secret())?;
        let version = version(&record);
        Ok(Some(Stored::new(record, version)))
    }

    async fn save(
        &self,
        key: &StoreKey,
        record: &TokenRecord,
        expected: Option<u64>,
    ) -> Result<SaveOutcome, Error> {
        let record = record.without_access_token();
        let there = self.load(key).await?.map(|stored| stored.version());
        if there != expected {
            return Ok(SaveOutcome::Conflict);
        }
        let version = version(&record);
        if there != Some(version) {
            let text = record.to_json();
            self.with_entry("write", key, move |entry| entry.set_password(text.expose_secret()))
                .await?;
        }
        Ok(SaveOutcome::Saved(version))
    }

    async fn remove(&self, key: &StoreKey) -> Result<(), Error> {
        self.with_entry("remove", key, |entry| match entry.delete_credential() {
            Err(keyring_core::Error::NoEntry) => Ok(()),
            outcome => outcome,
        })
        .await
    }

    async fn lock(&self, key: &StoreKey) -> Result<StoreLock, Error> {
        Ok(self.locks.lock(key).await)
    }
}
