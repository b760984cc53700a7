//! Calls user-supplied code: token sources, transports and observers. A panic in this code must not
//! stop the task of the caller.

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::Poll,
};

/// The user-supplied code panicked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Panicked;

/// Awaits a user-supplied future and catches panics.
pub(crate) async fn call<F: Future>(future: F) -> Result<F::Output, Panicked> {
    let mut future = pin!(future);
    poll_fn(|context| match catch(|| future.as_mut().poll(context)) {
        Ok(poll) => poll.map(Ok),
        Err(panicked) => Poll::Ready(Err(panicked)),
    })
    .await
}

/// Calls a user-supplied function and catches panics.
pub(crate) fn catch<T>(function: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(function)).map_err(|_| Panicked)
}
