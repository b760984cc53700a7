//! The rate limit: so many calls of an application in any 30 seconds.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::clock::Moment;

const WINDOW: Duration = Duration::from_secs(30);

/// Counts the calls of each application in a rolling window.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    limit: Option<usize>,
    calls: HashMap<String, VecDeque<Moment>>,
}

impl RateLimiter {
    pub(crate) fn new(limit: Option<usize>) -> Self {
        Self { limit, calls: HashMap::new() }
    }

    /// Counts a call, or says in how many seconds there is room for one. What is turned away
    /// does not count.
    pub(crate) fn admit(&mut self, client_id: &str, now: Moment) -> Result<(), u64> {
        let Some(limit) = self.limit else { return Ok(()) };
        let calls = self.calls.entry(client_id.to_owned()).or_default();
        while calls.front().is_some_and(|call| call.plus(WINDOW) <= now) {
            calls.pop_front();
        }
        if calls.len() < limit {
            calls.push_back(now);
            return Ok(());
        }
        let room_at = calls.front().map_or(now, |call| call.plus(WINDOW));
        let millis = u64::try_from(room_at.since(now).as_millis()).unwrap_or(u64::MAX);
        Err(millis.div_ceil(1_000).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::START;

    #[test]
    fn the_window_rolls() {
        let mut limiter = RateLimiter::new(Some(2));
        let at = |seconds| START.plus(Duration::from_secs(seconds));
        assert_eq!(limiter.admit("app", at(0)), Ok(()));
        assert_eq!(limiter.admit("app", at(10)), Ok(()));
        assert_eq!(limiter.admit("app", at(12)), Err(18));
        assert_eq!(limiter.admit("another", at(12)), Ok(()));
        assert_eq!(limiter.admit("app", at(30)), Ok(()));
        assert_eq!(limiter.admit("app", at(31)), Err(9));
    }
}
