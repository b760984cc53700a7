//! Decides when to poll next.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

/// Length of the window in which Spotify counts calls.
const WINDOW: Duration = Duration::from_secs(30);

/// Delay between the expected end of an item and the poll for the next item.
pub(crate) const AFTER_END: Duration = Duration::from_millis(500);

/// Shortest interval, used right after an unexpected change.
const SHORTEST: Duration = Duration::from_secs(1);

/// First wait after a failed poll. The wait doubles with each further failure.
const BACKOFF: Duration = Duration::from_secs(2);
const LONGEST_BACKOFF: Duration = Duration::from_secs(30);

/// How often to poll.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Longest interval during playback.
    pub(crate) playing: Duration,
    /// Longest interval while playback is paused.
    pub(crate) paused: Duration,
    /// Longest interval while no player is active.
    pub(crate) idle: Duration,
    /// Maximum number of requests within 30 s. The maximum is at least 2.
    pub(crate) ceiling: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            playing: Duration::from_secs(5),
            paused: Duration::from_secs(10),
            idle: Duration::from_secs(20),
            ceiling: 10,
        }
    }
}

/// State after a poll.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    pub(crate) outlook: Outlook,
    /// Time since the last unexpected change, such as a skip. Users often make several changes
    /// within a short time.
    pub(crate) quiet: Duration,
    /// Number of consecutive failed polls.
    pub(crate) failures: u32,
    /// The end of the pause after a 429.
    pub(crate) held_until: Option<Instant>,
}

/// Expected behaviour of the player.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outlook {
    Playing {
        /// Time until the item should end.
        left: Option<Duration>,
        /// Number of polls that still found the item, although it should have ended.
        overdue: u32,
    },
    Paused,
    Idle,
}

impl Pace {
    /// Returns the time of the next request. `since` is the time at which the last request ended.
    /// If `asked` is true, the next request is sent immediately. Only a pause (`held_until`) or the
    /// maximum number of requests (`ceiling`) can delay this request.
    pub(crate) fn next(&self, since: Instant, known: &Known, sent: &Sent, asked: bool) -> Instant {
        let urgent = |wait| sent.after(since + wait, self.ceiling);
        // Routine polls use at most `ceiling - 1` requests within 30 s. The remaining request is
        // reserved for a poll at the end of an item, or for a poll that the program requests.
        let routine = |wait| sent.after(since + wait, self.ceiling.saturating_sub(1).max(1));
        let next = if asked {
            urgent(Duration::ZERO)
        } else if known.failures > 0 {
            let doublings = known.failures.saturating_sub(1).min(8);
            routine((BACKOFF * 2_u32.pow(doublings)).min(LONGEST_BACKOFF))
        } else {
            let longest = match known.outlook {
                Outlook::Playing { .. } => self.playing,
                Outlook::Paused => self.paused,
                Outlook::Idle => self.idle,
            };
            let interval = interval_after(known.quiet, longest);
            match known.outlook {
                Outlook::Playing { left: Some(left), overdue: 0 } => {
                    let end = left.saturating_add(AFTER_END);
                    // The polls are evenly spaced, so that one poll falls right after the end.
                    let polls = end.as_millis().div_ceil(interval.as_millis().max(1)).max(1);
                    let wait = end / u32::try_from(polls).unwrap_or(u32::MAX);
                    urgent(end).min(routine(wait))
                }
                // If an item plays beyond its expected end, polls become less and less frequent.
                Outlook::Playing { left: Some(left), overdue } => {
                    let late = AFTER_END * 2_u32.pow(overdue.min(8));
                    routine(interval.min(left.saturating_add(late)))
                }
                Outlook::Playing { left: None, .. } | Outlook::Paused | Outlook::Idle => {
                    routine(interval)
                }
            }
        };
        next.max(known.held_until.unwrap_or(next))
    }
}

/// Returns the interval between polls. The interval is short after a change, and grows while
/// nothing happens.
fn interval_after(quiet: Duration, longest: Duration) -> Duration {
    (quiet / 2).max(SHORTEST).min(longest)
}

/// Times of the requests in the last 30 s.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sent(VecDeque<Instant>);

impl Sent {
    pub(crate) fn record(&mut self, now: Instant) {
        while self.0.front().is_some_and(|first| now.saturating_duration_since(*first) >= WINDOW) {
            self.0.pop_front();
        }
        self.0.push_back(now);
    }

