//! One token for any number of callers: renewed once for all of them, early, and in a task of its
//! own, so that a caller who leaves takes nothing away from the others.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use spot_http::{AccessToken, Error, ErrorKind};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::clock::{Clock, Deadline};

/// How a token is renewed.
#[async_trait]
pub(crate) trait Renew: Send + Sync + 'static {
    /// A new token. `refused` says that the API refused the current one, so that it must not come
    /// back.
    async fn renew(&self, refused: bool) -> Result<Held, Error>;
}

/// A token and how long it lasts.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) token: AccessToken,
    pub(crate) ends: Deadline,
    /// How long it lasted when it was new.
    pub(crate) lifetime: Duration,
}

/// Hands out a token, and renews it in time.
pub(crate) struct Keeper<R> {
    shared: Arc<Shared<R>>,
}

struct Shared<R> {
    renew: R,
    clock: Clock,
    /// Between 0.8 and 1.2: processes that began together do not renew together.
    jitter: f64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    /// The API refused the held token.
    refused: bool,
    flight: Option<watch::Receiver<Landing>>,
    pause: Option<Pause>,
}

/// `None` until the renewal is over.
type Landing = Option<Result<Held, Arc<Error>>>;

/// After a failed renewal.
struct Pause {
    until: Instant,
    error: Arc<Error>,
    /// Whether nothing is asked before the end even if there is no token to hand out.
    strict: bool,
}

/// Within this time before the end the token is renewed behind the caller's back.
const ADVISORY: Duration = Duration::from_secs(300);

/// Within this time before the end nobody gets the token any more without a new one being tried.
const MANDATORY: Duration = Duration::from_secs(60);

/// No renewal takes longer, attempts and waits for a store included: one that hangs would let every
/// later caller hang as well.
const LIMIT: Duration = Duration::from_secs(180);

/// What a caller has to do.
enum Step {
    Take(AccessToken),
    Wait(watch::Receiver<Landing>),
    Fail(Arc<Error>),
}

impl<R: Renew> Keeper<R> {
    pub(crate) fn new(renew: R, held: Option<Held>, clock: Clock) -> Self {
        Self {
            shared: Arc::new(Shared {
                renew,
                clock,
                jitter: 0.8 + 0.4 * fastrand::f64(),
                state: Mutex::new(State { held, ..State::default() }),
            }),
        }
    }

    /// A token that is good now.
    pub(crate) async fn token(&self) -> Result<AccessToken, Error> {
        match self.follow(Shared::step).await {
            Err(error) => self.shared.last_resort().ok_or(error),
            token => token,
        }
    }

    /// A new token, though the current one may be good. That one is handed out to others
    /// meanwhile, and stays if there is no new one.
    pub(crate) async fn fresh(&self) -> Result<AccessToken, Error> {
        self.follow(Shared::force).await
    }

    async fn follow(
        &self,
        step: impl Fn(&Arc<Shared<R>>) -> Result<Step, Error>,
    ) -> Result<AccessToken, Error> {
        // A renewal can end without an answer, when it panics or when the runtime it was started
        // on shuts down: whoever waited starts the next one.
        for _ in 0..3 {
            let mut flight = match step(&self.shared)? {
                Step::Take(token) => return Ok(token),
                Step::Fail(error) => return Err(copy(&error)),
                Step::Wait(flight) => flight,
            };
            let landed = flight.wait_for(Option::is_some).await.ok().and_then(|l| l.clone());
            match landed {
                Some(Ok(held)) => return Ok(held.token),
                Some(Err(error)) => return Err(copy(&error)),
                None => self.shared.clear(&flight),
            }
        }
        Err(Error::new(ErrorKind::Authentication, "renewing the token ended without an answer"))
    }

    /// The API refused this very token. Another one, renewed meanwhile, stays.
    pub(crate) fn reject(&self, token: &AccessToken) {
        let mut state = self.shared.state();
        if state.held.as_ref().is_some_and(|held| held.token.same(token)) {
            state.refused = true;
        }
    }
}

