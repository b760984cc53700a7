//! Sessions in Redis.

mod content;
mod lock;
mod seal;
mod sign_in;

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use redis::Value;
use spot_auth::{
    ExposeSecret, SaveOutcome, StoreKey, StoreLock, Stored, TokenRecord, TokenStore, async_trait,
};
use spot_http::Error;

use crate::{
    connection::Redis,
    script::Script,
    store::{
        content::{Content, Kind, Unreadable},
        seal::{Seal, SealFailure},
    },
};

/// Stores the sessions of an application in Redis or Valkey, for any number of processes and
/// machines.
///
/// ```no_run
/// use spot_auth::{App, Scope};
/// use spot_redis::{Redis, RedisStore};
///
/// # async fn run(app: App) -> Result<(), spot_auth::Error> {
/// let store = RedisStore::new(&Redis::open("redis://localhost:6379")?);
/// let session = app.stored_session(store, "alice", Scope::UserLibraryRead).await?;
/// # Ok(()) }
/// ```
///
/// # Several processes
///
/// Only one process at a time refreshes a session. The other processes find the new tokens in the
/// store. During the refresh, this process holds a lock on the session and renews the lock
/// regularly. If this process dies, the lock expires after ten seconds.
///
/// A process may lose its lock, for example while it is suspended. Such a process cannot overwrite
/// a newer record: each save compares the version in Redis with the version that the process has
/// read.
///
/// # A server that is unavailable, slow, or restarted without data
///
/// Sessions that are in use continue to work, because their tokens are in memory. Sessions report
/// errors of the token store to the observer that you set with
/// [`AppBuilder::observer`](spot_auth::AppBuilder::observer). If the store cannot save a token
/// record, the session retries until the save succeeds. After the Redis server has lost its data,
/// the next refresh of a loaded session saves the token record again. If no process has loaded the
/// session of a user, this user has to sign in again. To prevent the loss of sessions, enable
/// persistence on the server (`appendonly yes`), and disable the eviction of keys
/// (`maxmemory-policy noeviction`).
///
/// # Keys
///
/// Each token record is a Redis string. The Redis key of a token record is the [key
/// prefix](crate::RedisBuilder::prefix), followed by `session:{CLIENT_ID/ACCOUNT/SCOPES}`. The key
/// of the lock is the key of the token record with the suffix `:lock`. The braces around
/// `CLIENT_ID/ACCOUNT/SCOPES` are part of the key: this hash tag puts the token record and its lock
/// into the same hash slot of a cluster. All characters except letters, digits and `-._~` are
/// percent-encoded. [`key`](Self::key) returns the key of a session.
///
/// The consent of a user lasts six months. A token record expires 30 days after the consent ends.
/// If the date of the consent is unknown, the store assumes that the consent ends 181 days after
/// the last save. A sign-out replaces the token record with a marker, which contains no tokens.
/// Until the marker expires after 30 days, other processes cannot write the token record again.
///
/// # A record that cannot be read
///
/// The first read of a broken record returns an error that contains the Redis key. The store
/// renames a broken record: the new key ends with `:broken`. The renamed record expires after 30
/// days.
///
/// If a record cannot be decrypted, or has the format of a newer version of this library,
/// [`load`](TokenStore::load) returns an error and does not rename the record.
#[derive(Clone)]
pub struct RedisStore {
    redis: Redis,
    seal: Option<Arc<Seal>>,
    accepts_unsealed: bool,
}

/// How long the server stores a record whose consent has expired, the marker of a sign-out, and a
/// broken record.
const KEPT: Duration = Duration::from_secs(30 * 86_400);

/// If the date of the consent is unknown, the store assumes that the consent ends this long after a
/// save.
const UNKNOWN_CONSENT: Duration = Duration::from_secs(181 * 86_400);

/// Characters to escape in a key: all except letters, digits and `-._~`.
const ESCAPED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

static SAVE: Script = Script::new(include_str!("store/save.lua"));
static REMOVE: Script = Script::new(include_str!("store/remove.lua"));
static SET_ASIDE: Script = Script::new(include_str!("store/set_aside.lua"));

impl RedisStore {
    /// Creates a store that saves token records on this Redis server. All Redis keys of the store
    /// start with the [key prefix](crate::RedisBuilder::prefix).
    pub fn new(redis: &Redis) -> Self {
        Self { redis: redis.clone(), seal: None, accepts_unsealed: false }
    }

