//! Seeded random numbers for the test data, which are the same on every machine.

/// The splitmix64 generator.
#[derive(Clone, Debug)]
pub(crate) struct Rng(u64);

impl Rng {
    /// Creates a separate generator for one part of the test data. A change in one part therefore
    /// does not affect the random numbers of other parts.
    pub(crate) fn new(seed: u64, part: &str) -> Self {
        let mut state = seed ^ 0x5107_1F00_0C0D_E000;
        for byte in part.bytes() {
            state = mix(state ^ u64::from(byte));
        }
        Self(state)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// Returns a number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u32, high: u32) -> u32 {
        let span = u64::from(high.saturating_sub(low)) + 1;
        low + u32::try_from(self.next() % span).unwrap_or(0)
    }

    /// Returns a random index into a list of this length.
    pub(crate) fn below(&mut self, length: usize) -> usize {
        let length = u64::try_from(length).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % length).unwrap_or(0)
    }

    /// Returns true with a probability of `percent` percent.
    pub(crate) fn chance(&mut self, percent: u32) -> bool {
        self.next() % 100 < u64::from(percent)
    }

    /// Returns a number from 0.0 to 1.0 with three decimals.
    pub(crate) fn share(&mut self) -> f64 {
        f64::from(self.between(0, 1000)) / 1000.0
    }

    /// Returns one of the entries, or the type's default if the list is empty.
    pub(crate) fn pick<T: Copy + Default>(&mut self, entries: &[T]) -> T {
        let count = u64::try_from(entries.len()).unwrap_or(0).max(1);
        let index = usize::try_from(self.next() % count).unwrap_or(0);
        entries.get(index).copied().unwrap_or_default()
    }

    /// Returns `length` hexadecimal digits.
    pub(crate) fn hex(&mut self, length: usize) -> String {
        let mut text = String::with_capacity(length + 16);
        while text.len() < length {
            text.push_str(&format!("{:016x}", self.next()));
        }
        text.truncate(length);
        text
    }
}

/// Mixes the bits of a number, so that each input bit can affect all output bits.
pub(crate) fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}
