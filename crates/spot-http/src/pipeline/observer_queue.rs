//! Delivers events to the observer on a separate thread.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    thread,
};

use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
};

use crate::{Event, Observer, pipeline::user_code};

/// Maximum number of events that are queued for a slow observer.
const CAPACITY: usize = 1_024;

/// Delivers events to an observer on a separate thread, so that senders never wait for the
/// observer. The first event starts the thread. After the queue is dropped, the thread delivers the
/// remaining events and then stops.
///
/// Every pipeline with an observer has a queue. Your own [`RateLimiter`](crate::RateLimiter) can
/// use an `ObserverQueue` to report events. For the order and the loss of events, see [`Observer`].
pub struct ObserverQueue {
    observer: Arc<dyn Observer>,
    /// If the thread cannot be started, the value is `None` and the observer is never called.
    queue: OnceLock<Option<Queue>>,
}

struct Queue {
    sender: mpsc::Sender<Waiting>,
    /// Number of events that were lost since the last queued event.
    lost: Mutex<u64>,
}

/// An entry of the queue.
enum Waiting {
    /// An event, and a handle of the tokio runtime on which the call runs.
    Event(Event, Option<Handle>),
    /// A marker for a task that waits until the observer has handled the earlier events.
    Marker(oneshot::Sender<()>),
}

impl ObserverQueue {
    /// Creates a queue for this observer.
    pub fn new(observer: impl Observer) -> Self {
        Self { observer: Arc::new(observer), queue: OnceLock::new() }
    }

    /// Queues an event. Never waits.
    pub fn send(&self, event: Event) {
        if let Some(queue) = self.queue.get_or_init(|| self.start()) {
            queue.push(event);
        }
    }

    /// Waits until the observer has handled all events so far.
    pub async fn settled(&self) {
        let Some(Some(queue)) = self.queue.get() else { return };
        // Sending fails only if the thread has stopped. The thread does not stop before the queue
        // is dropped.
        let Ok(room) = queue.sender.reserve_many(2).await else { return };
        let (handled, until_handled) = oneshot::channel();
        {
            let mut lost = queue.lost();
            let mut room = room;
            if let Some(event) = take_lost(&mut lost)
                && let Some(room) = room.next()
            {
                room.send(event);
            }
            if let Some(room) = room.next() {
                room.send(Waiting::Marker(handled));
            }
        }
        let _ = until_handled.await;
    }

    fn start(&self) -> Option<Queue> {
        let (sender, waiting) = mpsc::channel(CAPACITY);
        let observer = Arc::clone(&self.observer);
        let thread = thread::Builder::new().name("spot-http-observer".to_owned());
        thread.spawn(move || deliver(&*observer, waiting)).ok()?;
        Some(Queue { sender, lost: Mutex::default() })
    }
}

impl fmt::Debug for ObserverQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ObserverQueue").field("observer", &self.observer).finish_non_exhaustive()
    }
}

impl Queue {
    /// Queues an event, or counts it as lost if the queue is full. The lock makes sure that the
    /// lost events are reported before any later event.
    fn push(&self, event: Event) {
        let mut lost = self.lost();
        let event = Waiting::Event(event, Handle::try_current().ok());
        let Ok(room) = self.sender.try_reserve() else { return *lost += 1 };
        let Some(report) = take_lost(&mut lost) else { return room.send(event) };
        room.send(report);
        if self.sender.try_send(event).is_err() {
            *lost = 1;
        }
    }

    fn lost(&self) -> MutexGuard<'_, u64> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// If events were lost, returns an event that reports their number, and resets the number.
fn take_lost(lost: &mut u64) -> Option<Waiting> {
    let count = std::mem::take(lost);
    (count > 0).then(|| Waiting::Event(Event::Lost { count }, Handle::try_current().ok()))
}

/// Calls the observer for each event until the queue is dropped.
fn deliver(observer: &dyn Observer, mut waiting: mpsc::Receiver<Waiting>) {
    while let Some(next) = waiting.blocking_recv() {
        match next {
            Waiting::Event(event, runtime) => {
                let _inside = runtime.as_ref().map(Handle::enter);
                // A panic of the observer must not stop the thread.
                let _ = user_code::catch(|| observer.event(&event));
            }
            Waiting::Marker(handled) => {
                // An error means that the waiting task was dropped.
                let _ = handled.send(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Ignores;

    impl Observer for Ignores {
        fn event(&self, _: &Event) {}
    }

    #[test]
    fn the_observer_thread_starts_with_the_first_event() {
        let queue = ObserverQueue::new(Ignores);
        assert!(queue.queue.get().is_none());
        queue.send(Event::LimitLearned { limit: 1 });
        assert!(queue.queue.get().is_some());
    }
}
