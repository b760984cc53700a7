//! Enforces rate limits and daily quotas.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use crate::{accounts::AppKey, clock::Moment};

/// Length of the period of a quota. The period starts with the first call.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Early retries lengthen the wait at a rate limit to at most this duration.
const LONGEST_BLOCK: Duration = Duration::from_secs(60 * 60);

/// Policy for calls that a client sends before the time in `Retry-After` has passed.
///
/// Spotify does not document its policy for early retries. Each variant is a behaviour of Spotify
/// that developers have reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "control",
    derive(serde::Deserialize, schemars::JsonSchema),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum EarlyRetryPolicy {
    /// Refuses early retries without counting them against the limit.
    #[default]
    Forgive,
    /// Refuses early retries, and counts them against the limit.
    Count,
    /// Refuses early retries. Each early retry multiplies the remaining wait by 1.5. The maximum
    /// wait is one hour for the rate limit, and one day for the quota.
    Lengthen,
}

/// Settings of the limits.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// Maximum number of calls that an application may make within `window`.
    pub(crate) calls: Option<usize>,
    pub(crate) window: Duration,
    /// Operation ids, each with the maximum number of calls within `window`.
    pub(crate) operations: Vec<(String, usize)>,
    /// Maximum number of calls per day that a developer account may make to each group of
    /// operations. All Development Mode applications of the account share this quota.
    pub(crate) quota: Option<usize>,
    pub(crate) early_retries: EarlyRetryPolicy,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            calls: None,
            window: Duration::from_secs(30),
            operations: Vec::new(),
            quota: None,
            early_retries: EarlyRetryPolicy::default(),
        }
    }
}

/// The limit that a refused call exceeds, and the number of seconds until the next call is
/// accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LimitReached {
    Window(u64),
    Quota(u64),
}

/// Counts calls and enforces the limits.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    limits: Limits,
    apps: HashMap<AppKey, Window>,
    operations: HashMap<(AppKey, &'static str), Window>,
    quotas: HashMap<(usize, String), Quota>,
}

impl RateLimiter {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, apps: HashMap::new(), operations: HashMap::new(), quotas: HashMap::new() }
    }

    /// Counts a call, or refuses it. `developer` is the account whose quota the call uses.
    pub(crate) fn admit(
        &mut self,
        app: AppKey,
        developer: Option<usize>,
        operation: &'static str,
        path: &str,
        now: Moment,
    ) -> Result<(), LimitReached> {
        let Limits { calls, window, quota, early_retries, .. } = self.limits;
        if let Some(calls) = calls {
            self.apps.entry(app).or_default().admit(calls, window, early_retries, now)?;
        }
        let of_operation = self.limits.operations.iter().find(|(id, _)| id == operation);
        if let Some((_, calls)) = of_operation {
            let key = (app, operation);
            self.operations.entry(key).or_default().admit(*calls, window, early_retries, now)?;
        }
        if let (Some(calls), Some(developer)) = (quota, developer) {
            let key = (developer, bucket(path));
            self.quotas.entry(key).or_default().admit(calls, early_retries, now)?;
        }
        Ok(())
    }
}

/// The calls that count against a rate limit.
#[derive(Debug, Default)]
struct Window {
    calls: VecDeque<Moment>,
    /// End of the current wait, if the policy is [`EarlyRetryPolicy::Lengthen`].
    blocked: Option<Moment>,
}

impl Window {
    fn admit(
        &mut self,
        limit: usize,
        window: Duration,
        early_retries: EarlyRetryPolicy,
        now: Moment,
    ) -> Result<(), LimitReached> {
        while self.calls.front().is_some_and(|call| call.plus(window) <= now) {
            self.calls.pop_front();
        }
        self.blocked = self.blocked.filter(|end| now < *end);
        if self.calls.len() < limit && self.blocked.is_none() {
            self.calls.push_back(now);
            return Ok(());
        }
        if early_retries == EarlyRetryPolicy::Count {
            self.calls.push_back(now);
        }
        // Number of counted calls that must leave the window before the next call is accepted.
        let leaving = (self.calls.len() + 1).saturating_sub(limit.max(1)).max(1);
        let room = self.calls.get(leaving - 1).map_or(now, |call| call.plus(window));
        let end = match (early_retries, self.blocked) {
            // The first refused call does not lengthen the wait, since the client did not know of
            // the limit before this call.
            (EarlyRetryPolicy::Lengthen, None) => room,
            (EarlyRetryPolicy::Lengthen, Some(end)) => lengthened(end, now, LONGEST_BLOCK),
            (EarlyRetryPolicy::Forgive | EarlyRetryPolicy::Count, _) => room,
        };
        if early_retries == EarlyRetryPolicy::Lengthen {
            self.blocked = Some(end);
        }
        Err(LimitReached::Window(seconds(end, now)))
    }
}

/// The calls in the current period of a quota.
#[derive(Debug, Default)]
struct Quota {
    ends: Option<Moment>,
    calls: usize,
    told: bool,
}

