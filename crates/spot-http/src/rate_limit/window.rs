//! The learned window: the number of calls that fit in a rolling window, learned from the responses.
//!
//! Spotify counts the calls of an application in a rolling window of 30 seconds and tells neither the
//! limit nor what is left of it. A call takes a slot when it is sent; the slot is free one window after
//! the *response*. The server counts the call between the two, so that its count is never above ours,
//! however long responses take.
//!
//! Time is an argument here; nothing waits.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use crate::Lane;

/// A margin for the clock of the server.
const MARGIN: Duration = Duration::from_millis(50);

/// A call without a response may still arrive at the server within this time.
const STRAY: Duration = Duration::from_secs(1);

/// How many calls may be in flight while no limit is known. Every call in flight when the limit is met
/// is refused, and a server that lengthens a block with every call lengthens it for each of them. The
/// number doubles only when it held calls back for a whole window: on a slow line, eight calls in
/// flight would never fill one.
const FIRST_RAMP: u32 = 8;
const LARGEST_RAMP: u32 = 64;

/// The ramp after a refusal. With a limit known it is how many calls may be in use above what was
/// seen to work.
const RAMP: u32 = 4;

/// The smallest limit that is believed.
const LEAST: u32 = 4;

/// A refusal after fewer answers than this is likely to mean that others used up the limit, or an
/// earlier run did. It is taken for the limit when it happens `STRIKES` times in a row.
const FEW: u32 = 20;
const STRIKES: u32 = 3;

const FIRST_PROBE: Duration = Duration::from_secs(60);
const RAREST_PROBE: Duration = Duration::from_secs(30 * 60);

/// A longer block is not about the window.
const LONG_BLOCK: Duration = Duration::from_secs(120);

/// The calls of a window and the limit that was learned.
#[derive(Debug)]
pub struct Window {
    length: Duration,
    mode: Mode,
    limit: Option<u32>,
    /// The largest number of calls that were answered within one window.
    proven: u32,
    in_flight: u32,
    /// When the slots of finished calls are free again, soonest first.
    cooling: VecDeque<(Instant, Call)>,
    /// When the answered calls were sent whose place in the server's window is certain: those sent
    /// less than a window ago, oldest first. Their number is what the server takes at least; the
    /// number of slots in use is what it may have counted at most.
    certain: VecDeque<Instant>,
    ramp: u32,
    braked_since: Option<Instant>,
    /// When the last refusal came that taught something: refusals of calls sent before it are of
    /// the same overshoot.
    learned_at: Option<Instant>,
    /// How many refusals came after too few answers to say something.
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
    /// The server answered it, and not with 429.
    Answered,
    /// It was refused, or nothing is known of it.
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
    /// The limit it started from, while one is under way.
    from: Option<u32>,
}

/// Whether a slot is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "authors of limiters make it, and there are no other cases"
)]
pub enum Slot {
    /// The call has this slot.
    Now(u64),
    /// Not before this time.
    At(Instant),
    /// Not before another call is answered.
    AfterAnswer,
}

/// The end of a call that had a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "authors of limiters handle every case")]
pub enum End {
    /// The server answered, and not with 429.
    Answered,
    /// The server answered 429, with this wait.
    Refused(Duration),
    /// Nothing is known: it was cancelled, timed out, or its connection broke.
    Unknown,
    /// It was not sent.
    NotSent,
}

/// What a program keeps for its next run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Learned {
    /// The limit, if it is known.
    pub limit: Option<u32>,
    /// By how much the next search for a higher limit raises it.
    pub step: u32,
    /// The time between two searches.
    pub every: Duration,
    /// How long each slot is still used.
    pub taken: Vec<Duration>,
}

impl Window {
    /// A window whose limit is not known yet.
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

    /// A window with a given limit, which stays.
    pub fn fixed(length: Duration, limit: u32) -> Self {
        let limit = limit.max(1);
        let window = Self::learned(length);
        Self { mode: Mode::Fixed, limit: Some(limit), proven: limit, ..window }
    }

