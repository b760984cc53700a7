//! Calls code that the application supplies, such as stores, transports and observers.
//!
//! Application code may hang or panic. A call that may hang has a time limit or runs on a separate
//! thread. A panic never reaches the caller.

use std::{
    fmt,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    thread,
    time::Duration,
};

use spot_http::{Error, ErrorKind};
use tokio::{
    runtime::{Handle, RuntimeFlavor},
    sync::oneshot,
    task::{JoinSet, block_in_place},
    time::timeout,
};

/// Why a call returned no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    TimedOut(Duration),
    Panicked,
    /// There is no tokio runtime, or it is shutting down.
    NoRuntime,
}

impl Failure {
    /// Converts the failure into an error. `call` names the called function, as in "the token
    /// store's `save`".
    pub(crate) fn into_error(self, call: &str) -> Error {
        match self {
            Self::TimedOut(_) => Error::new(ErrorKind::Timeout, format!("{call} {self}")),
            Self::Panicked | Self::NoRuntime => Error::configuration(format!("{call} {self}")),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut(limit) => write!(f, "did not return within {limit:?}"),
            Self::Panicked => f.write_str("panicked"),
            Self::NoRuntime => f.write_str("needs a running tokio runtime"),
        }
    }
}

/// Runs a future of the application in a separate task, and waits for the result. The task is
/// aborted after `limit`, or when the caller is cancelled.
pub(crate) async fn call<F>(limit: Duration, future: F) -> Result<F::Output, Failure>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    let runtime = Handle::try_current().map_err(|_| Failure::NoRuntime)?;
    let may_block = runtime.runtime_flavor() == RuntimeFlavor::MultiThread;
    let (sender, mut output) = oneshot::channel();
    let work = Box::pin(async move {
        // The receiver has been dropped if the caller was cancelled.
        let _ = sender.send(future.await);
    });
    // A `JoinSet` aborts its tasks when it is dropped.
    let mut task = JoinSet::new();
    task.spawn(run(work, may_block));
    match timeout(limit, task.join_next()).await {
        Ok(Some(Ok(()))) => output.try_recv().map_err(|_| Failure::NoRuntime),
        Ok(Some(Err(error))) if error.is_panic() => Err(Failure::Panicked),
        Ok(_) => Err(Failure::NoRuntime),
        Err(_) => Err(Failure::TimedOut(limit)),
    }
}

/// A boxed future that a task runs. All tasks have this type, so the compiler generates tokio's
/// task code only once.
pub(crate) type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Polls a future of the application until it completes. If `may_block` is true, the future may
/// block its thread, and the runtime must be multi-threaded.
///
/// The thread that polls the future may also run the timers and connections of the runtime.
/// `block_in_place` first moves the timers and connections to another thread. Otherwise, a future
/// that blocks would stop all timers, and time limits would have no effect.
async fn run(mut work: Work, may_block: bool) {
    poll_fn(|context| {
        let mut poll = || work.as_mut().poll(context);
        if may_block { block_in_place(poll) } else { poll() }
    })
    .await;
}

/// Calls a function of the application on a separate thread, because the function may block. The
/// thread continues after `limit`, but does not prevent the program from ending.
pub(crate) async fn call_blocking<T, F>(limit: Duration, function: F) -> Result<T, Failure>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let (sender, receiver) = oneshot::channel();
    let runtime = Handle::try_current().map_err(|_| Failure::NoRuntime)?;
    let spawned = thread::Builder::new().spawn(move || {
        let _inside = runtime.enter();
        // The receiver has been dropped if the caller has stopped waiting.
        let _ = sender.send(catch(function));
    });
    if spawned.is_err() {
        return Err(Failure::NoRuntime);
    }
    match timeout(limit, receiver).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(Failure::Panicked),
        Err(_) => Err(Failure::TimedOut(limit)),
    }
}

/// Calls a function of the application on a separate thread, and does not wait for the result.
pub(crate) fn call_detached(function: impl FnOnce() + Send + 'static) {
    let runtime = Handle::try_current().ok();
    // If no thread can be started, the function is not called. No caller needs the result of the
    // function.
    let _ = thread::Builder::new().spawn(move || {
        let _inside = runtime.as_ref().map(Handle::enter);
        let _ = catch(function);
    });
}

/// Calls a function of the application that should return immediately. A panic becomes an error.
pub(crate) fn catch<T>(function: impl FnOnce() -> T) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(function)).map_err(|_| Failure::Panicked)
}
