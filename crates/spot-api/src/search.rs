use std::{fmt, marker::PhantomData};

use futures::future::BoxFuture;
use spot_model::{
    Artist, Page, SearchKind, SearchResults, SimplifiedAlbum, SimplifiedAudiobook,
    SimplifiedEpisode, SimplifiedPlaylist, SimplifiedShow, Track,
};

use crate::{Error, Items, Market, Response, Search};

/// What to search for: words, and filters on the fields of what is found.
///
/// Text becomes a query by itself, so that `client.search("words")` is enough. The setters add
/// filters, quoted so that their text cannot become another filter.
///
/// ```
/// use spot_api::SearchQuery;
///
/// let query = SearchQuery::new("night").artist("The \"Quiet\" Ones").years(1980, 1989);
/// assert_eq!(query.to_string(), r#"night artist:"The Quiet Ones" year:1980-1989"#);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchQuery {
    text: String,
}

impl SearchQuery {
    /// A query of words, which Spotify looks for in names of all kinds.
    pub fn new(words: impl AsRef<str>) -> Self {
        Self { text: words.as_ref().trim().to_owned() }
    }

    /// Only albums, artists and tracks of this artist.
    pub fn artist(self, name: &str) -> Self {
        self.filter("artist", name)
    }

    /// Only albums of this name, and tracks of such albums.
    pub fn album(self, name: &str) -> Self {
        self.filter("album", name)
    }

    /// Only tracks of this name.
    pub fn track(self, name: &str) -> Self {
        self.filter("track", name)
    }

    /// Only artists and tracks of this genre.
    pub fn genre(self, name: &str) -> Self {
        self.filter("genre", name)
    }

    /// Only albums, artists and tracks of this year.
    pub fn year(self, year: u16) -> Self {
        self.append(format_args!("year:{year}"))
    }

    /// Only albums, artists and tracks of these years, both included.
    pub fn years(self, first: u16, last: u16) -> Self {
        self.append(format_args!("year:{first}-{last}"))
    }

    /// Only the track with this International Standard Recording Code.
    pub fn isrc(self, code: &str) -> Self {
        self.filter("isrc", code)
    }

    /// Only the album with this Universal Product Code.
    pub fn upc(self, code: &str) -> Self {
        self.filter("upc", code)
    }

    /// Only albums of the last two weeks.
    pub fn tag_new(self) -> Self {
        self.append(format_args!("tag:new"))
    }

    /// Only albums of the lowest tenth by popularity.
    pub fn tag_hipster(self) -> Self {
        self.append(format_args!("tag:hipster"))
    }

    /// Whether there is nothing to search for.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    fn filter(self, field: &str, value: &str) -> Self {
        // The syntax has no way to write a quote inside quotes; Spotify ignores them in names.
        let value = value.replace('"', "");
        if value.contains(|char: char| !char.is_alphanumeric()) {
            self.append(format_args!("{field}:\"{}\"", value.trim()))
        } else {
            self.append(format_args!("{field}:{value}"))
        }
    }

    fn append(mut self, filter: fmt::Arguments<'_>) -> Self {
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(&filter.to_string());
        self
    }
}

/// Prints the query as it is sent.
impl fmt::Display for SearchQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<&str> for SearchQuery {
    fn from(words: &str) -> Self {
        Self::new(words)
    }
}

impl From<String> for SearchQuery {
    fn from(words: String) -> Self {
        Self::new(words)
    }
}

impl From<&String> for SearchQuery {
    fn from(words: &String) -> Self {
        Self::new(words)
    }
}

impl Search {
    /// Only tracks: one page when awaited, all of them by [`items`](SearchFor::items).
    pub fn tracks(self) -> SearchFor<Track> {
        self.only()
    }

    /// Only artists: one page when awaited, all of them by [`items`](SearchFor::items).
    pub fn artists(self) -> SearchFor<Artist> {
        self.only()
    }

