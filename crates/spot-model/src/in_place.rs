//! Which pass over a response this thread is in.
//!
//! Visitors decode the entries of a list in one way in the strict first pass, in another way
//! afterwards: see `decode.rs`. Derived code stands between the passes and the visitors, and it passes
//! no argument on. The mode is therefore a variable of the thread. It cannot leak: decoding is
//! synchronous, and a guard restores the value, also after a panic.

use std::cell::Cell;

thread_local! {
    /// Whether this thread is in the strict first pass.
    static IN_PLACE: Cell<bool> = const { Cell::new(false) };
}

/// The strict first pass on this thread. Restores the mode when it is dropped.
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
