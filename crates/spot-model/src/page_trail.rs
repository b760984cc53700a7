//! Detects cycles in the links of pages.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// A summary of the links that led from the first page to this page. The summary has a fixed size.
///
/// A client follows the links from page to page. The links that a server returns can form a cycle.
/// Brent's algorithm detects cycles: it stores one link, and replaces the stored link after 1, 2,
/// 4, ... further links. If there are n distinct links, a cycle is detected after at most 3 n
/// links.
///
/// The trail is not part of the page: it does not affect equality, and JSON does not contain it.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, Default)]
pub struct PageTrail {
    /// Hash of the stored link.
    remembered: u64,
    /// Number of followed links, starting with the stored link. 0 if no link is stored.
    length: u32,
    /// If `length` has reached this value, the trail stores the next followed link instead of the
    /// old one.
    limit: u32,
    backwards: bool,
}

impl PageTrail {
    /// Returns the trail with this link added. Returns `None` if the link is the stored link,
    /// because the links then form a cycle.
    #[must_use]
    pub fn follow(self, link: &str, backwards: bool) -> Option<Self> {
        let mut hasher = DefaultHasher::new();
        link.hash(&mut hasher);
        let hash = hasher.finish();
        if self.length == 0 || self.backwards != backwards {
            return Some(Self { remembered: hash, length: 1, limit: 1, backwards });
        }
        if self.remembered == hash {
            return None;
        }
        if self.length == self.limit {
            let limit = self.limit.saturating_mul(2);
            return Some(Self { remembered: hash, length: 1, limit, backwards });
        }
        Some(Self { length: self.length + 1, ..self })
    }
}

impl PartialEq for PageTrail {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::PageTrail;

    /// Number of links that are followed before the cycle is detected. The list has a cycle after
    /// `start` pages.
    fn followed(start: usize, circle: usize) -> usize {
        let mut trail = PageTrail::default();
        for count in 0.. {
            let at = if count < start { count } else { start + (count - start) % circle };
            match trail.follow(&format!("https://example.org/?after={at}"), false) {
                Some(next) => trail = next,
                None => return count,
            }
        }
        unreachable!("the cycle of links was not detected")
    }

    #[test]
    fn every_cycle_of_links_is_detected_within_bounded_steps() {
        for start in [0, 1, 2, 5, 17, 100] {
            for circle in [1, 2, 3, 7, 64, 100] {
                let followed = followed(start, circle);
                assert!(followed >= start + circle, "{start}, {circle}: {followed}");
                assert!(followed <= 3 * (start + circle), "{start}, {circle}: {followed}");
            }
        }
    }

    #[test]
    fn alternating_between_next_and_previous_is_not_a_cycle() {
        let mut trail = PageTrail::default();
        for _ in 0..100 {
            trail = trail.follow("second", false).unwrap();
            trail = trail.follow("first", true).unwrap();
        }
    }
}
