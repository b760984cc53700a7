//! Caches one access token for any number of callers. The token is refreshed once for all callers,
//! before it expires. The refresh runs in a separate task, so that a cancelled caller does not stop
//! it.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use secrecy::ExposeSecret;
use spot_http::{AccessToken, Error, ErrorKind, failure::jitter};
use tokio::{
    runtime::Handle,
    sync::watch,
    time::{Instant, timeout},
};

use crate::{
    TokenRecord,
    accounts::IssuedTokens,
    clock::{Clock, Deadline, Moment},
    session::heartbeat::{Heartbeat, unless_stalled},
    user_code::{self, Work},
};

/// A way to refresh a token.
#[async_trait]
pub(crate) trait Refresh: Clone + Send + Sync + 'static {
    /// Gets a new token. If `refused` is true, the API refused the current token, which must not be
    /// returned again.
    async fn refresh(&self, refused: bool) -> Result<CachedToken, Error>;
}

/// An access token and its expiry.
#[derive(Clone, Debug)]
pub(crate) struct CachedToken {
    pub(crate) token: AccessToken,
    pub(crate) ends: Deadline,
    /// Lifetime of the token when it was issued.
    pub(crate) lifetime: Duration,
    /// If the API refuses the token before this time, the refusal is ignored. `None` if the token
    /// was not refreshed recently.
    settling: Option<Deadline>,
}

impl CachedToken {
    /// Returns the access token that the accounts service issued.
    pub(crate) fn issued(issued: &IssuedTokens) -> Result<Self, Error> {
        let lifetime = issued.response.lifetime();
        Ok(Self {
            token: AccessToken::new(issued.response.access_token()?)?,
            ends: Deadline::after(issued.requested_at, lifetime),
            lifetime,
            settling: Some(Deadline::after(issued.requested_at, SETTLING)),
        })
    }

    /// Returns the access token of a stored record, if it has not expired. The remaining time is
    /// limited to the lifetime of the token, because a longer time means that the clock was set
    /// back.
    pub(crate) fn stored(record: &TokenRecord, now: Moment) -> Option<Self> {
        let token = AccessToken::new(record.access_token()?.expose_secret()).ok()?;
        let left = record.expires_at()?.duration_since(now.wall).ok()?.min(record.lifetime());
        // Another session or process may have just refreshed the token.
        let settling = record.since_refresh(now.wall).and_then(|age| SETTLING.checked_sub(age));
        (!left.is_zero()).then(|| Self {
            token,
            ends: Deadline::after(now, left),
            lifetime: record.lifetime(),
            settling: settling.map(|left| Deadline::after(now, left)),
        })
    }
}

/// Provides a valid token, and refreshes it before it expires.
pub(crate) struct TokenCache<R> {
    shared: Arc<Shared<R>>,
}

struct Shared<R> {
    refresh: R,
    clock: Clock,
    created: Instant,
    /// A random factor from 0.8 to 1.2, so that processes that started together do not refresh at
    /// the same time.
    jitter: f64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    cached: Option<CachedToken>,
    /// Whether the API has refused the cached token.
    refused: bool,
    in_flight: Option<InFlight>,
    /// Number of refreshes started so far.
    started: u64,
    /// Number of the refresh that returned the cached token; 0 for the token of a new cache.
    source: u64,
    pause: Option<Pause>,
    /// Number of failed refreshes since the last success.
    failures: u32,
}

/// A refresh in progress.
#[derive(Clone)]
struct InFlight {
    number: u64,
    result: watch::Receiver<RefreshResult>,
    heartbeat: Arc<Heartbeat>,
}

/// `None` until the refresh has ended.
type RefreshResult = Option<Result<CachedToken, Error>>;

/// The pause after a failed refresh. No other refresh starts during the pause.
struct Pause {
    /// Until this time, callers get the current token if it is still valid.
    in_advance_until: Instant,
    /// Until this time, callers that need a new token get the error of the failed refresh.
    until: Instant,
    error: Error,
}

