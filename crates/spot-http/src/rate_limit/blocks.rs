//! Blocks operations after a 429: either all operations, or only the operation that was refused.
//!
//! Spotify has several limits, and a 429 rarely says which limit was reached:
//!
//! - A `Retry-After` of less than one hour blocks all operations, because the rolling window of the
//!   application is full.
//! - `QUOTA_EXCEEDED`, or a `Retry-After` of one hour or more, blocks only the refused operation,
//!   because a quota is exhausted. Groups of operations share quotas, and Spotify does not publish
//!   the groups. Other operations that share the quota are blocked only after Spotify refuses them
//!   too.
//! - If an operation with its own rate limit is refused, only this operation is blocked.
//!
//! When a block ends, the limiter first sends only one call, the probe. The other calls wait for
//! the response to the probe, because many calls at once could lengthen the block.
//!
//! Functions take the current time as an argument and never wait.

use std::{
    borrow::Cow,
    collections::HashMap,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};
use spot_model::Operation;
use tokio::time::Instant;

use crate::{
    Error, ErrorKind,
    rate_limit::{
        limits::{LONGEST_BLOCK, Limits, Saved, SavedBlock, SavedBlocks, in_words, millis},
        window::Learned,
    },
};

/// Maximum time for which other calls wait for the response to a probe. After this time, the next
/// call becomes the probe.
const PROBE_TIME: Duration = Duration::from_secs(5);

/// Length of the first block after `QUOTA_EXCEEDED` without `Retry-After`. The length doubles each
/// time the probe is refused.
const FIRST_QUOTA_BLOCK: Duration = Duration::from_secs(15 * 60);
const LONGEST_QUOTA_BLOCK: Duration = Duration::from_secs(6 * 3600);

/// The blocked operations of an application.
#[derive(Debug, Default)]
pub struct Blocks {
    all: Option<Block>,
    /// The blocks that apply to only one operation. The function `key` computes the key of an
    /// operation.
    operations: HashMap<Cow<'static, str>, Block>,
}

#[derive(Clone, Debug)]
struct Block {
    until: Instant,
    kind: ErrorKind,
    /// Spotify's message.
    words: String,
    probe: Probe,
    /// Number of consecutive probes that were refused.
    refused_probes: u32,
}

/// State of the probe of a block. When the block ends, the limiter sends the probe before all other
/// calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Probe {
    /// The next call becomes the probe.
    Needed,
    /// The probe was sent at this time.
    Sent(Instant),
}

/// The serialised form of a block, for limiters that share their state between machines. The probe
/// is the first call that a limiter sends after the block has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SharedBlock {
    /// Key of the blocked operation; [`ALL`](Self::ALL) if all operations are blocked.
    pub key: String,
    /// Remaining time in milliseconds; 0 if the block has ended, but no probe has succeeded yet.
    pub left: u64,
    /// Whether a quota is exhausted.
    pub quota: bool,
    /// Spotify's message.
    pub words: String,
    /// Number of consecutive probes that were refused.
    pub refused_probes: u32,
    /// Remaining time, in milliseconds, in which other calls wait for the probe in flight; `None`
    /// if no probe is in flight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probing: Option<u64>,
}

impl SharedBlock {
    /// Key of the block that applies to all operations.
    pub const ALL: &str = "";
}

/// The blocks that a call probes. After a block has ended, the limiter sends one call as a probe.
/// If the response to the probe is not a 429, the limiter removes the probed blocks. An ordinary
/// call does not probe a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Probes {
    all: bool,
    operation: bool,
}

impl Probes {
    /// Whether the call probes the block that applies to all operations.
    pub(crate) fn all(self) -> bool {
        self.all
    }

    /// Returns the keys of the blocks that a call of this operation probes.
    pub fn keys(self, operation: &Operation) -> impl Iterator<Item = Cow<'static, str>> {
        let all = self.all.then_some(Cow::Borrowed(SharedBlock::ALL));
        all.into_iter().chain(self.operation.then(|| key(operation)))
    }
}

