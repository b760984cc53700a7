//! The pause that all calls of a client share after a 429.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

use crate::{Error, ErrorKind};

/// What every call passes before it is sent.
///
/// One call that is told to wait tells all of them: calling on while blocked makes the block longer.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    pause: Mutex<Option<Pause>>,
}

#[derive(Clone, Debug)]
struct Pause {
    until: Instant,
    kind: ErrorKind,
    message: String,
}

impl Gate {
    /// Waits until calls may go on, and says for how long it did.
    ///
    /// # Errors
    ///
    /// At once, if that is later than `latest` or farther away than `max_wait`.
    pub(crate) async fn pass(
        &self,
        latest: Instant,
        max_wait: Duration,
    ) -> Result<Duration, Error> {
        let start = Instant::now();
        // Another 429 may have come while this call slept.
        while let Some(pause) = self.pause(Instant::now()) {
            let wait = pause.until.saturating_duration_since(Instant::now());
            if wait > max_wait || pause.until > latest {
                return Err(Error::new(pause.kind, pause.message).with_retry_after(wait));
            }
            sleep_until(pause.until).await;
        }
        Ok(start.elapsed())
    }

    /// Takes note of a 429: nobody is to call for so long.
    pub(crate) fn close(&self, error: &Error, wait: Duration) {
        // Far beyond any block that was seen; more would not fit every clock.
        let wait = wait.min(Duration::from_secs(7 * 86_400));
        let until = Instant::now() + wait;
        let mut pause = self.pause.lock().unwrap_or_else(PoisonError::into_inner);
        if pause.as_ref().is_none_or(|pause| pause.until < until) {
            let message = format!("{}; no call is sent until then", error.message());
            *pause = Some(Pause { until, kind: error.kind(), message });
        }
    }

    fn pause(&self, now: Instant) -> Option<Pause> {
        let mut pause = self.pause.lock().unwrap_or_else(PoisonError::into_inner);
        if pause.as_ref().is_some_and(|pause| pause.until <= now) {
            *pause = None;
        }
        pause.clone()
    }
}
