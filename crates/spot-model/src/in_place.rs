//! Records whether this thread is in the strict first pass over a response.
//!
//! Visitors decode list entries differently in the first and the second pass: see `decode.rs`.
//! serde's derived code calls the visitors, and cannot pass an extra argument to a visitor. A
//! thread-local variable therefore records the pass. The variable cannot affect other code, because
//! decoding is synchronous. A guard restores the variable, even after a panic.

use std::cell::Cell;

thread_local! {
    /// Whether this thread is in the strict first pass.
    static IN_PLACE: Cell<bool> = const { Cell::new(false) };
}

/// Puts this thread into the strict first pass. Dropping the value restores the previous state.
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
