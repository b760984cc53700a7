//! The limits: so many calls of an application in any 30 seconds, so many of one operation, and
//! so many a day of a developer account.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::accounts::AppKey;
use crate::clock::Moment;
use crate::table::Operation;

/// How long a quota lasts, from the first call on.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// No block is made longer than this.
const LONGEST_BLOCK: Duration = Duration::from_secs(60 * 60);

/// What becomes of calls that are made although they were told to wait.
///
/// Spotify does not say which of these it does; people have reported all three.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ignored {
    /// They are turned away, and that is all.
    #[default]
    Forgiven,
    /// They are turned away, and count as if they had been let in.
    Counted,
    /// Each makes what is left of the block longer by half, up to an hour; those of a quota up
    /// to a whole day.
    Lengthens,
}

/// What is limited, and to what.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// Calls of an application in a window.
    pub(crate) calls: Option<usize>,
    pub(crate) window: Duration,
    /// Calls of single operations in a window, by their ids.
    pub(crate) operations: Vec<(String, usize)>,
    /// Calls a day that a developer account may make of each bucket of operations, for all its
    /// applications in Development Mode together.
    pub(crate) quota: Option<usize>,
    pub(crate) ignored: Ignored,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            calls: None,
            window: Duration::from_secs(30),
            operations: Vec::new(),
            quota: None,
            ignored: Ignored::default(),
        }
    }
}

/// Why a call is turned away, and in how many seconds there is room for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    Window(u64),
    Quota(u64),
}

/// Counts calls.
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

    /// Counts a call, or says why there is no room for it. `developer` is the account whose
    /// quota it uses up, if it uses up one.
    pub(crate) fn admit(
        &mut self,
        app: AppKey,
        developer: Option<usize>,
        operation: &'static Operation,
        now: Moment,
    ) -> Result<(), Full> {
        let Limits { calls, window, quota, ignored, .. } = self.limits;
        if let Some(calls) = calls {
            self.apps.entry(app).or_default().admit(calls, window, ignored, now)?;
        }
        let of_operation = self.limits.operations.iter().find(|(id, _)| id == operation.id);
        if let Some((_, calls)) = of_operation {
            let key = (app, operation.id);
            self.operations.entry(key).or_default().admit(*calls, window, ignored, now)?;
        }
        if let (Some(calls), Some(developer)) = (quota, developer) {
            let key = (developer, bucket(operation));
            self.quotas.entry(key).or_default().admit(calls, ignored, now)?;
        }
        Ok(())
    }
}

/// The calls of the last seconds.
#[derive(Debug, Default)]
struct Window {
    calls: VecDeque<Moment>,
    /// The end of a block that was made longer.
    blocked: Option<Moment>,
}

impl Window {
    fn admit(
        &mut self,
        limit: usize,
        window: Duration,
        ignored: Ignored,
        now: Moment,
    ) -> Result<(), Full> {
        while self.calls.front().is_some_and(|call| call.plus(window) <= now) {
            self.calls.pop_front();
        }
        self.blocked = self.blocked.filter(|end| now < *end);
        if self.calls.len() < limit && self.blocked.is_none() {
            self.calls.push_back(now);
            return Ok(());
        }
        if ignored == Ignored::Counted {
            self.calls.push_back(now);
        }
        // As many have to leave the window as are in it beyond the one that is to be let in.
        let leaving = (self.calls.len() + 1).saturating_sub(limit.max(1)).max(1);
        let room = self.calls.get(leaving - 1).map_or(now, |call| call.plus(window));
        let end = match (ignored, self.blocked) {
            // The first to be told of the block does not ignore it.
            (Ignored::Lengthens, None) => room,
            (Ignored::Lengthens, Some(end)) => lengthened(end, now, LONGEST_BLOCK),
            (Ignored::Forgiven | Ignored::Counted, _) => room,
        };
        if ignored == Ignored::Lengthens {
            self.blocked = Some(end);
        }
        Err(Full::Window(seconds(end, now)))
    }
}

/// The calls since the first one of a day.
#[derive(Debug, Default)]
struct Quota {
    ends: Option<Moment>,
    calls: usize,
    told: bool,
}

impl Quota {
    fn admit(&mut self, limit: usize, ignored: Ignored, now: Moment) -> Result<(), Full> {
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
        let ends = match ignored {
            Ignored::Lengthens if self.told => lengthened(ends, now, DAY),
            Ignored::Forgiven | Ignored::Counted | Ignored::Lengthens => ends,
        };
        self.told = true;
        self.ends = Some(ends);
        Err(Full::Quota(seconds(ends, now)))
    }
}

