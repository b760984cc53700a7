//! Computes the calls that make one list equal to another.
//!
//! The API has four calls: remove URIs including all duplicates, add consecutive entries at a
//! position, move a range, and replace everything. The first three calls keep the dates of all
//! other entries.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use crate::sync::{
    sequence::{longest_increasing, partners},
    steps::{CHUNK, Step, additions, removals},
};

/// A plan to change a list by removing, adding and moving entries. `Edits` counts the affected
/// entries and computes the calls.
#[derive(Debug)]
pub(crate) struct Edits<'a> {
    wanted: &'a [u32],
    /// Entries to remove, including all duplicates.
    gone: Vec<u32>,
    /// For each entry that is not removed, its position in the wanted list.
    targets: Vec<usize>,
    arrangement: Arrangement,
    /// Number of entries that are in both lists and keep their dates.
    pub(crate) kept: usize,
    pub(crate) removed: usize,
    pub(crate) added: usize,
    /// Number of entries that are removed and added again, because single duplicates cannot be
    /// removed.
    pub(crate) readded: usize,
}

impl<'a> Edits<'a> {
    /// Computes the edits that make `present` equal to `wanted`. Uses the `Order` that leads to
    /// fewer calls.
    pub(crate) fn new(present: &[u32], wanted: &'a [u32]) -> Self {
        let (has, needs) = (counts(present), counts(wanted));
        let needed = |key: &u32| needs.get(key).copied().unwrap_or(0);
        let surplus: HashSet<u32> =
            has.iter().filter(|(key, count)| needed(key) < **count).map(|(key, _)| *key).collect();
        let mut seen = HashSet::new();
        let is_gone = |key: &u32| surplus.contains(key) && seen.insert(*key);
        let gone: Vec<u32> = present.iter().copied().filter(is_gone).collect();
        let rest: Vec<u32> = present.iter().copied().filter(|key| !surplus.contains(key)).collect();
        let readded = gone.iter().map(needed).sum();
        let targets = partners(&rest, wanted);
        let arrange = |order| Arrangement::new(&targets, wanted.len(), order);
        let (moves_first, adds_first) = (arrange(Order::MovesFirst), arrange(Order::AddsFirst));
        let arrangement =
            if adds_first.calls < moves_first.calls { adds_first } else { moves_first };
        Self {
            wanted,
            gone,
            targets,
            arrangement,
            kept: rest.len(),
            removed: present.len() - rest.len() - readded,
            added: wanted.len() - rest.len() - readded,
            readded,
        }
    }

    /// Maximum number of calls.
    pub(crate) fn calls(&self) -> usize {
        self.gone.len().div_ceil(CHUNK) + self.arrangement.calls
    }

    /// Number of entries that are moved.
    pub(crate) fn moved(&self) -> usize {
        self.arrangement.moving.iter().map(Vec::len).sum()
    }

    /// Returns the entries to add, including duplicates.
    pub(crate) fn new_keys(&self) -> impl Iterator<Item = u32> {
        let is_new = |(_, kept): &(_, &bool)| !**kept;
        self.wanted.iter().zip(&self.arrangement.is_kept).filter(is_new).map(|(key, _)| *key)
    }

    /// Returns the calls. The time to compute each call is proportional to the length of the list.
    pub(crate) fn steps(&self) -> Vec<Step> {
        let mut steps: Vec<Step> = removals(&self.gone).collect();
        self.arrangement.carry_out(self.targets.clone(), self.wanted, &mut steps);
        steps
    }
}

/// Number of entries that are in both lists, including duplicates.
pub(crate) fn common(present: &[u32], wanted: &[u32]) -> usize {
    let needs = counts(wanted);
    counts(present).iter().map(|(key, has)| (*has).min(needs.get(key).copied().unwrap_or(0))).sum()
}

fn counts(keys: &[u32]) -> HashMap<u32, usize> {
    let mut counts = HashMap::new();
    for key in keys {
        *counts.entry(*key).or_default() += 1;
    }
    counts
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// First moves ranges of entries that are already in the list, and then adds the new entries. A
    /// new entry may be added inside a moved range.
    MovesFirst,
    /// First adds the new entries in large groups, and then moves ranges of entries that were in
    /// the list before. A range may be moved to a place between two new entries.
    AddsFirst,
}

/// A way to put the entries in order and to add the missing entries.
#[derive(Debug)]
struct Arrangement {
    order: Order,
    /// For each wanted entry: whether it already exists.
    is_kept: Vec<bool>,
    /// For each wanted entry: whether it already exists and does not move.
    is_still: Vec<bool>,
    /// The ranges to move, in the wanted order. Each range consists of positions in the wanted
    /// list.
    moving: Vec<Vec<usize>>,
    calls: usize,
}

