//! The code that several limiters share: the queue with its priorities, the blocks, deadlines and
//! time limits. The implementation of [`Slots`] counts the calls, in this process or on a shared
//! server.

use std::{
    borrow::Cow,
    fmt,
    future::poll_fn,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Context, Poll, Waker},
    time::Duration,
};

use async_trait::async_trait;
use spot_model::Operation;
use tokio::{
    runtime::Handle,
    sync::Notify,
    time::{Instant, timeout_at},
};

use crate::{
    Error, ErrorKind, Limits, Priority,
    rate_limit::{
        blocks::{Blocks, Passage, Probes, SharedBlock, key},
        limiter::{AttemptEnd, Feedback, Permit, PermitRequest, RateLimiter},
        queue::{Place, Queue, Waiting},
        window::{End, Slot},
    },
    task::Work,
};

/// Counts calls and decides whether another call may be sent. The methods must not block.
pub trait Slots: fmt::Debug + Send + 'static {
    /// Takes a slot for the next call.
    fn take(&mut self, call: &Candidate<'_>, now: Instant) -> Slot;

    /// Records the end of a call that had a slot. Returns the limit if it changed.
    fn end(&mut self, ended: &EndedCall<'_>, now: Instant) -> Option<u32>;

    /// Number of calls that are allowed in a window (30 s by default), if known.
    fn limit(&self) -> Option<u32>;

    /// Returns the next time at which a waiting call may get a slot.
    fn next_change(&self, now: Instant) -> Option<Instant>;

    /// Returns a snapshot that includes the blocks.
    fn snapshot(&self, blocks: &Blocks, now: Instant) -> Limits;

    /// Reacts to a change of the queue or of the slots. The limiter calls this method at the end of
    /// every step.
    fn settle(&mut self, _waiting: Waiting, _now: Instant) {}
}

/// The next call in the queue.
#[derive(Debug)]
#[non_exhaustive]
pub struct Candidate<'a> {
    /// The operation to call.
    pub operation: &'a Operation,
    /// The call may use the slots of this priority.
    pub priority: Priority,
    /// The blocks that the call probes.
    pub probes: Probes,
    /// How many calls wait, including this candidate.
    pub waiting: Waiting,
}

/// A call that ended.
#[derive(Debug)]
#[non_exhaustive]
pub struct EndedCall<'a> {
    /// The slot of the call.
    pub slot: u64,
    /// The operation that was called.
    pub operation: &'a Operation,
    /// The blocks that the call probed.
    pub probes: Probes,
    /// How the call ended.
    pub end: End,
    /// If the call was refused, the key of the block that the refusal created or confirmed.
    pub refused: Option<Cow<'static, str>>,
    /// When the call was sent.
    pub sent: Instant,
    /// The blocks, already updated with the result of this call.
    pub blocks: &'a Blocks,
}

/// A limiter that consists of slots and a queue. Cloning is cheap, and clones share all state.
#[derive(Debug)]
pub struct QueuedLimiter<S> {
    shared: Arc<Shared<S>>,
}

/// A weak reference to a [`QueuedLimiter`], which does not keep the limiter alive.
#[derive(Debug)]
pub struct WeakLimiter<S> {
    shared: Weak<Shared<S>>,
}

#[derive(Debug)]
struct Shared<S> {
    state: Mutex<State<S>>,
    /// Wakes the timer task.
    changed: Arc<Notify>,
}

#[derive(Debug)]
struct State<S> {
    slots: S,
    blocks: Blocks,
    queue: Queue,
    /// Whether the timer task runs.
    has_timer: bool,
    /// Next time at which a block changes. The timer task computes this time.
    block_change: Option<Instant>,
    /// Next time at which a slot becomes free. The timer task computes this time.
    slot_change: Option<Instant>,
}

impl<S> Clone for QueuedLimiter<S> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<S: Slots> QueuedLimiter<S> {
    /// Creates a limiter with these slots and blocks.
    pub fn new(slots: S, blocks: Blocks) -> Self {
        let state = State {
            slots,
            blocks,
            queue: Queue::default(),
            has_timer: false,
            block_change: None,
            slot_change: None,
        };
        Self { shared: Arc::new(Shared { state: Mutex::new(state), changed: Arc::default() }) }
    }

    /// Returns a weak reference, which does not keep the limiter alive.
    pub fn downgrade(&self) -> WeakLimiter<S> {
        WeakLimiter { shared: Arc::downgrade(&self.shared) }
    }

