//! The calls that change what is in a playlist.

/// How many items one call takes.
pub(crate) const CHUNK: usize = 100;

/// A call. An entry is known by a number: the same number, the same URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Removes every copy of these.
    Remove(Vec<u32>),
    /// Adds these at a position.
    Add { keys: Vec<u32>, position: usize },
    /// Moves a range to before what is at a position.
    Move { start: usize, length: usize, before: usize },
    /// Replaces everything.
    Replace(Vec<u32>),
}

/// Removes every copy of the keys, in as many calls as it takes.
pub(crate) fn removals(keys: &[u32]) -> impl Iterator<Item = Step> {
    keys.chunks(CHUNK).map(|chunk| Step::Remove(chunk.to_vec()))
}

/// Adds a run at a position, in as many calls as it takes.
pub(crate) fn additions(keys: &[u32], position: usize) -> impl Iterator<Item = Step> {
    keys.chunks(CHUNK).enumerate().map(move |(chunk, keys)| Step::Add {
        keys: keys.to_vec(),
        position: position + chunk * CHUNK,
    })
}

/// Puts these in the place of everything.
pub(crate) fn replacement(keys: &[u32]) -> Vec<Step> {
    let (first, rest) = keys.split_at(keys.len().min(CHUNK));
    let mut steps = vec![Step::Replace(first.to_vec())];
    steps.extend(additions(rest, first.len()));
    steps
}