impl Arrangement {
    /// Creates an arrangement. `targets` are the positions of the entries in the wanted list, and
    /// `length` is the length of the wanted list.
    fn new(targets: &[usize], length: usize, order: Order) -> Self {
        let is_kept = marked(length, targets);
        let blocks = blocks(targets, &is_kept, order);
        let firsts: Vec<usize> =
            blocks.iter().filter_map(|block| targets.get(block.start).copied()).collect();
        let staying: HashSet<usize> = longest_increasing(&firsts).into_iter().collect();
        let (mut still, mut moving) = (Vec::new(), Vec::new());
        for (at, block) in blocks.into_iter().enumerate() {
            let members = targets.get(block).unwrap_or_default();
            if staying.contains(&at) {
                still.extend_from_slice(members);
            } else {
                moving.push(members.to_vec());
            }
        }
        moving.sort_unstable();
        let is_still = marked(length, &still);
        let mut arrangement = Self { order, is_kept, is_still, moving, calls: 0 };
        let additions = arrangement.additions();
        let additions = additions.iter().map(|(_, new)| new.len().div_ceil(CHUNK)).sum::<usize>();
        arrangement.calls = arrangement.moving.len() + additions;
        arrangement
    }

    /// Returns the groups of entries to add. Each group belongs to one gap between entries that are
    /// already in place. For each group, returns the start of the gap and the positions of the
    /// entries to add. All these positions refer to the wanted list.
    fn additions(&self) -> Vec<(usize, Vec<usize>)> {
        let is = |marks: &[bool], at: usize| marks.get(at).copied().unwrap_or(false);
        let gaps = match self.order {
            Order::MovesFirst => runs(self.is_kept.len(), |at| !is(&self.is_kept, at)),
            // All new entries between two entries that stay in place are added together, one behind
            // another. Later moves may put other entries between these new entries.
            Order::AddsFirst => runs(self.is_still.len(), |at| !is(&self.is_still, at)),
        };
        let new =
            |gap: Range<usize>| (gap.start, gap.filter(|at| !is(&self.is_kept, *at)).collect());
        gaps.into_iter().map(new).collect()
    }

    fn carry_out(&self, mut list: Vec<usize>, wanted: &[u32], steps: &mut Vec<Step>) {
        if self.order == Order::MovesFirst {
            move_all(&mut list, &self.moving, steps);
        }
        for (start, new) in self.additions() {
            let keys: Vec<u32> = new.iter().filter_map(|at| wanted.get(*at).copied()).collect();
            // The new entries are added right after the entry that is at `start - 1` in the wanted
            // list. With `AddsFirst`, no later call moves the entry at `start - 1`. With
            // `MovesFirst`, the list is already sorted up to the entry at `start - 1`.
            let position = start.checked_sub(1).map_or(0, |before| place(&list, before) + 1);
            steps.extend(additions(&keys, position));
            list.splice(position..position, new);
        }
        if self.order == Order::AddsFirst {
            move_all(&mut list, &self.moving, steps);
        }
    }
}

/// Returns `length` flags. The flags at the positions `places` are `true`, and all other flags are
/// `false`.
fn marked(length: usize, places: &[usize]) -> Vec<bool> {
    let mut marks = vec![false; length];
    for place in places {
        if let Some(mark) = marks.get_mut(*place) {
            *mark = true;
        }
    }
    marks
}

/// Returns the ranges of entries that are consecutive in both lists.
fn blocks(targets: &[usize], is_kept: &[bool], order: Order) -> Vec<Range<usize>> {
    // The position of each wanted entry among the existing entries.
    let mut ranks = Vec::with_capacity(is_kept.len());
    let mut rank = 0;
    for kept in is_kept {
        ranks.push(rank);
        rank += usize::from(*kept);
    }
    let follows = |before: usize, after: usize| match order {
        Order::AddsFirst => after == before + 1,
        Order::MovesFirst => {
            let rank = |target: usize| ranks.get(target).copied().unwrap_or_default();
            rank(after) == rank(before) + 1
        }
    };
    let mut blocks: Vec<Range<usize>> = Vec::new();
    let mut last = None;
    for (at, target) in targets.iter().enumerate() {
        match blocks.last_mut() {
            Some(block) if last.is_some_and(|last| follows(last, *target)) => block.end = at + 1,
            _ => blocks.push(at..at + 1),
        }
        last = Some(*target);
    }
    blocks
}

