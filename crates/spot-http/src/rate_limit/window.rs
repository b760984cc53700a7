//! The learned window: learns from the responses how many calls fit in a rolling window.
//!
//! Spotify counts the calls of an application in a rolling window of 30 seconds. It publishes
//! neither the limit nor the remainder. A call takes a slot when it is sent; the slot is free one
//! window after the *response*. The server counts the call between these two times. Therefore the
//! server's count is never higher than the number of used slots, however long responses take.
//!
//! Functions take the current time as an argument and never wait.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use crate::Lane;

/// Safety margin for the server's clock.
const MARGIN: Duration = Duration::from_millis(50);

/// Time within which a call without a response may still reach the server.
const STRAY: Duration = Duration::from_secs(1);

/// Maximum number of calls in flight while no limit is known. When the limit is reached, the server
/// refuses every call in flight, and some servers lengthen the block with each of these calls. The
/// number doubles only after it held calls back for a whole window. If it stayed the same, eight
/// calls in flight on a slow connection would never fill a window.
const FIRST_RAMP: u32 = 8;
const LARGEST_RAMP: u32 = 64;

/// Value of `ramp` after a refusal. Once a limit is known, at most `proven + ramp` slots may be in
/// use.
const RAMP: u32 = 4;

/// Smallest plausible limit.
const LEAST: u32 = 4;

/// A refusal after fewer answers than this probably means that other processes or an earlier run
/// used up the limit. After `STRIKES` such refusals, the number of answers becomes the limit.
const FEW: u32 = 20;
const STRIKES: u32 = 3;

const FIRST_PROBE: Duration = Duration::from_secs(60);
const RAREST_PROBE: Duration = Duration::from_secs(30 * 60);

/// A block longer than this is not caused by the window.
const LONG_BLOCK: Duration = Duration::from_secs(120);

/// The calls of a window and the limit that was learned.
#[derive(Debug)]
pub struct Window {
    length: Duration,
    mode: Mode,
    limit: Option<u32>,
    /// Largest number of calls that were answered within one window.
    proven: u32,
    in_flight: u32,
    /// When the slots of finished calls become free, soonest first.
    cooling: VecDeque<(Instant, Call)>,
    /// Send times of answered calls that are certainly in the server's window, because they were
    /// sent less than a window ago; oldest first. The number of these calls is a lower bound of the
    /// server's limit. The number of used slots is an upper bound of the server's current count.
    certain: VecDeque<Instant>,
    ramp: u32,
    braked_since: Option<Instant>,
    /// Time of the last refusal that changed the limit. Refusals of calls sent before this time do
    /// not change the limit again.
    learned_at: Option<Instant>,
    /// Number of refusals that came after too few answers to be conclusive.
    strikes: u32,
    search: LimitSearch,
    interactive_at: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Learned,
    Fixed,
    Off,
}

/// A finished call whose slot still counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    /// The server sent a response other than 429.
    Answered,
    /// The call was refused, or its outcome is unknown.
    Other,
    /// A call of another process.
    Foreign,
}

/// The search for a higher limit.
#[derive(Debug)]
struct LimitSearch {
    step: u32,
    every: Duration,
    next: Option<Instant>,
    /// The limit at which the current search started, if one is running.
    from: Option<u32>,
}

/// Whether a slot is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "implementations of limiters create it, and there are no other cases"
)]
pub enum Slot {
    /// The call has this slot.
    Now(u64),
    /// No slot is free before this time.
    At(Instant),
    /// No slot is free until another call is answered.
    AfterAnswer,
}

/// The end of a call that had a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "implementations of limiters handle every case")]
pub enum End {
    /// The server sent a response other than 429.
    Answered,
    /// The server answered 429, with this wait.
    Refused(Duration),
    /// The outcome is unknown: the call was cancelled or timed out, or its connection broke.
    Unknown,
    /// The request was not sent.
    NotSent,
}

