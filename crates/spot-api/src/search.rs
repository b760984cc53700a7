use std::marker::PhantomData;

use futures::future::BoxFuture;
use spot_http::{Error, Request, Response};
use spot_model::{
    Artist, Page, SearchKind, SimplifiedAlbum, SimplifiedAudiobook, SimplifiedEpisode,
    SimplifiedPlaylist, SimplifiedShow, Track,
};

use crate::{
    generated::Search, items::Items, market::Market, optional::Optional, send::ApiRequest,
};

impl Search {
    /// Restricts the search to tracks. Await the request to get one page, or call
    /// [`stream`](SearchFor::stream) to get all results.
    pub fn tracks(self) -> SearchFor<Track> {
        self.only()
    }

    /// Restricts the search to artists. Await the request to get one page, or call
    /// [`stream`](SearchFor::stream) to get all results.
    pub fn artists(self) -> SearchFor<Artist> {
        self.only()
    }

    /// Restricts the search to albums. Await the request to get one page, or call
    /// [`stream`](SearchFor::stream) to get all results.
    pub fn albums(self) -> SearchFor<SimplifiedAlbum> {
        self.only()
    }

    /// Restricts the search to playlists. Await the request to get one page, or call
    /// [`stream`](SearchFor::stream) to get all results.
    pub fn playlists(self) -> SearchFor<SimplifiedPlaylist> {
        self.only()
    }

    /// Restricts the search to shows. Await the request to get one page, or call
    /// [`stream`](SearchFor::stream) to get all results.
    pub fn shows(self) -> SearchFor<SimplifiedShow> {
        self.only()
    }

    /// Restricts the search to episodes. Await the request to get one page, or call
    /// [`stream`](SearchFor::stream) to get all results.
    pub fn episodes(self) -> SearchFor<SimplifiedEpisode> {
        self.only()
    }

    /// Restricts the search to audiobooks. Await the request to get one page, or call
    /// [`stream`](SearchFor::stream) to get all results.
    pub fn audiobooks(self) -> SearchFor<SimplifiedAudiobook> {
        self.only()
    }

    fn only<T: SearchItem>(self) -> SearchFor<T> {
        SearchFor { search: self.kinds([T::KIND]), item: PhantomData }
    }
}

/// A search for a single type of result.
///
/// Await the search to get one page, or call [`stream`](Self::stream) to get all results. The API
/// returns only about the first 1,000 results.
///
/// ```no_run
/// # async fn example(client: spot_api::Client) -> Result<(), spot_api::Error> {
/// let mut tracks = client.search("night").tracks().stream();
/// while let Some(track) = tracks.try_next().await? {
///     println!("{}", track.name);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until it is awaited"]
pub struct SearchFor<T> {
    search: Search,
    item: PhantomData<fn() -> T>,
}

impl<T: SearchItem> SearchFor<T> {
    /// Market to search. See [`Search::market`].
    pub fn market(mut self, market: impl Optional<Market>) -> Self {
        self.search = self.search.market(market);
        self
    }

    /// Page size. See [`Search::limit`].
    pub fn limit(mut self, limit: impl Into<Option<u8>>) -> Self {
        self.search = self.search.limit(limit);
        self
    }

    /// Index of the first result. The maximum is 1,000.
    pub fn offset(mut self, offset: impl Into<Option<u32>>) -> Self {
        self.search = self.search.offset(offset);
        self
    }

    /// Streams all results, from the offset to the last result that the API returns.
    #[doc(alias = "items")]
    pub fn stream(self) -> Items<T> {
        Items::new(self.search.client.clone(), self.into_request())
    }

    /// Returns the request as plain data, without sending it.
    pub fn into_request(self) -> Request {
        self.search.into_request()
    }

    /// Sends the request. Returns the page, the status, the headers and the number of attempts.
    ///
    /// # Errors
    ///
    /// Any failure of the call. Match on the [kind](crate::Error::kind) of the error.
    pub async fn send(self) -> Result<Response<Page<T>>, Error> {
        let client = self.search.client.clone();
        client.fetch_page(self.into_request()).await
    }
}

impl<T: SearchItem> IntoFuture for SearchFor<T> {
    type Output = Result<Page<T>, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { Ok(self.send().await?.into_body()) })
    }
}

impl<T: SearchItem> ApiRequest for SearchFor<T> {
    type Body = Page<T>;

    fn into_requests(self) -> Vec<Request> {
        vec![self.into_request()]
    }
}

/// A type of search result.
pub trait SearchItem:
    sealed::Sealed + serde::de::DeserializeOwned + Clone + Send + 'static
{
    /// The kind of item to search for.
    const KIND: SearchKind;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! search_item {
    ($($item:ty => $kind:ident;)*) => {$(
        impl sealed::Sealed for $item {}
        impl SearchItem for $item {
            const KIND: SearchKind = SearchKind::$kind;
        }
    )*};
}

search_item! {
    Track => Track;
    Artist => Artist;
    SimplifiedAlbum => Album;
    SimplifiedPlaylist => Playlist;
    SimplifiedShow => Show;
    SimplifiedEpisode => Episode;
    SimplifiedAudiobook => Audiobook;
}
