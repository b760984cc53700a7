//! One token for any number of callers: renewed once for all of them, early, and in a task of its
//! own, so that a caller who leaves takes nothing away from the others.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use secrecy::ExposeSecret;
use spot_http::{AccessToken, Error, ErrorKind};
use tokio::{
    runtime::Handle,
    sync::watch,
    time::{Instant, timeout},
};

use crate::{
    TokenRecord,
    accounts::IssuedTokens,
    clock::{Clock, Deadline, Moment},
};

/// How a token is renewed.
#[async_trait]
pub(crate) trait Refresh: Send + Sync + 'static {
    /// A new token. `refused` says that the API refused the current one, so that it must not come
    /// back.
    async fn refresh(&self, refused: bool) -> Result<CachedToken, Error>;
}

/// A token and how long it lasts.
#[derive(Clone, Debug)]
pub(crate) struct CachedToken {
    pub(crate) token: AccessToken,
    pub(crate) ends: Deadline,
    /// How long it lasted when it was new.
    pub(crate) lifetime: Duration,
}

impl CachedToken {
    /// The access token that the accounts service has issued.
    pub(crate) fn issued(issued: &IssuedTokens) -> Result<Self, Error> {
        let lifetime = issued.response.lifetime();
        Ok(Self {
            token: AccessToken::new(issued.response.access_token()?)?,
            ends: Deadline::after(issued.requested_at, lifetime),
            lifetime,
        })
    }

    /// The access token of a stored record, if it has not expired. The time left is at most the
    /// lifetime the token was issued with: more means that the clock was set back since.
    pub(crate) fn stored(record: &TokenRecord, now: Moment) -> Option<Self> {
        let token = AccessToken::new(record.access_token()?.expose_secret()).ok()?;
        let left = record.expires_at()?.duration_since(now.wall).ok()?.min(record.lifetime());
        (!left.is_zero()).then(|| Self {
            token,
            ends: Deadline::after(now, left),
            lifetime: record.lifetime(),
        })
    }
}

/// Hands out a token, and renews it in time.
pub(crate) struct TokenCache<R> {
    shared: Arc<Shared<R>>,
}

struct Shared<R> {
    refresh: R,
    clock: Clock,
    /// Between 0.8 and 1.2: processes that began together do not refresh together.
    jitter: f64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    cached: Option<CachedToken>,
    /// The API refused the cached token.
    refused: bool,
    in_flight: Option<watch::Receiver<RefreshResult>>,
    pause: Option<Pause>,
}

/// `None` until the refresh has ended.
type RefreshResult = Option<Result<CachedToken, Error>>;

/// After a failed renewal.
struct Pause {
    until: Instant,
    error: Error,
    /// Whether nothing is asked before the end even if there is no token to hand out.
    strict: bool,
}

/// Within this time before the end the token is renewed behind the caller's back.
const ADVISORY_WINDOW: Duration = Duration::from_secs(300);

/// Within this time before the end nobody gets the token any more without a new one being tried.
const MANDATORY_WINDOW: Duration = Duration::from_secs(60);

/// No renewal takes longer, attempts and waits for a store included: one that hangs would let every
/// later caller hang as well.
const LIMIT: Duration = Duration::from_secs(180);

/// What a caller has to do.
enum Step {
    Ready(AccessToken),
    Wait(watch::Receiver<RefreshResult>),
    Fail(Error),
}

impl<R: Refresh> TokenCache<R> {
    pub(crate) fn new(refresh: R, cached: Option<CachedToken>, clock: Clock) -> Self {
        Self {
            shared: Arc::new(Shared {
                refresh,
                clock,
                jitter: 0.8 + 0.4 * fastrand::f64(),
                state: Mutex::new(State { cached, ..State::default() }),
            }),
        }
    }

    /// A token that is good now.
    pub(crate) async fn token(&self) -> Result<AccessToken, Error> {
        match self.resolve(Shared::step).await {
            Err(error) => self.shared.unexpired().ok_or(error),
            token => token,
        }
    }

    /// A new token, though the current one may be good. That one is handed out to others
    /// meanwhile, and stays if there is no new one.
    pub(crate) async fn refresh(&self) -> Result<AccessToken, Error> {
        self.resolve(Shared::force).await
    }

    async fn resolve(
        &self,
        step: impl Fn(&Arc<Shared<R>>) -> Result<Step, Error>,
    ) -> Result<AccessToken, Error> {
        // A renewal can end without an answer, when it panics or when the runtime it was started
        // on shuts down: whoever waited starts the next one.
        for _ in 0..3 {
            let mut in_flight = match step(&self.shared)? {
                Step::Ready(token) => return Ok(token),
                Step::Fail(error) => return Err(error),
                Step::Wait(in_flight) => in_flight,
            };
            let result = in_flight.wait_for(Option::is_some).await.ok().and_then(|l| l.clone());
            match result {
                Some(Ok(cached)) => return Ok(cached.token),
                Some(Err(error)) => return Err(error),
                None => self.shared.clear(&in_flight),
            }
        }
        Err(Error::new(ErrorKind::Authentication, "renewing the token ended without an answer"))
    }

