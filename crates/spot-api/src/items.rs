//! The entries of a list as a stream.

use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
    vec,
};

use futures::{Stream, StreamExt, TryStreamExt};
use spot_http::{Error, Request};
use spot_model::Page;

use crate::{client::Client, links, page::Paged, page_plan::Position, pages::Pages};

/// A stream of the entries of all pages of a list.
///
/// The first page is requested alone, because it contains the length of the list. After the first
/// page, the stream requests up to [`prefetch`](Self::prefetch) pages in advance, while the caller
/// processes entries. Pages are delivered in order. To limit memory use, the stream requests
/// another page only when the caller needs a page. The requests use the bulk [priority](crate::Priority):
/// when calls have to wait for the rate limit, interactive calls are sent first. Dropping the
/// stream stops the requests. An error ends the stream; [`resume_at`](Self::resume_at) returns the
/// position to continue from.
///
/// ```no_run
/// # async fn example(client: spot_api::Client) -> Result<(), spot_api::Error> {
/// let mut saved = client.library().tracks().stream();
/// while let Some(saved) = saved.try_next().await? {
///     println!("{}", saved.track.name);
/// }
/// # Ok(()) }
/// ```
pub struct Items<T, P = Page<T>> {
    pages: Pages<P>,
    page: Option<Current<T>>,
}

/// The page whose entries are being delivered.
struct Current<T> {
    items: vec::IntoIter<T>,
    /// Index of the next entry in the page, including skipped entries.
    index: usize,
    /// Indexes of the skipped entries, in order.
    gaps: VecDeque<usize>,
    start: Position,
}

impl<T> Current<T> {
    fn new<P: Paged<Item = T>>(page: P, start: Position) -> Self {
        let gaps = page.skipped().iter().map(|skipped| skipped.index).collect();
        let mut page = Self { items: page.into_items().into_iter(), index: 0, gaps, start };
        page.skip_gaps();
        page
    }

    fn next(&mut self) -> Option<T> {
        let item = self.items.next();
        if item.is_some() {
            self.index += 1;
        }
        self.skip_gaps();
        item
    }

    fn skip_gaps(&mut self) {
        while self.gaps.front() == Some(&self.index) {
            self.gaps.pop_front();
            self.index += 1;
        }
    }

    fn position(&self) -> Position {
        match &self.start {
            Position::Offset(offset) => {
                let index = u32::try_from(self.index).unwrap_or(u32::MAX);
                Position::Offset(offset.saturating_add(index))
            }
            cursor => cursor.clone(),
        }
    }
}

impl<P: Paged> Items<P::Item, P> {
    /// Creates a stream of the entries of a paged request. The stream starts at the position in the
    /// request.
    pub(crate) fn new(client: Client, request: Request) -> Self {
        Self { pages: Pages::new(client, request, None), page: None }
    }
}

impl<T: Send + 'static, P: Paged<Item = T>> Items<T, P> {
    /// Sets the number of pages to prefetch. The default is 4. If the number is 0, the stream
    /// requests a page only after it has returned all entries of the previous page. If the list
    /// uses cursors instead of offsets, the stream prefetches at most one page.
    #[must_use]
    pub fn prefetch(mut self, pages: usize) -> Self {
        self.pages = self.pages.prefetch(pages);
        self
    }

    /// Returns the next entry; `None` at the end. Unlike `StreamExt::next`, this method needs no
    /// import. If the returned future is dropped, no entry is lost.
    pub async fn next(&mut self) -> Option<Result<T, Error>> {
        StreamExt::next(self).await
    }

    /// Returns the next entry. Use this method in a `while` loop: `while let Some(entry) =
    /// items.try_next().await?`.
    ///
    /// # Errors
    ///
    /// Fails if a page cannot be read. The stream ends after an error.
    pub async fn try_next(&mut self) -> Result<Option<T>, Error> {
        TryStreamExt::try_next(self).await
    }

    /// Streams the remaining pages of the list. The stream of pages starts after the page that
    /// contains the last returned entry.
    pub fn pages(self) -> Pages<P> {
        self.pages
    }

    /// Length of the list according to the latest page, including skipped entries. `None` before
    /// the first page, and for lists whose length Spotify does not return.
    pub fn total(&self) -> Option<u32> {
        self.pages.total()
    }

    /// Position of the next entry: the offset or cursor from which to continue later.
    pub fn resume_at(&self) -> Position {
        self.page.as_ref().map_or_else(|| self.pages.resume_at(), Current::position)
    }

    /// Whether the length of the list changed during the stream. If the length changed, entries may
    /// be missing or repeated.
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
                Some(Ok(page)) => this.page = Some(Current::new(page, start)),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