/// State that a program keeps for its next run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Learned {
    /// The limit, if known.
    pub limit: Option<u32>,
    /// The amount by which the next search raises the limit.
    pub step: u32,
    /// The time between two searches.
    pub every: Duration,
    /// Remaining time of each slot.
    pub taken: Vec<Duration>,
}

impl Window {
    /// Creates a window whose limit is not known yet.
    pub fn learned(length: Duration) -> Self {
        Self {
            length,
            mode: Mode::Learned,
            limit: None,
            proven: 0,
            in_flight: 0,
            cooling: VecDeque::new(),
            certain: VecDeque::new(),
            ramp: FIRST_RAMP,
            braked_since: None,
            learned_at: None,
            strikes: 0,
            search: LimitSearch { step: 1, every: FIRST_PROBE, next: None, from: None },
            interactive_at: None,
        }
    }

    /// Creates a window with a limit that never changes.
    pub fn fixed(length: Duration, limit: u32) -> Self {
        let limit = limit.max(1);
        let window = Self::learned(length);
        Self { mode: Mode::Fixed, limit: Some(limit), proven: limit, ..window }
    }

    /// Creates a limiter without a window: every call is sent at once.
    pub(crate) fn off() -> Self {
        Self { mode: Mode::Off, ..Self::learned(Duration::ZERO) }
    }

    /// The limit, if known.
    pub fn limit(&self) -> Option<u32> {
        self.limit
    }

    /// Takes a slot if one is free.
    pub fn take(&mut self, lane: Lane, now: Instant) -> Slot {
        if self.mode == Mode::Off {
            self.in_flight += 1;
            return Slot::Now(0);
        }
        self.release(now);
        let reserve = self.reserve(lane, now);
        if lane == Lane::Interactive {
            self.interactive_at = Some(now);
        }
        let used = self.used();
        let Some(limit) = self.limit else {
            // Only calls in flight count, since no refusal has shown a limit yet.
            if self.in_flight >= self.ramp {
                self.brake(now);
                return Slot::AfterAnswer;
            }
            if self.in_flight < self.ramp / 2 {
                self.braked_since = None;
            }
            self.in_flight += 1;
            return Slot::Now(0);
        };
        if used + reserve >= limit && !self.starts_search(limit, now) {
            let over = used + reserve - limit;
            return self.after(over);
        }
        if self.mode == Mode::Fixed {
            self.in_flight += 1;
            return Slot::Now(0);
        }
        let most = self.proven.saturating_add(self.ramp);
        if used >= most {
            self.brake(now);
            // Without calls in flight, no answer will free a slot.
            return if self.in_flight == 0 { self.after(used - most) } else { Slot::AfterAnswer };
        }
        if used.saturating_add(self.ramp) < self.proven {
            self.braked_since = None;
        }
        self.in_flight += 1;
        Slot::Now(0)
    }

    /// Takes a slot even if none is free, for a call that is sent regardless of the limit.
    pub fn take_anyway(&mut self, now: Instant) {
        self.release(now);
        self.in_flight += 1;
    }

    /// Sets the limit as if it was learned now, at least 1.
    pub fn set_limit(&mut self, limit: u32, now: Instant) {
        let limit = limit.max(1);
        self.limit = Some(limit);
        self.proven = limit;
        self.ramp = RAMP;
        self.braked_since = None;
        let every = FIRST_PROBE;
        self.search = LimitSearch { step: 1, every, next: Some(now + every), from: None };
    }

    /// Records the end of a call that was sent at `sent`. Returns whether the limit changed.
    pub fn end(&mut self, end: End, sent: Instant, now: Instant) -> bool {
        self.in_flight = self.in_flight.saturating_sub(1);
        if self.mode == Mode::Off {
            return false;
        }
        self.release(now);
        let before = self.limit;
        match end {
            End::NotSent => {}
            End::Unknown => self.cool(now + STRAY, Call::Other),
            End::Answered => {
                self.cool(now, Call::Answered);
                let at = self.certain.partition_point(|other| *other <= sent);
                self.certain.insert(at, sent);
                self.succeeded(sent, now);
            }
            End::Refused(wait) => {
                self.cool(now, Call::Other);
                let same = self.learned_at.is_some_and(|at| sent <= at);
                if self.mode == Mode::Learned && wait <= LONG_BLOCK && !same {
                    self.refused(now);
                }
            }
        }
        self.limit != before
    }

