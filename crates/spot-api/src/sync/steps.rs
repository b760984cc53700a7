//! The calls that change the items of a playlist.

/// Maximum number of items per call.
pub(crate) const CHUNK: usize = 100;

/// A call. Each entry is represented by a number. Entries with equal URIs have equal numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Removes these entries, including all duplicates.
    Remove(Vec<u32>),
    /// Adds these entries at a position.
    Add { keys: Vec<u32>, position: usize },
    /// Moves a range of entries in front of the entry whose current position is `before`.
    Move { start: usize, length: usize, before: usize },
    /// Replaces everything.
    Replace(Vec<u32>),
}

/// Removes the entries with these keys, including all duplicates, with as many calls as necessary.
pub(crate) fn removals(keys: &[u32]) -> impl Iterator<Item = Step> {
    keys.chunks(CHUNK).map(|chunk| Step::Remove(chunk.to_vec()))
}

/// Adds consecutive entries at a position, with as many calls as necessary.
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