impl<R: Renew> Shared<R> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn step(self: &Arc<Self>) -> Result<Step, Error> {
        let now = self.clock.now();
        let mut state = self.state();
        let paused = state.pause.as_ref().is_some_and(|pause| now.steady < pause.until);
        if let Some(held) = state.held.as_ref().filter(|_| !state.refused) {
            let left = held.ends.left(now);
            let token = held.token.clone();
            // Tokens that live shorter than Spotify's have shorter windows.
            let advisory = ADVISORY.mul_f64(self.jitter).min(held.lifetime / 4);
            let mandatory = MANDATORY.min(held.lifetime / 10);
            if left > advisory || (paused && !left.is_zero()) {
                return Ok(Step::Take(token));
            }
            if left > mandatory {
                if state.flight.is_none() {
                    self.start(&mut state)?;
                }
                return Ok(Step::Take(token));
            }
        }
        self.join(&mut state, now.steady)
    }

    fn force(self: &Arc<Self>) -> Result<Step, Error> {
        let now = self.clock.now();
        self.join(&mut self.state(), now.steady)
    }

    /// Waits for the renewal that is under way, or starts one, unless none makes sense yet.
    fn join(self: &Arc<Self>, state: &mut State, now: Instant) -> Result<Step, Error> {
        if let Some(flight) = &state.flight {
            return Ok(Step::Wait(flight.clone()));
        }
        if let Some(pause) = state.pause.as_ref().filter(|pause| pause.strict && now < pause.until)
        {
            let left = pause.until.saturating_duration_since(now);
            let error = match pause.error.kind() {
                ErrorKind::RateLimited => Arc::new(copy(&pause.error).with_retry_after(left)),
                _ => Arc::clone(&pause.error),
            };
            return Ok(Step::Fail(error));
        }
        self.start(state).map(Step::Wait)
    }

    /// Starts a renewal that nobody owns.
    fn start(self: &Arc<Self>, state: &mut State) -> Result<watch::Receiver<Landing>, Error> {
        let runtime = Handle::try_current().map_err(|_| {
            Error::configuration("tokens are renewed in a task, which needs a tokio runtime")
        })?;
        let (sender, receiver) = watch::channel(None);
        state.flight = Some(receiver.clone());
        let (shared, flight, refused) = (Arc::clone(self), receiver.clone(), state.refused);
        runtime.spawn(async move {
            let over = Over { shared: &shared, flight: &flight };
            let result = timeout(LIMIT, shared.renew.renew(refused)).await.unwrap_or_else(|_| {
                let message = format!("renewing the token took longer than {LIMIT:?}");
                Err(Error::new(ErrorKind::Timeout, message))
            });
            let result = result.map_err(Arc::new);
            shared.land(&result);
            drop(over);
            sender.send_replace(Some(result));
        });
        Ok(receiver)
    }

    fn land(&self, result: &Result<Held, Arc<Error>>) {
        let now = self.clock.now().steady;
        let mut state = self.state();
        match result {
            Ok(held) => {
                state.held = Some(held.clone());
                state.refused = false;
                state.pause = None;
            }
            Err(error) => {
                let (wait, strict) = pause(error);
                let until = now.checked_add(wait).unwrap_or(now);
                state.pause = Some(Pause { until, error: Arc::clone(error), strict });
            }
        }
    }

    /// The old token, while it lasts, after a renewal failed for reasons that may pass.
    fn last_resort(&self) -> Option<AccessToken> {
        let now = self.clock.now();
        let state = self.state();
        let held = state.held.as_ref().filter(|_| !state.refused)?;
        (!held.ends.left(now).is_zero()).then(|| held.token.clone())
    }

    /// Forgets a renewal, if it is still that one.
    fn clear(&self, flight: &watch::Receiver<Landing>) {
        let mut state = self.state();
        if state.flight.as_ref().is_some_and(|current| current.same_channel(flight)) {
            state.flight = None;
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

/// One failure for many callers: all that is to be known of it, without what caused it.
fn copy(error: &Error) -> Error {
    let mut copy = Error::new(error.kind(), error.message());
    if let Some(status) = error.status() {
        copy = copy.with_status(status);
    }
    if let Some(reason) = error.reason() {
        copy = copy.with_reason(reason);
    }
    if let Some(wait) = error.retry_after() {
        copy = copy.with_retry_after(wait);
    }
    if let Some(path) = error.path() {
        copy = copy.with_path(path);
    }
    copy
}

/// Ends the renewal also when it panics or is dropped with its runtime.
struct Over<'a, R: Renew> {
    shared: &'a Shared<R>,
    flight: &'a watch::Receiver<Landing>,
}

impl<R: Renew> Drop for Over<'_, R> {
    fn drop(&mut self) {
        self.shared.clear(self.flight);
    }
}

impl<R> Clone for Keeper<R> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<R> fmt::Debug for Keeper<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keeper")
    }
}
