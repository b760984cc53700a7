//! The entries of a list as a stream.

use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
    vec,
};

use chrono::{DateTime, Utc};
use futures::{Stream, StreamExt, TryStreamExt, future::BoxFuture};
use spot_model::{CursorPage, Page};

use crate::{
    Error, Paged, Pages, Position,
    plan::{ByCursor, ByOffset, Plan},
};

/// A stream of all entries of a list, whatever the number of pages.
///
/// The first page is asked for alone, since it says how long the list is. After that up to
/// [`prefetch`](Self::prefetch) pages are on their way while the caller works, in order; a page is
/// asked for only when one was taken, or arrived while the caller waited for it, so that memory
/// stays bounded. Dropping the stream stops the
/// requests. An error is given once and ends the stream; [`resume_at`](Self::resume_at) then says
/// where it stopped.
///
/// ```no_run
/// # async fn example(client: spot_api::Client) -> Result<(), spot_api::Error> {
/// let mut saved = client.library().tracks().items();
/// while let Some(saved) = saved.try_next().await? {
///     println!("{}", saved.track.name);
/// }
/// # Ok(()) }
/// ```
pub struct Items<T, P = Page<T>> {
    pages: Pages<P>,
    page: Option<Current<T>>,
}

/// The page whose entries are being given.
struct Current<T> {
    items: vec::IntoIter<T>,
    /// The place in the page of the next entry, counting those left out.
    place: usize,
    /// The places of entries that were left out, in order.
    gaps: VecDeque<usize>,
    start: Position,
}

impl<T> Current<T> {
    fn next(&mut self) -> Option<T> {
        let item = self.items.next();
        if item.is_some() {
            self.place += 1;
        }
        while self.gaps.front() == Some(&self.place) {
            self.gaps.pop_front();
            self.place += 1;
        }
        item
    }

    fn position(&self) -> Position {
        match &self.start {
            Position::Offset(offset) => {
                let place = u32::try_from(self.place).unwrap_or(u32::MAX);
                Position::Offset(offset.saturating_add(place))
            }
            cursor => cursor.clone(),
        }
    }
}

impl<T: Send + 'static, P: Paged<Item = T>> Items<T, P> {
    /// How many pages are asked for ahead, 4 unless this is called. With 0 a page is asked for only
    /// when the one before it is used up. Lists by cursor are never more than one page ahead.
    #[must_use]
    pub fn prefetch(mut self, pages: usize) -> Self {
        self.pages = self.pages.prefetch(pages);
        self
    }

    /// The next entry; `None` at the end. Without an import, unlike the method of the same name of
    /// `StreamExt`. Cancelling it loses nothing.
    pub async fn next(&mut self) -> Option<Result<T, Error>> {
        StreamExt::next(self).await
    }

    /// The next entry, for `while let Some(entry) = items.try_next().await?`.
    ///
    /// # Errors
    ///
    /// That of the page that could not be read; the stream has ended then.
    pub async fn try_next(&mut self) -> Result<Option<T>, Error> {
        TryStreamExt::try_next(self).await
    }

    /// The rest of the list by pages, from the first page that was not begun.
    pub fn pages(self) -> Pages<P> {
        self.pages
    }

    /// The length of the list as the last page said it; `None` before the first page, and for lists
    /// whose length Spotify does not tell. It counts entries that are left out.
    pub fn total(&self) -> Option<u32> {
        self.pages.total()
    }

    /// Where the next entry is: what to give to `offset` or the cursor to go on later.
    pub fn resume_at(&self) -> Position {
        self.page.as_ref().map_or_else(|| self.pages.resume_at(), Current::position)
    }

    /// Whether the list changed its length under way, so that entries may have been given twice or
    /// not at all.
    pub fn drifted(&self) -> bool {
        self.pages.drifted()
    }
}

impl<T: Send + 'static, P: Paged<Item = T>> Stream for Items<T, P> {
    type Item = Result<T, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(page) = &mut this.page {
                if let Some(item) = page.next() {
                    return Poll::Ready(Some(Ok(item)));
                }
                this.page = None;
            }
            let start = this.pages.resume_at();
            match ready!(this.pages.poll_next_unpin(cx)) {
                Some(Ok(page)) => {
                    let gaps = page.skipped().iter().map(|skipped| skipped.index).collect();
                    let items = page.into_items().into_iter();
                    let mut page = Current { items, place: 0, gaps, start };
                    while page.gaps.front() == Some(&page.place) {
                        page.gaps.pop_front();
                        page.place += 1;
                    }
                    this.page = Some(page);
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

// Nothing in it is pinned: the requests under way are tasks.
impl<T, P> Unpin for Items<T, P> {}

impl<T> Items<T>
where
    Page<T>: Paged<Item = T>,
{
    /// Pages by offset: `fetch` reads the one at an offset. `last` is the largest offset the API
    /// takes.
    pub(crate) fn by_offset(
        first: u32,
        last: Option<u32>,
        fetch: impl Fn(u32) -> BoxFuture<'static, Result<Page<T>, Error>> + Send + Sync + 'static,
    ) -> Self {
        let plan = ByOffset::new(first, last);
        Self {
            pages: Pages::new(Plan::Offset(plan), move |at| match at {
                Position::Offset(offset) => fetch(offset),
                Position::Cursor(_) => fetch(first),
            }),
            page: None,
        }
    }
}

impl<T> Items<T, CursorPage<T>>
where
    CursorPage<T>: Paged<Item = T>,
{
    /// Pages by cursor: `cursor` finds in a page the cursor of the one after it.
    pub(crate) fn by_cursor(
        cursor: fn(&CursorPage<T>) -> Option<String>,
        fetch: impl Fn(Option<String>) -> BoxFuture<'static, Result<CursorPage<T>, Error>>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        let plan = ByCursor::new(cursor);
        Self {
            pages: Pages::new(Plan::Cursor(plan), move |at| match at {
                Position::Cursor(cursor) => fetch(cursor),
                Position::Offset(_) => fetch(None),
            }),
            page: None,
        }
    }
}

/// The cursor as the time it is, for lists whose cursors are milliseconds since 1970.
pub(crate) fn time_cursor(cursor: &str) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(cursor.parse().ok()?)
}

impl<T, P> fmt::Debug for Items<T, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").field("pages", &self.pages).finish_non_exhaustive()
    }
}