/// The operations that use up a quota together: those with the same words in their paths, as
/// `artists/albums` or `me/playlists`. Which they are at Spotify is not published; people have
/// seen one of these blocked while the others went on.
fn bucket(operation: &Operation) -> String {
    let words = operation.path.split('/').filter(|word| !word.is_empty() && !word.starts_with('{'));
    words.collect::<Vec<_>>().join("/")
}

/// The end of a block, later by half of what was left of it, but never further away than `most`
/// unless it was already.
fn lengthened(end: Moment, now: Moment, most: Duration) -> Moment {
    let left = end.since(now);
    now.plus((left + left / 2).min(most).max(left))
}

/// Whole seconds until a moment, at least one.
fn seconds(until: Moment, now: Moment) -> u64 {
    let millis = u64::try_from(until.since(now).as_millis()).unwrap_or(u64::MAX);
    millis.div_ceil(1_000).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::Apps;
    use crate::clock::START;
    use crate::table::OPERATIONS;

    const APP: AppKey = Apps::FIRST;

    fn at(seconds: u64) -> Moment {
        START.plus(Duration::from_secs(seconds))
    }

    fn operation(id: &str) -> &'static Operation {
        OPERATIONS.iter().find(|operation| operation.id == id).unwrap()
    }

    fn limiter(limits: Limits) -> impl FnMut(&str, u64) -> Result<(), Full> {
        let mut limiter = RateLimiter::new(limits);
        move |id, seconds| limiter.admit(APP, Some(0), operation(id), at(seconds))
    }

    #[test]
    fn the_window_rolls() {
        let mut call = limiter(Limits { calls: Some(2), ..Limits::default() });
        assert_eq!(call("get-track", 0), Ok(()));
        assert_eq!(call("get-an-album", 10), Ok(()));
        assert_eq!(call("get-track", 12), Err(Full::Window(18)));
        assert_eq!(call("get-track", 30), Ok(()));
        assert_eq!(call("get-track", 31), Err(Full::Window(9)));
    }

    #[test]
    fn calls_that_are_counted_though_turned_away_keep_the_window_full() {
        let ignored = Ignored::Counted;
        let mut call = limiter(Limits { calls: Some(2), ignored, ..Limits::default() });
        assert_eq!(call("get-track", 0), Ok(()));
        assert_eq!(call("get-track", 0), Ok(()));
        assert_eq!(call("get-track", 20), Err(Full::Window(10)));
        assert_eq!(call("get-track", 25), Err(Full::Window(25)));
        assert_eq!(call("get-track", 49), Err(Full::Window(6)));
        assert_eq!(call("get-track", 80), Ok(()));
    }

    #[test]
    fn a_block_that_is_ignored_grows_and_one_that_is_kept_to_does_not() {
        let ignored = Ignored::Lengthens;
        let mut call = limiter(Limits { calls: Some(1), ignored, ..Limits::default() });
        assert_eq!(call("get-track", 0), Ok(()));
        assert_eq!(call("get-track", 10), Err(Full::Window(20)));
        assert_eq!(call("get-track", 10), Err(Full::Window(30)));
        assert_eq!(call("get-track", 20), Err(Full::Window(30)));
        assert_eq!(call("get-track", 50), Ok(()));
        assert_eq!(call("get-track", 79), Err(Full::Window(1)));
        assert_eq!(call("get-track", 80), Ok(()));
    }

    #[test]
    fn an_operation_can_have_a_limit_of_its_own() {
        let cover = "upload-custom-playlist-cover";
        let operations = vec![(cover.to_owned(), 1)];
        let mut call = limiter(Limits { operations, ..Limits::default() });
        assert_eq!(call(cover, 0), Ok(()));
        assert_eq!(call(cover, 3), Err(Full::Window(27)));
        assert_eq!(call("get-track", 3), Ok(()));
    }

    #[test]
    fn a_quota_lasts_a_day_from_the_first_call_and_blocks_one_bucket() {
        let mut call = limiter(Limits { quota: Some(2), ..Limits::default() });
        assert_eq!(call("get-an-artists-albums", 0), Ok(()));
        assert_eq!(call("get-an-artists-albums", 3_600), Ok(()));
        assert_eq!(call("get-an-artists-albums", 3_601), Err(Full::Quota(82_799)));
        assert_eq!(call("get-an-artist", 3_601), Ok(()));
        assert_eq!(call("get-an-artists-albums", 86_400), Ok(()));
    }
}