    /// Calls a closure with the slots and the blocked operations. Does not wake waiting calls.
    pub fn with<T>(&self, use_them: impl FnOnce(&mut S, &mut Blocks, Instant) -> T) -> T {
        let mut state = self.shared.state();
        let State { slots, blocks, .. } = &mut *state;
        use_them(slots, blocks, Instant::now())
    }

    /// Changes the slots and the blocks, and wakes waiting calls. The closure also returns whether
    /// all waiting calls must wake, for example because a block changed. If the closure returns
    /// `false`, only the first call of each priority wakes.
    pub fn change<T>(&self, change: impl FnOnce(&mut S, &mut Blocks, Instant) -> (T, bool)) -> T {
        let now = Instant::now();
        let mut state = self.shared.state();
        let State { slots, blocks, queue, .. } = &mut *state;
        let (result, every_one) = change(slots, blocks, now);
        let called = if every_one { queue.call_all() } else { queue.call(now) };
        self.shared.release(state, called);
        result
    }
}

impl<S: Slots> WeakLimiter<S> {
    /// Returns the limiter; `None` if it was dropped.
    pub fn upgrade(&self) -> Option<QueuedLimiter<S>> {
        self.shared.upgrade().map(|shared| QueuedLimiter { shared })
    }
}

/// Whether a call may be sent now.
enum Admission {
    Admitted(u64, Probes),
    /// The call must wait in this part of the queue.
    Waits(Place),
}

#[async_trait]
impl<S: Slots> RateLimiter for QueuedLimiter<S> {
    async fn acquire(&self, request: PermitRequest) -> Result<Box<dyn Permit>, Error> {
        let mut waiter = Waiter { shared: &self.shared, ticket: None };
        // Most calls find an empty queue and a free slot, and need no timer.
        let (slot, probes) = match poll_fn(|context| Poll::Ready(waiter.poll(&request, context)))
            .await
        {
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
        Ok(Box::new(QueuedPermit {
            shared: Arc::clone(&self.shared),
            operation: request.operation,
            slot,
            probes,
            sent: Instant::now(),
            unfinished: Some(End::NotSent),
        }))
    }

    fn limits(&self) -> Limits {
        let state = self.shared.state();
        state.slots.snapshot(&state.blocks, Instant::now())
    }
}

impl<S: Slots> Shared<S> {
    fn state(&self) -> MutexGuard<'_, State<S>> {
        // The state is consistent even if code under this lock panicked, so a poisoned lock can be
        // used.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Handles the end of an attempt.
    fn end(&self, permit: &QueuedPermit<S>, end: AttemptEnd<'_>) -> Feedback {
        let QueuedPermit { operation, probes, .. } = *permit;
        match end {
            AttemptEnd::Answered => self.end_as(permit, End::Answered, |blocks, _| {
                blocks.end(operation, probes, true);
                None
            }),
            AttemptEnd::NotSent => self.end_unknown(permit, End::NotSent),
            AttemptEnd::Refused { error, wait } => {
                // A 429 that is caused by a quota or by an operation's own limit does not show that
                // the window is full. If a probe is refused, the block was too short.
                let about_window =
                    error.kind() == ErrorKind::RateLimited && !operation.own_limit && !probes.all();
                let end = End::Refused(if about_window { wait } else { Duration::MAX });
                let alone = error.kind() == ErrorKind::QuotaExceeded || operation.own_limit;
                let refused = if alone { key(operation) } else { Cow::Borrowed(SharedBlock::ALL) };
                self.end_as(permit, end, |blocks, now| {
                    Some((refused, blocks.refuse(operation, error, wait, probes, now)))
                })
            }
        }
    }

    /// Handles the end of an attempt that got no response.
    fn end_unknown(&self, permit: &QueuedPermit<S>, end: End) -> Feedback {
        self.end_as(permit, end, |blocks, _| {
            blocks.end(permit.operation, permit.probes, false);
            None
        })
    }

