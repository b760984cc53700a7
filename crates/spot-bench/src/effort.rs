//! Effort of a measurement.

/// Effort of a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// Enough for stable figures.
    Full,
    /// Enough for a smoke test.
    Quick,
}

impl Effort {
    /// Returns the value for this effort.
    pub(crate) fn pick<T>(self, full: T, quick: T) -> T {
        match self {
            Self::Full => full,
            Self::Quick => quick,
        }
    }
}
