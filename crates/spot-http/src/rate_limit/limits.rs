//! Snapshots of a limiter's state, for display and for the next run.

use std::{
    collections::BTreeMap,
    fmt,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

use crate::rate_limit::window::Learned;

/// Maximum length of a block: twice the longest known block. A longer block is shortened, so that a
/// wrong clock or header does not block a program forever. If Spotify's block is longer, one probe
/// every two days does no harm.
pub(crate) const LONGEST_BLOCK: Duration = Duration::from_secs(2 * 86_400);

/// A snapshot of a limiter's state: the rate limit, the number of calls that count against the rate
/// limit, and the blocked operations with their remaining times.
///
/// Show the snapshot on a dashboard, or save it for the next run. While Spotify blocks calls, a
/// program must not send calls, because further calls prolong the block. A saved snapshot contains
/// the time that the next run has to wait. [`FileLimiter`](crate::FileLimiter) saves the snapshot
/// in a file.
///
/// ```
/// use spot_http::{AccessToken, Limits, Pipeline, RateLimit};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let kept = r#"{"limit": 180}"#;
/// let limits: Limits = serde_json::from_str(kept)?;
/// let pipeline = Pipeline::builder(AccessToken::new("a token")?)
///     .rate_limit(RateLimit::learned().resume(limits))
///     .build()?;
/// assert_eq!(pipeline.limits().limit(), Some(180));
/// for closed in pipeline.limits().closed() {
///     println!("{closed}");
/// }
/// let kept = serde_json::to_string(&pipeline.limits())?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// The time of the snapshot, in milliseconds since 1970. All other times are relative to this
    /// time, so that setting the clock back does not lengthen a block.
    at: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<u32>,
    search_step: u32,
    /// Time between two searches for a higher limit, in seconds.
    search_every: u64,
    /// Remaining time of each slot, in milliseconds.
    slots: Vec<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    block: Option<BlockLeft>,
    /// The blocked operations. The key is the name of the operation.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    closed: BTreeMap<String, BlockLeft>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct BlockLeft {
    /// Remaining time of the block, in milliseconds.
    left: u64,
    quota: bool,
    words: String,
    refused_probes: u32,
}

/// The state of a limiter, with times as durations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Saved {
    pub(crate) window: Learned,
    pub(crate) blocks: SavedBlocks,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SavedBlocks {
    pub(crate) all: Option<SavedBlock>,
    /// The blocks of operations, by the key of the operation.
    pub(crate) operations: Vec<(String, SavedBlock)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SavedBlock {
    /// Zero if the block has ended but no probe has succeeded yet.
    pub(crate) left: Duration,
    pub(crate) quota: bool,
    pub(crate) words: String,
    pub(crate) refused_probes: u32,
}

/// A blocked operation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClosedOperation<'a> {
    /// [Name](spot_model::Operation::name) of the operation; for a custom operation, its method and
    /// path.
    pub operation: &'a str,
    /// How long the operation remains blocked, measured from the creation of the [`Limits`] value.
    pub wait: Duration,
    /// The wall-clock time until which the operation is blocked.
    pub until: SystemTime,
    /// Whether a quota is exhausted; `false` if the operation reached its own rate limit.
    pub quota: bool,
    /// Spotify's message.
    pub message: &'a str,
}

/// Displays, for example,
/// `get_artist_albums is blocked for 2 h 10 min, because a quota is used up`.
impl fmt::Display for ClosedOperation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = if self.quota { "a quota is used up" } else { "its rate limit is reached" };
        write!(f, "{} is blocked for {}, because {why}", self.operation, in_words(self.wait))
    }
}

impl Limits {
    /// Number of calls that are allowed in a window (30 s by default), if known.
    pub fn limit(&self) -> Option<u32> {
        self.limit
    }

    /// Number of calls that count against the limit now: calls in flight, and calls whose response
    /// arrived within the last window (30 s by default).
    pub fn in_use(&self) -> usize {
        self.slots.len()
    }

    /// How long all operations remain blocked; `None` if not all operations are blocked.
    pub fn blocked_for(&self) -> Option<Duration> {
        let left = Duration::from_millis(self.block.as_ref()?.left);
        Some(left).filter(|left| !left.is_zero())
    }

    /// The wall-clock time until which all operations are blocked; `None` if not all operations are
    /// blocked.
    pub fn blocked_until(&self) -> Option<SystemTime> {
        Some(self.after(self.blocked_for()?))
    }

