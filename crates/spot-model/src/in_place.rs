//! Records whether this thread is in the strict first pass over a response.
//!
//! Visitors decode list entries differently in the first and the second pass: see `decode.rs`.
//! serde's derived code calls the visitors, and cannot pass an extra argument to a visitor.
//! Therefore, a thread-local variable stores whether the first pass is running. The variable cannot
//! affect other code, because decoding is synchronous. A guard restores the variable, even after a
//! panic.

use std::cell::Cell;

thread_local! {
    /// Whether this thread is in the strict first pass.
    static IN_PLACE: Cell<bool> = const { Cell::new(false) };
}

/// A guard that sets the thread-local variable to `true`: the strict first pass is running.
/// Dropping the guard restores the previous value of the variable.
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