impl Quota {
    fn admit(
        &mut self,
        limit: usize,
        early_retries: EarlyRetryPolicy,
        now: Moment,
    ) -> Result<(), LimitReached> {
        let ends = match self.ends.filter(|ends| now < *ends) {
            Some(ends) => ends,
            None => {
                *self = Self { ends: Some(now.plus(DAY)), calls: 0, told: false };
                now.plus(DAY)
            }
        };
        if self.calls < limit {
            self.calls += 1;
            return Ok(());
        }
        let ends = match early_retries {
            EarlyRetryPolicy::Lengthen if self.told => lengthened(ends, now, DAY),
            EarlyRetryPolicy::Forgive | EarlyRetryPolicy::Count | EarlyRetryPolicy::Lengthen => {
                ends
            }
        };
        self.told = true;
        self.ends = Some(ends);
        Err(LimitReached::Quota(seconds(ends, now)))
    }
}

/// Name of the group of an operation. The operations of a group share a quota. The name consists of
/// the words of the path, such as `artists/albums` or `me/playlists`. Spotify does not publish
/// which operations share a quota. Users reported that calls to one group were refused while calls
/// to other groups still worked.
fn bucket(path: &str) -> String {
    let words = path.split('/').filter(|word| !word.is_empty() && !word.starts_with('{'));
    words.collect::<Vec<_>>().join("/")
}

/// Multiplies the remaining wait by 1.5, but does not make the wait longer than `most`. If the
/// remaining wait is already longer than `most`, returns `end` unchanged.
fn lengthened(end: Moment, now: Moment, most: Duration) -> Moment {
    let left = end.since(now);
    now.plus((left + left / 2).min(most).max(left))
}

/// Seconds until a moment, rounded up. The result is at least 1.
fn seconds(until: Moment, now: Moment) -> u64 {
    let millis = u64::try_from(until.since(now).as_millis()).unwrap_or(u64::MAX);
    millis.div_ceil(1_000).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{accounts::Apps, clock::START};

    const APP: AppKey = Apps::FIRST;

    fn at(seconds: u64) -> Moment {
        START.plus(Duration::from_secs(seconds))
    }

    fn path(id: &str) -> &'static str {
        match id {
            "get-an-artists-albums" => "/artists/{id}/albums",
            "get-an-artist" => "/artists/{id}",
            _ => "/tracks/{id}",
        }
    }

    fn limiter(limits: Limits) -> impl FnMut(&'static str, u64) -> Result<(), LimitReached> {
        let mut limiter = RateLimiter::new(limits);
        move |id, seconds| limiter.admit(APP, Some(0), id, path(id), at(seconds))
    }

    #[test]
    fn a_call_leaves_the_rolling_window_after_30_seconds() {
        let mut call = limiter(Limits { calls: Some(2), ..Limits::default() });
        assert_eq!(call("get-track", 0), Ok(()));
        assert_eq!(call("get-an-album", 10), Ok(()));
        assert_eq!(call("get-track", 12), Err(LimitReached::Window(18)));
        assert_eq!(call("get-track", 30), Ok(()));
        assert_eq!(call("get-track", 31), Err(LimitReached::Window(9)));
    }

    #[test]
    fn counted_early_retries_keep_the_rate_limit_window_full() {
        let early_retries = EarlyRetryPolicy::Count;
        let mut call = limiter(Limits { calls: Some(2), early_retries, ..Limits::default() });
        assert_eq!(call("get-track", 0), Ok(()));
        assert_eq!(call("get-track", 0), Ok(()));
        assert_eq!(call("get-track", 20), Err(LimitReached::Window(10)));
        assert_eq!(call("get-track", 25), Err(LimitReached::Window(25)));
        assert_eq!(call("get-track", 49), Err(LimitReached::Window(6)));
        assert_eq!(call("get-track", 80), Ok(()));
    }

    #[test]
    fn early_retries_lengthen_a_block_and_timely_retries_do_not() {
        let early_retries = EarlyRetryPolicy::Lengthen;
        let mut call = limiter(Limits { calls: Some(1), early_retries, ..Limits::default() });
        assert_eq!(call("get-track", 0), Ok(()));
        assert_eq!(call("get-track", 10), Err(LimitReached::Window(20)));
        assert_eq!(call("get-track", 10), Err(LimitReached::Window(30)));
        assert_eq!(call("get-track", 20), Err(LimitReached::Window(30)));
        assert_eq!(call("get-track", 50), Ok(()));
        assert_eq!(call("get-track", 79), Err(LimitReached::Window(1)));
        assert_eq!(call("get-track", 80), Ok(()));
    }

    #[test]
    fn an_operation_can_have_a_separate_rate_limit() {
        let cover = "upload-custom-playlist-cover";
        let operations = vec![(cover.to_owned(), 1)];
        let mut call = limiter(Limits { operations, ..Limits::default() });
        assert_eq!(call(cover, 0), Ok(()));
        assert_eq!(call(cover, 3), Err(LimitReached::Window(27)));
        assert_eq!(call("get-track", 3), Ok(()));
    }

    #[test]
    fn a_quota_of_a_bucket_lasts_24_hours_from_the_first_call() {
        let mut call = limiter(Limits { quota: Some(2), ..Limits::default() });
        assert_eq!(call("get-an-artists-albums", 0), Ok(()));
        assert_eq!(call("get-an-artists-albums", 3_600), Ok(()));
        assert_eq!(call("get-an-artists-albums", 3_601), Err(LimitReached::Quota(82_799)));
        assert_eq!(call("get-an-artist", 3_601), Ok(()));
        assert_eq!(call("get-an-artists-albums", 86_400), Ok(()));
    }
}
