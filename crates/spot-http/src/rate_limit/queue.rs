//! The calls that wait for their turn, first come, first served in each of two lanes.
//!
//! A turn is not handed to a waiter: it is called, and takes its turn when it is polled. A waiter
//! that was called and is not polled (a future that `select!` holds, or a stream that nobody reads)
//! loses its turn to the next one after a short time, and keeps its place.
//!
//! Time is an argument here; nothing waits.

use std::{collections::BTreeMap, task::Waker, time::Duration};

use tokio::time::Instant;

use crate::Lane;

/// How long a waiter that was called has time to be polled.
const GRACE: Duration = Duration::from_millis(20);

/// One of so many calls that had to wait is a bulk call, if one waits.
const BULK_SHARE: u32 = 10;

/// The waiters of both lanes.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    interactive: Waiters,
    bulk: Waiters,
    /// The waiters that cannot proceed until a block changes. They are in no lane.
    parked: Waiters,
    next: Ticket,
    /// How many interactive calls passed since the last bulk call, while a bulk call waited.
    passed: u32,
}

type Ticket = u64;
type Waiters = BTreeMap<Ticket, Waiter>;

#[derive(Debug)]
struct Waiter {
    waker: Waker,
    /// The time since which it could take its turn.
    called: Option<Instant>,
}

/// How many calls wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Waiting {
    /// In the interactive lane.
    pub interactive: usize,
    /// In the bulk lane.
    pub bulk: usize,
    /// For a change of a block, in no lane.
    pub parked: usize,
}

impl Waiting {
    /// The calls in a lane.
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

/// Where a waiter waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    In(Lane),
    Parked,
}

impl Queue {
    /// A new place behind all waiters.
    pub(crate) fn ticket(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Lets a waiter wait, or renews its waker: it was polled.
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

    /// How many wait.
    pub(crate) fn waiting(&self) -> Waiting {
        Waiting {
            interactive: self.interactive.len(),
            bulk: self.bulk.len(),
            parked: self.parked.len(),
        }
    }

    /// Whether nobody waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.interactive.is_empty() && self.bulk.is_empty() && self.parked.is_empty()
    }

    /// Whether it is the turn of a waiter, or of a new call if there is no ticket.
    pub(crate) fn is_turn(&self, lane: Lane, ticket: Option<u64>, now: Instant) -> bool {
        let bulk_is_due = self.bulk_is_due(now);
        let (own, other_first) = match lane {
            Lane::Interactive => (&self.interactive, bulk_is_due),
            Lane::Bulk => (&self.bulk, !bulk_is_due && first(&self.interactive, now).is_some()),
        };
        let before = first(own, now).is_some_and(|first| ticket.is_none_or(|own| first < own));
        !before && !other_first
    }

    /// Whether so many interactive calls passed that the next call is a bulk call.
    pub(crate) fn bulk_is_due(&self, now: Instant) -> bool {
        self.passed + 1 >= BULK_SHARE && first(&self.bulk, now).is_some()
    }

    /// Notes that a call passed.
    pub(crate) fn passes(&mut self, lane: Lane) {
        match lane {
            Lane::Bulk => self.passed = 0,
            Lane::Interactive if !self.bulk.is_empty() => self.passed += 1,
            Lane::Interactive => {}
        }
    }

    /// Calls the first waiter of each lane.
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

    /// Calls those who are first because a waiter before them lost its turn.
    pub(crate) fn call_after_lost(&mut self, now: Instant) -> Vec<Waker> {
        let lost = |waiters: &Waiters| waiters.values().next().is_some_and(|w| !w.is_live(now));
        if lost(&self.interactive) || lost(&self.bulk) { self.call(now) } else { Vec::new() }
    }

    /// Calls everybody, since a block changed.
    pub(crate) fn call_all(&self) -> Vec<Waker> {
        let all = [&self.interactive, &self.bulk, &self.parked].into_iter().flatten();
        all.map(|(_, waiter)| waiter.waker.clone()).collect()
    }

    /// The next time at which a waiter loses its turn.
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

/// The first waiter that has not lost its turn.
fn first(waiters: &Waiters, now: Instant) -> Option<Ticket> {
    waiters.iter().find(|(_, waiter)| waiter.is_live(now)).map(|(ticket, _)| *ticket)
}

impl Waiter {
    fn is_live(&self, now: Instant) -> bool {
        self.called.is_none_or(|called| now < called + GRACE)
    }
}
