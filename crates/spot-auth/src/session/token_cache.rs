//! One access token for any number of callers. It is refreshed once for all of them, before it
//! expires, and in its own task, so that a cancelled caller does not stop it.

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
    user_code,
};

/// How a token is refreshed.
#[async_trait]
pub(crate) trait Refresh: Clone + Send + Sync + 'static {
    /// A new token. `refused` says that the API refused the current one, so that it must not come
    /// back.
    async fn refresh(&self, refused: bool) -> Result<CachedToken, Error>;
}

/// An access token and its expiry.
#[derive(Clone, Debug)]
pub(crate) struct CachedToken {
    pub(crate) token: AccessToken,
    pub(crate) ends: Deadline,
    /// How long the token was good for when it was issued.
    pub(crate) lifetime: Duration,
    /// Until when a refusal of the token is not believed. `None` if it does not come from a refresh.
    settling: Option<Deadline>,
}

impl CachedToken {
    /// The access token that the accounts service has issued.
    pub(crate) fn issued(issued: &IssuedTokens) -> Result<Self, Error> {
        let lifetime = issued.response.lifetime();
        Ok(Self {
            token: AccessToken::new(issued.response.access_token()?)?,
            ends: Deadline::after(issued.requested_at, lifetime),
            lifetime,
            settling: Some(Deadline::after(issued.requested_at, SETTLING)),
        })
    }

    /// The access token of a stored record, if it has not expired. The time left is at most the
    /// lifetime the token was issued with: more means that the clock was set back since.
    pub(crate) fn stored(record: &TokenRecord, now: Moment) -> Option<Self> {
        let token = AccessToken::new(record.access_token()?.expose_secret()).ok()?;
        let left = record.expires_at()?.duration_since(now.wall).ok()?.min(record.lifetime());
        // Another session or process may have refreshed the token just now.
        let settling = record.since_refresh(now.wall).and_then(|age| SETTLING.checked_sub(age));
        (!left.is_zero()).then(|| Self {
            token,
            ends: Deadline::after(now, left),
            lifetime: record.lifetime(),
            settling: settling.map(|left| Deadline::after(now, left)),
        })
    }
}

/// Hands out a token, and refreshes it in time.
pub(crate) struct TokenCache<R> {
    shared: Arc<Shared<R>>,
}

struct Shared<R> {
    refresh: R,
    clock: Clock,
    created: Instant,
    /// Between 0.8 and 1.2: processes that started together do not refresh together.
    jitter: f64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    cached: Option<CachedToken>,
    /// The API refused the cached token.
    refused: bool,
    in_flight: Option<InFlight>,
    /// Counts the refreshes that were started.
    started: u64,
    /// The number of the refresh that the cached token came from; 0 for the token of a new cache.
    source: u64,
    pause: Option<Pause>,
    /// Failed refreshes since the last that succeeded.
    failures: u32,
}

/// A refresh that has not ended.
#[derive(Clone)]
struct InFlight {
    number: u64,
    result: watch::Receiver<RefreshResult>,
    heartbeat: Arc<Heartbeat>,
}

/// `None` until the refresh has ended.
type RefreshResult = Option<Result<CachedToken, Error>>;

/// The time after a failed refresh in which there is no other.
struct Pause {
    /// With a token that has not expired.
    in_advance_until: Instant,
    /// Without one: callers get the error.
    until: Instant,
    error: Error,
}

/// Within this time before the expiry the token is refreshed in advance.
const ADVANCE_WINDOW: Duration = Duration::from_secs(300);

/// Within this time before the expiry every caller waits for the refresh.
const MANDATORY_WINDOW: Duration = Duration::from_secs(60);

/// A cache that is younger than this refreshes in advance in the foreground: its program may end
/// before a refresh in the background is saved.
const YOUNG: Duration = Duration::from_secs(300);

/// How long a caller waits for a refresh in advance. The old token is still good.
const FOREGROUND_LIMIT: Duration = Duration::from_secs(20);

/// A token that the API refuses within this time of a refresh is not refreshed again: its age is not
/// the reason.
const SETTLING: Duration = Duration::from_secs(30);

/// The longest time that a refresh takes, with all attempts and all calls of a store.
const LIMIT: Duration = Duration::from_secs(240);

/// The longest pause, which is beyond every `Retry-After` that was seen.
const MAX_PAUSE: Duration = Duration::from_secs(30 * 86_400);

/// What a caller has to do.
enum Step {
    Use(AccessToken),
    /// Wait for a refresh, at most so long.
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

    /// A token that is good now.
    pub(crate) async fn token(&self) -> Result<AccessToken, Error> {
        match self.resolve(Shared::step).await {
            // The old token is used until it expires.
            Err(error) => self.shared.unexpired().ok_or(error),
            token => token,
        }
    }

