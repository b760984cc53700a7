//! The rate limiter for several machines.

mod messages;
mod slots;

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use async_trait::async_trait;
use spot_http::{
    Error, ErrorKind, Event, Limits, Observer, ObserverQueue, Permit, PermitRequest, RateLimiter,
    limiter_parts::{Blocks, QueuedLimiter, WeakLimiter},
};
use tokio::{
    sync::Notify,
    time::{sleep, timeout, timeout_at},
};

use crate::{
    connection::{Failure, Redis},
    limiter::{
        messages::{LIMITER, Request, Response},
        slots::{Settings, SharedSlots, Step},
    },
    script::ScriptCall,
};

/// Length of the rolling window that Spotify documents.
const WINDOW: Duration = Duration::from_secs(30);

/// Default maximum duration of a call. The slots of a crashed worker become free after a window
/// plus this time.
const LONGEST_CALL: Duration = Duration::from_secs(60);

/// Length of the wait after the first failed request. The wait doubles after each failure, up to
/// `LONGEST_PAUSE`.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A rate limiter for one application on several machines.
///
/// The calls of all processes of an application count against one rate limit. If Spotify responds
/// to one process with status 429, all processes pause. Priorities, deadlines and `max_wait` work
/// like those of a [`LocalLimiter`](spot_http::LocalLimiter). In each process, use one limiter for
/// all clients of the application. Cloning is cheap, and clones share all state.
///
/// While the Redis server is unavailable, each process continues with its share of the limit: the
/// last known limit divided by the last known number of processes. If the Redis server is
/// unavailable, calls do not fail. After the Redis server becomes unavailable, the next call to
/// Spotify waits for at most the connect timeout. After a Redis command fails, calls to Spotify
/// continue without Redis until the Redis server is available again. When the Redis server is
/// available again, the limiter shares its state again automatically. The
/// [observer](RedisLimiterBuilder::observer) receives an event when the Redis server becomes
/// unavailable, and another event when the Redis server is available again.
///
/// ```no_run
/// # async fn run() -> Result<(), spot_http::Error> {
/// use spot_http::{AccessToken, Pipeline};
/// use spot_redis::{Redis, RedisLimiter};
///
/// let redis = Redis::open("redis://localhost:6379")?;
/// let limiter = RedisLimiter::new(&redis, "the client id")?;
/// let pipeline = Pipeline::builder(AccessToken::new("a token")?).rate_limiter(limiter).build()?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct RedisLimiter {
    inner: Arc<Inner>,
}

/// Builder of a [`RedisLimiter`].
#[must_use = "a builder does nothing until `build` is called"]
pub struct RedisLimiterBuilder {
    redis: Redis,
    client_id: String,
    settings: Settings,
    observer: Option<ObserverQueue>,
}

struct Inner {
    queued: QueuedLimiter<SharedSlots>,
    connection: Arc<Connection>,
    /// Contains a value after the task has been started.
    started: OnceLock<()>,
}

/// State that the task needs.
struct Connection {
    redis: Redis,
    keys: [String; 6],
    last_key: String,
    observer: Option<ObserverQueue>,
    kick: Arc<Notify>,
    /// Notifies tasks that wait until the limiter has reported all changes to the server.
    told: Notify,
}

impl RedisLimiter {
    /// Creates a limiter for the application with this client id. The limiter learns the rate
    /// limit.
    ///
    /// # Errors
    ///
    /// Fails with [`Configuration`](ErrorKind::Configuration) if the client id is empty or contains
    /// a brace.
    pub fn new(redis: &Redis, client_id: impl Into<String>) -> Result<Self, Error> {
        Self::builder(redis, client_id).build()
    }

    /// Creates a builder with the default settings.
    pub fn builder(redis: &Redis, client_id: impl Into<String>) -> RedisLimiterBuilder {
        RedisLimiterBuilder {
            redis: redis.clone(),
            client_id: client_id.into(),
            settings: Settings { window: WINDOW, longest_call: LONGEST_CALL, known: None },
            observer: None,
        }
    }

