//! The queue of waiting calls. The queue has two lanes. In each lane, calls are served in the order
//! of their arrival.
//!
//! When it is the turn of a waiter, the queue wakes the waiter. The waiter takes its slot when it
//! is polled. If a woken waiter is not polled, it is skipped after a short time and keeps its
//! place. For example, a waiter is not polled while another branch of a `select!` runs, or if
//! nobody reads the stream that contains the waiter.
//!
//! Functions take the current time as an argument and never wait.

use std::{collections::BTreeMap, task::Waker, time::Duration};

use tokio::time::Instant;

use crate::Lane;

/// Time within which a woken waiter must be polled.
const GRACE: Duration = Duration::from_millis(20);

/// While both lanes have waiting calls, one of every `BULK_SHARE` admitted calls is a bulk call.
const BULK_SHARE: u32 = 10;

/// The waiters of both lanes.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    interactive: Waiters,
    bulk: Waiters,
    /// The waiters outside of the lanes, which cannot proceed until a block changes.
    parked: Waiters,
    next: Ticket,
    /// Number of interactive calls that were admitted since the last bulk call. Calls are counted
    /// only while a bulk call waits.
    passed: u32,
}

type Ticket = u64;
type Waiters = BTreeMap<Ticket, Waiter>;

#[derive(Debug)]
struct Waiter {
    waker: Waker,
    /// When the waiter was woken.
    called: Option<Instant>,
}

/// Number of waiting calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Waiting {
    /// Number of calls in the interactive lane.
    pub interactive: usize,
    /// Number of calls in the bulk lane.
    pub bulk: usize,
    /// Number of calls outside of the lanes, which wait until a block changes.
    pub parked: usize,
}

impl Waiting {
    /// Returns the number of calls in a lane.
    pub fn lane(&self, lane: Lane) -> usize {
        match lane {
            Lane::Interactive => self.interactive,
            Lane::Bulk => self.bulk,
        }
    }

    pub(crate) fn add(&mut self, lane: Lane) {
        match lane {
            Lane::Interactive => self.interactive += 1,
            Lane::Bulk => self.bulk += 1,
        }
    }
}

/// Where a call waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    In(Lane),
    Parked,
}

impl Queue {
    /// Returns a new place at the end of the queue.
    pub(crate) fn ticket(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Adds a waiter that was polled, or updates its waker.
    pub(crate) fn wait(&mut self, ticket: u64, place: Place, waker: &Waker) {
        let waiter = Waiter { waker: waker.clone(), called: None };
        match place {
            Place::In(lane) => {
                self.parked.remove(&ticket);
                self.lane(lane).insert(ticket, waiter);
            }
            Place::Parked => {
                self.leave(ticket);
                self.parked.insert(ticket, waiter);
            }
        }
    }

    /// Removes a waiter.
    pub(crate) fn leave(&mut self, ticket: u64) {
        for waiters in [&mut self.interactive, &mut self.bulk, &mut self.parked] {
            waiters.remove(&ticket);
        }
    }

    /// Returns the number of waiting calls.
    pub(crate) fn waiting(&self) -> Waiting {
        Waiting {
            interactive: self.interactive.len(),
            bulk: self.bulk.len(),
            parked: self.parked.len(),
        }
    }

    /// Whether no call waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.interactive.is_empty() && self.bulk.is_empty() && self.parked.is_empty()
    }

    /// Whether a call is the next call of the queue. Without a `ticket`, the call is new.
    pub(crate) fn is_turn(&self, lane: Lane, ticket: Option<u64>, now: Instant) -> bool {
        let bulk_is_due = self.bulk_is_due(now);
        let (own, other_first) = match lane {
            Lane::Interactive => (&self.interactive, bulk_is_due),
            Lane::Bulk => (&self.bulk, !bulk_is_due && first(&self.interactive, now).is_some()),
        };
        let before = first(own, now).is_some_and(|first| ticket.is_none_or(|own| first < own));
        !before && !other_first
    }

    /// Whether the next call must be a bulk call, because enough interactive calls were admitted.
    pub(crate) fn bulk_is_due(&self, now: Instant) -> bool {
        self.passed + 1 >= BULK_SHARE && first(&self.bulk, now).is_some()
    }

    /// Records that a call was admitted.
    pub(crate) fn passes(&mut self, lane: Lane) {
        match lane {
            Lane::Bulk => self.passed = 0,
            Lane::Interactive if !self.bulk.is_empty() => self.passed += 1,
            Lane::Interactive => {}
        }
    }

    /// Wakes the first waiter of each lane.
    pub(crate) fn call(&mut self, now: Instant) -> Vec<Waker> {
        let mut called = Vec::new();
        for waiters in [&mut self.interactive, &mut self.bulk] {
            let waiter = waiters.values_mut().find(|waiter| waiter.is_live(now));
            if let Some(waiter) = waiter.filter(|waiter| waiter.called.is_none()) {
                waiter.called = Some(now);
                called.push(waiter.waker.clone());
            }
        }
        called
    }

    /// Wakes the waiters that are now first because an earlier waiter was skipped.
    pub(crate) fn call_after_lost(&mut self, now: Instant) -> Vec<Waker> {
        let lost = |waiters: &Waiters| waiters.values().next().is_some_and(|w| !w.is_live(now));
        if lost(&self.interactive) || lost(&self.bulk) { self.call(now) } else { Vec::new() }
    }

    /// Wakes all waiters, because a block changed.
    pub(crate) fn call_all(&self) -> Vec<Waker> {
        let all = [&self.interactive, &self.bulk, &self.parked].into_iter().flatten();
        all.map(|(_, waiter)| waiter.waker.clone()).collect()
    }

    /// Returns the next time at which a waiter is skipped.
    pub(crate) fn next_change(&self, now: Instant) -> Option<Instant> {
        let lanes = [&self.interactive, &self.bulk].into_iter();
        let firsts = lanes.filter_map(|waiters| waiters.values().find(|w| w.is_live(now)));
        firsts.filter_map(|waiter| waiter.called).map(|called| called + GRACE).min()
    }

    fn lane(&mut self, lane: Lane) -> &mut Waiters {
        match lane {
            Lane::Interactive => &mut self.interactive,
            Lane::Bulk => &mut self.bulk,
        }
    }
}

/// Returns the first waiter that is not skipped.
fn first(waiters: &Waiters, now: Instant) -> Option<Ticket> {
    waiters.iter().find(|(_, waiter)| waiter.is_live(now)).map(|(ticket, _)| *ticket)
}

impl Waiter {
    fn is_live(&self, now: Instant) -> bool {
        self.called.is_none_or(|called| now < called + GRACE)
    }
}
