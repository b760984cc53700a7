//! Longest increasing and common subsequences.

use std::collections::HashMap;

/// An entry is compared with at most `2 * COPIES` duplicates. The ranks of these duplicates are
/// near the rank of the entry. Without a limit, a list with many duplicates of one track would take
/// quadratic time.
const COPIES: usize = 8;

/// Returns the indexes of a longest strictly increasing subsequence.
pub(crate) fn longest_increasing(values: &[usize]) -> Vec<usize> {
    // For each length, the index of the last value of an increasing subsequence of this length. If
    // several subsequences have this length, the subsequence with the smallest last value is
    // chosen.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(values.len());
    let value = |place: usize| values.get(place).copied().unwrap_or(usize::MAX);
    for (place, current) in values.iter().enumerate() {
        let length = ends.partition_point(|end| value(*end) < *current);
        before.push(length.checked_sub(1).and_then(|shorter| ends.get(shorter).copied()));
        match ends.get_mut(length) {
            Some(end) => *end = place,
            None => ends.push(place),
        }
    }
    let mut places = Vec::with_capacity(ends.len());
    let mut next = ends.last().copied();
    while let Some(place) = next {
        places.push(place);
        next = before.get(place).copied().flatten();
    }
    places.reverse();
    places
}

/// Pairs each entry of `list` with an entry of `other` that has the same key. Prefers pairs whose
/// order is the same in both lists. `other` must contain each key of `list` at least as often as
/// `list`.
pub(crate) fn partners(list: &[u32], other: &[u32]) -> Vec<usize> {
    let mut copies: HashMap<u32, Vec<usize>> = HashMap::new();
    for (place, key) in other.iter().enumerate() {
        copies.entry(*key).or_default().push(place);
    }
    let copies_of = |key: &u32| copies.get(key).map_or(&[][..], Vec::as_slice);
    // Pairs have the same order in both lists if their positions in `other` increase. The
    // candidates of one entry are in decreasing order, so that an increasing subsequence contains
    // at most one of them.
    let mut ranks: HashMap<u32, usize> = HashMap::new();
    let (mut entries, mut candidates) = (Vec::new(), Vec::new());
    for (entry, key) in list.iter().enumerate() {
        let rank = ranks.entry(*key).or_default();
        let near = copies_of(key).iter().skip(rank.saturating_sub(COPIES)).take(2 * COPIES);
        let near: Vec<usize> = near.copied().collect();
        entries.extend(near.iter().map(|_| entry));
        candidates.extend(near.into_iter().rev());
        *rank += 1;
    }
    let mut partners: Vec<Option<usize>> = vec![None; list.len()];
    let mut is_free: Vec<bool> = vec![true; other.len()];
    for place in longest_increasing(&candidates) {
        let (Some(entry), Some(partner)) = (entries.get(place), candidates.get(place)) else {
            continue;
        };
        if let (Some(slot), Some(free)) = (partners.get_mut(*entry), is_free.get_mut(*partner)) {
            (*slot, *free) = (Some(*partner), false);
        }
    }
    // Each entry that is not paired yet is paired with the first unused entry of `other` that has
    // the same key.
    let mut left: HashMap<u32, std::vec::IntoIter<usize>> = HashMap::new();
    for (entry, slot) in partners.iter_mut().enumerate() {
        let Some(key) = list.get(entry).filter(|_| slot.is_none()) else { continue };
        let free = left.entry(*key).or_insert_with(|| {
            let is_free = |place: &usize| is_free.get(*place).copied().unwrap_or(false);
            copies_of(key).iter().copied().filter(is_free).collect::<Vec<_>>().into_iter()
        });
        *slot = free.next();
    }
    partners.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pairing_keeps_the_longest_increasing_subsequence() {
        assert_eq!(longest_increasing(&[3, 1, 2, 5, 4]), [1, 2, 4]);
        assert_eq!(longest_increasing(&[2, 2, 2]).len(), 1);
        // The 7 of the first list is paired with the second 7 of the other list, so that no entry
        // moves.
        assert_eq!(partners(&[1, 7, 2], &[7, 1, 7, 2]), [1, 2, 3]);
    }

    proptest! {
        #[test]
        fn every_entry_is_paired_with_a_distinct_equal_entry(mut list in prop::collection::vec(0..6_u32, 0..60)) {
            let other = list.clone();
            list.sort_unstable();
            list.truncate(40);
            let found = partners(&list, &other);
            prop_assert_eq!(found.len(), list.len());
            for (key, partner) in list.iter().zip(&found) {
                prop_assert_eq!(key, &other[*partner]);
            }
            let mut taken = found.clone();
            taken.sort_unstable();
            taken.dedup();
            prop_assert_eq!(taken.len(), found.len());
        }
    }
}
