//! The queue of waiting calls. The queue has one list for each priority. In each list, calls are
//! served in the order of their arrival.
//!
//! When a slot may be free, the queue wakes the first waiter of each list. A woken waiter tries to
//! take a slot when it is polled. If a woken waiter is not polled, it is skipped after a short time
//! and keeps its place. For example, a waiter is not polled while another branch of a `select!`
//! runs, or if nobody reads the stream that contains the waiter.
//!
//! Functions take the current time as an argument and never wait.

use std::{collections::BTreeMap, task::Waker, time::Duration};

use tokio::time::Instant;

use crate::Priority;

/// Time within which a woken waiter must be polled.
const GRACE: Duration = Duration::from_millis(20);

/// While calls of both priorities wait, one of every `BULK_SHARE` admitted calls is a bulk call.
const BULK_SHARE: u32 = 10;

/// The waiters of both priorities.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    interactive: Waiters,
    bulk: Waiters,
    /// The waiters that cannot proceed until a block changes. The lists `interactive` and `bulk` do
    /// not contain these waiters.
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
    /// Number of waiting interactive calls.
    pub interactive: usize,
    /// Number of waiting bulk calls.
    pub bulk: usize,
    /// Number of calls that wait until a block changes. The two lists do not contain these calls.
    pub parked: usize,
}

impl Waiting {
    /// Returns the number of waiting calls with a priority.
    pub fn priority(&self, priority: Priority) -> usize {
        match priority {
            Priority::Interactive => self.interactive,
            Priority::Bulk => self.bulk,
        }
    }

    pub(crate) fn add(&mut self, priority: Priority) {
        match priority {
            Priority::Interactive => self.interactive += 1,
            Priority::Bulk => self.bulk += 1,
        }
    }
}

/// Where a call waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    In(Priority),
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
            Place::In(priority) => {
                self.parked.remove(&ticket);
                self.priority(priority).insert(ticket, waiter);
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

    pub(crate) fn is_empty(&self) -> bool {
        self.interactive.is_empty() && self.bulk.is_empty() && self.parked.is_empty()
    }

    /// Whether a call is the next call of the queue. `ticket` is `None` if the queue does not
    /// contain the call yet.
    pub(crate) fn is_turn(&self, priority: Priority, ticket: Option<u64>, now: Instant) -> bool {
        let bulk_is_due = self.bulk_is_due(now);
        let (own, other_first) = match priority {
            Priority::Interactive => (&self.interactive, bulk_is_due),
            Priority::Bulk => (&self.bulk, !bulk_is_due && first(&self.interactive, now).is_some()),
        };
        let before = first(own, now).is_some_and(|first| ticket.is_none_or(|own| first < own));
        !before && !other_first
    }

    /// Whether the next call must be a bulk call, because enough interactive calls were admitted.
    pub(crate) fn bulk_is_due(&self, now: Instant) -> bool {
        self.passed + 1 >= BULK_SHARE && first(&self.bulk, now).is_some()
    }

    /// Records that a call was admitted.
    pub(crate) fn passes(&mut self, priority: Priority) {
        match priority {
            Priority::Bulk => self.passed = 0,
            Priority::Interactive if !self.bulk.is_empty() => self.passed += 1,
            Priority::Interactive => {}
        }
    }

    /// Wakes the first waiter of each priority.
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

    /// Returns the earliest time at which the queue skips a waiter.
    pub(crate) fn next_change(&self, now: Instant) -> Option<Instant> {
        let priorities = [&self.interactive, &self.bulk].into_iter();
        let firsts = priorities.filter_map(|waiters| waiters.values().find(|w| w.is_live(now)));
        firsts.filter_map(|waiter| waiter.called).map(|called| called + GRACE).min()
    }

    fn priority(&mut self, priority: Priority) -> &mut Waiters {
        match priority {
            Priority::Interactive => &mut self.interactive,
            Priority::Bulk => &mut self.bulk,
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
