//! Detects futures that the runtime no longer polls.
//!
//! A task stalls if its runtime stalls. For example, a current-thread runtime runs its tasks only
//! while the program calls `block_on`.

use std::{
    pin::pin,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::time::{sleep, timeout};

/// A counter that increases as long as the runtime polls a future.
#[derive(Debug, Default)]
pub(crate) struct Heartbeat(AtomicU64);

/// Time between two increases of the counter.
const INTERVAL: Duration = Duration::from_millis(500);

/// The future has stalled if the counter has not increased for this long.
pub(crate) const STALLED_AFTER: Duration = Duration::from_secs(3);

impl Heartbeat {
    /// Runs the given future. During this time, the counter increases at regular intervals.
    pub(crate) async fn run<F: Future>(&self, work: F) -> F::Output {
        let mut work = pin!(work);
        loop {
            if let Ok(output) = timeout(INTERVAL, &mut work).await {
                return output;
            }
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until the future of this heartbeat stalls.
    pub(crate) async fn stalled(&self) {
        loop {
            let before = self.0.load(Ordering::Relaxed);
            sleep(STALLED_AFTER).await;
            if self.0.load(Ordering::Relaxed) == before {
                return;
            }
        }
    }
}

/// Awaits a future. Returns `None` if the future of the heartbeat stalls before the awaited future
/// is ready.
pub(crate) async fn unless_stalled<F: Future>(
    heartbeat: &Heartbeat,
    awaited: F,
) -> Option<F::Output> {
    let (mut awaited, mut stalled) = (pin!(awaited), pin!(heartbeat.stalled()));
    std::future::poll_fn(|context| {
        if let std::task::Poll::Ready(output) = awaited.as_mut().poll(context) {
            return std::task::Poll::Ready(Some(output));
        }
        stalled.as_mut().poll(context).map(|()| None)
    })
    .await
}