/// If the token expires within this time, the cache refreshes it in the background.
const ADVANCE_WINDOW: Duration = Duration::from_secs(300);

/// If the token expires within this time, every caller waits for the refresh.
const MANDATORY_WINDOW: Duration = Duration::from_secs(60);

/// A cache is young for this time after its creation. Callers of a young cache wait for the first
/// background refresh, even if the old token is still valid. Otherwise, a program could exit before
/// the new tokens are saved.
const YOUNG: Duration = Duration::from_secs(300);

/// How long a caller waits for a background refresh. The old token is still valid.
const FOREGROUND_LIMIT: Duration = Duration::from_secs(20);

/// If the API refuses a token that was refreshed within this time, the cache does not refresh it
/// again. The API would refuse a newer token as well.
const SETTLING: Duration = Duration::from_secs(30);

/// Maximum duration of a refresh, including all attempts and all calls to the token store.
const LIMIT: Duration = Duration::from_secs(240);

/// Longest pause. All known `Retry-After` values of Spotify are shorter than this pause.
const MAX_PAUSE: Duration = Duration::from_secs(30 * 86_400);

/// The next action of a caller.
enum Step {
    Use(AccessToken),
    /// Wait for a refresh, at most this long.
    Wait(InFlight, Duration),
    Fail(Error),
}

impl<R: Refresh> TokenCache<R> {
    pub(crate) fn new(refresh: R, cached: Option<CachedToken>, clock: Clock) -> Self {
        Self {
            shared: Arc::new(Shared {
                refresh,
                created: clock.now().monotonic,
                clock,
                jitter: 0.8 + 0.4 * jitter(),
                state: Mutex::new(State { cached, ..State::default() }),
            }),
        }
    }

    /// Returns a valid token.
    pub(crate) async fn token(&self) -> Result<AccessToken, Error> {
        match self.resolve(Shared::step).await {
            // The old token is used until it expires.
            Err(error) => self.shared.unexpired().ok_or(error),
            token => token,
        }
    }

    /// Gets a new token, even if the current token is valid. Meanwhile other callers get the
    /// current token. If the refresh fails, the current token stays in use.
    pub(crate) async fn refresh(&self) -> Result<AccessToken, Error> {
        self.resolve(Shared::force).await
    }

    async fn resolve(
        &self,
        step: impl Fn(&Arc<Shared<R>>) -> Result<Step, Error>,
    ) -> Result<AccessToken, Error> {
        // A refresh ends without a result if its runtime shuts down or stalls. The callers then
        // start another refresh.
        for _ in 0..3 {
            let (in_flight, limit) = match step(&self.shared)? {
                Step::Use(token) => return Ok(token),
                Step::Fail(error) => return Err(error),
                Step::Wait(in_flight, limit) => (in_flight, limit),
            };
            match timeout(limit, in_flight.ended()).await {
                Ok(Some(Ok(cached))) => return Ok(cached.token),
                Ok(Some(Err(error))) => return Err(error),
                Ok(None) => self.shared.clear(&in_flight),
                Err(_) => {
                    return Err(Error::new(
                        ErrorKind::Timeout,
                        format!("the token was not refreshed within {limit:?}"),
                    ));
                }
            }
        }
        let message = "the token was not refreshed: every attempt was cancelled or stalled";
        Err(Error::new(ErrorKind::Timeout, message))
    }

    /// Records that the API refused this token. If the cache already has a newer token, the newer
    /// token stays in use. A token that was just issued also stays in use, because the API would
    /// refuse a newer token as well.
    pub(crate) fn reject(&self, token: &AccessToken) {
        let now = self.shared.clock.now();
        let mut state = self.shared.state();
        if let Some(cached) = state.cached.as_ref().filter(|cached| cached.token.same(token)) {
            let new = cached.settling.is_some_and(|settling| !settling.left(now).is_zero());
            state.refused |= !new;
        }
    }