/// Whether a call may be sent.
#[derive(Debug)]
pub(crate) enum Passage {
    /// The call may be sent. The call probes the blocks in `Probes`.
    Open(Probes),
    /// All operations are blocked until this time.
    AllBlocked(Instant, Error),
    /// The operation is blocked until this time.
    OperationBlocked(Instant, Error),
    /// A probe for all operations or for this operation is in flight.
    Probing { all: bool },
}

impl Blocks {
    /// Checks whether a call of the operation may be sent.
    pub(crate) fn check(&self, operation: &Operation, now: Instant) -> Passage {
        let mut probes = Probes::default();
        if !self.operations.is_empty()
            && let Some(block) = self.operations.get(&*key(operation))
        {
            match block.state(now) {
                Reopening::Blocked => {
                    let error = block.error(now, Some(operation));
                    return Passage::OperationBlocked(block.until, error);
                }
                Reopening::Probing(_) => return Passage::Probing { all: false },
                Reopening::ProbeNeeded => probes.operation = true,
            }
        }
        if let Some(block) = &self.all {
            match block.state(now) {
                Reopening::Blocked => {
                    return Passage::AllBlocked(block.until, block.error(now, None));
                }
                Reopening::Probing(_) => return Passage::Probing { all: true },
                Reopening::ProbeNeeded => probes.all = true,
            }
        }
        Passage::Open(probes)
    }

    /// Records that a call was admitted as the probe for these blocks.
    pub(crate) fn pass(&mut self, operation: &Operation, probes: Probes, now: Instant) {
        for block in self.probed(operation, probes) {
            block.probe = Probe::Sent(now);
        }
    }

    /// Records the end of an admitted call. If the server's response was not a 429, the blocks that
    /// the call probed are removed.
    pub(crate) fn end(&mut self, operation: &Operation, probes: Probes, answered: bool) {
        if answered {
            if probes.all && self.all.as_ref().is_some_and(Block::is_probed) {
                self.all = None;
            }
            if probes.operation
                && self.operations.get(&*key(operation)).is_some_and(Block::is_probed)
            {
                self.operations.remove(&*key(operation));
            }
            return;
        }
        for block in self.probed(operation, probes) {
            if block.is_probed() {
                block.probe = Probe::Needed;
            }
        }
    }

    /// Records a 429 and returns the length of the block. `wait` is the `Retry-After` or the
    /// backoff.
    pub(crate) fn refuse(
        &mut self,
        operation: &'static Operation,
        error: &Error,
        wait: Duration,
        probes: Probes,
        now: Instant,
    ) -> Duration {
        let quota = error.kind() == ErrorKind::QuotaExceeded;
        let alone = quota || operation.own_limit;
        let refused_probes = if alone {
            let block = self.operations.get(&*key(operation));
            block.map_or(0, |block| block.refused_probes + u32::from(probes.operation))
        } else {
            self.all.as_ref().map_or(0, |block| block.refused_probes + u32::from(probes.all))
        };
        let wait = if quota && error.retry_after().is_none() {
            let doubled = FIRST_QUOTA_BLOCK.saturating_mul(1 << refused_probes.min(16));
            wait.max(doubled.min(LONGEST_QUOTA_BLOCK))
        } else if refused_probes > 0 {
            // A refused probe shows that Spotify's block lasts longer than `Retry-After`.
            wait.saturating_add(Duration::from_secs(1 << (refused_probes - 1).min(6)))
        } else {
            wait
        };
        let wait = wait.min(LONGEST_BLOCK);
        // If the call probed two blocks, the 429 confirms one block, and the second block needs
        // another probe.
        let other = Probes { all: probes.all && alone, operation: probes.operation && !alone };
        self.end(operation, other, false);
        let block = Block {
            until: now + wait,
            kind: error.kind(),
            words: error.message().to_owned(),
            probe: Probe::Needed,
            refused_probes,
        };
        let later = |other: &Block| other.until < block.until;
        if alone {
            // Drops blocks that ended long ago and that no probe has removed.
            self.operations.retain(|_, block| now < block.until + LONGEST_BLOCK);
            if self.operations.get(&*key(operation)).is_none_or(later) {
                self.operations.insert(key(operation), block);
            }
        } else if self.all.as_ref().is_none_or(later) {
            self.all = Some(block);
        }
        wait
    }