    /// Encrypts records and pending sign-ins before the store sends them to Redis. `seal` encrypts
    /// the plaintext of a record. `open` decrypts the bytes that `seal` returned, and must fail if
    /// these bytes were changed. Use authenticated encryption, such as AES-GCM-SIV, or
    /// XChaCha20-Poly1305 with a random nonce. Do not store the encryption key in Redis.
    ///
    /// The plaintext contains a token record or a pending sign-in, and the Redis key of this value.
    /// After it decrypts a value, the store checks that the plaintext contains the value's own
    /// Redis key. If the plaintext contains another Redis key, the store returns an error, because
    /// somebody has moved the encrypted value. The store cannot detect that somebody restored an
    /// older record of the same user.
    ///
    /// `seal` and `open` must return immediately. If one of these functions panics, the store
    /// returns an error.
    ///
    /// ```
    /// use spot_redis::{Redis, RedisStore};
    ///
    /// # struct Cipher;
    /// # impl Cipher {
    /// #     fn encrypt(&self, plain: &[u8]) -> Result<Vec<u8>, std::fmt::Error> {
    /// #         Ok(plain.to_vec())
    /// #     }
    /// #     fn decrypt(&self, bytes: &[u8]) -> Result<Vec<u8>, std::fmt::Error> {
    /// #         Ok(bytes.to_vec())
    /// #     }
    /// # }
    /// # fn cipher() -> Cipher { Cipher }
    /// # fn run() -> Result<(), spot_auth::Error> {
    /// let (sealing, opening) = (cipher(), cipher());
    /// let store = RedisStore::new(&Redis::open("redis://localhost:6379")?).sealed(
    ///     move |plain| Ok(sealing.encrypt(plain)?),
    ///     move |bytes| Ok(opening.decrypt(bytes)?),
    /// );
    /// # drop(store);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn sealed(
        self,
        seal: impl Fn(&[u8]) -> Result<Vec<u8>, SealFailure> + Send + Sync + 'static,
        open: impl Fn(&[u8]) -> Result<Vec<u8>, SealFailure> + Send + Sync + 'static,
    ) -> Self {
        Self { seal: Some(Arc::new(Seal::new(seal, open))), ..self }
    }

    /// Allows the store to read records that are not encrypted. Without this setting, a store with
    /// encryption (see [`sealed`](Self::sealed)) refuses records that are not encrypted. Use this
    /// setting when a service starts to encrypt its records: the old records remain readable, and
    /// every save encrypts the new record. The setting has a risk: anyone who can write to the
    /// server can give a user the session of another user.
    #[must_use]
    pub fn accept_unsealed(self) -> Self {
        Self { accepts_unsealed: true, ..self }
    }

    /// Returns the Redis key of a session's record.
    pub fn key(&self, key: &StoreKey) -> String {
        let escaped = |text| utf8_percent_encode(text, &ESCAPED).to_string();
        let scopes: Vec<_> = key.scopes().iter().map(|scope| escaped(scope.as_str())).collect();
        format!(
            "{}session:{{{}/{}/{}}}",
            self.redis.prefix(),
            escaped(key.client_id()),
            escaped(key.account()),
            scopes.join("+")
        )
    }

    /// Converts JSON to the payload to store under a key, and encrypts it if the store has
    /// encryption.
    fn payload(&self, key: &str, text: &str) -> Result<(Kind, Vec<u8>), Error> {
        match &self.seal {
            Some(seal) => Ok((Kind::Sealed, seal.seal(key, text)?)),
            None => Ok((Kind::Clear, text.as_bytes().to_vec())),
        }
    }

    /// Returns the JSON of a stored value, and decrypts the value if necessary.
    fn text(&self, key: &str, content: &Content<'_>) -> Result<String, Unreadable> {
        let refused =
            |why: &str| Unreadable::Error(Error::configuration(format!("{key} in Redis {why}")));
        match (content.kind, &self.seal) {
            (Kind::Sealed, Some(seal)) => {
                seal.open(key, content.payload).map_err(Unreadable::Error)
            }
            (Kind::Sealed, None) => Err(refused(
                "is encrypted, but this store has no functions for encryption: pass these functions \
                 to `RedisStore::sealed`",
            )),
            (_, Some(_)) if !self.accepts_unsealed => Err(refused(
                "is not encrypted: remove it, or allow it with `RedisStore::accept_unsealed`",
            )),
            _ => content.text().map(str::to_owned),
        }
    }

    /// Changes the key of a record that cannot be read.
    async fn set_aside(&self, key: &str, bytes: &[u8]) -> Result<(), Error> {
        let call = SET_ASIDE.call().key(key).key(broken(key)).arg(bytes).arg(millis(KEPT));
        self.redis.run::<Value>(call).await.map_err(|error| failed("rename", key, error))?;
        Ok(())
    }

    async fn save_once(
        &self,
        key: &str,
        record: &TokenRecord,
        expected: Option<u64>,
    ) -> Result<Value, Error> {
        let (kind, payload) = self.payload(key, record.to_json().expose_secret())?;
        let consent_ends =
            record.consent_expires_at().map_or_else(String::new, |at| unix_millis(at).to_string());
        let call = SAVE
            .call()
            .key(key)
            .arg(expected.map_or_else(String::new, |version| version.to_string()))
            .arg(kind.name())
            .arg(payload)
            .arg(consent_ends)
            .arg(millis(KEPT))
            .arg(millis(UNKNOWN_CONSENT));
        self.redis.run(call).await.map_err(|error| failed("write", key, error))
    }
}

