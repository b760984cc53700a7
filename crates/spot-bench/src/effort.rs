//! How much is done for a figure.

/// How much is done for a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// As much as steadies it.
    Full,
    /// Enough to see whether something broke.
    Quick,
}

impl Effort {
    /// The one of two numbers that belongs to the effort.
    pub(crate) fn pick<T>(self, full: T, quick: T) -> T {
        match self {
            Self::Full => full,
            Self::Quick => quick,
        }
    }
}
