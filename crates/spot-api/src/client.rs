use std::{fmt, sync::Arc};

use bytes::Bytes;
use serde::de::DeserializeOwned;
use spot_http::{CallOptions, Error, Limits, Pipeline, Priority, Request, Response, TokenSource};
use spot_model::{AccessMode, Operation, Uri};

use crate::{
    market::Market,
    page::{PageIn, Paged, keep_path},
};

/// A client of the Web API.
///
/// Cloning is cheap. The clones share the token, the connections and the rate limiter.
///
/// | to do | start with |
/// |---|---|
/// | read an item of the catalog | [`artist`](Self::artist), [`album`](Self::album), [`track`](Self::track), [`show`](Self::show), [`episode`](Self::episode), [`audiobook`](Self::audiobook), [`chapter`](Self::chapter) |
/// | read several items by id | [`tracks`](Self::tracks), [`albums`](Self::albums), [`artists`](Self::artists) and so on |
/// | find something | [`search`](Self::search) |
/// | read or change a playlist | [`playlist`](Self::playlist) |
/// | create a playlist | [`me`](Self::me), then `create_playlist(name)` |
/// | read the current user, their playlists and top lists | [`me`](Self::me) |
/// | read or change the items that the user saved or follows | [`library`](Self::library) |
/// | read or control the current playback | [`player`](Self::player) |
/// | use a replaced or restricted operation | [`legacy`](Self::legacy), [`browse`](Self::browse), [`recommendations`](Self::recommendations) |
/// | send a request of your own | [`request_json`](Self::request_json), [`stream`](Self::stream) |
/// | read another page | [`stream_from`](Self::stream_from), [`next_page`](Self::next_page) |
/// | change settings | [`builder`](Self::builder), [`with_options`](Self::with_options) |
/// | call for another user | [`with_tokens`](Self::with_tokens) |
///
/// ```no_run
/// # async fn example(tokens: spot_http::AccessToken) -> Result<(), spot_api::Error> {
/// let client = spot_api::Client::new(tokens)?;
/// let artist = client.artist("spotify:artist:spotmockArtist00000001").await?;
/// println!("{}", artist.name);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Client {
    pipeline: Pipeline,
    market: Option<Arc<Market>>,
    options: CallOptions,
}

/// Methods that create and configure clients, and methods for endpoints that the SDK does not
/// define.
impl Client {
    /// Creates a client with the default settings. To change settings, use
    /// [`builder`](Self::builder).
    ///
    /// # Errors
    ///
    /// Fails with [`Configuration`](crate::ErrorKind::Configuration) if the transport cannot be
    /// created.
    pub fn new(tokens: impl TokenSource) -> Result<Self, Error> {
        Ok(Pipeline::builder(tokens).build()?.into())
    }

