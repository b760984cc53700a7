//! The lock of a session is a key that expires. The key is renewed while the lock is held.

use std::time::Duration;

use redis::Value;
use spot_auth::StoreLock;
use spot_http::{Error, ErrorKind};
use tokio::{
    runtime::Handle,
    task::JoinHandle,
    time::{Instant, sleep},
};

use crate::{connection::Redis, script::Script};

/// Time after which the lock of a crashed process expires.
const LIFETIME: Duration = Duration::from_secs(10);

/// Time between two renewals of a lock.
const RENEWAL: Duration = Duration::from_secs(3);

/// How long to wait while another process holds the lock. A refresh by the other process may need
/// several attempts.
const LIMIT: Duration = Duration::from_secs(60);

/// Average length of the wait after the first failed attempt to get the lock. The wait doubles
/// after each attempt, up to `LONGEST_PAUSE`.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// Takes the lock. If the response is lost, the connection runs the script again. The second run
/// also succeeds if the first run has taken the lock.
static ACQUIRE: Script = Script::new(
    "local holder = redis.call('GET', KEYS[1])
     if holder and holder ~= ARGV[1] then return 0 end
     redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
     return 1",
);

static RENEW: Script = Script::new(
    "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
     return redis.call('PEXPIRE', KEYS[1], ARGV[2])",
);

static RELEASE: Script = Script::new(
    "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
     return redis.call('DEL', KEYS[1])",
);

/// A lock that this process holds, or may hold because the server's response has not arrived yet.
/// The lock is released when the value is dropped.
struct Held {
    redis: Redis,
    key: String,
    holder: String,
    renewal: Option<JoinHandle<()>>,
}

/// Waits for the lock of a session.
pub(super) async fn lock(redis: &Redis, session: &str) -> Result<StoreLock, Error> {
    let runtime = Handle::try_current().map_err(|_| {
        Error::configuration("locking a session in Redis needs a running tokio runtime")
    })?;
    // This value is created before the first attempt, so that the lock is released even if the
    // caller is cancelled.
    let mut held = Held {
        redis: redis.clone(),
        key: format!("{session}:lock"),
        holder: format!("{:032x}", fastrand::u128(..)),
        renewal: None,
    };
    let end = Instant::now() + LIMIT;
    let mut pause = FIRST_PAUSE;
    let lifetime = super::millis(LIFETIME);
    loop {
        let acquire = ACQUIRE.call().key(&held.key).arg(&held.holder).arg(lifetime);
        let value: Value =
            redis.run(acquire).await.map_err(|error| super::failed("lock", session, error))?;
        if value == Value::Int(1) {
            held.renew(&runtime);
            return Ok(StoreLock::new(held));
        }
        if Instant::now() >= end {
            return Err(Error::new(
                ErrorKind::Timeout,
                format!("another process has held the lock of the session {session} for {LIMIT:?}"),
            ));
        }
        sleep(pause.mul_f64(0.5 + fastrand::f64())).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

impl Held {
    /// Starts a task that renews the lock. The task runs on the async runtime of the session. If
    /// this runtime stalls, the lock expires.
    fn renew(&mut self, runtime: &Handle) {
        let (redis, key, holder) = (self.redis.clone(), self.key.clone(), self.holder.clone());
        self.renewal = Some(runtime.spawn(async move {
            loop {
                sleep(RENEWAL).await;
                let renew = RENEW.call().key(&key).arg(&holder).arg(super::millis(LIFETIME));
                // If another process has the lock, the version check prevents this process from
                // overwriting the newer record.
                if let Ok(Value::Int(0)) = redis.run::<Value>(renew).await {
                    return;
                }
            }
        }));
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(renewal) = &self.renewal {
            renewal.abort();
        }
        let (redis, key, holder) = (self.redis.clone(), self.key.clone(), self.holder.clone());
        // If the server is unavailable, the lock expires.
        let _ = self.redis.spawn(async move {
            let _ = redis.run::<Value>(RELEASE.call().key(&key).arg(&holder)).await;
        });
    }
}
