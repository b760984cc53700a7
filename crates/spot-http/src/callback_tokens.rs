//! Gets tokens from a closure that the user supplies.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use tokio::{
    runtime::Handle,
    sync::watch,
    time::{Instant, timeout},
};

use crate::{AccessToken, Error, ErrorKind, TokenSource, pipeline::user_code, task::Work};

/// The source replaces a token this long before the token expires.
const MARGIN: Duration = Duration::from_secs(30);

/// Time limit of one call of the closure.
const LIMIT: Duration = Duration::from_secs(30);

/// Maximum time to wait for a refresh. Only a refresh on a stalled runtime takes this long, because
/// [`LIMIT`] ends every other refresh earlier.
const STALLED_AFTER: Duration = Duration::from_secs(35);

/// Number of consecutive failures after which the closure does not run again for [`PAUSE`].
const FAILURES: u32 = 3;
const PAUSE: Duration = Duration::from_secs(1);

/// After the source discards a refused token, the source ignores further refusals for this time.
const SETTLING: Duration = Duration::from_secs(30);

/// Gets tokens from a closure, for programs that have their own way to obtain tokens.
///
/// The closure returns an access token as a string, and the time at which the token expires. The
/// closure runs in its own task for at most 30 s. If several calls wait for a token, the closure
/// runs once for all these calls. The closure runs again shortly before the token expires, and
/// after the API refused the token (401). If the API refuses the new token too, the closure does
/// not run again for 30 s, and calls fail with the error of the API (401). After three or more
/// consecutive failures of the closure, the closure does not run again until one second has passed.
/// A call that needs a new token during this second fails with the closure's last error.
///
/// ```no_run
/// # async fn ask_my_server() -> Result<String, spot_http::Error> { Ok(String::new()) }
/// # fn example() -> Result<(), spot_http::Error> {
/// use std::time::{Duration, SystemTime};
///
/// use spot_http::{CallbackTokens, Pipeline};
///
/// let tokens = CallbackTokens::new(|| async {
///     let token = ask_my_server().await?;
///     Ok((token, SystemTime::now() + Duration::from_secs(3600)))
/// });
/// let pipeline = Pipeline::builder(tokens).build()?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct CallbackTokens {
    shared: Arc<Shared>,
}

type Answer = Result<(String, SystemTime), Error>;
type Callback = dyn Fn() -> Pin<Box<dyn Future<Output = Answer> + Send>> + Send + Sync;
type Refreshed = Option<Result<AccessToken, Error>>;

/// A run of the closure.
#[derive(Clone)]
struct Refresh {
    started: Instant,
    result: watch::Receiver<Refreshed>,
}

enum Step {
    Token(AccessToken),
    Wait(Refresh),
}

struct Shared {
    callback: Box<Callback>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    token: Option<(AccessToken, SystemTime)>,
    /// The refresh in progress.
    refresh: Option<Refresh>,
    /// The failures since the last token, if there are any.
    failures: Option<Failures>,
    /// Time at which `reject` last discarded a token.
    refused_at: Option<Instant>,
}

/// Consecutive failures of the closure.
struct Failures {
    count: u32,
    /// Time of the last failure.
    last: Instant,
    /// The error of the last failure.
    error: Error,
}

impl CallbackTokens {
    /// Creates a source that gets its tokens from `callback`.
    pub fn new<F>(callback: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(String, SystemTime), Error>> + Send + 'static,
    {
        let callback = Box::new(move || Box::pin(callback()) as Pin<Box<_>>);
        Self { shared: Arc::new(Shared { callback, state: Mutex::default() }) }
    }
}

impl Shared {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // A panic under this lock leaves the state consistent, because each change is a single
        // assignment.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the token, or the refresh to wait for. Starts a refresh if none is running.
    fn next_step(self: &Arc<Self>) -> Result<Step, Error> {
        let mut state = self.state();
        if let Some((token, expires_at)) = &state.token
            && SystemTime::now() + MARGIN < *expires_at
        {
            return Ok(Step::Token(token.clone()));
        }
        if let Some(refresh) = state.refresh.as_ref().filter(|refresh| refresh.is_running()) {
            return Ok(Step::Wait(refresh.clone()));
        }
        if let Some(failures) = &state.failures
            && failures.count >= FAILURES
            && failures.last.elapsed() < PAUSE
        {
            return Err(failures.error.clone());
        }
        let runtime = Handle::try_current().map_err(|_| {
            Error::configuration("a token was requested outside of a tokio runtime")
        })?;
        let (send, result) = watch::channel(None);
        let refresh = Refresh { started: Instant::now(), result };
        state.refresh = Some(refresh.clone());
        let shared = Arc::clone(self);
        runtime.spawn::<Work>(Box::pin(async move {
            let refreshed = user_code::call(shared.refresh()).await;
            let refreshed = refreshed
                .unwrap_or_else(|_| Err(Error::configuration("the token callback panicked")));
            let mut state = shared.state();
            match &refreshed {
                Ok((token, expires_at)) => {
                    state.token = Some((token.clone(), *expires_at));
                    state.failures = None;
                }
                Err(error) => {
                    let before = state.failures.as_ref().map_or(0, |failures| failures.count);
                    state.failures = Some(Failures {
                        count: before.saturating_add(1),
                        last: Instant::now(),
                        error: error.clone(),
                    });
                }
            }
            drop(state);
            send.send_replace(Some(refreshed.map(|(token, _)| token)));
        }));
        Ok(Step::Wait(refresh))
    }