    /// Waits until the refresh in progress has ended or stalls.
    pub(crate) async fn settled(&self) {
        let in_flight = self.shared.state().in_flight.clone();
        if let Some(in_flight) = in_flight {
            // The time limit of the refresh is also `LIMIT`.
            let _ = timeout(LIMIT, in_flight.ended()).await;
        }
    }
}

impl InFlight {
    /// Waits for the result. `None` if the refresh stalls or ends without a result.
    async fn ended(&self) -> Option<Result<CachedToken, Error>> {
        let mut result = self.result.clone();
        let ended = unless_stalled(&self.heartbeat, result.wait_for(Option::is_some)).await;
        ended?.ok()?.clone()
    }
}

impl<R: Refresh> Shared<R> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn step(self: &Arc<Self>) -> Result<Step, Error> {
        let now = self.clock.now();
        let mut state = self.state();
        if let Some(cached) = state.cached.as_ref().filter(|_| !state.refused) {
            let left = cached.ends.left(now);
            let token = cached.token.clone();
            // If the token has a short lifetime, `advance` and `mandatory` are shorter than usual.
            let advance = ADVANCE_WINDOW.mul_f64(self.jitter).min(cached.lifetime / 4);
            let mandatory = MANDATORY_WINDOW.min(cached.lifetime / 10);
            let paused = state.pause.as_ref().is_some_and(|p| now.monotonic < p.in_advance_until);
            if left > advance || (paused && !left.is_zero()) {
                return Ok(Step::Use(token));
            }
            if left > mandatory {
                let young = now.monotonic.duration_since(self.created) < YOUNG;
                let in_flight = match &state.in_flight {
                    Some(in_flight) => in_flight.clone(),
                    None => self.start(&mut state)?,
                };
                return Ok(match young && state.source == 0 {
                    true => Step::Wait(in_flight, FOREGROUND_LIMIT),
                    false => Step::Use(token),
                });
            }
        }
        self.join(&mut state, now.monotonic)
    }

    fn force(self: &Arc<Self>) -> Result<Step, Error> {
        let now = self.clock.now();
        self.join(&mut self.state(), now.monotonic)
    }

    /// Waits for the refresh in progress. If no refresh is in progress, starts a refresh. During a
    /// pause, returns the last error instead.
    fn join(self: &Arc<Self>, state: &mut State, now: Instant) -> Result<Step, Error> {
        if let Some(in_flight) = &state.in_flight {
            return Ok(Step::Wait(in_flight.clone(), LIMIT));
        }
        if let Some(pause) = state.pause.as_ref().filter(|pause| now < pause.until) {
            let left = pause.until.saturating_duration_since(now);
            return Ok(Step::Fail(match pause.error.kind() {
                ErrorKind::RateLimited => pause.error.clone().with_retry_after(left),
                _ => pause.error.clone(),
            }));
        }
        Ok(Step::Wait(self.start(state)?, LIMIT))
    }

    /// Starts a refresh in its own task.
    fn start(self: &Arc<Self>, state: &mut State) -> Result<InFlight, Error> {
        let runtime = Handle::try_current().map_err(|_| {
            Error::configuration("a token cannot be refreshed outside of a tokio runtime")
        })?;
        state.started += 1;
        let (sender, result) = watch::channel(None);
        let heartbeat = Arc::new(Heartbeat::default());
        let in_flight = InFlight { number: state.started, result, heartbeat };
        state.in_flight = Some(in_flight.clone());
        let (shared, running, refused) = (Arc::clone(self), in_flight.clone(), state.refused);
        runtime.spawn::<Work>(Box::pin(async move {
            let guard = ClearInFlight { shared: &shared, in_flight: &running };
            let refresh = shared.refresh.clone();
            let refresh = async move { refresh.refresh(refused).await };
            let ended = running.heartbeat.run(user_code::call(LIMIT, refresh)).await;
            let result = match ended {
                Ok(result) => result,
                // The runtime is shutting down. A refresh on another runtime may succeed.
                Err(user_code::Failure::NoRuntime) => return,
                Err(failure) => Err(failure.into_error("the token refresh")),
            };
            shared.finish(&running, &result);
            drop(guard);
            sender.send_replace(Some(result));
        }));
        Ok(in_flight)
    }

    fn finish(&self, ended: &InFlight, result: &Result<CachedToken, Error>) {
        let now = self.clock.now();
        let mut state = self.state();
        match result {
            // An abandoned refresh may end after a newer refresh.
            Ok(_) if ended.number < state.source => {}
            Ok(cached) => {
                state.cached = Some(cached.clone());
                state.source = ended.number;
                state.refused = false;
                state.pause = None;
                state.failures = 0;
            }
            Err(_) if ended.number < state.started => {}
            Err(error) => {
                state.pause = Some(Pause::after(error, state.failures, now.monotonic));
                state.failures = state.failures.saturating_add(1);
            }
        }
    }

    /// Returns the current token, unless it has expired.
    fn unexpired(&self) -> Option<AccessToken> {
        let now = self.clock.now();
        let state = self.state();
        let cached = state.cached.as_ref().filter(|_| !state.refused)?;
        (!cached.ends.left(now).is_zero()).then(|| cached.token.clone())
    }

    /// Removes this refresh from the state, unless another refresh has replaced it.
    fn clear(&self, ended: &InFlight) {
        self.state().in_flight.take_if(|in_flight| in_flight.number == ended.number);
    }
}

