//! Requests and streams for programs without `async`.

use std::{
    fmt,
    sync::OnceLock,
    task::{Context, Poll, Waker},
};

use futures::{Stream, StreamExt as _};
use spot_http::Error;
use tokio::{
    runtime::{Builder, Handle, Runtime},
    task::coop::poll_proceed,
};

/// Sends a request and blocks the thread until the response arrives, in programs without `async`.
/// The SDK runs the request on its own runtime.
///
/// All requests implement this trait, and so do other futures whose output is a `Result` with an
/// [`Error`]. For streams, use [`BlockingStream`]. The feature `blocking` adds the traits
/// `Blocking` and `BlockingStream`. All other parts of the SDK are the same as in programs with
/// `async`.
///
/// ```no_run
/// use spot_api::{Blocking, BlockingStream};
///
/// # fn example(client: spot_api::Client) -> Result<(), spot_api::Error> {
/// let me = client.me().wait()?;
/// for saved in client.library().tracks().stream().iter() {
///     println!("{}", saved?.track.name);
/// }
/// # Ok(()) }
/// ```
// Without this `cfg`, the docs of `spot-sdk` would not show that the item needs the feature.
#[cfg(feature = "blocking")]
pub trait Blocking<T>: IntoFuture<Output = Result<T, Error>> + Sized {
    /// Sends the request and waits for the body of the response.
    ///
    /// # Errors
    ///
    /// Any error of the request. Fails with [`Configuration`](crate::ErrorKind::Configuration)
    /// inside an async context, because the method would block the thread. In async code, use
    /// `.await` instead of this method. This method works in threads of
    /// `tokio::task::spawn_blocking`.
    fn wait(self) -> Result<T, Error> {
        runtime()?.block_on(self.into_future())
    }
}

impl<T, F: IntoFuture<Output = Result<T, Error>>> Blocking<T> for F {}

/// Iterates over the entries of a stream, in programs without `async`. See [`Blocking`].
// Without this `cfg`, the docs of `spot-sdk` would not show that the item needs the feature.
#[cfg(feature = "blocking")]
pub trait BlockingStream<T>: Stream<Item = Result<T, Error>> + Unpin + Sized {
    /// Returns an iterator over the entries of the stream. The iterator waits for each entry.
    /// Inside an async context, the iterator yields an error.
    fn iter(self) -> BlockingIter<Self> {
        BlockingIter { stream: Some(self) }
    }
}

impl<T, S: Stream<Item = Result<T, Error>> + Unpin> BlockingStream<T> for S {}

/// An iterator that waits for the entries of a stream. Returned by [`BlockingStream::iter`].
// Without this `cfg`, the docs of `spot-sdk` would not show that the item needs the feature.
#[cfg(feature = "blocking")]
pub struct BlockingIter<S> {
    /// If the function `runtime` fails, the iterator yields one error and sets this field to
    /// `None`.
    stream: Option<S>,
}

impl<S, T> Iterator for BlockingIter<S>
where
    S: Stream<Item = Result<T, Error>> + Unpin,
{
    type Item = Result<T, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let stream = self.stream.as_mut()?;
        match runtime() {
            Ok(runtime) => runtime.block_on(stream.next()),
            Err(error) => {
                self.stream = None;
                Some(Err(error))
            }
        }
    }
}

impl<S> fmt::Debug for BlockingIter<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockingIter").finish_non_exhaustive()
    }
}

/// Whether this thread runs async code: a tokio task or the future of `block_on`. Async code must
/// not block.
///
/// A thread of `spawn_blocking` has a runtime handle too, but is allowed to block. Tokio has a
/// budget of operations for async code, but has no budget for a thread of `spawn_blocking`. The
/// function therefore performs more operations than the budget allows, and checks whether tokio
/// refuses an operation.
fn is_async() -> bool {
    /// Number of operations to perform. The number exceeds tokio's budget.
    const MANY: usize = 1_000;
    if Handle::try_current().is_err() {
        return false;
    }
    let mut context = Context::from_waker(Waker::noop());
    (0..MANY).any(|_| match poll_proceed(&mut context) {
        Poll::Ready(unit) => {
            unit.made_progress();
            false
        }
        Poll::Pending => true,
    })
}

/// Returns the runtime of all blocking calls. The single worker thread of this runtime runs the
/// background tasks: prefetching and token refreshes.
fn runtime() -> Result<&'static Runtime, Error> {
    static RUNTIME: OnceLock<Result<Runtime, String>> = OnceLock::new();
    if is_async() {
        return Err(Error::configuration(
            "a blocking call was made inside an async context, where it would block other tasks; \
             use `.await` instead",
        ));
    }
    let runtime = RUNTIME.get_or_init(|| {
        let mut builder = Builder::new_multi_thread();
        let runtime = builder.worker_threads(1).thread_name("spot-blocking").enable_all().build();
        runtime.map_err(|error| error.to_string())
    });
    runtime.as_ref().map_err(|error| {
        let message = format!("the runtime for blocking calls could not be started: {error}");
        Error::configuration(message)
    })
}