// The stream contains no pinned future, because each request runs in its own task.
impl<T, P> Unpin for Items<T, P> {}

impl<T, P> fmt::Debug for Items<T, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").field("pages", &self.pages).finish_non_exhaustive()
    }
}

/// Streams and pages.
impl Client {
    /// Streams the entries of any paged request. The operation of the request can be a custom
    /// operation. The type `P` of the pages is [`Page<T>`](Page) or
    /// [`CursorPage<T>`](spot_model::CursorPage).
    ///
    /// The request can set the page size with `limit`. If the request does not set `limit`, the
    /// client uses the maximum page size of the [operation](spot_model::Operation::paging). The
    /// response is a page, or contains the page in a field.
    ///
    /// ```no_run
    /// # async fn example(client: spot_api::Client) -> Result<(), spot_api::Error> {
    /// use spot_api::{
    ///     Request,
    ///     model::{Operation, Page, SavedTrack},
    /// };
    ///
    /// let request = Request::new(Operation::GET_SAVED_TRACKS).query("offset", 1000);
    /// let mut saved = client.stream::<Page<SavedTrack>>(request);
    /// while let Some(saved) = saved.try_next().await? {
    ///     println!("{}", saved.track.name);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn stream<P: Paged>(&self, request: Request) -> Items<P::Item, P> {
        Items::new(self.clone(), request)
    }

    /// Streams the entries of a page and of all later pages. The stream does not request the given
    /// page again. The page may be the response to any request, or a part of a playlist, an album
    /// or a show.
    ///
    /// ```no_run
    /// # async fn example(client: spot_api::Client) -> Result<(), spot_api::Error> {
    /// let album = client.album("spotmockAlbum000000001").await?;
    /// let mut tracks = client.stream_from(album.tracks);
    /// while let Some(track) = tracks.try_next().await? {
    ///     println!("{}", track.name);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// If later pages exist, but the given page has no `next` or `href` link, the stream ends with
    /// a [`BadRequest`](crate::ErrorKind::BadRequest) error. A link that leads outside the base URL
    /// of the API causes the same error.
    pub fn stream_from<P: Paged>(&self, page: P) -> Items<P::Item, P> {
        let request = links::continuation(self.pipeline(), self.access_mode(), &page);
        let request = request.unwrap_or_else(|error| {
            // The stream yields the entries of the page before the error. The offset of the request
            // determines the position that `resume_at` returns.
            Request::failed(error).replace_query("offset", Some(page.offset()))
        });
        Items { pages: Pages::new(self.clone(), request, Some(page)), page: None }
    }

    /// Requests the page after the given page. Returns `None` if the given page is the last page.
    /// An empty page is treated as the last page, even if it links to a next page.
    ///
    /// # Errors
    ///
    /// Fails if the request for the page fails. Fails with
    /// [`BadRequest`](crate::ErrorKind::BadRequest) if the link to the next page leads outside the
    /// base URL of the API. Fails with [`BadRequest`](crate::ErrorKind::BadRequest) if the link
    /// leads to the given page or to an earlier page. Without this check, a loop over the pages
    /// might never end.
    pub async fn next_page<P: Paged>(&self, page: &P) -> Result<Option<P>, Error> {
        if page.items().is_empty() && page.skipped().is_empty() {
            return Ok(None);
        }
        self.follow(page, page.next_link(), false).await
    }

    /// Requests the page before the given page. Returns `None` if the given page is the first page.
    ///
    /// # Errors
    ///
    /// Fails with the same errors as [`next_page`](Self::next_page).
    pub async fn previous_page<P: Paged>(&self, page: &P) -> Result<Option<P>, Error> {
        self.follow(page, page.previous_link(), true).await
    }

    /// Requests the page to which a link leads. To prevent endless loops, the offset must advance,
    /// and no link may be followed twice.
    async fn follow<P: Paged>(
        &self,
        page: &P,
        link: Option<&str>,
        backwards: bool,
    ) -> Result<Option<P>, Error> {
        let Some(link) = link else { return Ok(None) };
        let request = links::request(self.pipeline(), link)?;
        let offset = request.query_value("offset").and_then(|offset| offset.parse::<u32>().ok());
        let from = page.offset();
        let goes_on = match offset.filter(|_| !P::BY_CURSOR) {
            Some(to) if backwards => to < from || from == 0,
            Some(to) => to > from,
            None => page.href() != Some(link),
        };
        let Some(trail) = page.trail().follow(link, backwards).filter(|_| goes_on) else {
            let error = Error::bad_request(
                "the page links to itself or to an earlier page; the link was not followed",
            );
            return Err(error.with_operation(request.operation()));
        };
        let mut page: P = self.fetch_page(request).await?.into_body();
        page.set_trail(trail);
        Ok(Some(page))
    }
}
