use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use futures::{Stream, StreamExt, TryStreamExt, task::AtomicWaker};
use spot_model::PlaybackState;
use tokio::{
    runtime::Handle,
    task::JoinSet,
    time::{Instant, Sleep, sleep_until},
};

use crate::{
    CallOptions, Client, Error, ErrorKind, PlaybackChange, PlaybackEvent, Priority,
    watch::{
        diff,
        observation::Observation,
        schedule::{Known, Outlook, Pace, Sent},
    },
};

/// Longest wait in the queue of the rate limit. This wait is as long as the window in which Spotify
/// counts calls. With a shorter wait, a poll would repeatedly fail in the queue, and each new poll
/// would start at the end of the queue.
const QUEUE_WAIT: Duration = Duration::from_secs(30);

/// Maximum age of a response when the program polls the stream. The stream discards an older
/// response, and sends a new request to Spotify.
const STALE: Duration = Duration::from_secs(5);

/// Wait after a `RateLimited` error that contains no time (`retry_after`).
const UNKNOWN_WAIT: Duration = Duration::from_secs(30);
/// Wait after a `QuotaExceeded` error that contains no time (`retry_after`).
const UNKNOWN_QUOTA_WAIT: Duration = Duration::from_secs(15 * 60);

/// A stream of playback events. [`Player::watch`](crate::Player::watch) returns this stream.
///
/// The Web API does not send notifications, so the stream polls `GET /me/player` (scope:
/// `user-read-playback-state`). The stream polls right after the expected end of a track,
/// frequently after a change, and rarely while playback is paused or no player is active.
///
/// - At most one request is in flight. The requests of the stream have the priority `Bulk`, so
///   interactive calls are sent first. The rate limit is shared with all other calls of the client.
/// - Requests are sent only while your program waits for the next event. If the program or the
///   machine sleeps, the next poll reports all differences from the previous state as one set of
///   events.
/// - Dropping the future of [`next`](Self::next) loses no event. Dropping the stream stops the
///   polls.
/// - The stream reports a 429, an exhausted quota or an outage as an event, and continues polling.
///   The stream ends with an error only if every further poll would fail too: the consent has
///   expired, a scope is missing, or the configuration is wrong.
///
/// ```no_run
/// # async fn example(client: spot_api::Client) -> Result<(), spot_api::Error> {
/// use std::time::Duration;
///
/// let mut watch = client
///     .player()
///     .watch()
///     .playing_interval(Duration::from_secs(10))
///     .paused_interval(Duration::from_secs(30))
///     .max_calls(6);
/// while let Some(event) = watch.try_next().await? {
///     println!("{:?} at {:?}", event.change, event.state.and_then(|state| state.progress));
/// }
/// # Ok(()) }
/// ```
#[must_use = "a stream does nothing until it is polled"]
pub struct PlaybackWatch {
    client: Client,
    pace: Pace,
    shared: Arc<Shared>,
    ready: VecDeque<PlaybackEvent>,
    /// The request in flight, if any. Dropping the `JoinSet` stops the request.
    in_flight: JoinSet<Answer>,
    timer: Option<Pin<Box<Sleep>>>,
    sent: Sent,
    /// Time at which the last poll ended; `None` before the first poll.
    polled: Option<Instant>,
    /// Time of the last unexpected change, such as a skip.
    last_unexpected: Instant,
    /// Number of polls that still found the same item after its expected end.
    overdue: u32,
    /// Number of consecutive failed polls.
    failures: u32,
    /// The end of the pause after a 429.
    held_until: Option<Instant>,
    /// Whether the last poll failed or was refused.
    troubled: bool,
    ended: bool,
}

/// State shared by the stream and its handles.
#[derive(Default)]
struct Shared {
    observed: Mutex<Option<Observation>>,
    /// Whether a poll was requested.
    asked: AtomicBool,
    waker: AtomicWaker,
}

/// The response to a poll.
struct Answer {
    state: Result<Option<PlaybackState>, Error>,
    /// The request was sent at this time or earlier.
    sent: Instant,
    /// Time at which the position in the response was correct.
    at: Instant,
    arrived: Instant,
}