    /// Immediately tells the Redis server which calls have ended. Call this method before the
    /// program exits. If the program exits without calling `flush`, its last calls count against
    /// the rate limit for up to 90 s instead of 30 s (with the default settings).
    ///
    /// This method waits no longer than the connect timeout.
    pub async fn flush(&self) {
        let limit = self.inner.connection.redis.connect_timeout();
        let flush = async {
            loop {
                let told = self.inner.connection.told.notified();
                let has_more = self.inner.queued.with(|slots, _, _| {
                    slots.flush();
                    slots.has_more_to_tell()
                });
                if !has_more {
                    return;
                }
                told.await;
            }
        };
        _ = timeout(limit, flush).await;
    }

    fn start(&self) {
        self.inner.started.get_or_init(|| {
            let weak = self.inner.queued.downgrade();
            let task = run(weak, Arc::clone(&self.inner.connection));
            if let Err(failure) = self.inner.connection.redis.spawn(task) {
                self.inner.connection.go_on_alone(&self.inner.queued, failure);
            }
        });
    }
}

#[async_trait]
impl RateLimiter for RedisLimiter {
    async fn acquire(&self, request: PermitRequest) -> Result<Box<dyn Permit>, Error> {
        self.start();
        self.inner.queued.acquire(request).await
    }

    fn limits(&self) -> Limits {
        self.inner.queued.limits()
    }
}

impl fmt::Debug for RedisLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisLimiter")
            .field("redis", &self.inner.connection.redis)
            .finish_non_exhaustive()
    }
}

impl RedisLimiterBuilder {
    /// Sets the length of the rolling window; 30 s by default, as Spotify documents. All processes
    /// must use the same window length.
    pub fn window(mut self, window: Duration) -> Self {
        let (least, most) = (Duration::from_millis(100), Duration::from_secs(86_400));
        self.settings.window = window.clamp(least, most);
        self
    }

    /// Sets a fixed maximum number of calls in the rolling window. The limiter uses this maximum
    /// instead of the learned limit. A number below 1 is treated as 1. All processes must use the
    /// same maximum.
    pub fn known(mut self, calls: u32) -> Self {
        self.settings.known = Some(calls.max(1));
        self
    }

    /// Sets the maximum duration of one attempt; 60 s by default. If a killed process has not
    /// reported the end of an attempt, the limiter assumes that the attempt takes this long.
    pub fn longest_call(mut self, time: Duration) -> Self {
        let (least, most) = (Duration::from_secs(1), Duration::from_secs(86_400));
        self.settings.longest_call = time.clamp(least, most);
        self
    }

    /// Sets the observer, which receives [`Event::LimiterAlone`] when the server becomes
    /// unavailable and [`Event::LimiterShared`] when it is available again.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observer = Some(ObserverQueue::new(observer));
        self
    }

    /// Builds the limiter. The first call connects to the server.
    ///
    /// # Errors
    ///
    /// Fails with [`Configuration`](ErrorKind::Configuration) if the client id is empty or contains
    /// a brace.
    pub fn build(self) -> Result<RedisLimiter, Error> {
        let Self { redis, client_id, settings, observer } = self;
        if client_id.is_empty() || client_id.contains(['{', '}']) {
            let message = format!(
                "the client id is {client_id:?}; expected at least one character, and no braces"
            );
            return Err(Error::configuration(message));
        }
        let worker = worker_name();
        // With the braces, a cluster keeps all of these keys on one node.
        let key = |name: &str| format!("{}limits:{{{client_id}}}:{name}", redis.prefix());
        let keys = ["state", "slots", "open", "sent", "answered", "workers"].map(key);
        let last_key = key(&format!("last:{worker}"));
        let kick = Arc::new(Notify::new());
        let slots = SharedSlots::new(settings, worker, Arc::clone(&kick));
        let told = Notify::new();
        let connection = Connection { redis, keys, last_key, observer, kick, told };
        let inner = Inner {
            queued: QueuedLimiter::new(slots, Blocks::default()),
            connection: Arc::new(connection),
            started: OnceLock::new(),
        };
        Ok(RedisLimiter { inner: Arc::new(inner) })
    }
}

