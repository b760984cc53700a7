//! Counts allocations.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering},
};

/// A wrapper around the system allocator that counts allocations.
pub(crate) struct Counting;

/// The counters of a thread. Counters that all threads share would slow the measured code. The
/// alignment prevents two threads from sharing a cache line.
#[repr(align(128))]
struct Place {
    calls: AtomicU64,
    bytes: AtomicU64,
}

static PLACES: [Place; 256] =
    [const { Place { calls: AtomicU64::new(0), bytes: AtomicU64::new(0) } }; 256];
static LEFT_OUT: Place = Place { calls: AtomicU64::new(0), bytes: AtomicU64::new(0) };
static NEXT: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static MINE: Cell<Option<&'static Place>> = const { Cell::new(None) };
}

/// Whether live bytes are counted. Counting live bytes is slower than counting allocations.
static WATCHED: AtomicBool = AtomicBool::new(false);
static LIVE: AtomicI64 = AtomicI64::new(0);
static MOST: AtomicI64 = AtomicI64::new(0);

// SAFETY: all calls are forwarded to the system allocator. The counters do not allocate.
#[expect(unsafe_code, reason = "an allocator needs unsafe code")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        lives(layout.size(), 0);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        lives(0, layout.size());
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // For a reallocation, only the additional bytes are counted.
        count(size.saturating_sub(layout.size()));
        lives(size, layout.size());
        unsafe { System.realloc(pointer, layout, size) }
    }
}

fn count(bytes: usize) {
    let place = MINE.get().or_else(|| {
        let at = NEXT.fetch_add(1, Ordering::Relaxed) % PLACES.len();
        let place = PLACES.get(at);
        MINE.set(place);
        place
    });
    let Some(place) = place else { return };
    // Usually, only one thread writes to a `Place`, so no atomic addition is needed. If there are
    // more threads than entries in `PLACES`, two threads can share a `Place`, and some allocations
    // are not counted.
    let add = |counter: &AtomicU64, more: u64| {
        counter.store(counter.load(Ordering::Relaxed) + more, Ordering::Relaxed);
    };
    add(&place.calls, 1);
    add(&place.bytes, bytes as u64);
}

fn lives(more: usize, less: usize) {
    if WATCHED.load(Ordering::Relaxed) {
        let change = more as i64 - less as i64;
        let live = LIVE.fetch_add(change, Ordering::Relaxed) + change;
        MOST.fetch_max(live, Ordering::Relaxed);
    }
}

/// Excludes the allocations of this thread from the count. The threads of the servers call this
/// function.
pub(crate) fn leave_this_thread_out() {
    MINE.set(Some(&LEFT_OUT));
}

/// Number of allocations and total number of allocated bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allocated {
    pub(crate) calls: u64,
    pub(crate) bytes: u64,
}

/// Returns the allocations of all threads since the start of the program.
pub(crate) fn so_far() -> Allocated {
    let mut all = Allocated { calls: 0, bytes: 0 };
    for place in &PLACES {
        all.calls += place.calls.load(Ordering::Relaxed);
        all.bytes += place.bytes.load(Ordering::Relaxed);
    }
    all
}

/// Runs a closure and counts the allocations.
pub(crate) fn of<T>(work: impl FnOnce() -> T) -> (T, Allocated) {
    let before = so_far();
    let done = work();
    let after = so_far();
    let calls = after.calls - before.calls;
    (done, Allocated { calls, bytes: after.bytes - before.bytes })
}

/// Runs a closure. Returns the result and the number of bytes that the result occupies.
pub(crate) fn held<T>(work: impl FnOnce() -> T) -> (T, i64) {
    LIVE.store(0, Ordering::Relaxed);
    WATCHED.store(true, Ordering::Relaxed);
    let done = work();
    WATCHED.store(false, Ordering::Relaxed);
    (done, LIVE.load(Ordering::Relaxed))
}

/// The maximum number of live bytes during a measurement, and the number of live bytes at the end.
/// Both numbers are relative to the start of the measurement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lived {
    pub(crate) most: i64,
    pub(crate) left: i64,
}

/// Measures the live bytes of the whole process while a future runs. Only one measurement may run
/// at a time.
pub(crate) async fn lived<T>(work: impl Future<Output = T>) -> (T, Lived) {
    LIVE.store(0, Ordering::Relaxed);
    MOST.store(0, Ordering::Relaxed);
    WATCHED.store(true, Ordering::Relaxed);
    let done = work.await;
    WATCHED.store(false, Ordering::Relaxed);
    (done, Lived { most: MOST.load(Ordering::Relaxed), left: LIVE.load(Ordering::Relaxed) })
}
