//! Exclusive access to a record, one task at a time.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::sleep;

use crate::{
    StoreLock,
    session::heartbeat::{Heartbeat, unless_stalled},
    user_code::catch,
};

/// Gives one task at a time the right to read, change and write a record.
///
/// Unlike a mutex, this type ends the turn of a task that makes no progress, and releases the
/// store's lock. Waiting tasks are not queued, because a queue could give the turn to a task that
/// makes no progress.
#[derive(Default)]
pub(crate) struct Exclusive {
    holder: Mutex<Option<Holder>>,
}

struct Holder {
    heartbeat: Arc<Heartbeat>,
    lock: Option<StoreLock>,
}

/// The turn of a task. Dropping the value ends the turn.
pub(crate) struct Turn<'a> {
    exclusive: &'a Exclusive,
    heartbeat: Arc<Heartbeat>,
}

/// Interval at which a waiting task checks whether its turn has started.
const POLL: Duration = Duration::from_millis(10);

impl Exclusive {
    /// Waits until it is the turn of this task.
    pub(crate) async fn enter(&self) -> Turn<'_> {
        loop {
            let other = {
                let mut holder = self.holder();
                match &*holder {
                    Some(holder) => Arc::clone(&holder.heartbeat),
                    None => {
                        let heartbeat = Arc::new(Heartbeat::default());
                        *holder = Some(Holder { heartbeat: Arc::clone(&heartbeat), lock: None });
                        return Turn { exclusive: self, heartbeat };
                    }
                }
            };
            let ended = async {
                while self.is_held_by(&other) {
                    sleep(POLL).await;
                }
            };
            if unless_stalled(&other, ended).await.is_none() {
                self.release(&other);
            }
        }
    }

    fn holder(&self) -> MutexGuard<'_, Option<Holder>> {
        self.holder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_held_by(&self, heartbeat: &Arc<Heartbeat>) -> bool {
        self.holder().as_ref().is_some_and(|holder| Arc::ptr_eq(&holder.heartbeat, heartbeat))
    }

    fn release(&self, heartbeat: &Arc<Heartbeat>) {
        let released = self.holder().take_if(|holder| Arc::ptr_eq(&holder.heartbeat, heartbeat));
        // Dropping the store's lock runs code of the store, which may panic. The mutex is already
        // unlocked here.
        let _ = catch(|| drop(released));
    }
}

impl Turn<'_> {
    /// Runs the work of this turn. Meanwhile a heartbeat shows other tasks that the work makes
    /// progress.
    pub(crate) async fn run<F: Future>(&self, work: F) -> F::Output {
        self.heartbeat.run(work).await
    }

    /// Keeps the store's lock until the turn ends.
    pub(crate) fn hold(&self, lock: StoreLock) {
        let mut holder = self.exclusive.holder();
        match holder.as_mut().filter(|h| Arc::ptr_eq(&h.heartbeat, &self.heartbeat)) {
            Some(holder) => holder.lock = Some(lock),
            // This task has lost its turn, and therefore must not hold a lock.
            None => {
                drop(holder);
                let _ = catch(|| drop(lock));
            }
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.exclusive.release(&self.heartbeat);
    }
}