impl fmt::Debug for RedisLimiterBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisLimiterBuilder")
            .field("redis", &self.redis)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let request = self.queued.with(|slots, _, now| slots.last_request(now));
        let Some(request) = request else { return };
        let connection = Arc::clone(&self.connection);
        let task = async move { _ = connection.send(&request).await };
        // If the task cannot run, the slots become free later, as after a crash.
        _ = self.connection.redis.spawn(task);
    }
}

impl Connection {
    async fn send(&self, request: &Request) -> Result<Response, Failure> {
        let call = self.call(request).map_err(|error| self.redis.failure(error))?;
        let response: String = self.redis.run(call).await?;
        serde_json::from_str(&response).map_err(|error| self.redis.failure(error))
    }

    fn call(&self, request: &Request) -> Result<ScriptCall, serde_json::Error> {
        let mut call = LIMITER.call();
        for key in &self.keys {
            call = call.key(key);
        }
        Ok(call.key(&self.last_key).arg(serde_json::to_string(request)?))
    }

    /// Handles the response to a request. Returns whether the server accepted the request.
    fn handle(
        &self,
        limiter: &QueuedLimiter<SharedSlots>,
        response: Result<Response, Failure>,
    ) -> bool {
        let response = match response {
            Ok(response) => response,
            Err(failure) => {
                self.go_on_alone(limiter, failure);
                self.told.notify_waiters();
                return false;
            }
        };
        let applied = limiter.change(|slots, blocks, now| {
            let applied = slots.apply(response, blocks, now);
            (applied, applied.blocks || applied.was_alone.is_some())
        });
        if let Some(after) = applied.was_alone {
            tracing::info!(
                alone_ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX),
                "the rate limit is shared again"
            );
            self.observe(Event::limiter_shared(after));
        }
        self.told.notify_waiters();
        true
    }

    fn go_on_alone(&self, limiter: &QueuedLimiter<SharedSlots>, failure: Failure) {
        let alone = limiter.change(|slots, _, now| (slots.fail(now), true));
        let Some(limit) = alone else { return };
        let error = Error::new(ErrorKind::Transport, failure.to_string());
        tracing::warn!(
            %error,
            limit,
            "the rate limit is not shared while Redis is unavailable: this process limits only \
             its own calls"
        );
        self.observe(Event::limiter_alone(error, limit));
    }

    fn observe(&self, event: Event) {
        if let Some(observer) = &self.observer {
            observer.send(event);
        }
    }
}

/// Sends the requests of a limiter until it is dropped.
async fn run(weak: WeakLimiter<SharedSlots>, connection: Arc<Connection>) {
    let mut pause = FIRST_PAUSE;
    loop {
        let Some(limiter) = weak.upgrade() else { return };
        let step = limiter.with(|slots, blocks, now| slots.next_step(blocks, now));
        drop(limiter);
        let request = match step {
            Step::Send(request) => *request,
            Step::Wait(until) => {
                let kicked = connection.kick.notified();
                match until {
                    Some(until) => _ = timeout_at(until, kicked).await,
                    None => kicked.await,
                }
                continue;
            }
            Step::Reconnect => {
                // Regularly checks whether the limiter was dropped.
                let back = connection.redis.until_back();
                if timeout(LONGEST_PAUSE, back).await.is_err() {
                    continue;
                }
                let Some(limiter) = weak.upgrade() else { return };
                limiter.with(|slots, blocks, now| slots.request_again(blocks, now))
            }
        };
        let response = connection.send(&request).await;
        let Some(limiter) = weak.upgrade() else { return };
        let took = connection.handle(&limiter, response);
        drop(limiter);
        if took {
            pause = FIRST_PAUSE;
        } else {
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// Returns a unique name of this process.
fn worker_name() -> String {
    format!("{:013x}", fastrand::u64(..) >> 12)
}
