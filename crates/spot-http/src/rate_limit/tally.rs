//! A sorted list of times with bounded memory.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// If a list has at least this number of entries, a new time may be merged with an earlier time.
const EXACT: usize = 512;

/// The time that represents several merged times: the earliest (`Down`) or the latest (`Up`).
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rounding {
    Down,
    Up,
}

/// A list of entries, earliest first. Each entry has a time, a kind, and the number of merged
/// times.
///
/// While the list has fewer than [`EXACT`] entries, every new time gets its own entry. If the list
/// has at least [`EXACT`] entries, it merges a new time with the previous entry. The kinds must be
/// equal, and the times must be at most `resolution` apart. Merged times need the memory of one
/// entry.
#[derive(Debug)]
pub(crate) struct Tally<K> {
    entries: VecDeque<Entry<K>>,
    /// Sum of the counts of all entries.
    count: u32,
    resolution: Duration,
    rounding: Rounding,
}

#[derive(Clone, Copy, Debug)]
struct Entry<K> {
    /// The earliest or the latest of the merged times, depending on the rounding.
    time: Instant,
    /// The earliest of the merged times.
    first: Instant,
    kind: K,
    count: u32,
}

impl<K> Entry<K> {
    fn new(time: Instant, kind: K) -> Self {
        Self { time, first: time, kind, count: 1 }
    }
}

impl<K: Copy + PartialEq> Tally<K> {
    pub(crate) fn new(resolution: Duration, rounding: Rounding) -> Self {
        Self { entries: VecDeque::new(), count: 0, resolution, rounding }
    }

    /// Number of stored times, including merged times.
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    pub(crate) fn add(&mut self, time: Instant, kind: K) {
        self.count = self.count.saturating_add(1);
        let at = self.entries.partition_point(|entry| entry.time <= time);
        if self.entries.len() >= EXACT
            && let Some(before) = at.checked_sub(1).and_then(|before| self.entries.get_mut(before))
            && before.kind == kind
            && time.saturating_duration_since(before.first) <= self.resolution
        {
            before.count = before.count.saturating_add(1);
            if let Rounding::Up = self.rounding {
                before.time = time;
            }
            return;
        }
        self.entries.insert(at, Entry::new(time, kind));
    }

    /// Removes all times up to and including `limit`.
    pub(crate) fn remove_up_to(&mut self, limit: Instant) {
        while let Some(entry) = self.entries.front().filter(|entry| entry.time <= limit) {
            self.count = self.count.saturating_sub(entry.count);
            self.entries.pop_front();
        }
    }

    /// Removes all times with this kind, and adds the given times with this kind.
    pub(crate) fn replace(&mut self, kind: K, times: impl Iterator<Item = Instant>) {
        self.entries.retain(|entry| entry.kind != kind);
        self.entries.extend(times.map(|time| Entry::new(time, kind)));
        self.entries.make_contiguous().sort_unstable_by_key(|entry| entry.time);
        let counts = self.entries.iter().map(|entry| entry.count);
        self.count = counts.fold(0, u32::saturating_add);
    }

    /// Returns the time at the index `skipped` of all times, sorted from earliest to latest. Each
    /// merged time has its own index.
    pub(crate) fn nth(&self, skipped: u32) -> Option<Instant> {
        let mut passed = 0_u32;
        let entry = self.entries.iter().find(|entry| {
            passed = passed.saturating_add(entry.count);
            passed > skipped
        })?;
        Some(entry.time)
    }

    /// The entries, earliest first: time, kind and count.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Instant, K, u32)> {
        self.entries.iter().map(|entry| (entry.time, entry.kind, entry.count))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RESOLUTION: Duration = Duration::from_millis(60);

    /// Returns how many of the instants in `times` are later than `time`: the exact number, and the
    /// number according to the tally.
    fn counts(times: &[Instant], tally: &mut Tally<()>, time: Instant) -> (usize, usize) {
        tally.remove_up_to(time);
        (times.iter().filter(|other| **other > time).count(), tally.count() as usize)
    }

    proptest! {
        /// Rounding up adds at most `RESOLUTION` to a time. Rounding down subtracts at most
        /// `RESOLUTION`.
        #[test]
        fn rounding_shifts_a_time_by_at_most_the_resolution(
            steps in prop::collection::vec(0_u64..40, EXACT..4 * EXACT),
            at in 0_u64..100_000,
        ) {
            let start = Instant::now();
            let mut up = Tally::new(RESOLUTION, Rounding::Up);
            let mut down = Tally::new(RESOLUTION, Rounding::Down);
            let mut times = Vec::new();
            let mut time = start;
            for step in steps {
                time += Duration::from_millis(step);
                times.push(time);
                up.add(time, ());
                down.add(time, ());
            }
            let at = start + Duration::from_millis(at);
            let (exact, late) = counts(&times, &mut up, at);
            let (earlier, _) = counts(&times, &mut up, at);
            prop_assert_eq!(exact, earlier);
            let before = times.iter().filter(|time| **time + RESOLUTION > at).count();
            prop_assert!((exact..=before).contains(&late), "{} <= {} <= {}", exact, late, before);
            let (_, early) = counts(&times, &mut down, at);
            let after = times.iter().filter(|time| **time > at + RESOLUTION).count();
            prop_assert!((after..=exact).contains(&early), "{} <= {} <= {}", after, early, exact);
        }
    }

    #[test]
    fn a_tally_of_a_million_calls_has_a_bounded_size() {
        let start = Instant::now();
        let mut tally = Tally::new(RESOLUTION, Rounding::Up);
        for call in 0..1_000_000 {
            tally.add(start + Duration::from_micros(30 * call), ());
        }
        assert_eq!(tally.count(), 1_000_000);
        assert!(tally.entries.len() <= 2 * EXACT + 1, "{}", tally.entries.len());
        tally.remove_up_to(start + Duration::from_secs(31));
        assert_eq!((tally.count(), tally.entries.len()), (0, 0));
    }

    #[test]
    fn times_are_exact_while_the_tally_is_short() {
        let start = Instant::now();
        let mut tally = Tally::new(RESOLUTION, Rounding::Up);
        for call in 0..EXACT as u64 {
            tally.add(start + Duration::from_millis(call), ());
        }
        for call in 0..EXACT as u64 {
            assert_eq!(tally.nth(call as u32), Some(start + Duration::from_millis(call)));
        }
        assert_eq!(tally.nth(EXACT as u32), None);
    }
}