    async fn refresh(&self) -> Result<(AccessToken, SystemTime), Error> {
        let answer = timeout(LIMIT, (self.callback)()).await;
        let (text, expires_at) = answer.map_err(|_| {
            let message = "the token callback did not finish within 30 s";
            Error::new(ErrorKind::Timeout, message)
        })??;
        Ok((AccessToken::new(&text)?, expires_at))
    }
}

impl Refresh {
    /// Whether the refresh may still send a result. If the runtime of the refresh has shut down,
    /// the channel of the result is closed.
    fn is_running(&self) -> bool {
        let is_open = self.result.has_changed().is_ok();
        is_open && self.result.borrow().is_none() && self.started.elapsed() < STALLED_AFTER
    }
}

#[async_trait]
impl TokenSource for CallbackTokens {
    async fn token(&self) -> Result<AccessToken, Error> {
        // A refresh ends without a result if its runtime shuts down. The second refresh runs on the
        // current runtime.
        for _ in 0..2 {
            let mut refresh = match self.shared.next_step()? {
                Step::Token(token) => return Ok(token),
                Step::Wait(refresh) => refresh,
            };
            let left = STALLED_AFTER.saturating_sub(refresh.started.elapsed());
            let refreshed = timeout(left, refresh.result.wait_for(Option::is_some)).await;
            let refreshed = refreshed.map_err(|_| {
                let message = "the token callback did not finish: its runtime is stalled";
                Error::new(ErrorKind::Timeout, message)
            })?;
            if let Some(refreshed) = refreshed.ok().and_then(|refreshed| refreshed.clone()) {
                return refreshed;
            }
        }
        Err(Error::configuration("the token callback did not finish: its runtime shut down"))
    }

    async fn reject(&self, token: &AccessToken) {
        let mut state = self.shared.state();
        let is_current = state.token.as_ref().is_some_and(|(held, _)| held.same(token));
        // If the API refuses a token soon after `reject` discarded another token, the refusal is
        // ignored. Without this rule, each call would run the closure if the API refused every
        // token.
        let is_settling = state.refused_at.is_some_and(|at| at.elapsed() < SETTLING);
        if is_current && !is_settling {
            state.token = None;
            state.refused_at = Some(Instant::now());
        }
    }
}

impl fmt::Debug for CallbackTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallbackTokens").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::FutureExt as _;

    use super::*;

    /// Returns a source of the tokens `token-0`, `token-1` and so on, each valid for the time
    /// `valid`. The returned counter shows how often the closure was called.
    fn numbered(valid: Duration) -> (CallbackTokens, Arc<AtomicUsize>) {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        let tokens = CallbackTokens::new(move || {
            let number = counted.fetch_add(1, Ordering::SeqCst);
            async move {
                tokio::task::yield_now().await;
                Ok((format!("token-{number}"), SystemTime::now() + valid))
            }
        });
        (tokens, calls)
    }

