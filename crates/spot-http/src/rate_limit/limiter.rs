//! What every call passes before it is sent: the pause after a 429, and the window.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use spot_model::Operation;
use tokio::{
    sync::{self, Notify},
    time::{Instant, sleep_until, timeout_at},
};

use crate::{
    Error, ErrorKind, Lane, RateLimit, RateLimitState,
    rate_limit::window::{End, Slot, Window},
};

/// Far beyond any block that was seen; more would not fit every clock.
const LONGEST_BLOCK: Duration = Duration::from_secs(7 * 86_400);

/// Of so many calls that had to wait, one is a bulk call, if any of them waits.
const BULK_SHARE: u32 = 10;

/// Lets calls through, first come, first served in each of two lanes.
///
/// One waiter a lane works out how long to wait, the others queue behind it for a fair lock, so that
/// dropping any of them harms nobody.
#[derive(Debug)]
pub(crate) struct Limiter {
    state: Mutex<State>,
    /// Something ended or was closed, so that those who wait look again.
    changed: Notify,
    interactive: sync::Mutex<()>,
    bulk: sync::Mutex<()>,
}

#[derive(Debug)]
struct State {
    window: Window,
    pause: Option<Pause>,
    probe: Probe,
    /// How many calls in a row went first after a pause and were refused.
    lost_probes: u32,
    /// Pauses of operations that have a limit of their own, by their ids.
    own: HashMap<&'static str, Pause>,
    waiting: Waiting,
}

/// After a pause one call goes first: the server may have meant a little longer than it said, and
/// many calls at once would lengthen the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Probe {
    /// All calls may go.
    NotNeeded,
    /// The next call is it.
    Needed,
    /// It is under way since then.
    Sent(Instant),
}

/// Who waits in which lane.
#[derive(Debug, Default)]
struct Waiting {
    interactive: u32,
    bulk: u32,
    /// How many interactive calls went through since a bulk call did, while one waited.
    passed: u32,
}

#[derive(Clone, Debug)]
struct Pause {
    until: Instant,
    kind: ErrorKind,
    message: String,
}

/// How long other calls wait for the one that goes first.
const PROBING: Duration = Duration::from_secs(5);

/// How long a call is ready to wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WaitLimit {
    pub(crate) latest: Instant,
    pub(crate) max_wait: Duration,
}

/// The slot of a call. Dropped before the call was sent, it is free again; dropped later, it counts
/// as used, since the call may have arrived.
#[derive(Debug)]
pub(crate) struct Permit<'a> {
    limiter: &'a Limiter,
    sent: Instant,
    is_probe: bool,
    /// What to take note of when it is dropped, unless that was done.
    end: Option<End>,
}

/// Where in its lane a call stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    /// Behind all that wait already.
    Arriving,
    /// Before all others.
    First,
}

/// What a call finds.
#[derive(Debug)]
enum Admission<'a> {
    Go(Permit<'a>),
    /// Wait until then, or until something changes.
    Wait(Option<Instant>),
}

impl Limiter {
    pub(crate) fn new(limit: &RateLimit) -> Self {
        let (now, wall) = (Instant::now(), SystemTime::now());
        let mut window = limit.new_window();
        window.restore(&limit.state().learned(wall), now);
        let pause = limit.state().block(wall).map(|(block, left)| Pause {
            until: now + left.min(LONGEST_BLOCK),
            kind: if block.quota { ErrorKind::QuotaExceeded } else { ErrorKind::RateLimited },
            message: block.message.clone(),
        });
        let probe = if pause.is_some() { Probe::Needed } else { Probe::NotNeeded };
        let (own, waiting) = (HashMap::new(), Waiting::default());
        Self {
            state: Mutex::new(State { window, pause, probe, lost_probes: 0, own, waiting }),
            changed: Notify::new(),
            interactive: sync::Mutex::default(),
            bulk: sync::Mutex::default(),
        }
    }

