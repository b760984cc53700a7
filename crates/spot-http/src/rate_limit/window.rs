//! Learns from the responses how many calls Spotify accepts in its rolling window.
//!
//! Spotify counts the calls of an application in a rolling window of 30 seconds. Spotify publishes
//! neither the limit nor the number of remaining calls. A limit of N calls means N slots. A call
//! takes a slot before the request is sent. The slot becomes free one window length after the
//! *response*. Spotify stops counting the call at this time or earlier. Therefore the number of
//! calls that Spotify counts never exceeds the number of used slots, even if responses are slow.
//!
//! Functions take the current time as an argument and never wait.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    Priority,
    rate_limit::tally::{Rounding, Tally},
};

/// Safety margin for the server's clock.
const MARGIN: Duration = Duration::from_millis(50);

/// Time within which a call without a response may still reach the server.
const STRAY: Duration = Duration::from_secs(1);

/// Maximum number of calls in flight while no limit is known. When the limit is reached, the server
/// refuses every call in flight. Some servers lengthen the block with each refused call. If calls
/// have to wait because of this maximum during a whole window, the maximum doubles. If the maximum
/// stayed at eight, a slow connection would never reach the server's limit.
const FIRST_RAMP: u32 = 8;
const LARGEST_RAMP: u32 = 64;

/// Value of `ramp` after a refusal. Once a limit is known, at most `proven + ramp` slots may be in
/// use.
const RAMP: u32 = 4;

/// Smallest plausible limit.
const LEAST: u32 = 4;

/// A refusal after fewer than `FEW` responses probably has another cause: other processes or an
/// earlier run used up the limit. Therefore the window learns no limit from the first refusals of
/// this kind. At refusal number `STRIKES`, the window uses the number of responses as the limit.
const FEW: u32 = 20;
const STRIKES: u32 = 3;

/// A window with very many calls is divided into this number of intervals.
const RESOLUTIONS: u32 = 512;

const FIRST_PROBE: Duration = Duration::from_secs(60);
const RAREST_PROBE: Duration = Duration::from_secs(30 * 60);

/// If a block is longer than this, the cause of the block is not a full window.
const LONG_BLOCK: Duration = Duration::from_secs(120);

/// The calls of a window and the limit that was learned.
#[derive(Debug)]
pub struct Window {
    length: Duration,
    mode: Mode,
    limit: Option<u32>,
    /// Largest number of calls that got a response within one window.
    proven: u32,
    in_flight: u32,
    /// When the slots of finished calls become free, soonest first.
    cooling: Tally<Call>,
    /// Send times of the calls that got a response and were sent within the last window, oldest
    /// first. The server has accepted all these calls, so the server's limit is not lower than
    /// their number. The number of used slots is an upper bound of the server's current count.
    certain: Tally<()>,
    ramp: u32,
    braked_since: Option<Instant>,
    /// Time of the last refusal that was evaluated. If a call that was sent before this time is
    /// refused, the refusal is not evaluated.
    learned_at: Option<Instant>,
    /// Number of refusals that came after fewer than [`FEW`] responses.
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

/// A finished call whose slot is not free yet.
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
    /// The limit at the start of the current search; `None` if no search is running.
    from: Option<u32>,
}

/// Whether a slot is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "other crates create values of this type, and no variant will be added"
)]
pub enum Slot {
    /// The call has this slot.
    Now(u64),
    /// No slot is free before this time.
    At(Instant),
    /// No slot is free until another call gets a response.
    AfterAnswer,
}

/// The end of a call that had a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "limiters in other crates must handle every variant of this enum"
)]
pub enum End {
    /// The server sent a response other than 429.
    Answered,
    /// The server responded with 429. The duration is the wait before the next attempt. The
    /// duration is [`Duration::MAX`] if a full window is not the cause of the 429.
    Refused(Duration),
    /// The outcome is unknown: the call was cancelled or timed out, or its connection broke.
    Unknown,
    /// The request was not sent.
    NotSent,
}

/// State that a program saves for its next run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Learned {
    /// The limit, if known.
    pub limit: Option<u32>,
    /// The next attempt to find a higher limit raises the limit by this number of calls.
    pub step: u32,
    /// Time from a refusal to the next attempt to find a higher limit.
    pub every: Duration,
    /// Remaining time of each slot.
    pub taken: Vec<Duration>,
}