    /// Returns a client for another user of the same application. The new client has the settings
    /// of this client. Both clients share the connections, the rate limiter, the retry budget, the
    /// cache and the observer.
    ///
    /// A client takes a few hundred bytes of memory, so a server can keep one client per session.
    /// Spotify counts the calls of all clients of an application together. Without a shared
    /// limiter, the clients send too many calls in total, and Spotify responds with 429 more often.
    ///
    /// ```
    /// # use spot_http::AccessToken;
    /// # fn example(app: AccessToken, user: AccessToken) -> Result<(), spot_api::Error> {
    /// let base = spot_api::Client::new(app)?;
    /// let client = base.with_tokens(user);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn with_tokens(&self, tokens: impl TokenSource) -> Self {
        Self { pipeline: self.pipeline.with_tokens(tokens), ..self.clone() }
    }

    /// Sets the default market, for all calls with a market parameter. A call can set another
    /// market, or [`Market::UNSET`] to send no market.
    #[must_use]
    pub fn with_market(mut self, market: impl Into<Market>) -> Self {
        self.market = Some(Arc::new(market.into()));
        self
    }

    /// Sets the access mode of the application; [`Development`](AccessMode::Development) by
    /// default. Spotify's dashboard shows the mode.
    #[must_use]
    pub fn with_access_mode(mut self, mode: AccessMode) -> Self {
        self.pipeline = self.pipeline.with_access_mode(mode);
        self
    }

    /// Sets the options of all calls of this client, for example the deadline or the priority. To
    /// change the options of a single call, use a clone of the client.
    ///
    /// ```no_run
    /// # async fn example(client: spot_api::Client) -> Result<(), spot_api::Error> {
    /// use std::time::Duration;
    /// use spot_api::CallOptions;
    ///
    /// let quick = client.clone().with_options(CallOptions::new().deadline(Duration::from_secs(2)));
    /// let playing = quick.player().currently_playing().await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn with_options(mut self, options: CallOptions) -> Self {
        self.options = options;
        self
    }

    /// The access mode that was set for the application.
    pub fn access_mode(&self) -> AccessMode {
        self.pipeline.access_mode()
    }

    /// A snapshot of Spotify's limits: the rate limit, the number of calls that count against the
    /// rate limit now, and the blocked operations. For each blocked operation, the snapshot
    /// contains the time until the block ends.
    pub fn limits(&self) -> Limits {
        self.pipeline.limits()
    }

    /// The HTTP layer of this client.
    pub fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    /// Sends a request for which the client has no method. Returns the body as bytes.
    ///
    /// # Errors
    ///
    /// Any failure of the call, including every response with an error status.
    pub async fn request(&self, request: Request) -> Result<Response<Bytes>, Error> {
        self.pipeline.call(self.prepare(request)).await
    }

    /// Sends a request for which the client has no method, and decodes the JSON of the response.
    ///
    /// ```no_run
    /// # async fn example(client: spot_api::Client) -> Result<(), spot_api::Error> {
    /// use serde::Deserialize;
    /// use spot_api::{
    ///     Request,
    ///     model::{Method, Operation, Scope},
    /// };
    ///
    /// #[derive(Deserialize)]
    /// struct Lyrics {
    ///     lines: Vec<String>,
    /// }
    ///
    /// const GET_LYRICS: &Operation = &Operation::custom(Method::Get, "/tracks/{id}/lyrics")
    ///     .with_name("get_lyrics")
    ///     .with_scopes(&[Scope::UserReadPrivate]);
    ///
    /// let request = Request::new(GET_LYRICS).path("id", "spotmockTrack000000001");
    /// let lyrics = client.request_json::<Lyrics>(request).await?.into_body();
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails with the same errors as [`request`](Self::request). Fails with
    /// [`Decode`](crate::ErrorKind::Decode) if the response cannot be decoded as a `T`.
    pub async fn request_json<T: DeserializeOwned>(
        &self,
        request: Request,
    ) -> Result<Response<T>, Error> {
        self.fetch(request).await
    }

    /// Resolves a short link (`https://spotify.link/..`). The method sends a request, but needs no
    /// token. Other links and URIs of Spotify objects can be parsed without a request.
    ///
    /// ```no_run
    /// # async fn example(client: spot_api::Client) -> Result<(), spot_api::Error> {
    /// let uri = client.resolve_link("https://spotify.link/hRkBrwub9xb").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the network fails. Fails with [`BadRequest`](crate::ErrorKind::BadRequest) if the
    /// link does not lead to a Spotify object.
    pub async fn resolve_link(&self, link: &str) -> Result<Uri, Error> {
        let mut link = link.to_owned();
        for _ in 0..Self::REDIRECTS {
            match link.parse::<Uri>() {
                Ok(uri) => return Ok(uri),
                Err(error) if error.is_short_link() => {}
                Err(error) => return Err(error.into()),
            }
            if !link.contains("://") {
                link.insert_str(0, "https://");
            }
            link = self.pipeline.redirect_of(&link).await?.ok_or_else(|| {
                Error::bad_request(format!("the short link {link:?} does not redirect"))
            })?;
        }
        Err(Error::bad_request(format!(
            "the short link redirects too often; after {} redirects it leads to {link:?}",
            Self::REDIRECTS
        )))
    }

    /// Maximum number of redirects to follow between short links.
    const REDIRECTS: usize = 4;

    pub(crate) fn market(&self) -> Option<&Market> {
        self.market.as_deref()
    }

    pub(crate) fn is_extended(&self) -> bool {
        self.access_mode() == AccessMode::Extended
    }

    /// Returns a client whose requests have the priority `Bulk`. When calls have to wait for the
    /// rate limit, interactive calls are sent first.
    pub(crate) fn in_bulk(mut self) -> Self {
        self.options = self.options.or(&CallOptions::new().priority(Priority::Bulk));
        self
    }

    /// Sets `limit` to the operation's maximum in this client's access mode. If the request already
    /// has a `limit`, the request is not changed.
    pub(crate) fn with_page_size(&self, request: Request) -> Request {
        let Some(max) = request.operation().paging.max_limit(self.access_mode()) else {
            return request;
        };
        match request.query_value("limit") {
            Some(_) => request,
            None => request.query("limit", max),
        }
    }

    /// Adds the options of the client to a request. Options that the request sets itself have
    /// priority.
    fn prepare(&self, request: Request) -> Request {
        let options = request.options().clone().or(&self.options);
        request.with_options(options)
    }

    /// Sends a request whose response is an object.
    pub(crate) async fn fetch<T: DeserializeOwned>(
        &self,
        request: Request,
    ) -> Result<Response<T>, Error> {
        let operation = request.operation();
        self.request(request).await?.json(operation)
    }

    /// Sends a request whose response is a page, or contains a page in a field.
    pub(crate) async fn fetch_page<P: Paged>(
        &self,
        request: Request,
    ) -> Result<Response<P>, Error> {
        let (operation, path) = (request.operation(), request.url_path().to_owned());
        let answer = self.request(request).await?;
        self.read_page(answer, operation, &path)
    }

    /// Decodes the page in a response. In the links of the page, replaces the path with the path of
    /// the request.
    pub(crate) fn read_page<P: Paged>(
        &self,
        answer: Response<Bytes>,
        operation: &'static Operation,
        path: &str,
    ) -> Result<Response<P>, Error> {
        let answer = answer.json::<PageIn<P>>(operation)?;
        Ok(answer.map(|PageIn(mut page)| {
            keep_path(&mut page, path);
            page
        }))
    }

    /// Sends a request whose response may be empty.
    pub(crate) async fn fetch_optional<T: DeserializeOwned>(
        &self,
        request: Request,
    ) -> Result<Response<Option<T>>, Error> {
        self.pipeline.call_optional(self.prepare(request)).await
    }

    /// Sends a request whose response has no content.
    pub(crate) async fn command(&self, request: Request) -> Result<Response<()>, Error> {
        self.pipeline.call_empty(self.prepare(request)).await
    }
}

impl From<Pipeline> for Client {
    fn from(pipeline: Pipeline) -> Self {
        Self { pipeline, market: None, options: CallOptions::new() }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Client");
        out.field("base_url", &self.pipeline.base_url());
        out.field("market", &self.market)
            .field("access", &self.access_mode())
            .finish_non_exhaustive()
    }
}
