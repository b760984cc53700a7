//! The retry budget that all calls of a client share.

use std::sync::{Mutex, PoisonError};

use crate::failure::Outcome;

/// Price, in points, of a retry after a 5xx, a broken connection or a timeout.
const TRANSIENT: u32 = 14;
/// Price, in points, of a retry after a 429.
const RATE_LIMITED: u32 = 5;
/// Number of points that a call earns if its first attempt succeeds.
const SUCCESS: u32 = 1;

/// Returns the number of points that a retry costs after an attempt with this outcome.
pub(crate) fn price(outcome: Outcome) -> u32 {
    match outcome {
        Outcome::RateLimited => RATE_LIMITED,
        _ => TRANSIENT,
    }
}

/// The retry budget: a balance of points that all calls share. A retry costs points, and a success
/// earns points. During an outage, the points run out, and most calls fail without a retry.
#[derive(Debug)]
pub(crate) struct Budget {
    left: Mutex<u32>,
    most: Option<u32>,
}

impl Budget {
    /// Creates a full budget. `None` means no limit.
    pub(crate) fn new(most: Option<u32>) -> Self {
        Self { left: Mutex::new(most.unwrap_or_default()), most }
    }

    /// Subtracts the price of a retry from the balance. Returns `false`, and subtracts nothing, if
    /// the balance is too low.
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

    /// Adds points after a success: the price of the retry that succeeded, or 1 without a retry.
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
    fn retries_cost_budget_points_and_successes_refund_points() {
        let budget = Budget::new(Some(30));
        assert!(budget.pay(TRANSIENT) && budget.pay(TRANSIENT));
        assert!(!budget.pay(TRANSIENT), "2 are left");
        budget.succeeded(TRANSIENT);
        assert!(budget.pay(TRANSIENT));
        for _ in 0..100 {
            budget.succeeded(0);
        }
        assert!(budget.pay(30) && !budget.pay(1), "the budget must never exceed its initial value");
        assert!(Budget::new(None).pay(u32::MAX));
    }
}