    /// The API refused this very token. Another one, renewed meanwhile, stays.
    pub(crate) fn reject(&self, token: &AccessToken) {
        let mut state = self.shared.state();
        if state.cached.as_ref().is_some_and(|cached| cached.token.same(token)) {
            state.refused = true;
        }
    }
}

impl<R: Refresh> Shared<R> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn step(self: &Arc<Self>) -> Result<Step, Error> {
        let now = self.clock.now();
        let mut state = self.state();
        let paused = state.pause.as_ref().is_some_and(|pause| now.monotonic < pause.until);
        if let Some(cached) = state.cached.as_ref().filter(|_| !state.refused) {
            let left = cached.ends.left(now);
            let token = cached.token.clone();
            // Tokens that live shorter than Spotify's have shorter windows.
            let advisory = ADVISORY_WINDOW.mul_f64(self.jitter).min(cached.lifetime / 4);
            let mandatory = MANDATORY_WINDOW.min(cached.lifetime / 10);
            if left > advisory || (paused && !left.is_zero()) {
                return Ok(Step::Ready(token));
            }
            if left > mandatory {
                if state.in_flight.is_none() {
                    self.start(&mut state)?;
                }
                return Ok(Step::Ready(token));
            }
        }
        self.join(&mut state, now.monotonic)
    }

    fn force(self: &Arc<Self>) -> Result<Step, Error> {
        let now = self.clock.now();
        self.join(&mut self.state(), now.monotonic)
    }

    /// Waits for the renewal that is under way, or starts one, unless none makes sense yet.
    fn join(self: &Arc<Self>, state: &mut State, now: Instant) -> Result<Step, Error> {
        if let Some(in_flight) = &state.in_flight {
            return Ok(Step::Wait(in_flight.clone()));
        }
        if let Some(pause) = state.pause.as_ref().filter(|pause| pause.strict && now < pause.until)
        {
            let left = pause.until.saturating_duration_since(now);
            let error = match pause.error.kind() {
                ErrorKind::RateLimited => pause.error.clone().with_retry_after(left),
                _ => pause.error.clone(),
            };
            return Ok(Step::Fail(error));
        }
        self.start(state).map(Step::Wait)
    }

    /// Starts a renewal that nobody owns.
    fn start(self: &Arc<Self>, state: &mut State) -> Result<watch::Receiver<RefreshResult>, Error> {
        let runtime = Handle::try_current().map_err(|_| {
            Error::configuration("tokens are renewed in a task, which needs a tokio runtime")
        })?;
        let (sender, receiver) = watch::channel(None);
        state.in_flight = Some(receiver.clone());
        let (shared, in_flight, refused) = (Arc::clone(self), receiver.clone(), state.refused);
        runtime.spawn(async move {
            let guard = ClearInFlight { shared: &shared, in_flight: &in_flight };
            let result =
                timeout(LIMIT, shared.refresh.refresh(refused)).await.unwrap_or_else(|_| {
                    let message = format!("renewing the token took longer than {LIMIT:?}");
                    Err(Error::new(ErrorKind::Timeout, message))
                });
            shared.finish(&result);
            drop(guard);
            sender.send_replace(Some(result));
        });
        Ok(receiver)
    }

    fn finish(&self, result: &Result<CachedToken, Error>) {
        let now = self.clock.now().monotonic;
        let mut state = self.state();
        match result {
            Ok(cached) => {
                state.cached = Some(cached.clone());
                state.refused = false;
                state.pause = None;
            }
            Err(error) => {
                let (wait, strict) = pause(error);
                let until = now.checked_add(wait).unwrap_or(now);
                state.pause = Some(Pause { until, error: error.clone(), strict });
            }
        }
    }

    /// The old token, while it lasts, after a renewal failed for reasons that may pass.
    fn unexpired(&self) -> Option<AccessToken> {
        let now = self.clock.now();
        let state = self.state();
        let cached = state.cached.as_ref().filter(|_| !state.refused)?;
        (!cached.ends.left(now).is_zero()).then(|| cached.token.clone())
    }

    /// Forgets a renewal, if it is still that one.
    fn clear(&self, in_flight: &watch::Receiver<RefreshResult>) {
        let mut state = self.state();
        if state.in_flight.as_ref().is_some_and(|current| current.same_channel(in_flight)) {
            state.in_flight = None;
        }
    }
}

/// How long after a failed renewal nothing is asked, and whether that holds even without a token.
fn pause(error: &Error) -> (Duration, bool) {
    match (error.kind(), error.retry_after()) {
        (ErrorKind::RateLimited, Some(wait)) => (wait, true),
        // The record is asked for again, in case somebody signed in; the service is not.
        (ErrorKind::ConsentExpired, _) => (Duration::from_secs(5), true),
        (
            ErrorKind::Transport | ErrorKind::Timeout | ErrorKind::Server | ErrorKind::RateLimited,
            _,
        ) => (Duration::from_secs(30).mul_f64(1.0 + fastrand::f64()), false),
        _ => (Duration::from_secs(30), true),
    }
}

/// Ends the renewal also when it panics or is dropped with its runtime.
struct ClearInFlight<'a, R: Refresh> {
    shared: &'a Shared<R>,
    in_flight: &'a watch::Receiver<RefreshResult>,
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
