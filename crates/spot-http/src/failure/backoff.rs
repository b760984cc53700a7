use std::time::Duration;

/// Computes the random waits between attempts. The maximum wait doubles with each attempt, up to a
/// cap.
///
/// Each wait has a random length ("full jitter"). Tasks that fail at the same time therefore retry
/// at different times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    base: Duration,
    cap: Duration,
}

impl Backoff {
    /// Creates a backoff. The maximum wait after the first attempt is `base`. With each further
    /// attempt, the maximum wait doubles, up to `cap`.
    pub const fn new(base: Duration, cap: Duration) -> Self {
        Self { base, cap }
    }

    /// Returns how long to wait after the given attempt has failed. The first attempt has the
    /// number 1. `random` is between 0 and 1.
    pub fn wait(&self, attempt: u32, random: f64) -> Duration {
        let doubled = self.base.saturating_mul(1 << attempt.saturating_sub(1).min(16));
        doubled.min(self.cap).mul_f64(random.clamp(0.0, 1.0))
    }
}

impl Default for Backoff {
    /// Creates a backoff whose `base` is 0.5 s and whose `cap` is 20 s.
    fn default() -> Self {
        Self::new(Duration::from_millis(500), Duration::from_secs(20))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_waits_double_up_to_the_cap() {
        let backoff = Backoff::default();
        let most: Vec<_> = (1..9).map(|attempt| backoff.wait(attempt, 1.0).as_millis()).collect();
        assert_eq!(most, [500, 1000, 2000, 4000, 8000, 16_000, 20_000, 20_000]);
        assert_eq!(backoff.wait(3, 0.0), Duration::ZERO);
        assert_eq!(backoff.wait(u32::MAX, 1.0), Duration::from_secs(20));
    }
}