    fn end_as(
        &self,
        permit: &QueuedPermit<S>,
        end: End,
        change: impl FnOnce(&mut Blocks, Instant) -> Option<(Cow<'static, str>, Duration)>,
    ) -> Feedback {
        let now = Instant::now();
        let mut state = self.state();
        let State { slots, blocks, queue, .. } = &mut *state;
        let (refused, block) = change(blocks, now).unzip();
        let QueuedPermit { slot, operation, probes, sent, .. } = *permit;
        let ended = EndedCall { slot, operation, probes, end, refused, sent, blocks };
        let limit = slots.end(&ended, now);
        // The result of a probe affects all calls. A call fails now if the block lasts longer than
        // the call may wait.
        let decides = block.is_some() || probes != Probes::default();
        let called = if decides { queue.call_all() } else { queue.call(now) };
        self.release(state, called);
        let feedback = Feedback::default().with_limit(limit);
        match block {
            Some(block) => feedback.with_block(block),
            None => feedback,
        }
    }

    /// Wakes the first waiter of each priority, which then tries to take a slot.
    fn call(&self) {
        let mut state = self.state();
        let called = state.queue.call(Instant::now());
        self.release(state, called);
    }

    /// Unlocks the state, and wakes the waiters in `called`.
    fn release(&self, mut state: MutexGuard<'_, State<S>>, called: Vec<Waker>) {
        state.settle(Instant::now());
        let has_timer = state.has_timer;
        drop(state);
        if has_timer {
            self.changed.notify_one();
        }
        called.into_iter().for_each(Waker::wake);
    }
}

impl<S: Slots> State<S> {
    fn admit(
        &mut self,
        request: &PermitRequest,
        ticket: Option<u64>,
        now: Instant,
    ) -> Result<Admission, Error> {
        if now >= request.deadline {
            return Err(late());
        }
        let in_queue = Admission::Waits(Place::In(request.priority));
        let probes = match self.blocks.check(request.operation, now) {
            Passage::Open(probes) => probes,
            Passage::AllBlocked(until, error) => {
                accept(request, until, now, || error)?;
                return Ok(in_queue);
            }
            Passage::OperationBlocked(until, error) => {
                accept(request, until, now, || error)?;
                return Ok(Admission::Waits(Place::Parked));
            }
            Passage::Probing { all: true } => return Ok(in_queue),
            Passage::Probing { all: false } => return Ok(Admission::Waits(Place::Parked)),
        };
        if !self.queue.is_turn(request.priority, ticket, now) {
            return Ok(in_queue);
        }
        // If the next call must be a bulk call, the bulk call may use the slots that are reserved
        // for interactive calls. Without the reserved slots, the bulk call might wait forever.
        let priority =
            if self.queue.bulk_is_due(now) { Priority::Interactive } else { request.priority };
        let mut waiting = self.queue.waiting();
        if ticket.is_none() {
            waiting.add(request.priority);
        }
        let call = Candidate { operation: request.operation, priority, probes, waiting };
        let slot = match self.slots.take(&call, now) {
            Slot::Now(slot) => slot,
            Slot::AfterAnswer => return Ok(in_queue),
            Slot::At(until) => {
                let limit = self.slots.limit().unwrap_or_default();
                accept(request, until, now, || {
                    let message = format!(
                        "the application has reached its limit of {limit} calls per window"
                    );
                    Error::new(ErrorKind::RateLimited, message)
                })?;
                return Ok(in_queue);
            }
        };
        self.blocks.pass(request.operation, probes, now);
        self.queue.passes(request.priority);
        Ok(Admission::Admitted(slot, probes))
    }

    fn settle(&mut self, now: Instant) {
        let waiting = self.queue.waiting();
        self.slots.settle(waiting, now);
    }

