//! A task that stops when its handle is dropped.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures::{
    FutureExt,
    channel::oneshot::{self, Canceled},
    future::BoxFuture,
};
use spot_http::Error;
use tokio::{runtime::Handle, task::AbortHandle};

/// The result of a future that runs in its own task. Dropping this value stops the task.
///
/// Each task sends its result through a channel, so the future of every task has the type
/// `BoxFuture<'static, ()>`. Therefore, a program compiles tokio's task code only once.
pub(crate) struct Task<T> {
    task: AbortHandle,
    result: oneshot::Receiver<T>,
}

impl<T: Send + 'static> Task<T> {
    pub(crate) fn start(runtime: &Handle, work: impl Future<Output = T> + Send + 'static) -> Self {
        let (sender, result) = oneshot::channel();
        let work: BoxFuture<'static, ()> = Box::pin(async move {
            // Sending fails if the task was stopped, because the receiver no longer exists.
            let _ = sender.send(work.await);
        });
        Self { task: runtime.spawn(work).abort_handle(), result }
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.result.poll_unpin(cx).map_err(|Canceled| {
            Error::configuration("a task of the stream panicked, or its runtime is shutting down")
        })
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}
