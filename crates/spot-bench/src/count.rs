//! Counts allocations.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicU64, Ordering},
};

/// The system's allocator, with a count.
pub struct Counting;

static CALLS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);

// SAFETY: all of it is the system's allocator; the counters do not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // What grows is counted as what it grows by.
        count(size.saturating_sub(layout.size()));
        unsafe { System.realloc(pointer, layout, size) }
    }
}

fn count(bytes: usize) {
    CALLS.fetch_add(1, Ordering::Relaxed);
    BYTES.fetch_add(bytes as u64, Ordering::Relaxed);
}

/// How often something was allocated, and how many bytes in all.
#[derive(Clone, Copy, Debug)]
pub struct Allocated {
    pub calls: u64,
    pub bytes: u64,
}

/// What was allocated so far.
pub fn so_far() -> Allocated {
    Allocated { calls: CALLS.load(Ordering::Relaxed), bytes: BYTES.load(Ordering::Relaxed) }
}

/// What something allocates.
pub fn of<T>(work: impl FnOnce() -> T) -> (T, Allocated) {
    let before = so_far();
    let done = work();
    let after = so_far();
    let calls = after.calls - before.calls;
    (done, Allocated { calls, bytes: after.bytes - before.bytes })
}
