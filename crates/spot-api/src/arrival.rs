//! Tells a stream of pages that an answer is there, before it is decoded.
//!
//! What a stream asks for next it can ask for while the answer before it is decoded; otherwise the
//! line would rest for that long with each page.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Context,
};

use futures::task::AtomicWaker;
use tokio::task::yield_now;

tokio::task_local! {
    /// That of the page which the task is to bring.
    static ARRIVAL: Arc<Arrival>;
}

/// Whether an answer is there, and who waits for it.
#[derive(Debug, Default)]
pub(crate) struct Arrival {
    there: AtomicBool,
    waiting: AtomicWaker,
}

impl Arrival {
    /// Whether the answer is there. If not, the task is woken when it is.
    pub(crate) fn is_there(&self, cx: &Context<'_>) -> bool {
        if self.there.load(Ordering::Acquire) {
            return true;
        }
        self.waiting.register(cx.waker());
        // It may have come before anybody was registered.
        self.there.load(Ordering::Acquire)
    }

    /// Does the work whose calls tell of their answers here.
    pub(crate) async fn of<T>(self: Arc<Self>, work: impl Future<Output = T>) -> T {
        ARRIVAL.scope(self, work).await
    }
}

/// Says that an answer is there, and lets whoever waits for that go first.
pub(crate) async fn tell() {
    let waiting = ARRIVAL.try_with(|arrival| {
        arrival.there.store(true, Ordering::Release);
        arrival.waiting.take()
    });
    if let Ok(Some(waiting)) = waiting {
        waiting.wake();
        // Decoding does not give way, and the one that was woken may have to run on this thread.
        yield_now().await;
    }
}