#[async_trait]
impl TokenStore for RedisStore {
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, Error> {
        let key = self.key(key);
        let value: Value = self
            .redis
            .query(redis::cmd("GET").arg(&key).to_owned())
            .await
            .map_err(|error| failed("read", &key, error))?;
        let bytes = match value {
            Value::Nil => return Ok(None),
            Value::BulkString(bytes) => bytes,
            _ => return Err(unexpected("reading", &key)),
        };
        let read = Content::parse(&bytes).and_then(|content| {
            if content.kind == Kind::Removed {
                return Ok(None);
            }
            let record = TokenRecord::from_json(&self.text(&key, &content)?)
                .map_err(|error| Unreadable::Broken(error.message().to_owned()))?;
            Ok(Some(Stored::new(record, content.version)))
        });
        match read {
            Ok(stored) => Ok(stored),
            Err(Unreadable::Error(error)) => Err(error),
            Err(Unreadable::Newer) => Err(newer(&key)),
            Err(Unreadable::Broken(why)) => {
                self.set_aside(&key, &bytes).await?;
                Err(Error::store(format!(
                    "the session {key} in Redis cannot be used: {why}; the key was renamed to {}",
                    broken(&key)
                )))
            }
        }
    }

    async fn save(
        &self,
        key: &StoreKey,
        record: &TokenRecord,
        expected: Option<u64>,
    ) -> Result<SaveOutcome, Error> {
        let key = self.key(key);
        let mut value = self.save_once(&key, record, expected).await?;
        if let Value::BulkString(bytes) = value {
            // The existing value is not a record, so it has no version.
            self.set_aside(&key, &bytes).await?;
            value = self.save_once(&key, record, expected).await?;
        }
        match value {
            Value::Nil => Ok(SaveOutcome::Conflict),
            Value::Int(version) => match u64::try_from(version) {
                Ok(0) | Err(_) => Err(newer(&key)),
                Ok(version) => Ok(SaveOutcome::Saved(version)),
            },
            _ => Err(unexpected("writing", &key)),
        }
    }

    async fn remove(&self, key: &StoreKey) -> Result<(), Error> {
        let key = self.key(key);
        let call = REMOVE.call().key(&key).key(broken(&key)).arg(millis(KEPT));
        self.redis.run::<Value>(call).await.map_err(|error| failed("remove", &key, error))?;
        Ok(())
    }

    async fn lock(&self, key: &StoreKey) -> Result<StoreLock, Error> {
        lock::lock(&self.redis, &self.key(key)).await
    }
}

fn broken(key: &str) -> String {
    format!("{key}:broken")
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn unix_millis(time: SystemTime) -> u64 {
    millis(time.duration_since(UNIX_EPOCH).unwrap_or_default())
}

fn failed(what: &str, key: &str, error: impl fmt::Display) -> Error {
    Error::store(format!("cannot {what} the session {key}: {error}"))
}

fn unexpected(doing: &str, key: &str) -> Error {
    Error::store(format!("unexpected response from Redis while {doing} the session {key}"))
}

fn newer(key: &str) -> Error {
    Error::configuration(format!(
        "the session {key} in Redis was written by a newer version of this library: update the \
         program, or remove the key and let the user sign in again"
    ))
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("redis", &self.redis)
            .field("sealed", &self.seal.is_some())
            .finish_non_exhaustive()
    }
}
