//! Tracks whether this thread is in the strict first pass over a response.
//!
//! In the strict first pass, visitors decode list entries differently than in the second pass: see
//! `decode.rs`. The visitors are called by serde's derived code, which cannot forward an argument.
//! The mode is therefore a thread-local variable. The mode cannot affect other code: decoding is
//! synchronous, and a guard restores the mode, even after a panic.

use std::cell::Cell;

thread_local! {
    /// Whether this thread is in the strict first pass.
    static IN_PLACE: Cell<bool> = const { Cell::new(false) };
}

/// Puts this thread into the strict first pass. Dropping the value restores the mode.
pub(crate) struct InPlace {
    before: bool,
}

impl InPlace {
    pub(crate) fn start() -> Self {
        Self { before: IN_PLACE.replace(true) }
    }
}

impl Drop for InPlace {
    fn drop(&mut self) {
        IN_PLACE.set(self.before);
    }
}

/// Whether this thread is in the strict first pass.
pub(crate) fn is_in_place() -> bool {
    IN_PLACE.get()
}