    /// Returns the next time at which the state of a block changes by itself, without a call.
    pub(crate) fn next_change(&self, now: Instant) -> Option<Instant> {
        let blocks = self.all.iter().chain(self.operations.values());
        let changes = blocks.filter_map(|block| match block.state(now) {
            Reopening::Blocked => Some(block.until),
            Reopening::Probing(until) => Some(until),
            Reopening::ProbeNeeded => None,
        });
        changes.min()
    }

    /// Returns a snapshot of these blocks and of the given window.
    pub fn limits(&self, window: Learned, now: Instant) -> Limits {
        Limits::new(Saved { window, blocks: self.save(now) }, SystemTime::now())
    }

    pub(crate) fn save(&self, now: Instant) -> SavedBlocks {
        let operations = self.operations.iter();
        let operations = operations.map(|(key, block)| (key.to_string(), block.save(now)));
        SavedBlocks {
            all: self.all.as_ref().map(|block| block.save(now)),
            operations: operations.collect(),
        }
    }

    /// Restores the blocks that another run or process saved. A saved block replaces a current
    /// block only if the saved block ends later.
    pub(crate) fn restore(&mut self, saved: &SavedBlocks, now: Instant) {
        let later = |block: &Block, other: Option<&Block>| {
            other.is_none_or(|other| other.until < block.until)
        };
        if let Some(block) = saved.all.as_ref().map(|saved| Block::restore(saved, now))
            && later(&block, self.all.as_ref())
        {
            self.all = Some(block);
        }
        for (key, saved) in &saved.operations {
            let block = Block::restore(saved, now);
            if later(&block, self.operations.get(&**key)) {
                self.operations.insert(Cow::Owned(key.clone()), block);
            }
        }
    }

    /// Returns the block with this key as a [`SharedBlock`].
    pub fn shared(&self, key: &str, now: Instant) -> Option<SharedBlock> {
        let block = match key {
            SharedBlock::ALL => self.all.as_ref(),
            key => self.operations.get(key),
        };
        block.map(|block| block.share(key, now))
    }

    /// Returns all blocks as [`SharedBlock`]s.
    pub fn all_shared(&self, now: Instant) -> Vec<SharedBlock> {
        let keys = self.operations.keys().map(|key| &**key);
        let keys = std::iter::once(SharedBlock::ALL).chain(keys);
        keys.filter_map(|key| self.shared(key, now)).collect()
    }

    /// Replaces all blocks with the blocks in `shared`.
    pub fn replace(&mut self, shared: &[SharedBlock], now: Instant) {
        *self = Self::default();
        for block in shared {
            match &*block.key {
                SharedBlock::ALL => self.all = Some(Block::of_shared(block, now)),
                key => {
                    let block = Block::of_shared(block, now);
                    self.operations.insert(Cow::Owned(key.to_owned()), block);
                }
            }
        }
    }

    fn probed(
        &mut self,
        operation: &Operation,
        probes: Probes,
    ) -> impl Iterator<Item = &mut Block> {
        let all = self.all.as_mut().filter(|_| probes.all);
        let alone = if probes.operation { self.operations.get_mut(&*key(operation)) } else { None };
        all.into_iter().chain(alone)
    }
}

/// Effect of a block on the next call.
enum Reopening {
    Blocked,
    ProbeNeeded,
    Probing(Instant),
}

impl Block {
    fn state(&self, now: Instant) -> Reopening {
        match self.probe {
            _ if now < self.until => Reopening::Blocked,
            Probe::Sent(since) if now < since + PROBE_TIME => {
                Reopening::Probing(since + PROBE_TIME)
            }
            Probe::Needed | Probe::Sent(_) => Reopening::ProbeNeeded,
        }
    }

    fn is_probed(&self) -> bool {
        matches!(self.probe, Probe::Sent(_))
    }