    /// Returns the earliest time, not before `wanted`, at which the next request may be sent. In
    /// any 30 s, at most `most` requests may be sent.
    fn after(&self, wanted: Instant, most: usize) -> Instant {
        let in_the_way = self.0.len().checked_sub(most).and_then(|at| self.0.get(at));
        in_the_way.map_or(wanted, |sent| wanted.max(*sent + WINDOW))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn millis(range: std::ops::Range<u64>) -> impl Strategy<Value = Duration> {
        range.prop_map(Duration::from_millis)
    }

    fn paces() -> impl Strategy<Value = Pace> {
        (millis(500..60_000), millis(500..60_000), millis(500..60_000), 2..20_usize)
            .prop_map(|(playing, paused, idle, ceiling)| Pace { playing, paused, idle, ceiling })
    }

    proptest! {
        /// In any 30 s, the watch sends no more requests than the ceiling allows. The limit applies
        /// in every state, even if polls are requested very often.
        #[test]
        fn polls_never_exceed_the_ceiling(
            pace in paces(),
            polls in prop::collection::vec(
                (millis(0..400_000), millis(0..90_000), 0..4_u32, 0..4_u8, any::<bool>()),
                1..200,
            ),
        ) {
            let start = Instant::now();
            let (mut now, mut sent, mut times) = (start, Sent::default(), Vec::new());
            for (left, quiet, count, kind, asked) in polls {
                let outlook = match kind {
                    0 => Outlook::Playing { left: Some(left), overdue: count },
                    1 => Outlook::Playing { left: None, overdue: 0 },
                    2 => Outlook::Paused,
                    _ => Outlook::Idle,
                };
                let failures = if kind == 3 { count } else { 0 };
                let known = Known { outlook, quiet, failures, held_until: None };
                now = pace.next(now, &known, &sent, asked);
                sent.record(now);
                times.push(now);
            }
            for pair in times.windows(pace.ceiling + 1) {
                prop_assert!(*pair.last().unwrap() - *pair.first().unwrap() >= WINDOW);
            }
        }

        /// Tracks of at least half a minute play one after another, with occasional skips. With any
        /// `Pace`, the end of each track is detected within a second.
        #[test]
        fn the_end_of_a_track_is_seen_within_a_second(
            pace in paces(),
            tracks in prop::collection::vec((millis(30_000..400_000), any::<bool>()), 1..20),
        ) {
            let start = Instant::now();
            let (mut now, mut sent) = (start, Sent::default());
            let (mut began, mut changed) = (start, start);
            for (length, expected) in tracks {
                let end = began + length;
                if !expected {
                    changed = began;
                }
                while now < end {
                    let left = Some(end.saturating_duration_since(now));
                    let outlook = Outlook::Playing { left, overdue: 0 };
                    let quiet = now.saturating_duration_since(changed);
                    let known = Known { outlook, quiet, failures: 0, held_until: None };
                    now = pace.next(now, &known, &sent, false);
                    sent.record(now);
                }
                prop_assert!(now - end <= Duration::from_secs(1), "{:?} late", now - end);
                began = end;
            }
        }
    }

    #[test]
    fn a_requested_poll_waits_until_the_rate_limit_block_ends() {
        let now = Instant::now();
        let until = now + Duration::from_secs(90);
        let known = Known {
            outlook: Outlook::Paused,
            quiet: Duration::ZERO,
            failures: 0,
            held_until: Some(until),
        };
        assert_eq!(Pace::default().next(now, &known, &Sent::default(), true), until);
    }

    #[test]
    fn the_poll_interval_grows_with_time_since_the_last_change() {
        let waits = |outlook: Outlook, quiet: u64| {
            let quiet = Duration::from_secs(quiet);
            let known = Known { outlook, quiet, failures: 0, held_until: None };
            let now = Instant::now();
            (Pace::default().next(now, &known, &Sent::default(), false) - now).as_millis()
        };
        let playing = Outlook::Playing { left: None, overdue: 0 };
        assert_eq!([0, 4, 60].map(|quiet| waits(playing, quiet)), [1_000, 2_000, 5_000]);
        assert_eq!([0, 60].map(|quiet| waits(Outlook::Paused, quiet)), [1_000, 10_000]);
        assert_eq!([0, 60].map(|quiet| waits(Outlook::Idle, quiet)), [1_000, 20_000]);
    }

    #[test]
    fn failures_double_the_wait_up_to_half_a_minute() {
        let now = Instant::now();
        let waits = [1, 2, 3, 4, 5, 60].map(|failures| {
            let outlook = Outlook::Playing { left: Some(Duration::ZERO), overdue: 0 };
            let known = Known { outlook, quiet: Duration::ZERO, failures, held_until: None };
            (Pace::default().next(now, &known, &Sent::default(), false) - now).as_secs()
        });
        assert_eq!(waits, [2, 4, 8, 16, 30, 30]);
    }
}
