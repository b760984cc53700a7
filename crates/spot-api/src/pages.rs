//! The pages of a list as a stream, asked for ahead of their use.

use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures::{Stream, StreamExt, TryStreamExt, future::BoxFuture};
use serde::de::DeserializeOwned;
use spot_model::{CursorPage, Page, Skipped};
use tokio::{runtime::Handle, task::JoinHandle};

use crate::{
    Error,
    arrival::Arrival,
    plan::{Facts, Plan},
};

/// How many pages are asked for ahead, unless the caller says another number.
const PREFETCH: usize = 4;

/// A page of a list, by offset or by cursor.
pub trait Paged: DeserializeOwned + Send + 'static {
    /// What the page holds.
    type Item: Send + 'static;

    /// The link to the page after this one.
    fn next_link(&self) -> Option<&str>;

    /// The link to the page before this one.
    fn previous_link(&self) -> Option<&str>;

    /// The length of the whole list, if the page says it.
    fn total(&self) -> Option<u32>;

    /// How far it is from the offset of the page to that of the one after it: the limit as the
    /// server says it. 0 if that is not known.
    fn step(&self) -> u32;

    /// The entries that were left out of the page.
    fn skipped(&self) -> &[Skipped];

    /// The entries.
    fn items(&self) -> &[Self::Item];

    /// The entries, without the rest.
    fn into_items(self) -> Vec<Self::Item>;
}

/// Both kinds of pages name their parts alike; only one of them leads back.
macro_rules! paged {
    ($($page:ident, $this:ident => $previous:expr;)*) => {$(
        impl<T: DeserializeOwned + Send + 'static> Paged for $page<T> {
            type Item = T;

            fn next_link(&self) -> Option<&str> {
                self.next.as_deref()
            }

            fn previous_link(&self) -> Option<&str> {
                let $this = self;
                $previous
            }

            fn total(&self) -> Option<u32> {
                self.total
            }

            fn step(&self) -> u32 {
                self.limit
            }

            fn skipped(&self) -> &[Skipped] {
                &self.skipped
            }

            fn items(&self) -> &[T] {
                &self.items
            }

            fn into_items(self) -> Vec<T> {
                self.items
            }
        }
    )*};
}

paged! {
    Page, page => page.previous.as_deref();
    CursorPage, _page => None;
}

/// Where in a list a stream stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Position {
    /// The offset of the next entry.
    Offset(u32),
    /// The cursor of the page that holds the next entry; `None` for the first page.
    Cursor(Option<String>),
}

/// A stream of the pages of a list. It comes from [`Items::pages`](crate::Items::pages).
pub struct Pages<P> {
    fetch: Fetch<P>,
    plan: Plan<P>,
    prefetch: usize,
    under_way: VecDeque<Job<P>>,
    total: Option<u32>,
    drifted: bool,
}

type Fetch<P> = Arc<dyn Fn(Position) -> BoxFuture<'static, Result<P, Error>> + Send + Sync>;

/// A page that was asked for, in a task of its own, so that it comes while the caller works. The
/// task is stopped when nobody waits for it any more.
struct Job<P> {
    at: Position,
    task: JoinHandle<Result<P, Error>>,
    arrival: Arc<Arrival>,
}

impl<P> Drop for Job<P> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl<P: Paged> Pages<P> {
    pub(crate) fn new(
        plan: Plan<P>,
        fetch: impl Fn(Position) -> BoxFuture<'static, Result<P, Error>> + Send + Sync + 'static,
    ) -> Self {
        Self {
            fetch: Arc::new(fetch),
            plan,
            prefetch: PREFETCH,
            under_way: VecDeque::new(),
            total: None,
            drifted: false,
        }
    }

    /// How many pages are asked for ahead. See [`Items::prefetch`](crate::Items::prefetch).
    #[must_use]
    pub fn prefetch(mut self, pages: usize) -> Self {
        self.prefetch = pages;
        self
    }

    /// The next page; `None` at the end. Cancelling it loses nothing.
    pub async fn next(&mut self) -> Option<Result<P, Error>> {
        StreamExt::next(self).await
    }