impl Window {
    /// Creates a window whose limit is not known yet.
    pub fn learned(length: Duration) -> Self {
        let resolution = length / RESOLUTIONS;
        Self {
            length,
            mode: Mode::Learned,
            limit: None,
            proven: 0,
            in_flight: 0,
            cooling: Tally::new(resolution, Rounding::Up),
            certain: Tally::new(resolution, Rounding::Down),
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

    /// Creates a window without a limit: every call is sent at once.
    pub(crate) fn off() -> Self {
        Self { mode: Mode::Off, ..Self::learned(Duration::ZERO) }
    }

    /// The limit, if known.
    pub fn limit(&self) -> Option<u32> {
        self.limit
    }

    /// Takes a slot if one is free.
    pub fn take(&mut self, priority: Priority, now: Instant) -> Slot {
        if self.mode == Mode::Off {
            self.in_flight += 1;
            return Slot::Now(0);
        }
        self.release(now);
        let reserve = self.reserve(priority, now);
        if priority == Priority::Interactive {
            self.interactive_at = Some(now);
        }
        let used = self.used();
        let Some(limit) = self.limit else {
            // While no limit is known, a call waits only if `ramp` calls are already in flight.
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
            // If no call is in flight, no response can free a slot.
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

    /// Sets the limit, and restarts the search for a higher limit. The value 0 is treated as 1.
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
                self.certain.add(sent, ());
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

    /// Returns how long the slots of finished calls stay in use, shortest time first. Calls of
    /// other processes are left out.
    pub fn cooling(&self, now: Instant) -> Vec<Duration> {
        self.slots(false, now).collect()
    }

    /// Returns the state to save. `foreign` says whether to include the calls of other processes.
    pub fn save(&self, now: Instant, foreign: bool) -> Learned {
        let in_flight = (0..self.in_flight).map(|_| self.length + MARGIN);
        let taken = self.slots(foreign, now).chain(in_flight).collect();
        Learned { limit: self.limit, step: self.search.step, every: self.search.every, taken }
    }

    pub(crate) fn restore(&mut self, learned: &Learned, now: Instant) {
        if self.mode == Mode::Off {
            return;
        }
        self.replace(Call::Other, &learned.taken, now);
        self.learn(learned, now);
    }

    /// Removes the slots of other processes, and adds one slot for each remaining time in `left`.
    pub(crate) fn set_foreign(&mut self, left: &[Duration], now: Instant) {
        if self.mode == Mode::Off {
            return;
        }
        self.replace(Call::Foreign, left, now);
    }

    /// Loads a limit that another process or an earlier run learned, if this window has no limit
    /// yet.
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
        self.cooling.iter().map(|(free, ..)| free).find(|free| *free > now)
    }

    fn used(&self) -> u32 {
        self.in_flight.saturating_add(self.cooling.count())
    }

    /// Returns the remaining time of each slot of a finished call, shortest first.
    fn slots(&self, foreign: bool, now: Instant) -> impl Iterator<Item = Duration> {
        let calls =
            self.cooling.iter().filter(move |(_, call, _)| foreign || *call != Call::Foreign);
        calls
            .filter(move |(free, ..)| *free > now)
            .flat_map(move |(free, _, count)| (0..count).map(move |_| free - now))
    }

    /// Removes the slots of all calls of this kind, and adds one slot for each remaining time in
    /// `left`. The remaining times come from outside this process and may be wrong, so each time is
    /// limited to the length of a window.
    fn replace(&mut self, call: Call, left: &[Duration], now: Instant) {
        let longest = self.length + MARGIN + STRAY;
        self.cooling.replace(call, left.iter().map(|left| now + (*left).min(longest)));
    }

    /// Returns the number of free slots that a bulk call must leave for interactive calls. The
    /// number is 0 if there was no interactive call within the last window.
    fn reserve(&self, priority: Priority, now: Instant) -> u32 {
        let (Priority::Bulk, Some(limit), Some(at)) = (priority, self.limit, self.interactive_at)
        else {
            return 0;
        };
        if now.saturating_duration_since(at) > self.length {
            return 0;
        }
        (limit / 20).max(2).min(limit.saturating_sub(1))
    }

    /// Returns the time at which `over + 1` of the used slots will be free.
    fn after(&self, over: u32) -> Slot {
        self.cooling.nth(over).map_or(Slot::AfterAnswer, Slot::At)
    }

    /// Raises the limit by one step if it is time to try a higher limit. Returns whether the limit
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
        self.cooling.add(from + self.length + MARGIN, call);
    }

    fn release(&mut self, now: Instant) {
        self.cooling.remove_up_to(now);
        if let Some(start) = now.checked_sub(self.length) {
            self.certain.remove_up_to(start);
        }
    }

    /// Returns the number of calls that the server has certainly accepted within one window.
    fn seen(&self) -> u32 {
        self.certain.count()
    }

    /// Returns the number of calls that got a response within a window. The server may no longer
    /// count the earliest of these calls.
    fn answered(&self, now: Instant) -> u32 {
        let recent = self
            .cooling
            .iter()
            .filter(|(free, call, _)| *call == Call::Answered && *free > now + MARGIN);
        recent.map(|(.., count)| count).fold(0, u32::saturating_add)
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
            // The call was in flight when the limit was learned, and the server accepted the call.
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
            // No limit is known yet. The number of responses within a window is close to the actual
            // limit.
            (None, _) => self.answered(now).max(LEAST),
            (Some(limit), Some(from)) => {
                self.search.every = (self.search.every * 2).min(RAREST_PROBE);
                seen.clamp(from, from.max(limit - 1))
            }
            // The server's limit became lower, or other processes use a part of the limit. The
            // learned limit is at most halved, since a single refusal is weak evidence.
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

    /// Records that a call has to wait because of `ramp`. If `ramp` has delayed calls during a
    /// whole window length, doubles `ramp`, up to [`LARGEST_RAMP`].
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