    fn error(&self, now: Instant, operation: Option<&Operation>) -> Error {
        let wait = self.until.saturating_duration_since(now);
        let error = Error::new(self.kind.clone(), &*self.words).with_retry_after(wait);
        let message = describe(&error, wait, operation.is_some());
        error.with_message(message)
    }

    fn save(&self, now: Instant) -> SavedBlock {
        SavedBlock {
            left: self.until.saturating_duration_since(now),
            quota: self.kind == ErrorKind::QuotaExceeded,
            words: self.words.clone(),
            refused_probes: self.refused_probes,
        }
    }

    fn share(&self, key: &str, now: Instant) -> SharedBlock {
        let probing = match self.state(now) {
            Reopening::Probing(until) => Some(millis(until.saturating_duration_since(now))),
            Reopening::Blocked | Reopening::ProbeNeeded => None,
        };
        let SavedBlock { left, quota, words, refused_probes } = self.save(now);
        SharedBlock {
            key: key.to_owned(),
            left: millis(left),
            quota,
            words,
            refused_probes,
            probing,
        }
    }

    fn of_shared(shared: &SharedBlock, now: Instant) -> Self {
        let SharedBlock { left, quota, words, refused_probes, .. } = shared.clone();
        let left = Duration::from_millis(left);
        let block = Self::restore(&SavedBlock { left, quota, words, refused_probes }, now);
        let Some(left) = shared.probing else { return block };
        let spent = PROBE_TIME.saturating_sub(Duration::from_millis(left));
        let probe = now.checked_sub(spent).map_or(Probe::Needed, Probe::Sent);
        Self { probe, ..block }
    }

    fn restore(saved: &SavedBlock, now: Instant) -> Self {
        Self {
            until: now + saved.left.min(LONGEST_BLOCK),
            kind: if saved.quota { ErrorKind::QuotaExceeded } else { ErrorKind::RateLimited },
            words: saved.words.clone(),
            probe: Probe::Needed,
            refused_probes: saved.refused_probes,
        }
    }
}

/// Returns the key of an operation: its name, or its method and path if the operation is not in the
/// table of operations.
pub(crate) fn key(operation: &Operation) -> Cow<'static, str> {
    match Operation::by_name(operation.name) {
        Some(known) => Cow::Borrowed(known.name),
        None => Cow::Owned(operation.to_string()),
    }
}

/// Formats the error message of a blocked call: the remaining time and Spotify's message.
pub(crate) fn describe(error: &Error, wait: Duration, alone: bool) -> String {
    let what = if alone { "this operation is blocked" } else { "all calls are paused" };
    let words = match error.message() {
        "" => String::new(),
        words => format!(" (Spotify says: {words})"),
    };
    format!("{what} for {}{words}", in_words(wait))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn probe_intervals_double_for_a_quota_without_retry_after() {
        let mut blocks = Blocks::default();
        let operation = Operation::GET_ARTIST_ALBUMS;
        let error = Error::new(ErrorKind::QuotaExceeded, "Quota");
        let mut now = Instant::now();
        let mut minutes = Vec::new();
        for _ in 0..8 {
            let Passage::Open(probes) = blocks.check(operation, now) else { panic!("blocked") };
            blocks.pass(operation, probes, now);
            let wait = blocks.refuse(operation, &error, Duration::from_millis(100), probes, now);
            minutes.push(wait.as_secs() / 60);
            assert!(matches!(blocks.check(operation, now), Passage::OperationBlocked(..)));
            assert!(matches!(blocks.check(Operation::GET_ARTIST, now), Passage::Open(_)));
            now += wait;
        }
        assert_eq!(minutes, [15, 30, 60, 120, 240, 360, 360, 360]);
        // One probe that is not refused ends the block.
        let Passage::Open(probes) = blocks.check(operation, now) else { panic!("blocked") };
        blocks.pass(operation, probes, now);
        assert!(matches!(blocks.check(operation, now), Passage::Probing { .. }));
        blocks.end(operation, probes, true);
        assert!(
            matches!(blocks.check(operation, now), Passage::Open(probes) if probes == Probes::default())
        );
    }
}
