//! Streams the pages of a list, and prefetches further pages.

use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use futures::{FutureExt, Stream, StreamExt, TryStreamExt, channel::oneshot};
use spot_http::{Error, Request};
use spot_model::Paging;
use tokio::{runtime::Handle, task::yield_now};

use crate::{
    client::Client,
    page::Paged,
    page_plan::{PagePlan, Position},
    task::Task,
};

/// Default number of prefetched pages.
const PREFETCH: usize = 4;

/// A stream of the pages of a list. [`Items::pages`](crate::Items::pages) returns this stream.
pub struct Pages<P> {
    client: Client,
    /// The request that fetches the list. Each page is fetched with a copy of this request, which
    /// contains the offset or cursor of the page.
    request: Request,
    plan: PagePlan,
    prefetch: usize,
    jobs: VecDeque<Job<P>>,
    /// The first page, if the caller already had it.
    in_hand: Option<P>,
    total: Option<u32>,
    drifted: bool,
}

/// Requests a page in its own task, so that the page arrives while the caller works.
struct Job<P> {
    at: Position,
    page: Task<Result<P, Error>>,
    /// Signals that the response arrived and is about to be decoded.
    arrival: oneshot::Receiver<()>,
    arrived: bool,
}

impl<P: Paged> Job<P> {
    fn start(client: Client, request: Request, at: Position) -> Result<Self, Error> {
        let runtime = Handle::try_current().map_err(|_| {
            Error::configuration("a stream of pages was polled outside of a tokio runtime")
        })?;
        let (tell, arrival) = oneshot::channel();
        let page = Task::start(&runtime, async move {
            let path = request.url_path().to_owned();
            let operation = request.operation();
            let answer = client.request(request).await?;
            if tell.send(()).is_ok() {
                // Decoding occupies the thread. The task yields before decoding, so that a stream
                // on the same thread can request another page.
                yield_now().await;
            }
            Ok(client.read_page(answer, operation, &path)?.into_body())
        });
        Ok(Self { at, page, arrival, arrived: false })
    }

    /// Whether the response arrived. If the response has not arrived yet, its arrival will wake the
    /// task that polls the stream.
    fn has_arrived(&mut self, cx: &mut Context<'_>) -> bool {
        self.arrived = self.arrived || self.arrival.poll_unpin(cx).is_ready();
        self.arrived
    }
}

impl<P: Paged> Pages<P> {
    pub(crate) fn new(client: Client, request: Request, in_hand: Option<P>) -> Self {
        let client = client.in_bulk();
        let request = readable::<P>(client.with_page_size(request));
        let plan = PagePlan::new(&request, P::BY_CURSOR);
        Self {
            client,
            request,
            plan,
            prefetch: PREFETCH,
            jobs: VecDeque::new(),
            in_hand,
            total: None,
            drifted: false,
        }
    }

    /// Sets the number of pages to prefetch. See [`Items::prefetch`](crate::Items::prefetch).
    #[must_use]
    pub fn prefetch(mut self, pages: usize) -> Self {
        self.prefetch = pages;
        self
    }

    /// Returns the next page; `None` at the end. If the returned future is dropped, no page is
    /// lost.
    pub async fn next(&mut self) -> Option<Result<P, Error>> {
        StreamExt::next(self).await
    }

    /// Returns the next page. Use this method in a `while` loop: `while let Some(page) =
    /// pages.try_next().await?`.
    ///
    /// # Errors
    ///
    /// Fails if a page cannot be read. The stream ends after an error.
    pub async fn try_next(&mut self) -> Result<Option<P>, Error> {
        TryStreamExt::try_next(self).await
    }

    /// Length of the list. See [`Items::total`](crate::Items::total).
    pub fn total(&self) -> Option<u32> {
        self.total
    }

    /// The offset or the cursor of the next page. A program can continue from this position later.
    pub fn resume_at(&self) -> Position {
        self.plan.delivered()
    }

    /// Whether the length of the list changed during the stream. See
    /// [`Items::drifted`](crate::Items::drifted).
    pub fn drifted(&self) -> bool {
        self.drifted
    }