    /// Waits until the call may be sent.
    ///
    /// # Errors
    ///
    /// At once, if that would take longer than the call is ready to wait.
    pub(crate) async fn pass(
        &self,
        operation: &Operation,
        lane: Lane,
        limit: WaitLimit,
    ) -> Result<Permit<'_>, Error> {
        if operation.own_limit {
            self.pass_own(operation, limit).await?;
        }
        let queue = match lane {
            Lane::Interactive => &self.interactive,
            Lane::Bulk => &self.bulk,
        };
        // Most calls find nobody before them and the gate open.
        if let Admission::Go(permit) = self.look(lane, limit, Position::Arriving)? {
            return Ok(permit);
        }
        let _waiting = self.waits(lane);
        let _first = timeout_at(limit.latest, queue.lock()).await.map_err(|_| late())?;
        loop {
            if let Admission::Go(permit) = self.look(lane, limit, Position::First)? {
                return Ok(permit);
            }
            // Between a look and the wait for a change none may be missed.
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            match self.look(lane, limit, Position::First)? {
                Admission::Go(permit) => return Ok(permit),
                // Elapsed or changed: it looks again.
                Admission::Wait(Some(until)) => _ = timeout_at(until, changed).await,
                Admission::Wait(None) => {
                    timeout_at(limit.latest, changed).await.map_err(|_| late())?;
                }
            }
        }
    }

    /// What was learned, for another run.
    pub(crate) fn save(&self) -> RateLimitState {
        let (now, wall) = (Instant::now(), SystemTime::now());
        let state = self.state();
        let saved = RateLimitState::new(&state.window.save(now), wall);
        match &state.pause {
            Some(pause) if pause.until > now => {
                let quota = pause.kind == ErrorKind::QuotaExceeded;
                saved.with_block(wall, pause.until - now, quota, &pause.message)
            }
            _ => saved,
        }
    }

    /// The pause of an operation that has a limit of its own. It is waited for outside the queue, so
    /// that it holds nobody else.
    async fn pass_own(&self, operation: &Operation, limit: WaitLimit) -> Result<(), Error> {
        loop {
            let now = Instant::now();
            let until = {
                let mut state = self.state();
                state.own.retain(|_, pause| pause.until > now);
                match state.own.get(operation.id) {
                    Some(pause) => limit.check(pause, now)?,
                    None => return Ok(()),
                }
            };
            sleep_until(until).await;
        }
    }

    fn look(
        &self,
        lane: Lane,
        limit: WaitLimit,
        position: Position,
    ) -> Result<Admission<'_>, Error> {
        let now = Instant::now();
        if now >= limit.latest {
            return Err(late());
        }
        let mut state = self.state();
        if position == Position::Arriving && *state.waiting.of(lane) > 0 {
            return Ok(Admission::Wait(None));
        }
        if let Some(pause) = &state.pause {
            if pause.until > now {
                return Ok(Admission::Wait(Some(limit.check(pause, now)?)));
            }
            state.pause = None;
        }
        if let Probe::Sent(since) = state.probe
            && now < since + PROBING
        {
            return Ok(Admission::Wait(Some((since + PROBING).min(limit.latest))));
        }
        let bulk_is_due = state.waiting.bulk_is_due();
        if match lane {
            Lane::Interactive => bulk_is_due,
            Lane::Bulk => state.waiting.interactive > 0 && !bulk_is_due,
        } {
            return Ok(Admission::Wait(None));
        }
        // A bulk call whose turn has come takes from the reserve too, or it would wait for ever.
        let takes_as = if bulk_is_due { Lane::Interactive } else { lane };
        match state.window.take(takes_as, now) {
            Slot::Now => {}
            Slot::AfterAnswer => return Ok(Admission::Wait(None)),
            Slot::At(until) => {
                let calls = state.window.limit().unwrap_or_default();
                let message = format!("{calls} calls are under way or done in this window");
                let pause = Pause { until, kind: ErrorKind::RateLimited, message };
                return Ok(Admission::Wait(Some(limit.check(&pause, now)?)));
            }
        }
        let is_probe = state.probe == Probe::Needed;
        if is_probe {
            state.probe = Probe::Sent(now);
        }
        state.waiting.passes(lane);
        let both_wait = state.waiting.bulk > 0 && state.waiting.interactive > 0;
        drop(state);
        if both_wait {
            self.changed.notify_waiters();
        }
        Ok(Admission::Go(Permit { limiter: self, sent: now, is_probe, end: Some(End::NotSent) }))
    }

    fn end(&self, end: End, sent: Instant, is_probe: bool) -> Option<u32> {
        let mut state = self.state();
        if is_probe {
            let back = end == End::Answered;
            state.probe = if back { Probe::NotNeeded } else { Probe::Needed };
            if back {
                state.lost_probes = 0;
            }
        }
        let changed = state.window.end(end, sent, Instant::now());
        let limit = state.window.limit().filter(|_| changed);
        // Whoever comes later finds it changed.
        let anybody = state.waiting.interactive > 0 || state.waiting.bulk > 0;
        drop(state);
        if anybody {
            self.changed.notify_waiters();
        }
        limit
    }

    /// Nobody is to call for so long, or nobody is to call this very operation.
    fn close(&self, operation: &'static Operation, error: &Error, wait: Duration) {
        let until = Instant::now() + wait;
        let message = match error.message() {
            "" => "no call is sent until the block ends".to_owned(),
            said => format!("{said}; no call is sent until then"),
        };
        let pause = Pause { until, kind: error.kind(), message };
        let later = |other: &Pause| other.until < until;
        let mut state = self.state();
        if operation.own_limit && error.kind() != ErrorKind::QuotaExceeded {
            if state.own.get(operation.id).is_none_or(later) {
                state.own.insert(operation.id, pause);
            }
        } else if state.pause.as_ref().is_none_or(later) {
            state.pause = Some(pause);
            state.probe = Probe::Needed;
        }
    }

    fn waits(&self, lane: Lane) -> Waits<'_> {
        let mut state = self.state();
        *state.waiting.of(lane) += 1;
        Waits { limiter: self, lane }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing under this lock leaves the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WaitLimit {
    /// Until when to wait for a pause.
    fn check(self, pause: &Pause, now: Instant) -> Result<Instant, Error> {
        let wait = pause.until.saturating_duration_since(now);
        if wait > self.max_wait || pause.until > self.latest {
            let error = Error::new(pause.kind.clone(), pause.message.clone());
            return Err(error.with_retry_after(wait));
        }
        Ok(pause.until)
    }
}

