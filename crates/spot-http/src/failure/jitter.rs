//! Random numbers for waits and file names. Do not use these numbers for secrets.

use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};

/// Returns a random number from 0 to 1, to vary the length of a wait.
pub fn jitter() -> f64 {
    unit(random_number())
}

/// Returns a random number. Processes that run the same code get different numbers.
pub fn random_number() -> u64 {
    // The standard library has no random number generator, but it seeds its hash tables with random
    // numbers from the operating system.
    RandomState::new().build_hasher().finish()
}

/// A sequence of random numbers. The same seed gives the same sequence.
pub(crate) struct Jitter {
    seed: u64,
    drawn: u64,
}

impl Jitter {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    /// Returns the next number, from 0 to 1.
    pub(crate) fn draw(&mut self) -> f64 {
        self.drawn = self.drawn.wrapping_add(1);
        let mut hasher = DefaultHasher::new();
        (self.seed, self.drawn).hash(&mut hasher);
        unit(hasher.finish())
    }
}

/// Converts the upper 53 bits to a number from 0 to 1. An `f64` has 53 bits of precision.
fn unit(random: u64) -> f64 {
    (random >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_is_spread_over_the_whole_range() {
        let mut seeded = Jitter::new(7);
        for mut draw in
            [Box::new(jitter) as Box<dyn FnMut() -> f64>, Box::new(move || seeded.draw())]
        {
            let mut counts = [0_u32; 10];
            for _ in 0..10_000 {
                let number = draw();
                assert!((0.0..1.0).contains(&number), "{number}");
                counts[(number * 10.0) as usize] += 1;
            }
            // Each count is 1000 on average. The range allows 10 standard deviations.
            assert!(counts.iter().all(|count| (700..1300).contains(count)), "{counts:?}");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_jitter() {
        let numbers = |seed| {
            let mut jitter = Jitter::new(seed);
            [jitter.draw(), jitter.draw(), jitter.draw()]
        };
        assert_eq!(numbers(1), numbers(1));
        assert_ne!(numbers(1), numbers(2));
    }
}