    /// Returns, for each finished call of this process, the time until its slot becomes free,
    /// soonest first.
    pub fn cooling(&self, now: Instant) -> Vec<Duration> {
        let own = self.cooling.iter().filter(|(_, call)| *call != Call::Foreign);
        let left = own.map(|(free, _)| free.saturating_duration_since(now));
        left.filter(|left| !left.is_zero()).collect()
    }

    /// Returns the state to save. `foreign` says whether to include the calls of other processes.
    pub fn save(&self, now: Instant, foreign: bool) -> Learned {
        let cooling = self.cooling.iter().filter(|(_, call)| foreign || *call != Call::Foreign);
        let cooling = cooling.map(|(free, _)| free.saturating_duration_since(now));
        let in_flight = (0..self.in_flight).map(|_| self.length + MARGIN);
        let taken = cooling.filter(|left| !left.is_zero()).chain(in_flight).collect();
        Learned { limit: self.limit, step: self.search.step, every: self.search.every, taken }
    }

    pub(crate) fn restore(&mut self, learned: &Learned, now: Instant) {
        if self.mode == Mode::Off {
            return;
        }
        let mut taken = learned.taken.clone();
        taken.sort_unstable();
        // The saved times may be wrong, so they are limited to the length of a window.
        let longest = self.length + MARGIN + STRAY;
        self.cooling = taken.iter().map(|left| (now + (*left).min(longest), Call::Other)).collect();
        self.learn(learned, now);
    }

    /// Replaces the calls of other processes.
    pub(crate) fn set_foreign(&mut self, left: &[Duration], now: Instant) {
        if self.mode == Mode::Off {
            return;
        }
        let longest = self.length + MARGIN + STRAY;
        let foreign = left.iter().map(|left| (now + (*left).min(longest), Call::Foreign));
        let own = self.cooling.iter().copied().filter(|(_, call)| *call != Call::Foreign);
        let mut cooling: Vec<_> = own.chain(foreign).collect();
        cooling.sort_by_key(|(free, _)| *free);
        self.cooling = cooling.into();
    }

    /// Takes over a limit that was learned elsewhere, if none is known.
    pub(crate) fn learn(&mut self, learned: &Learned, now: Instant) {
        if let (Mode::Learned, None, Some(limit)) = (self.mode, self.limit, learned.limit) {
            self.limit = Some(limit.max(LEAST));
            self.proven = limit.max(LEAST);
            self.search.step = learned.step.max(1);
            self.search.every = learned.every.clamp(FIRST_PROBE, RAREST_PROBE);
            self.search.next = Some(now + self.search.every);
        }
    }

    /// Returns the next time at which a slot becomes free.
    pub fn next_change(&self, now: Instant) -> Option<Instant> {
        self.cooling.iter().map(|(free, _)| *free).find(|free| *free > now)
    }

    fn used(&self) -> u32 {
        self.in_flight.saturating_add(u32::try_from(self.cooling.len()).unwrap_or(u32::MAX))
    }

    /// Returns the number of free slots that a bulk call must leave for interactive calls. It is 0
    /// if there was no interactive call within the last window.
    fn reserve(&self, lane: Lane, now: Instant) -> u32 {
        let (Lane::Bulk, Some(limit), Some(at)) = (lane, self.limit, self.interactive_at) else {
            return 0;
        };
        if now.saturating_duration_since(at) > self.length {
            return 0;
        }
        (limit / 20).max(2).min(limit.saturating_sub(1))
    }

    /// Returns when `over + 1` of the used slots become free.
    fn after(&self, over: u32) -> Slot {
        match self.cooling.get(over as usize) {
            Some((free, _)) => Slot::At(*free),
            None => Slot::AfterAnswer,
        }
    }