    /// No window: every call is sent at once.
    pub(crate) fn off() -> Self {
        Self { mode: Mode::Off, ..Self::learned(Duration::ZERO) }
    }

    /// The limit, if it is known.
    pub fn limit(&self) -> Option<u32> {
        self.limit
    }

    /// Takes a slot if there is one.
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
            // What is not in flight holds nobody back, since no refusal showed a limit.
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
            // Where nothing is under way, no answer will make room.
            return if self.in_flight == 0 { self.after(used - most) } else { Slot::AfterAnswer };
        }
        if used.saturating_add(self.ramp) < self.proven {
            self.braked_since = None;
        }
        self.in_flight += 1;
        Slot::Now(0)
    }

    /// Takes a slot for a call that goes in any case.
    pub fn take_anyway(&mut self, now: Instant) {
        self.release(now);
        self.in_flight += 1;
    }

    /// Sets the limit, as if it was learned now, at least 1.
    pub fn set_limit(&mut self, limit: u32, now: Instant) {
        let limit = limit.max(1);
        self.limit = Some(limit);
        self.proven = limit;
        self.ramp = RAMP;
        self.braked_since = None;
        let every = FIRST_PROBE;
        self.search = LimitSearch { step: 1, every, next: Some(now + every), from: None };
    }

    /// Notes the end of a call that was sent at `sent`. Returns whether the limit changed.
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

    /// How long each finished call of this process still counts, soonest first.
    pub fn cooling(&self, now: Instant) -> Vec<Duration> {
        let own = self.cooling.iter().filter(|(_, call)| *call != Call::Foreign);
        let left = own.map(|(free, _)| free.saturating_duration_since(now));
        left.filter(|left| !left.is_zero()).collect()
    }

    /// What is known. `foreign` says whether the calls of other processes are part of it.
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
        // Whatever the state says, no slot is taken for longer than a window.
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

    /// The next time at which a slot is free again.
    pub fn next_change(&self, now: Instant) -> Option<Instant> {
        self.cooling.iter().map(|(free, _)| *free).find(|free| *free > now)
    }

    fn used(&self) -> u32 {
        self.in_flight.saturating_add(u32::try_from(self.cooling.len()).unwrap_or(u32::MAX))
    }

    /// The slots that bulk calls leave to interactive calls, while there are any.
    fn reserve(&self, lane: Lane, now: Instant) -> u32 {
        let (Lane::Bulk, Some(limit), Some(at)) = (lane, self.limit, self.interactive_at) else {
            return 0;
        };
        if now.saturating_duration_since(at) > self.length {
            return 0;
        }
        (limit / 20).max(2).min(limit.saturating_sub(1))
    }

    /// The time at which `over` slots and one more are free.
    fn after(&self, over: u32) -> Slot {
        match self.cooling.get(over as usize) {
            Some((free, _)) => Slot::At(*free),
            None => Slot::AfterAnswer,
        }
    }

    /// Raises the limit if it is time to try a higher one.
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

    /// How many calls the server has certainly accepted within one window.
    fn seen(&self) -> u32 {
        u32::try_from(self.certain.len()).unwrap_or(u32::MAX)
    }

    /// How many calls were answered within a window; the server may have dropped the first of them.
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
            // It was under way when the limit was learned, and was taken.
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
            // Nothing is known yet, and the most that it can be is close to what it is.
            (None, _) => self.answered(now).max(LEAST),
            (Some(limit), Some(from)) => {
                self.search.every = (self.search.every * 2).min(RAREST_PROBE);
                seen.clamp(from, from.max(limit - 1))
            }
            // The limit fell, or others use it up. By half at most, since one refusal says little.
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

    /// Doubles the ramp if it held calls back for a whole window: on a slow line a few calls in flight
    /// would never fill one.
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
