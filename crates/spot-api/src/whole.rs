//! Streams albums with all their tracks, and playlists with all their items.

use std::{
    collections::VecDeque,
    fmt, mem,
    pin::Pin,
    task::{Context, Poll},
    vec,
};

use futures::{
    FutureExt, Stream, StreamExt, TryStreamExt,
    future::{self, BoxFuture},
    stream::{self, BoxStream, TryChunksError},
};
use serde::de::DeserializeOwned;
use spot_http::Error;
use spot_model::{Album, AlbumId, Page, Playlist, PlaylistId, Uri};
use tokio::runtime::Handle;

use crate::{
    chunks,
    client::Client,
    generated::{GetAlbums, GetArtistAlbums, GetMyPlaylists},
    market::Market,
    task::Task,
};

/// Default number of parallel reads.
const PREFETCH: usize = 8;

/// Result of one read: the entries, in order. An entry that Spotify does not find consists only of
/// its URI.
type Read<T> = Vec<(Uri, Option<T>)>;

/// A read that has not started yet.
type Reading<T> = BoxFuture<'static, Result<Read<T>, Error>>;

/// A stream of albums with all their tracks, or of playlists with all their items.
///
/// [`GetAlbums::with_tracks`], [`GetArtistAlbums::with_tracks`] and [`GetMyPlaylists::with_items`]
/// create a stream of this type.
///
/// Spotify returns an album with its first 50 tracks, and a playlist with its first 100 items. To
/// get the remaining tracks or items, the stream sends further requests. In [Extended Quota
/// Mode](crate::AccessMode::Extended), one request reads up to 20 albums.
///
/// The stream reads several albums or playlists in parallel, and returns them in order;
/// [`prefetch`](Self::prefetch) sets the number. The requests use the bulk
/// [priority](crate::Priority): when calls have to wait for the rate limit, interactive calls are
/// sent first. Dropping the stream stops the requests. An error ends the stream.
pub struct Whole<T> {
    /// The reads that have not started yet.
    reads: stream::Fuse<BoxStream<'static, Result<Reading<T>, Error>>>,
    /// The reads in progress. Each read runs in its own task, and continues while the caller works.
    jobs: VecDeque<Task<Result<Read<T>, Error>>>,
    prefetch: usize,
    /// Entries of the last completed read that the stream has not yielded yet.
    ready: vec::IntoIter<(Uri, Option<T>)>,
    /// An error in the list of ids. The stream yields all earlier entries before it yields the
    /// error.
    failed: Option<Error>,
    missing: Vec<Uri>,
}

impl<T: Send + 'static> Whole<T> {
    fn new<Id, F>(
        ids: impl Stream<Item = Result<Vec<Id>, Error>> + Send + 'static,
        read: impl Fn(Vec<Id>) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Read<T>, Error>> + Send + 'static,
    {
        Self {
            reads: ids.map_ok(move |ids| read(ids).boxed()).boxed().fuse(),
            jobs: VecDeque::new(),
            prefetch: PREFETCH,
            ready: Vec::new().into_iter(),
            failed: None,
            missing: Vec::new(),
        }
    }

    /// Sets how many albums or playlists the stream reads in parallel. The default is 8. The value
    /// 0 is treated as 1. In Extended Quota Mode, the stream reads albums in groups of up to 20,
    /// and `reads` is the number of groups.
    #[must_use]
    pub fn prefetch(mut self, reads: usize) -> Self {
        self.prefetch = reads.max(1);
        self
    }

    /// Returns the next entry; `None` at the end. Unlike `StreamExt::next`, this method needs no
    /// import. If the returned future is dropped, no entry is lost.
    pub async fn next(&mut self) -> Option<Result<T, Error>> {
        StreamExt::next(self).await
    }

    /// Returns the next entry. Use this method in a `while` loop: `while let Some(album) =
    /// albums.try_next().await?`.
    ///
    /// # Errors
    ///
    /// Fails if a request of the stream fails, or if an id is invalid. The stream ends after an
    /// error.
    pub async fn try_next(&mut self) -> Result<Option<T>, Error> {
        TryStreamExt::try_next(self).await
    }

    /// URIs of the entries that the stream has skipped so far, because Spotify did not find them.
    pub fn missing(&self) -> &[Uri] {
        &self.missing
    }

    /// Starts reads until the number of reads in progress is `prefetch`.
    fn start_reads(&mut self, cx: &mut Context<'_>) {
        while self.jobs.len() < self.prefetch && self.failed.is_none() {
            match self.reads.poll_next_unpin(cx) {
                Poll::Ready(Some(Ok(read))) => match Handle::try_current() {
                    Ok(runtime) => self.jobs.push_back(Task::start(&runtime, read)),
                    Err(_) => {
                        let message = "a stream was polled outside of a tokio runtime";
                        self.failed = Some(Error::configuration(message));
                    }
                },
                Poll::Ready(Some(Err(error))) => self.failed = Some(error),
                Poll::Ready(None) | Poll::Pending => return,
            }
        }
    }

    fn stop(&mut self) {
        self.jobs.clear();
        self.reads = stream::empty().boxed().fuse();
        self.failed = None;
    }
}