    /// The blocked operations, ordered by name.
    pub fn closed(&self) -> impl Iterator<Item = ClosedOperation<'_>> {
        let closed = self.closed.iter().filter(|(_, block)| block.left > 0);
        closed.map(|(operation, block)| {
            let wait = Duration::from_millis(block.left);
            let until = self.after(wait);
            ClosedOperation { operation, wait, until, quota: block.quota, message: &block.words }
        })
    }

    fn after(&self, wait: Duration) -> SystemTime {
        let since = Duration::from_millis(self.at).saturating_add(wait);
        SystemTime::UNIX_EPOCH.checked_add(since).unwrap_or(SystemTime::UNIX_EPOCH)
    }

    /// Whether any call still uses a slot at this time.
    pub(crate) fn has_slots(&self, wall: SystemTime) -> bool {
        !self.left(wall).window.taken.is_empty()
    }

    pub(crate) fn new(saved: Saved, wall: SystemTime) -> Self {
        let Saved { window, blocks } = saved;
        let block = |block: SavedBlock| BlockLeft {
            left: millis(block.left),
            quota: block.quota,
            words: block.words,
            refused_probes: block.refused_probes,
        };
        let closed = blocks.operations.into_iter();
        Self {
            at: millis(wall.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()),
            limit: window.limit,
            search_step: window.step,
            search_every: window.every.as_secs(),
            slots: window.taken.into_iter().map(millis).collect(),
            block: blocks.all.map(block),
            closed: closed.map(|(name, closed)| (name, block(closed))).collect(),
        }
    }

    /// Returns the state at another time, with shorter remaining times. If the clock was set back,
    /// the remaining times stay the same.
    pub(crate) fn left(&self, wall: SystemTime) -> Saved {
        let at = self.after(Duration::ZERO);
        let passed = wall.duration_since(at).unwrap_or_default();
        let left =
            |millis: u64| Duration::from_millis(millis).min(LONGEST_BLOCK).saturating_sub(passed);
        let block = |block: &BlockLeft| SavedBlock {
            left: left(block.left),
            quota: block.quota,
            words: block.words.clone(),
            refused_probes: block.refused_probes,
        };
        let slots = self.slots.iter().map(|slot| left(*slot));
        let closed = self.closed.iter();
        Saved {
            window: Learned {
                limit: self.limit,
                step: self.search_step,
                every: Duration::from_secs(self.search_every),
                taken: slots.filter(|left| !left.is_zero()).collect(),
            },
            blocks: SavedBlocks {
                all: self.block.as_ref().map(block),
                operations: closed.map(|(name, closed)| (name.clone(), block(closed))).collect(),
            },
        }
    }
}

/// Converts a duration to milliseconds. Rounds up, so that a block does not end too early.
pub fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_micros().div_ceil(1000)).unwrap_or(u64::MAX)
}

/// Formats a duration, rounded up to seconds: `2 h 10 min`, `1 min 5 s`, `3 s`.
pub(crate) fn in_words(time: Duration) -> String {
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    let (large, small, units) = match seconds {
        0..60 => return format!("{seconds} s"),
        60..3600 => (seconds / 60, seconds % 60, ("min", "s")),
        3600..86_400 => (seconds / 3600, seconds % 3600 / 60, ("h", "min")),
        _ => (seconds / 86_400, seconds % 86_400 / 3600, ("d", "h")),
    };
    match small {
        0 => format!("{large} {}", units.0),
        _ => format!("{large} {} {small} {}", units.0, units.1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn blocked_for(left: Duration) -> Limits {
        let block = SavedBlock { left, quota: true, words: String::new(), refused_probes: 0 };
        let operations = vec![("get_artist_albums".to_owned(), block)];
        let blocks = SavedBlocks { all: None, operations };
        Limits::new(Saved { blocks, ..Saved::default() }, SystemTime::UNIX_EPOCH + 500 * HOUR)
    }

    fn left_at(limits: &Limits, hour: u32) -> Duration {
        let saved = limits.left(SystemTime::UNIX_EPOCH + hour * HOUR);
        saved.blocks.operations[0].1.left
    }

    #[test]
    fn durations_are_printed_in_at_most_two_units() {
        let told =
            [0, 3, 60, 65, 3600, 7800, 86_399, 90_000].map(|s| in_words(Duration::from_secs(s)));
        assert_eq!(
            told,
            ["0 s", "3 s", "1 min", "1 min 5 s", "1 h", "2 h 10 min", "23 h 59 min", "1 d 1 h"]
        );
        assert_eq!(in_words(Duration::from_millis(1)), "1 s");
    }

    #[test]
    fn clock_changes_never_lengthen_a_saved_block() {
        let limits = blocked_for(5 * HOUR);
        assert_eq!(left_at(&limits, 502), 3 * HOUR);
        assert_eq!(left_at(&limits, 600), Duration::ZERO);
        // The clock was set back by years.
        assert_eq!(left_at(&limits, 1), 5 * HOUR);
        // A block of a year must be a mistake, so it is shortened.
        assert_eq!(left_at(&blocked_for(9_000 * HOUR), 500), LONGEST_BLOCK);
    }

    #[test]
    fn limits_round_trip_through_json() {
        let limits = blocked_for(5 * HOUR);
        let text = serde_json::to_string(&limits).unwrap();
        let again: Limits = serde_json::from_str(&text).unwrap();
        assert_eq!(again, limits);
        let closed: Vec<_> = again.closed().map(|closed| closed.to_string()).collect();
        assert_eq!(closed, ["get_artist_albums is blocked for 5 h, because a quota is used up"]);
    }
}