    /// Raises the limit by one step if it is time to try a higher one. Returns whether the limit
    /// was raised.
    fn starts_search(&mut self, limit: u32, now: Instant) -> bool {
        let due = self.search.next.is_some_and(|next| next <= now);
        if self.mode != Mode::Learned || self.search.from.is_some() || !due {
            return false;
        }
        self.search.from = Some(limit);
        self.ramp = RAMP;
        self.braked_since = None;
        self.limit = Some(limit.saturating_add(self.search.step));
        true
    }

    fn cool(&mut self, from: Instant, call: Call) {
        let free = from + self.length + MARGIN;
        let at = self.cooling.partition_point(|(other, _)| *other <= free);
        self.cooling.insert(at, (free, call));
    }

    fn release(&mut self, now: Instant) {
        while self.cooling.front().is_some_and(|(free, _)| *free <= now) {
            self.cooling.pop_front();
        }
        while self.certain.front().is_some_and(|sent| *sent + self.length <= now) {
            self.certain.pop_front();
        }
    }

    /// Returns the number of calls that the server has certainly accepted within one window.
    fn seen(&self) -> u32 {
        u32::try_from(self.certain.len()).unwrap_or(u32::MAX)
    }

    /// Returns the number of calls answered within a window. The server may no longer count the
    /// first of them.
    fn answered(&self, now: Instant) -> u32 {
        let recent = self
            .cooling
            .iter()
            .filter(|(free, call)| *call == Call::Answered && *free > now + MARGIN);
        u32::try_from(recent.count()).unwrap_or(u32::MAX)
    }

    fn succeeded(&mut self, sent: Instant, now: Instant) {
        let seen = self.seen();
        self.proven = self.proven.max(seen);
        let Some(limit) = self.limit.filter(|_| self.mode == Mode::Learned) else { return };
        if self.search.from.is_some() {
            if seen >= limit {
                self.search.from = None;
                self.search.step = (self.search.step * 2).min((limit / 4).max(1));
                self.search.next = Some(now + self.length);
            }
        } else if self.learned_at.is_some_and(|at| sent <= at) {
            // The call was in flight when the limit was learned, and the server accepted it.
            self.limit = Some(limit.max(seen));
        }
    }

    fn refused(&mut self, now: Instant) {
        let seen = self.seen();
        self.learned_at = Some(now);
        if self.limit.is_none() && seen < FEW && self.strikes + 1 < STRIKES {
            self.strikes += 1;
            self.ramp = RAMP;
            self.braked_since = None;
            return;
        }
        let limit = match (self.limit, self.search.from.take()) {
            // No limit is known yet. The number of answers is close to the actual limit.
            (None, _) => self.answered(now).max(LEAST),
            (Some(limit), Some(from)) => {
                self.search.every = (self.search.every * 2).min(RAREST_PROBE);
                seen.clamp(from, from.max(limit - 1))
            }
            // The server's limit fell, or other processes use a part of it. The learned limit is
            // at most halved, since a single refusal is weak evidence.
            (Some(limit), None) => {
                self.search.every = FIRST_PROBE;
                seen.min(limit - 1).max(limit / 2).max(LEAST)
            }
        };
        self.limit = Some(limit);
        self.proven = limit;
        self.search.step = 1;
        self.search.next = Some(now + self.search.every);
        self.ramp = RAMP;
        self.braked_since = None;
    }

    /// Doubles the ramp if it held calls back for a whole window. If the ramp stayed the same, a
    /// few calls in flight on a slow connection would never fill a window.
    fn brake(&mut self, now: Instant) {
        match self.braked_since {
            None => self.braked_since = Some(now),
            Some(since) if now.saturating_duration_since(since) >= self.length => {
                self.ramp = self.ramp.saturating_mul(2).min(LARGEST_RAMP);
                self.braked_since = Some(now);
            }
            Some(_) => {}
        }
    }
}