    #[tokio::test]
    async fn parallel_calls_share_a_single_refresh() {
        let (tokens, calls) = numbered(Duration::from_secs(3600));
        let all = futures::future::join_all((0..50).map(|_| tokens.token())).await;
        assert!(all.iter().all(|token| token.as_ref().unwrap().expose() == "token-0"));
        assert_eq!(calls.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn rejected_and_expiring_tokens_are_replaced() {
        let (tokens, calls) = numbered(Duration::from_secs(3600));
        let first = tokens.token().await.unwrap();
        tokens.reject(&first).await;
        let second = tokens.token().await.unwrap();
        assert_eq!(second.expose(), "token-1");
        // If the rejected token was already replaced, `reject` changes nothing.
        tokens.reject(&first).await;
        assert!(tokens.token().await.unwrap().same(&second));
        let (short, again) = numbered(Duration::from_secs(20));
        short.token().await.unwrap();
        short.token().await.unwrap();
        assert_eq!((calls.load(Ordering::SeqCst), again.load(Ordering::SeqCst)), (2, 2));
    }

    #[tokio::test]
    async fn cancellations_and_callback_failures_do_not_break_later_calls() {
        let (tokens, calls) = numbered(Duration::from_secs(3600));
        assert!(tokens.token().now_or_never().is_none());
        assert_eq!(tokens.token().await.unwrap().expose(), "token-0");
        assert_eq!(calls.load(Ordering::SeqCst), 1);

        let turns = AtomicUsize::new(0);
        let tokens = CallbackTokens::new(move || {
            let turn = turns.fetch_add(1, Ordering::SeqCst);
            async move {
                match turn {
                    0 => Err(Error::authentication("no")),
                    1 => panic!("a mistake of the program"),
                    _ => Ok(("good".to_owned(), SystemTime::now() + Duration::from_secs(60))),
                }
            }
        });
        assert_eq!(tokens.token().await.unwrap_err().kind(), ErrorKind::Authentication);
        let error = tokens.token().await.unwrap_err();
        assert!(error.to_string().contains("panicked"), "{error}");
        assert_eq!(tokens.token().await.unwrap().expose(), "good");
    }

    #[tokio::test(start_paused = true)]
    async fn repeated_rejections_do_not_rerun_the_callback_each_time() {
        let (tokens, calls) = numbered(Duration::from_secs(3600));
        for _ in 0..100 {
            let token = tokens.token().await.unwrap();
            tokens.reject(&token).await;
        }
        assert_eq!(calls.load(Ordering::SeqCst), 2);
        tokio::time::advance(SETTLING).await;
        let token = tokens.token().await.unwrap();
        tokens.reject(&token).await;
        assert_eq!(tokens.token().await.unwrap().expose(), "token-2");
    }

    #[tokio::test(start_paused = true)]
    async fn three_callback_failures_pause_the_callback_for_a_second() {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        let tokens = CallbackTokens::new(move || {
            counted.fetch_add(1, Ordering::SeqCst);
            async { Err(Error::authentication("no")) }
        });
        for _ in 0..100 {
            let error = tokens.token().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Authentication);
        }
        assert_eq!(calls.load(Ordering::SeqCst), 3);
        tokio::time::advance(PAUSE).await;
        tokens.token().await.unwrap_err();
        tokens.token().await.unwrap_err();
        assert_eq!(calls.load(Ordering::SeqCst), 4);
    }

    fn current_thread() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap()
    }

    #[test]
    fn waiting_for_a_refresh_on_a_stalled_runtime_is_bounded() {
        let (tokens, calls) = numbered(Duration::from_secs(3600));
        let (stalled, other) = (current_thread(), current_thread());
        // The refresh is started and never polled.
        stalled.block_on(async { assert!(tokens.token().now_or_never().is_none()) });
        other.block_on(async {
            let error = tokens.token().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
            assert_eq!(tokens.token().await.unwrap().expose(), "token-0");
        });
        assert_eq!(calls.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_refresh_restarts_after_the_runtime_shuts_down() {
        let (tokens, _) = numbered(Duration::from_secs(3600));
        let (ended, other) = (current_thread(), current_thread());
        ended.block_on(async { assert!(tokens.token().now_or_never().is_none()) });
        drop(ended);
        let token = other.block_on(tokens.token());
        assert_eq!(token.unwrap().expose(), "token-0");
    }

    #[tokio::test(start_paused = true)]
    async fn a_callback_that_hangs_ends_with_a_timeout() {
        let tokens = CallbackTokens::new(|| async {
            std::future::pending::<()>().await;
            Ok((String::new(), SystemTime::now()))
        });
        assert_eq!(tokens.token().await.unwrap_err().kind(), ErrorKind::Timeout);
    }
}