impl<T: Send + 'static> Stream for Whole<T> {
    type Item = Result<T, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            for (uri, entry) in this.ready.by_ref() {
                match entry {
                    Some(entry) => return Poll::Ready(Some(Ok(entry))),
                    None => this.missing.push(uri),
                }
            }
            this.start_reads(cx);
            let Some(job) = this.jobs.front_mut() else {
                return match this.failed.take() {
                    Some(error) => {
                        this.stop();
                        Poll::Ready(Some(Err(error)))
                    }
                    None if this.reads.is_done() => Poll::Ready(None),
                    None => Poll::Pending,
                };
            };
            let Poll::Ready(read) = job.poll_unpin(cx) else { return Poll::Pending };
            this.jobs.pop_front();
            match read.flatten() {
                Ok(read) => this.ready = read.into_iter(),
                Err(error) => {
                    this.stop();
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
    }
}

// The stream contains no pinned future, because each read runs in its own task.
impl<T> Unpin for Whole<T> {}

impl<T> fmt::Debug for Whole<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Whole")
            .field("under_way", &self.jobs.len())
            .field("prefetch", &self.prefetch)
            .field("missing", &self.missing)
            .finish_non_exhaustive()
    }
}

impl GetAlbums {
    /// Streams the albums with all their tracks. Ids that Spotify does not find are skipped; see
    /// [`Whole::missing`].
    ///
    /// ```no_run
    /// # async fn example(client: spot_api::Client) -> Result<(), spot_api::Error> {
    /// let mut albums = client.albums(["spotmockAlbum000000001"]).with_tracks();
    /// while let Some(album) = albums.try_next().await? {
    ///     println!("{}: {} tracks", album.name, album.tracks.items.len());
    /// }
    /// # Ok(()) }
    /// ```
    // With `#[inline]`, only programs that call this method compile the code that decodes the JSON.
    #[inline]
    pub fn with_tracks(self) -> Whole<Album> {
        let ids = chunks::parsed(Self::OPERATION, "ids", &self.ids).map(<[AlbumId]>::to_vec);
        let ids = match ids {
            Ok(ids) => stream::iter(ids).map(Ok).left_stream(),
            Err(error) => stream::once(future::err(error)).right_stream(),
        };
        whole_albums(self.client, self.market, ids)
    }
}

impl GetArtistAlbums {
    /// Streams the albums with all their tracks: the discography of the artist.
    ///
    /// If an album is in more than one [group](Self::groups), the list of the artist contains the
    /// album several times. The stream then yields the album several times.
    ///
    /// ```no_run
    /// # async fn example(client: spot_api::Client) -> Result<(), spot_api::Error> {
    /// use spot_api::model::AlbumGroup;
    ///
    /// let artist = client.artist("spotmockArtist00000001");
    /// let mut albums = artist.albums().groups([AlbumGroup::Album]).with_tracks();
    /// while let Some(album) = albums.try_next().await? {
    ///     println!("{}: {} tracks", album.name, album.tracks.items.len());
    /// }
    /// # Ok(()) }
    /// ```
    // With `#[inline]`, only programs that call this method compile the code that decodes the JSON.
    #[inline]
    pub fn with_tracks(self) -> Whole<Album> {
        let (client, market) = (self.client.clone(), self.market.clone());
        let ids = self.stream().try_filter_map(|album| future::ok(album.id));
        whole_albums(client, market, ids)
    }
}