impl PlaybackWatch {
    pub(crate) fn new(client: Client) -> Self {
        Self {
            client,
            pace: Pace::default(),
            shared: Arc::default(),
            ready: VecDeque::new(),
            in_flight: JoinSet::new(),
            timer: None,
            sent: Sent::default(),
            polled: None,
            last_unexpected: Instant::now(),
            overdue: 0,
            failures: 0,
            held_until: None,
            troubled: false,
            ended: false,
        }
    }

    /// Sets the maximum time between two polls during playback. Default: 5 s. Values below 1 s
    /// become 1 s.
    ///
    /// The stream reports a skip, a pause or a seek at most `interval` after it happens. The stream
    /// reports the end of a track within about a second, even if `interval` is longer.
    pub fn playing_interval(mut self, interval: Duration) -> Self {
        self.pace.playing = interval.max(Duration::from_secs(1));
        self
    }

    /// Sets the maximum time between two polls while playback is paused. Default: 10 s. Values
    /// below 1 s become 1 s.
    pub fn paused_interval(mut self, interval: Duration) -> Self {
        self.pace.paused = interval.max(Duration::from_secs(1));
        self
    }

    /// Sets the maximum time between two polls while no player is active. Default: 20 s. Values
    /// below 1 s become 1 s.
    pub fn idle_interval(mut self, interval: Duration) -> Self {
        self.pace.idle = interval.max(Duration::from_secs(1));
        self
    }

    /// Sets the maximum number of requests within 30 s. Default: 10. Values below 2 become 2.
    pub fn max_calls(mut self, calls: usize) -> Self {
        self.pace.ceiling = calls.max(2);
        self
    }

    /// Returns the next event; `None` after an error that ended the stream.
    ///
    /// Cancel-safe.
    pub async fn next(&mut self) -> Option<Result<PlaybackEvent, Error>> {
        StreamExt::next(self).await
    }

    /// Returns the next event, or the error that ends the stream; `None` after the error.
    ///
    /// Cancel-safe.
    ///
    /// # Errors
    ///
    /// Fails with [`ConsentExpired`](ErrorKind::ConsentExpired),
    /// [`MissingScope`](ErrorKind::MissingScope) or [`Configuration`](ErrorKind::Configuration).
    /// Fails with [`BadRequest`](ErrorKind::BadRequest) if the request is invalid. The SDK does not
    /// send an invalid request.
    pub async fn try_next(&mut self) -> Result<Option<PlaybackEvent>, Error> {
        TryStreamExt::try_next(self).await
    }

    /// Returns the current state, without a request. The position is extrapolated from the last
    /// poll.
    ///
    /// Returns `None` before the first poll, and while no player is active.
    pub fn now(&self) -> Option<PlaybackState> {
        self.shared.now()
    }

    /// Makes the stream poll immediately, and then frequently for some seconds. The stream sends at
    /// most [`max_calls`](Self::max_calls) requests within 30 s. Call this method after a command,
    /// so that the effect of the command is reported soon.
    pub fn refresh_now(&self) {
        self.shared.ask();
    }

    /// Returns a handle. Other tasks can use the handle while one task waits for the events of this
    /// stream.
    pub fn handle(&self) -> WatchHandle {
        WatchHandle { shared: self.shared.clone() }
    }

    /// Returns the time of the next request.
    fn due(&self, now: Instant) -> Instant {
        let Some(polled) = self.polled else { return now };
        let observed = self.shared.observed();
        let outlook = match observed.as_ref().filter(|observed| observed.state.is_some()) {
            None => Outlook::Idle,
            Some(observed) if observed.is_playing() => {
                Outlook::Playing { left: observed.left(polled), overdue: self.overdue }
            }
            Some(_) => Outlook::Paused,
        };
        let known = Known {
            outlook,
            quiet: polled.saturating_duration_since(self.last_unexpected),
            failures: self.failures,
            held_until: self.held_until,
        };
        self.pace.next(polled, &known, &self.sent, self.shared.asked.load(Ordering::Acquire))
    }