impl Pause {
    /// Returns the pause after this many consecutive failures.
    fn after(error: &Error, failures: u32, now: Instant) -> Self {
        let half_a_minute = Duration::from_secs(30);
        let in_advance = half_a_minute.mul_f64(1.0 + jitter());
        let (in_advance, wait) = match (error.kind(), error.retry_after()) {
            (ErrorKind::RateLimited, Some(wait)) => {
                let wait = wait.min(MAX_PAUSE);
                (wait, wait)
            }
            // The pause is short, because the user may sign in again. The next refresh then finds
            // the new tokens in the store.
            (ErrorKind::ConsentExpired, _) => (in_advance, Duration::from_secs(5)),
            // These failures are temporary, and usually end soon.
            (
                ErrorKind::Transport
                | ErrorKind::Timeout
                | ErrorKind::Server
                | ErrorKind::RateLimited,
                _,
            ) => {
                let wait = Duration::from_secs(1).saturating_mul(1 << failures.min(5));
                (in_advance, wait.min(half_a_minute))
            }
            _ => (in_advance, half_a_minute),
        };
        Self { in_advance_until: now + in_advance, until: now + wait, error: error.clone() }
    }
}

/// Removes the refresh from the state, even if the task is dropped together with its runtime.
struct ClearInFlight<'a, R: Refresh> {
    shared: &'a Shared<R>,
    in_flight: &'a InFlight,
}

impl<R: Refresh> Drop for ClearInFlight<'_, R> {
    fn drop(&mut self) {
        self.shared.clear(self.in_flight);
    }
}

impl<R> Clone for TokenCache<R> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<R> fmt::Debug for TokenCache<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenCache")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_unix;

    #[tokio::test(start_paused = true)]
    async fn the_validity_of_a_stored_token_is_capped_at_the_lifetime() {
        let record = TokenRecord::from_refresh_token("r")
            .with_access_token("a", from_unix(1_795_003_600).unwrap());
        let at = |unix| Moment { wall: from_unix(unix).unwrap(), monotonic: Instant::now() };
        let left =
            |unix| CachedToken::stored(&record, at(unix)).map(|t| t.ends.left(at(unix)).as_secs());
        assert_eq!(left(1_795_000_100), Some(3_500));
        assert_eq!(left(1_795_003_600), None, "expired");
        assert_eq!(left(1_700_000_000), Some(3_600), "the clock was set back");
    }
}
