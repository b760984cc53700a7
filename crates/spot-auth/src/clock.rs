//! Wall clock and monotonic clock.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::time::Instant;

use crate::user_code::catch;

/// Source of the wall-clock time. Durations are measured with the runtime's clock.
#[derive(Clone)]
pub(crate) struct Clock(Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Clock {
    pub(crate) fn system() -> Self {
        Self(Arc::new(SystemTime::now))
    }

    pub(crate) fn new(now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    pub(crate) fn now(&self) -> Moment {
        Moment {
            wall: catch(&*self.0).unwrap_or_else(|_| SystemTime::now()),
            monotonic: Instant::now(),
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// A point in time on the wall clock and on the monotonic clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) wall: SystemTime,
    pub(crate) monotonic: Instant,
}

/// A deadline on the wall clock and on the monotonic clock. The deadline has passed when one of the
/// two clocks has reached it. The monotonic clock stops while a laptop sleeps, and the wall clock
/// can be set back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    wall: SystemTime,
    monotonic: Instant,
}

impl Deadline {
    pub(crate) fn after(moment: Moment, span: Duration) -> Self {
        Self {
            wall: moment.wall.checked_add(span).unwrap_or(moment.wall),
            monotonic: moment.monotonic.checked_add(span).unwrap_or(moment.monotonic),
        }
    }

    pub(crate) fn wall(&self) -> SystemTime {
        self.wall
    }

    /// Returns the remaining time; zero after the deadline.
    pub(crate) fn left(&self, now: Moment) -> Duration {
        let wall = self.wall.duration_since(now.wall).unwrap_or_default();
        wall.min(self.monotonic.saturating_duration_since(now.monotonic))
    }
}

/// Converts a time into whole seconds since 1970, the format in records. Times before 1970 become
/// 0.
pub(crate) fn to_unix(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Converts seconds since 1970 into a time; `None` if the platform cannot represent the time.
pub(crate) fn from_unix(seconds: u64) -> Option<SystemTime> {
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_deadline_uses_the_clock_with_less_time_left() {
        let start = Clock::system().now();
        let deadline = Deadline::after(start, Duration::from_secs(3_600));
        let slept = Moment { wall: start.wall + Duration::from_secs(9_000), ..start };
        assert_eq!(deadline.left(slept), Duration::ZERO, "the laptop slept");
        let set_back = Moment {
            wall: start.wall - Duration::from_secs(86_400),
            monotonic: start.monotonic + Duration::from_secs(3_000),
        };
        assert_eq!(deadline.left(set_back), Duration::from_secs(600), "the clock was set back");
    }

    #[test]
    fn unix_timestamps_round_trip() {
        assert_eq!(from_unix(1_795_000_000).map(to_unix), Some(1_795_000_000));
        assert_eq!(from_unix(u64::MAX), None);
    }
}