    // With `#[inline]`, only programs that call this method compile the code that decodes the JSON.
    #[inline]
    fn poll_player(&mut self, now: Instant) {
        if self.shared.asked.swap(false, Ordering::AcqRel) {
            self.last_unexpected = now;
        }
        let request = self.client.player().state().into_request();
        // Each poll is a single attempt, because the stream itself waits and retries.
        let options = CallOptions::new().priority(Priority::Bulk).attempts(1).max_wait(QUEUE_WAIT);
        let options = request.options().clone().or(&options);
        let (client, request) = (self.client.clone(), request.with_options(options));
        self.in_flight.spawn(async move {
            let start = Instant::now();
            let answer = client.fetch_optional::<PlaybackState>(request).await;
            let arrived = Instant::now();
            let waited = answer.as_ref().map_or(Duration::ZERO, |answer| answer.waited());
            let travelled = arrived.saturating_duration_since(start).saturating_sub(waited);
            let way_back = (travelled / 2).min(Duration::from_secs(1));
            let at = arrived.checked_sub(way_back).unwrap_or(arrived);
            // It is unknown when a failed request was sent. The request was sent before its error
            // arrived, so `sent` is the time of the error.
            let sent = if answer.is_ok() { start + waited } else { arrived };
            Answer { state: answer.map(crate::Response::into_body), sent, at, arrived }
        });
    }

    /// Converts a response into events, or into the error that ends the stream.
    fn answered(&mut self, answer: Answer, now: Instant) -> Result<(), Error> {
        self.polled = Some(now);
        let Answer { state, sent, at, arrived } = answer;
        self.sent.record(sent);
        match state {
            Ok(_) if now.saturating_duration_since(arrived) > STALE => self.shared.ask(),
            Ok(state) => {
                let state = state.map(Arc::new);
                self.recovered(state.clone());
                self.observe(Observation { state, at });
            }
            Err(error) => self.failed(error, now)?,
        }
        Ok(())
    }

    fn observe(&mut self, new: Observation) {
        let old = self.shared.observed().replace(new.clone());
        let Some(old) = old else {
            self.last_unexpected = new.at;
            return self.push(PlaybackChange::Initial, new.state);
        };
        let elapsed = new.at.saturating_duration_since(old.at);
        let changes = diff::changes(old.state.as_deref(), new.state.as_deref(), elapsed);
        let should_have_ended = old.left(new.at).is_some_and(|left| left.is_zero());
        let is_expected = |change: &PlaybackChange| {
            let next =
                matches!(change, PlaybackChange::ItemChanged { .. } | PlaybackChange::ItemRepeated);
            next && should_have_ended
        };
        if !changes.iter().all(is_expected) {
            self.last_unexpected = new.at;
        }
        let still_there = changes.is_empty() && new.left(new.at).is_some_and(|left| left.is_zero());
        self.overdue = if still_there || (changes.is_empty() && should_have_ended) {
            self.overdue + 1
        } else {
            0
        };
        for change in changes {
            self.push(change, new.state.clone());
        }
    }

    /// Resets the number of failures, and reports `Restored` if the last poll failed.
    fn recovered(&mut self, state: Option<Arc<PlaybackState>>) {
        self.failures = 0;
        self.held_until = None;
        if std::mem::take(&mut self.troubled) {
            self.push(PlaybackChange::Restored, state);
        }
    }

    fn failed(&mut self, error: Error, now: Instant) -> Result<(), Error> {
        let change = match error.kind() {
            ErrorKind::ConsentExpired | ErrorKind::MissingScope | ErrorKind::Configuration => {
                return Err(error);
            }
            // The request failed before it was sent, so every further poll would fail too.
            ErrorKind::BadRequest if error.status().is_none() => return Err(error),
            kind @ (ErrorKind::RateLimited | ErrorKind::QuotaExceeded) => {
                let quota = kind == ErrorKind::QuotaExceeded;
                let unknown = if quota { UNKNOWN_QUOTA_WAIT } else { UNKNOWN_WAIT };
                let wait = error.retry_after().unwrap_or(unknown);
                self.held_until = Some(now + wait.min(Duration::from_secs(86_400)));
                Some(PlaybackChange::Throttled { wait, quota })
            }
            _ => {
                self.failures = self.failures.saturating_add(1);
                let is_first = self.failures == 1;
                is_first.then(|| PlaybackChange::Interrupted { error })
            }
        };
        self.troubled = true;
        if let Some(change) = change {
            let state = self.shared.observed().as_ref().and_then(|observed| observed.state.clone());
            self.push(change, state);
        }
        Ok(())
    }

