//! The rate limiter of one process.

use std::{
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Context, Poll, Waker},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use spot_model::Operation;
use tokio::{
    runtime::Handle,
    sync::Notify,
    time::{Instant, timeout_at},
};

use crate::{
    Error, ErrorKind, Lane, Limits, RateLimit,
    rate_limit::{
        blocks::{Blocks, Passage, Probes},
        limiter::{AttemptEnd, Feedback, Permit, PermitRequest, RateLimiter},
        limits::Saved,
        queue::{Place, Queue},
        window::{End, Slot, Window},
    },
};

/// The rate limiter of one process, and the default.
///
/// It learns Spotify's limit and stays below it. Cloning is cheap; clones share everything. Give one
/// limiter to every [`Pipeline`](crate::Pipeline) of an application, since Spotify counts the calls of
/// the application; [`Pipeline::with_tokens`](crate::Pipeline::with_tokens) does so by itself.
///
/// ```
/// use spot_http::{AccessToken, LocalLimiter, Pipeline, RateLimit};
///
/// # fn main() -> Result<(), spot_http::Error> {
/// let limiter = LocalLimiter::new(&RateLimit::learned());
/// for user in ["a token", "another token"] {
///     let pipeline =
///         Pipeline::builder(AccessToken::new(user)?).rate_limiter(limiter.clone()).build()?;
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct LocalLimiter {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Wakes the timer task.
    changed: Arc<Notify>,
}

#[derive(Debug)]
struct State {
    window: Window,
    blocks: Blocks,
    queue: Queue,
    /// Whether the timer task runs.
    has_timer: bool,
    /// The next times at which a block changes and a slot is free, as the timer task last saw them.
    block_change: Option<Instant>,
    slot_change: Option<Instant>,
}

/// Whether a call may be sent now.
enum Admission {
    Admitted(Probes),
    /// It waits in its lane, or beside the lanes until a block changes.
    Waits(Place),
}

impl LocalLimiter {
    /// A limiter that paces calls in this way.
    pub fn new(limit: &RateLimit) -> Self {
        let state = State {
            window: limit.new_window(),
            blocks: Blocks::default(),
            queue: Queue::default(),
            has_timer: false,
            block_change: None,
            slot_change: None,
        };
        let shared = Shared { state: Mutex::new(state), changed: Arc::default() };
        let limiter = Self { shared: Arc::new(shared) };
        let now = Instant::now();
        let saved = limit.limits().left(SystemTime::now());
        let mut state = limiter.shared.state();
        state.window.restore(&saved.window, now);
        state.blocks.restore(&saved.blocks, now);
        drop(state);
        limiter
    }
}

/// When a limiter takes over what other processes know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Absorb {
    /// At the start, with the blocks that have ended and need a probe.
    AtStart,
    /// Later on, when this limiter has probed for itself.
    WhileRunning,
}

impl LocalLimiter {
    /// Takes over what other processes know: the limit if there is none, blocks that end later, and
    /// the calls that count, which replace those of the time before.
    pub(crate) fn absorb<'a>(&self, others: impl Iterator<Item = &'a Limits>, when: Absorb) {
        let (now, wall) = (Instant::now(), SystemTime::now());
        let mut state = self.shared.state();
        let mut slots = Vec::new();
        for other in others {
            let mut saved = other.left(wall);
            slots.append(&mut saved.window.taken);
            if when == Absorb::WhileRunning {
                saved.blocks.all = saved.blocks.all.filter(|block| !block.left.is_zero());
                saved.blocks.operations.retain(|_, block| !block.left.is_zero());
            }
            state.window.learn(&saved.window, now);
            state.blocks.restore(&saved.blocks, now);
        }
        state.window.set_foreign(&slots, now);
        let called = state.queue.call_all();
        self.shared.release(state, called);
    }

    /// What is known, with the calls of this process only.
    pub(crate) fn own_limits(&self) -> Limits {
        self.save(false)
    }

    fn save(&self, foreign: bool) -> Limits {
        let (now, wall) = (Instant::now(), SystemTime::now());
        let state = self.shared.state();
        let saved =
            Saved { window: state.window.save(now, foreign), blocks: state.blocks.save(now) };
        Limits::new(saved, wall)
    }
}

#[async_trait]
impl RateLimiter for LocalLimiter {
    async fn acquire(&self, request: PermitRequest) -> Result<Box<dyn Permit>, Error> {
        let mut waiter = Waiter { shared: &self.shared, ticket: None };
        // Most calls find nobody before them and a free slot, and need no timer.
        let probes = match poll_fn(|context| Poll::Ready(waiter.poll(&request, context))).await {
            Poll::Ready(admitted) => admitted?,
            Poll::Pending => {
                let mut pause = FIRST_LOOK;
                loop {
                    let look = request.deadline.min(Instant::now() + pause);
                    match timeout_at(look, poll_fn(|context| waiter.poll(&request, context))).await
                    {
                        Ok(admitted) => break admitted?,
                        Err(_) if Instant::now() >= request.deadline => return Err(late()),
                        Err(_) => self.shared.call(),
                    }
                    pause = (pause * 2).min(RAREST_LOOK);
                }
            }
        };
        Ok(Box::new(LocalPermit {
            shared: Arc::clone(&self.shared),
            operation: request.operation,
            sent: Instant::now(),
            probes,
            end: Some(End::NotSent),
        }))
    }

