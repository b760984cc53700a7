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
/// A mutex stays locked while its holder makes no progress. This type instead ends the exclusive
/// access of such a task, and releases the store's lock. Waiting tasks are not queued, because a
/// queue could give the exclusive access to a task that makes no progress.
#[derive(Default)]
pub(crate) struct Exclusive {
    holder: Mutex<Option<Holder>>,
}

struct Holder {
    heartbeat: Arc<Heartbeat>,
    lock: Option<StoreLock>,
}

/// The exclusive access of one task to the record. Dropping this value ends the exclusive access.
pub(crate) struct Turn<'a> {
    exclusive: &'a Exclusive,
    heartbeat: Arc<Heartbeat>,
}

/// Interval at which a waiting task checks whether the exclusive access of the other task has
/// ended.
const POLL: Duration = Duration::from_millis(10);

impl Exclusive {
    /// Waits until no other task has exclusive access, and then gives exclusive access to this
    /// task.
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
    /// Runs the given future. During this time, a heartbeat shows other tasks that this task makes
    /// progress.
    pub(crate) async fn run<F: Future>(&self, work: F) -> F::Output {
        self.heartbeat.run(work).await
    }

    /// Holds the store's lock until the exclusive access of this task ends.
    pub(crate) fn hold(&self, lock: StoreLock) {
        let mut holder = self.exclusive.holder();
        match holder.as_mut().filter(|h| Arc::ptr_eq(&h.heartbeat, &self.heartbeat)) {
            Some(holder) => holder.lock = Some(lock),
            // This task no longer has exclusive access, and therefore must not hold the store's
            // lock.
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