    /// Only albums: one page when awaited, all of them by [`items`](SearchFor::items).
    pub fn albums(self) -> SearchFor<SimplifiedAlbum> {
        self.only()
    }

    /// Only playlists: one page when awaited, all of them by [`items`](SearchFor::items).
    pub fn playlists(self) -> SearchFor<SimplifiedPlaylist> {
        self.only()
    }

    /// Only shows: one page when awaited, all of them by [`items`](SearchFor::items).
    pub fn shows(self) -> SearchFor<SimplifiedShow> {
        self.only()
    }

    /// Only episodes: one page when awaited, all of them by [`items`](SearchFor::items).
    pub fn episodes(self) -> SearchFor<SimplifiedEpisode> {
        self.only()
    }

    /// Only audiobooks: one page when awaited, all of them by [`items`](SearchFor::items).
    pub fn audiobooks(self) -> SearchFor<SimplifiedAudiobook> {
        self.only()
    }

    fn only<T: SearchItem>(self) -> SearchFor<T> {
        SearchFor { search: self.kinds([T::KIND]), item: PhantomData }
    }
}

/// A search for one kind of thing.
///
/// Await it for one page, or stream [`items`](Self::items): the API gives the first 1,000.
///
/// ```no_run
/// # async fn example(client: spot_api::Client) -> Result<(), spot_api::Error> {
/// let mut tracks = client.search("night").tracks().items();
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
    /// The country whose catalogue is searched. See [`Search::market`].
    pub fn market(mut self, market: impl Into<Market>) -> Self {
        self.search = self.search.market(market);
        self
    }

    /// How many to a page, 1 to 10.
    pub fn limit(mut self, limit: u8) -> Self {
        self.search = self.search.limit(limit);
        self
    }

    /// How many to leave out before the first one, at most 1,000.
    pub fn offset(mut self, offset: u32) -> Self {
        self.search = self.search.offset(offset);
        self
    }

    /// Streams what is found, from the offset on, up to where the API ends. It lets other calls
    /// pass while the rate limit is met.
    pub fn items(mut self) -> Items<T> {
        self.search.client = self.search.client.in_bulk();
        let first = self.search.offset.unwrap_or(0);
        let limit = self.search.limit.unwrap_or(10);
        Items::by_offset(first, Some(1000), move |offset| {
            self.clone().limit(limit).offset(offset).into_future()
        })
    }

    /// Sends the request: the page with its status, headers and number of attempts.
    ///
    /// # Errors
    ///
    /// As any call.
    pub async fn send(self) -> Result<Response<Page<T>>, Error> {
        let found = self.search.send().await?;
        Ok(found.map(|mut found| T::page(&mut found).take().unwrap_or_default()))
    }
}

impl<T: SearchItem> IntoFuture for SearchFor<T> {
    type Output = Result<Page<T>, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { Ok(self.send().await?.into_body()) })
    }
}

/// What a search can find.
pub trait SearchItem:
    sealed::Sealed + serde::de::DeserializeOwned + Clone + Send + 'static
{
    /// The kind to ask for.
    const KIND: SearchKind;

    /// Where the answer holds it.
    #[doc(hidden)]
    fn page(results: &mut SearchResults) -> &mut Option<Page<Self>>;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! search_item {
    ($($item:ty => $kind:ident, $field:ident;)*) => {$(
        impl sealed::Sealed for $item {}
        impl SearchItem for $item {
            const KIND: SearchKind = SearchKind::$kind;

            fn page(results: &mut SearchResults) -> &mut Option<Page<Self>> {
                &mut results.$field
            }
        }
    )*};
}

search_item! {
    Track => Track, tracks;
    Artist => Artist, artists;
    SimplifiedAlbum => Album, albums;
    SimplifiedPlaylist => Playlist, playlists;
    SimplifiedShow => Show, shows;
    SimplifiedEpisode => Episode, episodes;
    SimplifiedAudiobook => Audiobook, audiobooks;
}