    fn limits(&self) -> Limits {
        self.save(true)
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing under this lock leaves the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes the end of an attempt, and returns the limit if it changed.
    fn end(
        &self,
        operation: &'static Operation,
        probes: Probes,
        end: End,
        sent: Instant,
    ) -> Option<u32> {
        let now = Instant::now();
        let mut state = self.state();
        if !matches!(end, End::Refused(_)) {
            state.blocks.end(operation, probes, end == End::Answered);
        }
        let changed = state.window.end(end, sent, now);
        let limit = state.window.limit().filter(|_| changed);
        // A probe decides for everybody.
        let called = if probes == Probes::default() {
            state.queue.call(now)
        } else {
            state.queue.call_all()
        };
        self.release(state, called);
        limit
    }

    /// Notes a 429, and returns the length of the block.
    fn refuse(
        &self,
        operation: &'static Operation,
        error: &Error,
        wait: Duration,
        probes: Probes,
    ) -> Duration {
        let mut state = self.state();
        let block = state.blocks.refuse(operation, error, wait, probes, Instant::now());
        // Calls that would wait too long end now.
        let called = state.queue.call_all();
        self.release(state, called);
        block
    }

    /// Calls the waiters that are first, in case that a slot is free.
    fn call(&self) {
        let mut state = self.state();
        let called = state.queue.call(Instant::now());
        self.release(state, called);
    }

    /// Unlocks the state and wakes the waiters that were called.
    fn release(&self, state: MutexGuard<'_, State>, called: Vec<Waker>) {
        let has_timer = state.has_timer;
        drop(state);
        if has_timer {
            self.changed.notify_one();
        }
        called.into_iter().for_each(Waker::wake);
    }
}

impl State {
    fn admit(
        &mut self,
        request: &PermitRequest,
        ticket: Option<u64>,
        now: Instant,
    ) -> Result<Admission, Error> {
        if now >= request.deadline {
            return Err(late());
        }
        let in_lane = Admission::Waits(Place::In(request.lane));
        let probes = match self.blocks.check(request.operation, now) {
            Passage::Open(probes) => probes,
            Passage::AllBlocked(until, error) => {
                accept(request, until, now, || error)?;
                return Ok(in_lane);
            }
            Passage::OperationBlocked(until, error) => {
                accept(request, until, now, || error)?;
                return Ok(Admission::Waits(Place::Parked));
            }
            Passage::Probing { all: true } => return Ok(in_lane),
            Passage::Probing { all: false } => return Ok(Admission::Waits(Place::Parked)),
        };
        if !self.queue.is_turn(request.lane, ticket, now) {
            return Ok(in_lane);
        }
        // A bulk call whose turn has come may use the reserve, or it would wait for ever.
        let lane = if self.queue.bulk_is_due(now) { Lane::Interactive } else { request.lane };
        match self.window.take(lane, now) {
            Slot::Now => {}
            Slot::AfterAnswer => return Ok(in_lane),
            Slot::At(until) => {
                let limit = self.window.limit().unwrap_or_default();
                accept(request, until, now, || {
                    let message = format!(
                        "the application's limit of {limit} calls per window is used up for now"
                    );
                    Error::new(ErrorKind::RateLimited, message)
                })?;
                return Ok(in_lane);
            }
        }
        self.blocks.pass(request.operation, probes, now);
        self.queue.passes(request.lane);
        Ok(Admission::Admitted(probes))
    }

    /// The next time at which a waiter may proceed without anything else happening.
    fn next_change(&mut self, now: Instant) -> Option<Instant> {
        self.block_change = self.blocks.next_change(now);
        self.slot_change = self.window.next_change(now);
        [self.block_change, self.slot_change, self.queue.next_change(now)]
            .into_iter()
            .flatten()
            .min()
    }
}

/// Whether a call accepts to wait until this time; the error if it does not.
fn accept(
    request: &PermitRequest,
    until: Instant,
    now: Instant,
    error: impl FnOnce() -> Error,
) -> Result<(), Error> {
    let wait = until.saturating_duration_since(now);
    if wait > request.max_wait || until > request.deadline {
        return Err(error().with_retry_after(wait));
    }
    Ok(())
}

/// When a waiter looks by itself, ever more rarely. The timer task calls it in time, unless that task
/// runs on a runtime that nobody drives any more.
const FIRST_LOOK: Duration = Duration::from_secs(1);
const RAREST_LOOK: Duration = Duration::from_secs(60);

/// The error of a call whose deadline passed in the queue.
fn late() -> Error {
    Error::new(ErrorKind::Timeout, "the deadline passed while the call waited for the rate limit")
}

/// A call that asks for a slot. It leaves the queue when it is dropped.
struct Waiter<'a> {
    shared: &'a Arc<Shared>,
    ticket: Option<u64>,
}

