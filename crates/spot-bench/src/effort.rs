//! The number of measurements: full or quick.

/// Whether to take many or few measurements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// Takes enough measurements for stable results.
    Full,
    /// Takes few measurements, to test the benchmark itself.
    Quick,
}

impl Effort {
    /// Returns `full` or `quick`, depending on the effort.
    pub(crate) fn pick<T>(self, full: T, quick: T) -> T {
        match self {
            Self::Full => full,
            Self::Quick => quick,
        }
    }
}