    fn push(&mut self, change: PlaybackChange, state: Option<Arc<PlaybackState>>) {
        self.ready.push_back(PlaybackEvent { change, state });
    }
}

impl Stream for PlaybackWatch {
    type Item = Result<PlaybackEvent, Error>;

    // With `#[inline]`, only programs that call this method compile the code that decodes the JSON.
    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(event) = this.ready.pop_front() {
                return Poll::Ready(Some(Ok(event)));
            }
            if this.ended {
                return Poll::Ready(None);
            }
            if !this.in_flight.is_empty() {
                let answer = ready!(this.in_flight.poll_join_next(cx));
                let now = Instant::now();
                match answer {
                    Some(Ok(answer)) => {
                        if let Err(error) = this.answered(answer, now) {
                            this.ended = true;
                            return Poll::Ready(Some(Err(error)));
                        }
                    }
                    // A token source or a transport that the caller supplied has panicked. The next
                    // poll may succeed.
                    Some(Err(stopped)) if stopped.is_panic() => {
                        let message = "the task that polls the player panicked";
                        let error = Error::new(ErrorKind::Transport, message);
                        let state = Err(error.with_source(stopped));
                        // `answered` returns `Ok`, because a `Transport` error does not end the
                        // stream.
                        let _ =
                            this.answered(Answer { state, sent: now, at: now, arrived: now }, now);
                    }
                    // The runtime is shutting down.
                    Some(Err(_)) => this.ended = true,
                    None => {}
                }
                continue;
            }
            if Handle::try_current().is_err() {
                this.ended = true;
                let message = "a stream of playback events was polled outside of a tokio runtime";
                return Poll::Ready(Some(Err(Error::configuration(message))));
            }
            // The waker is registered before the flag is read, so that no requested poll is missed.
            this.shared.waker.register(cx.waker());
            let now = Instant::now();
            let due = this.due(now);
            if due <= now {
                this.timer = None;
                this.poll_player(now);
                continue;
            }
            let timer = this.timer.get_or_insert_with(|| Box::pin(sleep_until(due)));
            if timer.deadline() != due {
                timer.as_mut().reset(due);
            }
            ready!(timer.as_mut().poll(cx));
        }
    }
}

/// A handle to a [`PlaybackWatch`]. A task can use the handle to read the state or to request a
/// poll, while another task uses the stream. Cloning is cheap.
///
/// ```no_run
/// # async fn example(client: spot_api::Client) -> Result<(), spot_api::Error> {
/// let mut watch = client.player().watch();
/// let handle = watch.handle();
/// tokio::spawn(async move {
///     while let Some(Ok(event)) = watch.next().await {
///         println!("{:?}", event.change);
///     }
/// });
/// client.player().next().await?;
/// handle.refresh_now();
/// println!("{:?}", handle.position());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct WatchHandle {
    shared: Arc<Shared>,
}

impl WatchHandle {
    /// Returns the current state. See [`PlaybackWatch::now`].
    pub fn now(&self) -> Option<PlaybackState> {
        self.shared.now()
    }

    /// Returns the current position within the item, without copying the state. Use this method for
    /// progress bars.
    pub fn position(&self) -> Option<Duration> {
        self.shared.observed().as_ref()?.position(Instant::now())
    }

    /// Polls soon. See [`PlaybackWatch::refresh_now`].
    pub fn refresh_now(&self) {
        self.shared.ask();
    }
}

impl Shared {
    /// The lock is held only for a moment, and never across an await.
    fn observed(&self) -> std::sync::MutexGuard<'_, Option<Observation>> {
        self.observed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Option<PlaybackState> {
        let observed = self.observed().clone()?;
        let mut state = PlaybackState::clone(observed.state.as_deref()?);
        state.progress = observed.position(Instant::now());
        Some(state)
    }

    fn ask(&self) {
        self.asked.store(true, Ordering::Release);
        self.waker.wake();
    }
}

impl fmt::Debug for PlaybackWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("PlaybackWatch");
        out.field("pace", &self.pace).field("ended", &self.ended).finish_non_exhaustive()
    }
}

impl fmt::Debug for WatchHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchHandle").field("observed", &self.shared.observed()).finish()
    }
}
