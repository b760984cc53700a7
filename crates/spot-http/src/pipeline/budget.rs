//! What all calls of a client may spend on sending requests again.

use std::sync::{Mutex, PoisonError};

/// What an attempt after a 5xx, a broken connection or a timeout costs.
pub(crate) const TRANSIENT: u32 = 14;
/// What an attempt after a 429 costs.
pub(crate) const THROTTLED: u32 = 5;
/// What a call that succeeds at once brings.
const SUCCESS: u32 = 1;

/// Tokens that retries cost and successes bring: while everything fails, most calls fail at once
/// instead of asking three times.
#[derive(Debug)]
pub(crate) struct Budget {
    left: Mutex<u32>,
    most: Option<u32>,
}

impl Budget {
    /// A full budget; `None` has no end.
    pub(crate) fn new(most: Option<u32>) -> Self {
        Self { left: Mutex::new(most.unwrap_or_default()), most }
    }

    /// Pays for a retry, if there is enough.
    pub(crate) fn pay(&self, price: u32) -> bool {
        if self.most.is_none() {
            return true;
        }
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        match left.checked_sub(price) {
            Some(rest) => {
                *left = rest;
                true
            }
            None => false,
        }
    }

    /// Gets back what the retry cost that led to the success, or a little if there was none.
    pub(crate) fn succeeded(&self, paid: u32) {
        let Some(most) = self.most else { return };
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        *left = left.saturating_add(paid.max(SUCCESS)).min(most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_empty_it_and_successes_fill_it() {
        let budget = Budget::new(Some(30));
        assert!(budget.pay(TRANSIENT) && budget.pay(TRANSIENT));
        assert!(!budget.pay(TRANSIENT), "2 are left");
        budget.succeeded(TRANSIENT);
        assert!(budget.pay(TRANSIENT));
        for _ in 0..100 {
            budget.succeeded(0);
        }
        assert!(budget.pay(30) && !budget.pay(1), "never more than it began with");
        assert!(Budget::new(None).pay(u32::MAX));
    }
}
