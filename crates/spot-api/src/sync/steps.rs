//! The calls that change the items of a playlist.

/// Maximum number of items per call.
pub(crate) const CHUNK: usize = 100;

/// A call. Entries are numbers: equal numbers stand for equal URIs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Removes all copies of these entries.
    Remove(Vec<u32>),
    /// Adds these entries at a position.
    Add { keys: Vec<u32>, position: usize },
    /// Moves a range of entries before the entry that is at position `before` now.
    Move { start: usize, length: usize, before: usize },
    /// Replaces everything.
    Replace(Vec<u32>),
}

/// Removes all copies of the keys, with as many calls as necessary.
pub(crate) fn removals(keys: &[u32]) -> impl Iterator<Item = Step> {
    keys.chunks(CHUNK).map(|chunk| Step::Remove(chunk.to_vec()))
}

/// Adds a run at a position, with as many calls as necessary.
pub(crate) fn additions(keys: &[u32], position: usize) -> impl Iterator<Item = Step> {
    keys.chunks(CHUNK).enumerate().map(move |(chunk, keys)| Step::Add {
        keys: keys.to_vec(),
        position: position + chunk * CHUNK,
    })
}

/// Replaces everything with these entries.
pub(crate) fn replacement(keys: &[u32]) -> Vec<Step> {
    let (first, rest) = keys.split_at(keys.len().min(CHUNK));
    let mut steps = vec![Step::Replace(first.to_vec())];
    steps.extend(additions(rest, first.len()));
    steps
}