    /// The next page, for `while let Some(page) = pages.try_next().await?`.
    ///
    /// # Errors
    ///
    /// That of the page that could not be read; the stream has ended then.
    pub async fn try_next(&mut self) -> Result<Option<P>, Error> {
        TryStreamExt::try_next(self).await
    }

    /// The length of the list. See [`Items::total`](crate::Items::total).
    pub fn total(&self) -> Option<u32> {
        self.total
    }

    /// Where the next page starts: what to give to `offset` or the cursor to go on later.
    pub fn resume_at(&self) -> Position {
        self.plan.delivered()
    }

    /// Whether the list changed its length under way. See
    /// [`Items::drifted`](crate::Items::drifted).
    pub fn drifted(&self) -> bool {
        self.drifted
    }

    /// Asks for a page in a task of its own.
    fn start(&mut self, at: Position) -> Result<(), Error> {
        let runtime = Handle::try_current().map_err(|_| {
            Error::configuration("a stream of pages was polled outside of a tokio runtime")
        })?;
        let arrival = Arc::<Arrival>::default();
        let task = runtime.spawn(arrival.clone().of((self.fetch)(at.clone())));
        self.under_way.push_back(Job { at, task, arrival });
        Ok(())
    }

    /// Asks for as many pages as are wanted behind those that the caller has or is about to get.
    fn ask(&mut self, given: usize) -> Result<(), Error> {
        while self.under_way.len() < self.prefetch + given
            && let Some(at) = self.plan.ask()
        {
            self.start(at)?;
        }
        Ok(())
    }

    /// Asks for another page while the first one under way is decoded: the caller waits for it, so
    /// that it is as good as taken.
    fn ask_early(&mut self, cx: &Context<'_>) -> Result<(), Error> {
        let arrived = self.under_way.front().is_some_and(|job| job.arrival.is_there(cx));
        if arrived && self.prefetch > 0 { self.ask(1) } else { Ok(()) }
    }

    /// Takes note of a page that arrived, and asks for the ones that are now known to follow.
    fn arrived(&mut self, page: &P, at: &Position) -> Result<(), Error> {
        let facts = Facts {
            entries: page.items().len() + page.skipped().len(),
            step: page.step(),
            total: page.total(),
            has_next: page.next_link().is_some(),
        };
        if let Some(total) = facts.total {
            self.drifted |= self.total.is_some_and(|known| known != total);
            self.total = Some(total);
        }
        self.plan.arrived(page, at, &facts);
        // A list that became shorter: what is asked for behind its end would be an error.
        let plan = &self.plan;
        self.under_way.retain(|job| plan.wants(&job.at));
        self.ask(0)
    }

    fn stop(&mut self) {
        self.under_way.clear();
        self.plan.stop();
    }
}

impl<P: Paged> Stream for Pages<P> {
    type Item = Result<P, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if this.under_way.is_empty()
            && let Some(at) = this.plan.ask()
            && let Err(error) = this.start(at)
        {
            this.stop();
            return Poll::Ready(Some(Err(error)));
        }
        let Some(job) = this.under_way.front_mut() else { return Poll::Ready(None) };
        let Poll::Ready(answer) = Pin::new(&mut job.task).poll(cx) else {
            if let Err(error) = this.ask_early(cx) {
                this.stop();
                return Poll::Ready(Some(Err(error)));
            }
            return Poll::Pending;
        };
        let at = job.at.clone();
        this.under_way.pop_front();
        // Nobody but us stops the task, so that it panicked, or the runtime is going down.
        let answer = answer.unwrap_or_else(|error| {
            Err(Error::configuration(format!("the page was not read: {error}")))
        });
        let page = answer.and_then(|page| this.arrived(&page, &at).map(|()| page));
        Poll::Ready(match page {
            // A page of nothing is the end, whatever it says of a next one.
            Ok(page) if page.items().is_empty() && page.skipped().is_empty() => {
                this.stop();
                None
            }
            Ok(page) => Some(Ok(page)),
            Err(error) => {
                this.stop();
                Some(Err(error))
            }
        })
    }
}

// Nothing in it is pinned: the requests under way are tasks.
impl<P> Unpin for Pages<P> {}

impl<P> fmt::Debug for Pages<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("total", &self.total)
            .field("under_way", &self.under_way.len())
            .field("prefetch", &self.prefetch)
            .finish_non_exhaustive()
    }
}