impl GetMyPlaylists {
    /// Streams the playlists with all their items.
    ///
    /// In Development Mode, Spotify returns the `items` of a playlist only to its owner and its
    /// collaborators. Playlists that Spotify does not find are skipped; see [`Whole::missing`].
    ///
    /// ```no_run
    /// # async fn example(client: spot_api::Client) -> Result<(), spot_api::Error> {
    /// let mut playlists = client.me().playlists().with_items();
    /// while let Some(playlist) = playlists.try_next().await? {
    ///     let items = playlist.items.unwrap_or_default();
    ///     println!("{}: {} items", playlist.name, items.items.len());
    /// }
    /// # Ok(()) }
    /// ```
    // With `#[inline]`, only programs that call this method compile the code that decodes the JSON.
    #[inline]
    pub fn with_items(self) -> Whole<Playlist> {
        let client = self.client.clone().in_bulk();
        let ids =
            self.stream().try_filter_map(|playlist| future::ok(playlist.id.map(|id| vec![id])));
        Whole::new(ids, move |ids| whole_playlists(client.clone(), ids))
    }
}

/// Streams albums with all their tracks, in as few requests as the access mode allows.
fn whole_albums(
    client: Client,
    market: Option<Market>,
    ids: impl Stream<Item = Result<AlbumId, Error>> + Send + 'static,
) -> Whole<Album> {
    let client = client.in_bulk();
    let size = if client.is_extended() { GetAlbums::CHUNK } else { 1 };
    // An error in the list of ids ends the stream. If the error arrives in the middle of a chunk,
    // the albums of this chunk are not read.
    let ids = ids.try_chunks(size).map_err(|TryChunksError(_, error)| error);
    Whole::new(ids, move |ids| {
        let (client, market) = (client.clone(), market.clone());
        async move {
            let request = GetAlbums { client: client.clone(), ids: Ok(ids.clone()), market };
            let mut albums = request.await?;
            for album in albums.iter_mut().flatten() {
                album.tracks = whole_page(&client, mem::take(&mut album.tracks)).await?;
            }
            Ok(ids.into_iter().map(Uri::from).zip(albums).collect())
        }
    })
}

async fn whole_playlists(client: Client, ids: Vec<PlaylistId>) -> Result<Read<Playlist>, Error> {
    let requests = ids.iter().map(|id| client.playlist(*id).into_request()).collect();
    let mut playlists = chunks::joined(chunks::single_reads::<Playlist>(&client, requests).await?);
    for playlist in playlists.iter_mut().flatten() {
        if let Some(items) = playlist.items.take() {
            playlist.items = Some(whole_page(&client, items).await?);
        }
    }
    Ok(ids.into_iter().map(Uri::from).zip(playlists).collect())
}

/// Returns a page that contains the entries of this page and of all following pages.
async fn whole_page<T: DeserializeOwned + Send + 'static>(
    client: &Client,
    page: Page<T>,
) -> Result<Page<T>, Error> {
    if page.is_last() {
        return Ok(page);
    }
    let mut whole = Page::default();
    whole.offset = page.offset;
    whole.href.clone_from(&page.href);
    let mut pages = client.stream_from(page).pages();
    while let Some(mut page) = pages.try_next().await? {
        let before = whole.items.len() + whole.skipped.len();
        page.skipped.iter_mut().for_each(|skipped| skipped.index += before);
        whole.items.append(&mut page.items);
        whole.skipped.append(&mut page.skipped);
    }
    whole.total = pages.total();
    // `Page::is_last` returns `true`, because `limit` is the number of all entries.
    whole.limit = u32::try_from(whole.items.len() + whole.skipped.len()).unwrap_or(u32::MAX);
    Ok(whole)
}