impl Waiter<'_> {
    fn poll(
        &mut self,
        request: &PermitRequest,
        context: &Context<'_>,
    ) -> Poll<Result<Probes, Error>> {
        let now = Instant::now();
        let mut state = self.shared.state();
        let admission = state.admit(request, self.ticket, now);
        let place = match admission {
            Ok(Admission::Waits(place)) => place,
            Ok(Admission::Admitted(probes)) => {
                if let Some(ticket) = self.ticket.take() {
                    state.queue.leave(ticket);
                }
                // There may be a slot for the next one as well.
                let called = state.queue.call(now);
                self.shared.release(state, called);
                return Poll::Ready(Ok(probes));
            }
            // Its drop leaves the queue.
            Err(error) => return Poll::Ready(Err(error)),
        };
        let is_new = self.ticket.is_none();
        let ticket = *self.ticket.get_or_insert_with(|| state.queue.ticket());
        state.queue.wait(ticket, place, context.waker());
        let starts_timer = !std::mem::replace(&mut state.has_timer, true);
        drop(state);
        if starts_timer {
            Timer::start(self.shared);
        } else if is_new || place == Place::Parked {
            self.shared.changed.notify_one();
        }
        Poll::Pending
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        let mut state = self.shared.state();
        state.queue.leave(ticket);
        let called = state.queue.call(Instant::now());
        self.shared.release(state, called);
    }
}

/// Calls waiters when time alone lets them proceed: a slot is free again, a block ends, a probe or a
/// waiter takes too long. It runs in a task while somebody waits, so that it does not depend on
/// whether the waiters are polled.
struct Timer {
    shared: Weak<Shared>,
    changed: Arc<Notify>,
}

impl Timer {
    fn start(shared: &Arc<Shared>) {
        let timer = Self { shared: Arc::downgrade(shared), changed: Arc::clone(&shared.changed) };
        Handle::current().spawn(timer.run());
    }

    async fn run(self) {
        while let Some(next) = self.turn() {
            match next {
                Some(next) => _ = timeout_at(next, self.changed.notified()).await,
                None => self.changed.notified().await,
            }
        }
    }

    /// Calls the waiters whose turn it is. Returns the next time to do so, or `None` inside if that
    /// depends on others; `None` if nobody waits.
    fn turn(&self) -> Option<Option<Instant>> {
        let shared = self.shared.upgrade()?;
        let now = Instant::now();
        let mut state = shared.state();
        if state.queue.is_empty() {
            return None;
        }
        let passed = |change: Option<Instant>| change.is_some_and(|change| change <= now);
        let called = if passed(state.block_change) {
            state.queue.call_all()
        } else if passed(state.slot_change) {
            state.queue.call(now)
        } else {
            state.queue.call_after_lost(now)
        };
        let next = state.next_change(now);
        drop(state);
        called.into_iter().for_each(Waker::wake);
        Some(next)
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        let Some(shared) = self.shared.upgrade() else { return };
        let mut state = shared.state();
        state.has_timer = false;
        // Its runtime may have shut down: those who still wait start another one.
        let called = state.queue.call_all();
        drop(state);
        called.into_iter().for_each(Waker::wake);
    }
}

/// The slot of a call in the window.
#[derive(Debug)]
struct LocalPermit {
    shared: Arc<Shared>,
    operation: &'static Operation,
    sent: Instant,
    probes: Probes,
    /// What to note when it is dropped; `None` if that was done.
    end: Option<End>,
}

impl Permit for LocalPermit {
    fn sent(&mut self, now: Instant) {
        self.sent = now;
        self.end = Some(End::Unknown);
    }

    fn finish(mut self: Box<Self>, end: AttemptEnd<'_>) -> Feedback {
        self.end = None;
        let end_with = |end| self.shared.end(self.operation, self.probes, end, self.sent);
        match end {
            AttemptEnd::Answered => Feedback::default().with_limit(end_with(End::Answered)),
            AttemptEnd::NotSent => Feedback::default().with_limit(end_with(End::NotSent)),
            AttemptEnd::Refused { error, wait } => {
                let block = self.shared.refuse(self.operation, error, wait, self.probes);
                // A quota, and a separate limit of the operation, say nothing about the window. A refused probe says
                // that the block was too short.
                let about_window = error.kind() == ErrorKind::RateLimited
                    && !self.operation.own_limit
                    && !self.probes.all();
                let wait = if about_window { wait } else { Duration::MAX };
                Feedback::default().with_limit(end_with(End::Refused(wait))).with_block(block)
            }
        }
    }
}

impl Drop for LocalPermit {
    fn drop(&mut self) {
        if let Some(end) = self.end {
            self.shared.end(self.operation, self.probes, end, self.sent);
        }
    }
}