    /// Returns the next time at which a block changes, a slot becomes free, or a waiter is skipped.
    fn next_change(&mut self, now: Instant) -> Option<Instant> {
        self.block_change = self.blocks.next_change(now);
        self.slot_change = self.slots.next_change(now);
        [self.block_change, self.slot_change, self.queue.next_change(now)]
            .into_iter()
            .flatten()
            .min()
    }
}

/// Checks whether a call may wait until the time `until`. Returns an error if this wait would
/// exceed the maximum wait or the deadline of the call.
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

/// If nothing wakes a waiter for this time, the waiter checks whether it may proceed. The time
/// between two checks grows up to [`RAREST_LOOK`]. The timer task normally wakes the waiter
/// earlier, but the runtime of the timer task may have stopped.
const FIRST_LOOK: Duration = Duration::from_secs(1);
const RAREST_LOOK: Duration = Duration::from_secs(60);

/// Creates the error of a call whose deadline passed in the queue.
fn late() -> Error {
    Error::new(ErrorKind::Timeout, "the deadline passed while the call waited for the rate limit")
}

/// A call that waits for a slot. Dropping the waiter removes the call from the queue.
struct Waiter<'a, S: Slots> {
    shared: &'a Arc<Shared<S>>,
    ticket: Option<u64>,
}

impl<S: Slots> Waiter<'_, S> {
    fn poll(
        &mut self,
        request: &PermitRequest,
        context: &Context<'_>,
    ) -> Poll<Result<(u64, Probes), Error>> {
        let now = Instant::now();
        let mut state = self.shared.state();
        let admission = state.admit(request, self.ticket, now);
        let place = match admission {
            Ok(Admission::Waits(place)) => place,
            Ok(Admission::Admitted(slot, probes)) => {
                if let Some(ticket) = self.ticket.take() {
                    state.queue.leave(ticket);
                }
                // Another slot may be free for the next waiter.
                let called = state.queue.call(now);
                self.shared.release(state, called);
                return Poll::Ready(Ok((slot, probes)));
            }
            // Dropping the waiter removes the call from the queue.
            Err(error) => return Poll::Ready(Err(error)),
        };
        let is_new = self.ticket.is_none();
        let ticket = *self.ticket.get_or_insert_with(|| state.queue.ticket());
        state.queue.wait(ticket, place, context.waker());
        let starts_timer = !std::mem::replace(&mut state.has_timer, true);
        state.settle(now);
        drop(state);
        if starts_timer {
            Timer::start(self.shared);
        } else if is_new || place == Place::Parked {
            self.shared.changed.notify_one();
        }
        Poll::Pending
    }
}

impl<S: Slots> Drop for Waiter<'_, S> {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        let mut state = self.shared.state();
        state.queue.leave(ticket);
        let called = state.queue.call(Instant::now());
        self.shared.release(state, called);
    }
}

/// Wakes waiters that can proceed because time has passed. A waiter can proceed when a slot becomes
/// free or a block ends. A waiter can also proceed if the probe or an earlier waiter takes too
/// long. The timer runs in its own task while calls wait, so that the timer also works if the
/// waiters are not polled.
struct Timer<S: Slots> {
    shared: Weak<Shared<S>>,
    changed: Arc<Notify>,
}

impl<S: Slots> Timer<S> {
    fn start(shared: &Arc<Shared<S>>) {
        let timer = Self { shared: Arc::downgrade(shared), changed: Arc::clone(&shared.changed) };
        Handle::current().spawn::<Work>(Box::pin(timer.run()));
    }

    async fn run(self) {
        while let Some(next) = self.turn() {
            match next {
                Some(next) => _ = timeout_at(next, self.changed.notified()).await,
                None => self.changed.notified().await,
            }
        }
    }

    /// Wakes waiters if a block or a slot has changed, or if a waiter was skipped. Returns the time
    /// of the next check; `Some(None)` if this time is not known. Returns `None` if no call waits
    /// or the limiter was dropped.
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

impl<S: Slots> Drop for Timer<S> {
    fn drop(&mut self) {
        let Some(shared) = self.shared.upgrade() else { return };
        let mut state = shared.state();
        state.has_timer = false;
        // The runtime may have shut down. All waiters are woken, and one of them starts a new
        // timer.
        let called = state.queue.call_all();
        drop(state);
        called.into_iter().for_each(Waker::wake);
    }
}

/// The slot of a call.
#[derive(Debug)]
struct QueuedPermit<S: Slots> {
    shared: Arc<Shared<S>>,
    operation: &'static Operation,
    slot: u64,
    probes: Probes,
    sent: Instant,
    /// The outcome to record if the permit is dropped; `None` if an outcome was already recorded.
    unfinished: Option<End>,
}

impl<S: Slots> Permit for QueuedPermit<S> {
    fn sent(&mut self, now: Instant) {
        self.sent = now;
        self.unfinished = Some(End::Unknown);
    }

    fn finish(mut self: Box<Self>, end: AttemptEnd<'_>) -> Feedback {
        self.unfinished = None;
        self.shared.end(&self, end)
    }
}

impl<S: Slots> Drop for QueuedPermit<S> {
    fn drop(&mut self) {
        if let Some(end) = self.unfinished {
            self.shared.end_unknown(self, end);
        }
    }
}
