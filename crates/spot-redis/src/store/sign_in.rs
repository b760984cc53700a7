//! Stores pending sign-ins until the callback arrives.

use std::time::Duration;

use percent_encoding::utf8_percent_encode;
use redis::Value;
use spot_auth::{App, ExposeSecret, PendingSignIn};
use spot_http::Error;

use crate::{
    script::Script,
    store::{
        ESCAPED, RedisStore,
        content::{Content, Unreadable},
        millis,
    },
};

/// How long a sign-in is valid.
const LIFETIME: Duration = Duration::from_secs(600);

/// How long the Redis server stores the copy of a sign-in that `TAKE` has removed.
const REPEATABLE: Duration = Duration::from_secs(10);

/// Moves a sign-in to `KEYS[2]`, and returns the sign-in. If the response is lost, the connection
/// repeats the script, which then returns the copy in `KEYS[2]`.
static TAKE: Script = Script::new(
    "local value = redis.call('GET', KEYS[1])
     if not value then return redis.call('GET', KEYS[2]) end
     redis.call('SET', KEYS[2], value, 'PX', ARGV[1])
     redis.call('DEL', KEYS[1])
     return value",
);

impl RedisStore {
    /// Stores a pending sign-in in Redis for at most ten minutes. The machine that receives the
    /// callback gets the sign-in with [`take_sign_in`](Self::take_sign_in).
    ///
    /// Also store the `state` of the sign-in in a cookie of the user's browser. When the callback
    /// arrives, compare the state in the URL with the state in the cookie. Without this comparison,
    /// an attacker can trick a user into using the session of another account.
    ///
    /// # Errors
    ///
    /// Fails with [`Store`](spot_auth::ErrorKind::Store) if the server is unavailable or refuses to
    /// write.
    pub async fn keep_sign_in(&self, pending: PendingSignIn) -> Result<(), Error> {
        let key = self.sign_in_key(pending.state());
        let (kind, payload) = self.payload(&key, pending.into_json().expose_secret())?;
        let value = [Content::head(0, kind).as_bytes(), &payload].concat();
        let mut set = redis::cmd("SET");
        set.arg(&key).arg(value).arg("PX").arg(millis(LIFETIME));
        let set = self.redis.query::<Value>(set).await;
        set.map(drop)
            .map_err(|error| Error::store(format!("cannot save a pending sign-in: {error}")))
    }

    /// Removes a sign-in from the server and returns it. Returns `None` if no sign-in has this
    /// state, if the sign-in is older than ten minutes, or if an earlier call has already returned
    /// the sign-in. `state` comes from the URL of the callback.
    ///
    /// ```no_run
    /// # use spot_auth::{App, Error, Session};
    /// # use spot_redis::RedisStore;
    /// # async fn callback(app: App, store: RedisStore, state: &str, address: &str)
    /// # -> Result<Option<Session>, Error> {
    /// let Some(pending) = store.take_sign_in(&app, state).await? else { return Ok(None) };
    /// let session = pending.finish(address).await?;
    /// session.keep_in(store, "alice").await?;
    /// # Ok(Some(session)) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails with [`Store`](spot_auth::ErrorKind::Store) if the server is unavailable. If
    /// [`App::resume`] cannot restore the sign-in, this method returns the error of `resume`.
    pub async fn take_sign_in(
        &self,
        app: &App,
        state: &str,
    ) -> Result<Option<PendingSignIn>, Error> {
        let key = self.sign_in_key(state);
        let taken = format!("{key}:{:032x}", fastrand::u128(..));
        let take = TAKE.call().key(&key).key(taken).arg(millis(REPEATABLE));
        let value: Value = self
            .redis
            .run(take)
            .await
            .map_err(|error| Error::store(format!("cannot read a pending sign-in: {error}")))?;
        let Value::BulkString(bytes) = value else { return Ok(None) };
        let content = Content::parse(&bytes).map_err(unusable)?;
        let json = self.text(&key, &content).map_err(unusable)?;
        app.resume(&json).map(Some)
    }

    fn sign_in_key(&self, state: &str) -> String {
        let state = utf8_percent_encode(state, &ESCAPED);
        format!("{}sign-in:{{{state}}}", self.redis.prefix())
    }
}

fn unusable(error: Unreadable) -> Error {
    let wrong =
        |why: &str| Error::store(format!("a pending sign-in in Redis cannot be used: {why}"));
    match error {
        Unreadable::Broken(why) => wrong(&why),
        Unreadable::Newer => wrong("a newer version of this library saved the sign-in"),
        Unreadable::Error(error) => error,
    }
}