/// For each range, finds the entry that comes directly before the range in the wanted order. Moves
/// the range to the position directly after this entry.
fn move_all(list: &mut Vec<usize>, moving: &[Vec<usize>], steps: &mut Vec<Step>) {
    // The ranges are processed in the wanted order, so all entries that precede a range are already
    // in place.
    let mut sorted = list.clone();
    sorted.sort_unstable();
    for block in moving {
        let Some(first) = block.first() else { continue };
        let (start, length) = (place(list, *first), block.len());
        let rank = sorted.partition_point(|target| target < first);
        let predecessor = rank.checked_sub(1).and_then(|rank| sorted.get(rank));
        let before = predecessor.map_or(0, |predecessor| place(list, *predecessor) + 1);
        if before == start {
            continue;
        }
        steps.push(Step::Move { start, length, before });
        let moved: Vec<usize> = list.drain(start..start + length).collect();
        let to = if before > start { before - length } else { before };
        list.splice(to..to, moved);
    }
}

/// Returns the position of an entry. The entry must be in the list.
fn place(list: &[usize], target: usize) -> usize {
    list.iter().position(|at| *at == target).unwrap_or_default()
}

/// Returns the longest ranges of positions for which `fits` is true.
fn runs(length: usize, fits: impl Fn(usize) -> bool) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for at in (0..length).filter(|at| fits(*at)) {
        match runs.last_mut() {
            Some(run) if run.end == at => run.end += 1,
            _ => runs.push(at..at + 1),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestRunner};

    use super::*;
    use crate::sync::steps::replacement;

    /// Applies the calls to `list` in the same way that Spotify applies them to a playlist.
    fn carry_out(mut list: Vec<u32>, steps: &[Step]) -> Vec<u32> {
        for step in steps {
            match step {
                Step::Remove(keys) => list.retain(|key| !keys.contains(key)),
                Step::Add { keys, position } => {
                    assert!(keys.len() <= CHUNK && !keys.is_empty());
                    list.splice(*position..*position, keys.iter().copied());
                }
                Step::Move { start, length, before } => {
                    assert!(*before <= list.len() && start + length <= list.len());
                    let moved: Vec<u32> = list.drain(*start..start + length).collect();
                    let to = if before > start { before - length } else { *before };
                    list.splice(to..to, moved);
                }
                Step::Replace(keys) => list.clone_from(keys),
            }
        }
        list
    }

    /// Lower bound for the number of calls of a plan that preserves entries. One call can remove up
    /// to 100 URIs. Only an addition or a move can make two entries neighbours. An addition creates
    /// at most two pairs of neighbours that consist of an old and a new entry. A move creates at
    /// most three new pairs of neighbours.
    fn least(present: &[u32], wanted: &[u32]) -> usize {
        let (has, needs) = (counts(present), counts(wanted));
        let gone = has.iter().filter(|(key, count)| needs.get(key).unwrap_or(&0) < *count);
        let gone: HashSet<u32> = gone.map(|(key, _)| *key).collect();
        let rest: Vec<u32> = present.iter().copied().filter(|key| !gone.contains(key)).collect();
        let additions = (wanted.len() - rest.len()).div_ceil(CHUNK);
        let removals = gone.len().div_ceil(CHUNK);
        if has.values().chain(needs.values()).any(|count| *count > 1) {
            // Duplicates cannot be distinguished, so moves are not counted.
            return removals + additions;
        }
        let framed = |keys: &[u32]| -> Vec<Option<u32>> {
            [None].into_iter().chain(keys.iter().copied().map(Some)).chain([None]).collect()
        };
        let together: HashSet<[Option<u32>; 2]> =
            framed(&rest).windows(2).map(|pair| [pair[0], pair[1]]).collect();
        let is_old = |key: &Option<u32>| key.is_none_or(|key| rest.contains(&key));
        let wanted = framed(wanted);
        let pairs = wanted.windows(2).map(|pair| [pair[0], pair[1]]);
        let apart =
            pairs.filter(|pair| pair.iter().any(is_old) && !together.contains(pair)).count();
        removals + additions + apart.saturating_sub(2 * additions).div_ceil(3)
    }

    fn lists(keys: u32) -> impl Strategy<Value = (Vec<u32>, Vec<u32>)> {
        (prop::collection::vec(0..keys, 0..120), prop::collection::vec(0..keys, 0..120))
    }

    /// Realistic lists, with few duplicates and few changes.
    fn edited(kinds: u8) -> impl Strategy<Value = (Vec<u32>, Vec<u32>)> {
        let change =
            (0..kinds, any::<prop::sample::Index>(), any::<prop::sample::Index>(), 1..9_usize);
        (1..300_u32, prop::collection::vec(change, 0..12)).prop_map(|(length, changes)| {
            let present: Vec<u32> = (0..length).collect();
            let mut wanted = present.clone();
            for (number, (kind, from, to, count)) in changes.into_iter().enumerate() {
                if wanted.is_empty() {
                    break;
                }
                let from = from.index(wanted.len());
                let end = (from + count).min(wanted.len());
                match kind {
                    0 => drop(wanted.drain(from..end)),
                    1 => drop(wanted.splice(from..from, [length + number as u32])),
                    2 => {
                        let moved: Vec<u32> = wanted.drain(from..end).collect();
                        let to = to.index(wanted.len() + 1);
                        wanted.splice(to..to, moved);
                    }
                    _ => wanted.push(wanted[from]),
                }
            }
            (present, wanted)
        })
    }

    proptest! {
        #[test]
        fn executing_the_planned_calls_yields_the_wanted_list((present, wanted) in lists(40)) {
            let edits = Edits::new(&present, &wanted);
            prop_assert_eq!(carry_out(present.clone(), &edits.steps()), wanted.clone());
            prop_assert_eq!(edits.kept + edits.added + edits.readded, wanted.len());
            prop_assert_eq!(edits.kept + edits.removed + edits.readded, present.len());
            prop_assert!(edits.steps().len() >= least(&present, &wanted));
            prop_assert!(edits.steps().len() <= edits.calls());
            prop_assert_eq!(edits.new_keys().count(), edits.added + edits.readded);
        }

        #[test]
        fn a_few_changes_take_at_most_26_calls((present, wanted) in edited(4)) {
            let edits = Edits::new(&present, &wanted);
            prop_assert_eq!(carry_out(present.clone(), &edits.steps()), wanted.clone());
            prop_assert!(edits.steps().len() >= least(&present, &wanted));
            prop_assert!(edits.steps().len() <= 26, "12 changes: {:?}", edits.steps());
        }

        #[test]
        fn a_replacement_yields_the_wanted_list((present, wanted) in lists(200)) {
            let steps = replacement(&wanted);
            prop_assert_eq!(carry_out(present, &steps), wanted.clone());
            prop_assert_eq!(steps.len(), wanted.len().div_ceil(CHUNK).max(1));
        }
    }

    /// Prints the number of calls for three cases: the plan, the lower bound, and a replacement.
    #[test]
    #[expect(clippy::print_stdout, reason = "the purpose of the test is to print the figures")]
    fn the_number_of_calls_is_close_to_the_lower_bound() {
        let mut runner = TestRunner::deterministic();
        let mut compare = |name: &str, pairs: BoxedStrategy<(Vec<u32>, Vec<u32>)>| {
            let (mut calls, mut replacements, mut fewest, mut kept) = (0, 0, 0, 0);
            for _ in 0..500 {
                let (present, wanted) = pairs.new_tree(&mut runner).unwrap().current();
                let edits = Edits::new(&present, &wanted);
                calls += edits.steps().len();
                kept += edits.kept;
                replacements += replacement(&wanted).len();
                fewest += least(&present, &wanted);
            }
            println!(
                "500 pairs of {name}: the plans make {calls} calls (lower bound: {fewest} calls) \
                 and preserve the dates of {kept} entries; replacing the whole lists takes \
                 {replacements} calls"
            );
            (calls, fewest)
        };
        let (calls, fewest) = compare("lists with up to 12 changes", edited(3).boxed());
        assert!(
            calls * 10 <= fewest * 11,
            "the plans take {calls} calls, but may exceed the minimum ({fewest}) by at most 10 %"
        );
        compare("unrelated lists", lists(200).boxed());
    }

    #[test]
    fn moving_a_range_takes_a_single_call() {
        let moved = Edits::new(&[0, 1, 2, 3, 4, 5], &[3, 4, 0, 1, 2, 5]);
        assert_eq!(moved.steps().len(), 1);
        assert_eq!((moved.kept, moved.added, moved.removed), (6, 0, 0));
        // The test accepts a move of either range.
        assert!(matches!(moved.steps()[0], Step::Move { .. }));
    }

    #[test]
    fn entries_added_around_a_moved_entry_need_a_single_add() {
        let around = Edits::new(&[9, 1, 2, 3], &[1, 2, 3, 20, 21, 9, 22]);
        assert_eq!(
            around.steps(),
            [
                Step::Add { keys: vec![20, 21, 22], position: 4 },
                Step::Move { start: 0, length: 1, before: 6 },
            ]
        );
    }

    #[test]
    fn removing_a_surplus_duplicate_readds_the_remaining_copy() {
        let fewer = Edits::new(&[1, 2, 1, 3], &[1, 2, 3]);
        assert_eq!(
            fewer.steps(),
            [Step::Remove(vec![1]), Step::Add { keys: vec![1], position: 0 }]
        );
        assert_eq!((fewer.kept, fewer.readded, fewer.removed), (2, 1, 1));
        // Adding a duplicate does not affect other entries.
        let more = Edits::new(&[1, 2], &[1, 2, 1]);
        assert_eq!(more.steps(), [Step::Add { keys: vec![1], position: 2 }]);
    }
}