impl Permit<'_> {
    /// When the call was let through, until it is sent.
    pub(crate) fn passed(&self) -> Instant {
        self.sent
    }

    /// The call goes out now.
    pub(crate) fn send(&mut self, now: Instant) {
        self.sent = now;
        self.end = Some(End::Unknown);
    }

    /// The call was answered, and not with a 429. Gives the limit, if it is thought to be another
    /// one now.
    pub(crate) fn answered(mut self) -> Option<u32> {
        self.finish(End::Answered)
    }

    /// The call never left, so that its slot is free.
    pub(crate) fn not_sent(mut self) {
        self.finish(End::NotSent);
    }

    /// The call was refused with a 429: everybody waits, or everybody who calls this operation, if
    /// it has a limit of its own. Gives the pause, and the limit if another one was learned.
    pub(crate) fn refused(
        mut self,
        operation: &'static Operation,
        error: &Error,
        wait: Duration,
    ) -> (Duration, Option<u32>) {
        let pause = wait.saturating_add(self.distrust()).min(LONGEST_BLOCK);
        self.limiter.close(operation, error, pause);
        // What is not about the window teaches nothing of it. A call that went first after a pause
        // tells that the pause was too short.
        let about_window =
            error.kind() == ErrorKind::RateLimited && !operation.own_limit && !self.is_probe;
        let limit = self.finish(End::Refused(if about_window { wait } else { Duration::MAX }));
        (pause, limit)
    }

    /// What is added to a pause where earlier ones turned out to be too short.
    fn distrust(&self) -> Duration {
        if !self.is_probe {
            return Duration::ZERO;
        }
        let mut state = self.limiter.state();
        state.lost_probes = (state.lost_probes + 1).min(7);
        Duration::from_secs(1 << (state.lost_probes - 1))
    }

    fn finish(&mut self, end: End) -> Option<u32> {
        self.end = None;
        self.limiter.end(end, self.sent, self.is_probe)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if let Some(end) = self.end {
            self.limiter.end(end, self.sent, self.is_probe);
        }
    }
}

/// The error of a call whose deadline passed in the queue.
fn late() -> Error {
    Error::new(ErrorKind::Timeout, "the rate limit left no room before the deadline")
}

/// Stands in a lane for as long as it lives.
#[derive(Debug)]
struct Waits<'a> {
    limiter: &'a Limiter,
    lane: Lane,
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        let mut state = self.limiter.state();
        let count = state.waiting.of(self.lane);
        *count = count.saturating_sub(1);
        let last = *count == 0;
        drop(state);
        if last {
            self.limiter.changed.notify_waiters();
        }
    }
}

impl Waiting {
    /// Whether so many interactive calls passed that the next call is a bulk call.
    fn bulk_is_due(&self) -> bool {
        self.bulk > 0 && self.passed + 1 >= BULK_SHARE
    }

    fn passes(&mut self, lane: Lane) {
        match lane {
            Lane::Bulk => self.passed = 0,
            Lane::Interactive if self.bulk > 0 => self.passed += 1,
            Lane::Interactive => {}
        }
    }

    fn of(&mut self, lane: Lane) -> &mut u32 {
        match lane {
            Lane::Interactive => &mut self.interactive,
            Lane::Bulk => &mut self.bulk,
        }
    }
}