    /// Requests pages until `wanted` requests are in flight.
    fn request_up_to(&mut self, wanted: usize) -> Result<(), Error> {
        while self.jobs.len() < wanted
            && let Some(at) = self.plan.next()
        {
            let request = self.plan.request_at(&self.request, &at);
            self.jobs.push_back(Job::start(self.client.clone(), request, at)?);
        }
        Ok(())
    }

    /// Requests another page while the page that the caller waits for is being decoded. The page
    /// that is being decoded does not count as prefetched.
    fn request_early(&mut self, cx: &mut Context<'_>) -> Result<(), Error> {
        let arrived = self.jobs.front_mut().is_some_and(|job| job.has_arrived(cx));
        if arrived && self.prefetch > 0 { self.request_up_to(self.prefetch + 1) } else { Ok(()) }
    }

    /// Records the length of the list, if the page contains the length.
    fn note_total(&mut self, page: &P) {
        if let Some(total) = page.total() {
            self.drifted |= self.total.is_some_and(|known| known != total);
            self.total = Some(total);
        }
        // The list may have become shorter. Requests beyond the new end would fail, so these
        // requests are cancelled.
        let plan = &self.plan;
        self.jobs.retain(|job| plan.wants(&job.at));
    }

    fn stop(&mut self) {
        self.jobs.clear();
        self.plan.stop();
    }

    /// Requests the following pages, then returns the item that the stream yields for `page`.
    fn deliver(&mut self, page: Result<P, Error>) -> Option<Result<P, Error>> {
        match page.and_then(|page| self.request_up_to(self.prefetch).map(|()| page)) {
            // An empty page ends the list, even if it has a link to a next page.
            Ok(page) if page.items().is_empty() && page.skipped().is_empty() => {
                self.stop();
                None
            }
            Ok(page) => Some(Ok(page)),
            Err(error) => {
                self.stop();
                Some(Err(error))
            }
        }
    }
}

/// Checks whether `P` matches the paging of the operation (offset or cursor). With the wrong type
/// of page, the stream would repeat its first page.
fn readable<P: Paged>(request: Request) -> Request {
    let (by_cursor, expected) = match request.operation().paging {
        Paging::Offset { .. } => (false, "Page"),
        Paging::Cursor { .. } => (true, "CursorPage"),
        _ => return request,
    };
    if by_cursor == P::BY_CURSOR {
        return request;
    }
    let error = Error::bad_request(format!(
        "the operation returns pages of the type `{expected}`; use `client.stream::<{expected}<_>>(..)`"
    ));
    Request::failed(error.with_operation(request.operation()))
}

impl<P: Paged> Stream for Pages<P> {
    type Item = Result<P, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if let Some(page) = this.in_hand.take() {
            // The page in `in_hand` is the first page of the plan.
            let at = this.plan.next().unwrap_or_else(|| this.plan.delivered());
            this.plan.had(&page, &at, &this.request);
            this.note_total(&page);
            return Poll::Ready(this.deliver(Ok(page)));
        }
        if this.jobs.is_empty()
            && let Err(error) = this.request_up_to(1)
        {
            this.stop();
            return Poll::Ready(Some(Err(error)));
        }
        let Some(job) = this.jobs.front_mut() else { return Poll::Ready(None) };
        let Poll::Ready(answer) = job.page.poll_unpin(cx) else {
            if let Err(error) = this.request_early(cx) {
                this.stop();
                return Poll::Ready(Some(Err(error)));
            }
            return Poll::Pending;
        };
        let at = job.at.clone();
        this.jobs.pop_front();
        let answer = answer.flatten();
        if let Ok(page) = &answer {
            this.plan.arrived(page, &at);
            this.note_total(page);
        }
        Poll::Ready(this.deliver(answer))
    }
}

// The stream contains no pinned future, because each request runs in its own task.
impl<P> Unpin for Pages<P> {}

impl<P> fmt::Debug for Pages<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("request", &self.request)
            .field("total", &self.total)
            .field("under_way", &self.jobs.len())
            .field("prefetch", &self.prefetch)
            .finish_non_exhaustive()
    }
}