    /// A new token, though the current one may be good. Other callers get the current one
    /// meanwhile, and it stays if the refresh fails.
    pub(crate) async fn refresh(&self) -> Result<AccessToken, Error> {
        self.resolve(Shared::force).await
    }

    async fn resolve(
        &self,
        step: impl Fn(&Arc<Shared<R>>) -> Result<Step, Error>,
    ) -> Result<AccessToken, Error> {
        // A refresh ends without a result if the runtime it was started on shuts down or stands
        // still. The callers then start another one.
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
        Err(Error::new(ErrorKind::Timeout, "no refresh of the token came to an end"))
    }

    /// The API refused this very token. A token that was refreshed meanwhile stays, and so does one
    /// that has only just been issued: another one would be refused as well.
    pub(crate) fn reject(&self, token: &AccessToken) {
        let now = self.shared.clock.now();
        let mut state = self.shared.state();
        if let Some(cached) = state.cached.as_ref().filter(|cached| cached.token.same(token)) {
            let new = cached.settling.is_some_and(|settling| !settling.left(now).is_zero());
            state.refused |= !new;
        }
    }

    /// Waits until no refresh is under way, or until it stands still.
    pub(crate) async fn settled(&self) {
        let in_flight = self.shared.state().in_flight.clone();
        if let Some(in_flight) = in_flight {
            // The limit of the refresh itself is the same.
            let _ = timeout(LIMIT, in_flight.ended()).await;
        }
    }
}

impl InFlight {
    /// Waits for the result. `None` if the refresh ends without one or stands still.
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
            // Tokens with a shorter lifetime than Spotify's have shorter windows.
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

    /// Waits for the refresh that is under way, or starts one after the pause.
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

    /// Starts a refresh in a task of its own.
    fn start(self: &Arc<Self>, state: &mut State) -> Result<InFlight, Error> {
        let runtime = Handle::try_current().map_err(|_| {
            Error::configuration("tokens are refreshed in a task, which needs a tokio runtime")
        })?;
        state.started += 1;
        let (sender, result) = watch::channel(None);
        let heartbeat = Arc::new(Heartbeat::default());
        let in_flight = InFlight { number: state.started, result, heartbeat };
        state.in_flight = Some(in_flight.clone());
        let (shared, running, refused) = (Arc::clone(self), in_flight.clone(), state.refused);
        runtime.spawn(async move {
            let guard = ClearInFlight { shared: &shared, in_flight: &running };
            let refresh = shared.refresh.clone();
            let refresh = async move { refresh.refresh(refused).await };
            let ended = running.heartbeat.run(user_code::call(LIMIT, refresh)).await;
            let result = match ended {
                Ok(result) => result,
                // The runtime shuts down. Another one may refresh.
                Err(user_code::Failure::NoRuntime) => return,
                Err(failure) => Err(failure.into_error("the refresh of the token")),
            };
            shared.finish(&running, &result);
            drop(guard);
            sender.send_replace(Some(result));
        });
        Ok(in_flight)
    }

    fn finish(&self, ended: &InFlight, result: &Result<CachedToken, Error>) {
        let now = self.clock.now();
        let mut state = self.state();
        match result {
            // A refresh that was given up may end later than the one that took its place.
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

    /// The current token, while it lasts.
    fn unexpired(&self) -> Option<AccessToken> {
        let now = self.clock.now();
        let state = self.state();
        let cached = state.cached.as_ref().filter(|_| !state.refused)?;
        (!cached.ends.left(now).is_zero()).then(|| cached.token.clone())
    }

    /// Forgets a refresh, if it is still that one.
    fn clear(&self, ended: &InFlight) {
        self.state().in_flight.take_if(|in_flight| in_flight.number == ended.number);
    }
}

impl Pause {
    /// The pause after a failure that follows on so many others.
    fn after(error: &Error, failures: u32, now: Instant) -> Self {
        let half_a_minute = Duration::from_secs(30);
        let in_advance = half_a_minute.mul_f64(1.0 + jitter());
        let (in_advance, wait) = match (error.kind(), error.retry_after()) {
            (ErrorKind::RateLimited, Some(wait)) => {
                let wait = wait.min(MAX_PAUSE);
                (wait, wait)
            }
            // The store is read again, in case the user has signed in.
            (ErrorKind::ConsentExpired, _) => (in_advance, Duration::from_secs(5)),
            // These pass, often at once.
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

/// Ends the refresh also when it is dropped together with its runtime.
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
    async fn a_stored_token_lasts_no_longer_than_its_lifetime() {
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
