use std::{fmt, sync::Arc};

use bytes::Bytes;
use serde::de::DeserializeOwned;
use spot_http::{CallOptions, Lane, Pipeline, TokenSource};

use crate::{
    AccessMode, Error, Market, Paged, Request, Response, arrival,
    links::{self, Linked},
};

/// A client of the Web API: the start of every call.
///
/// Cloning is cheap, and the clones share everything: the token, the connections, the rate gate.
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
    access: AccessMode,
    options: CallOptions,
}

impl Client {
    /// A client with the default transport and limits. To set them, make a [`Pipeline`] and turn
    /// it into a client with [`From`].
    ///
    /// # Errors
    ///
    /// [`Configuration`](crate::ErrorKind::Configuration) if the transport cannot be made.
    pub fn new(tokens: impl TokenSource) -> Result<Self, Error> {
        Ok(Pipeline::builder(tokens).build()?.into())
    }

    /// The market of every call that takes one and does not name its own; a call leaves it out
    /// with [`Market::UNSET`].
    #[must_use]
    pub fn with_market(mut self, market: impl Into<Market>) -> Self {
        self.market = Some(Arc::new(market.into()));
        self
    }

    /// Which mode the application is in, [`Development`](AccessMode::Development) unless this is
    /// called. Spotify does not tell it; it is in the application's dashboard.
    #[must_use]
    pub fn with_access_mode(mut self, mode: AccessMode) -> Self {
        self.access = mode;
        self
    }

    /// What the calls of this client do differently: a clone with options of its own is how a
    /// single call gets another deadline, or a long job lets others pass.
    ///
    /// ```no_run
    /// # async fn example(client: spot_api::Client) -> Result<(), spot_api::Error> {
    /// use std::time::Duration;
    /// use spot_api::CallOptions;
    ///
    /// let hurried = client.clone().with_options(CallOptions::new().deadline(Duration::from_secs(2)));
    /// let playing = hurried.player().currently_playing().await?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn with_options(mut self, options: CallOptions) -> Self {
        self.options = options;
        self
    }

    /// The mode the client takes its application to be in.
    pub fn access_mode(&self) -> AccessMode {
        self.access
    }

    /// How calls of this client get there and back.
    pub fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    /// Sends a request that has no method of its own yet.
    ///
    /// # Errors
    ///
    /// Whatever is not a success is an [`Error`], as with all calls.
    pub async fn request(&self, request: Request) -> Result<Response<Bytes>, Error> {
        self.pipeline.call(self.prepare(request)).await
    }

    /// The page after the given one, `None` if it is the last.
    ///
    /// The link is followed only to where the client sends its calls, since the token goes with
    /// it.
    ///
    /// # Errors
    ///
    /// [`BadRequest`](crate::ErrorKind::BadRequest) if the link leads elsewhere; else as any call.
    pub async fn next_page<P: Paged>(&self, page: &P) -> Result<Option<P>, Error> {
        self.follow(page.next_link()).await
    }

    /// The page before the given one, `None` if it is the first. As [`next_page`](Self::next_page).
    ///
    /// # Errors
    ///
    /// As [`next_page`](Self::next_page).
    pub async fn previous_page<P: Paged>(&self, page: &P) -> Result<Option<P>, Error> {
        self.follow(page.previous_link()).await
    }

    async fn follow<P: Paged>(&self, link: Option<&str>) -> Result<Option<P>, Error> {
        let Some(link) = link else { return Ok(None) };
        let path = links::path(&self.pipeline, link)?;
        let page = self.fetch::<Linked<P>>(Request::get(&path)).await?;
        Ok(Some(page.into_body().page))
    }

    pub(crate) fn market(&self) -> Option<&Market> {
        self.market.as_deref()
    }

    pub(crate) fn is_extended(&self) -> bool {
        self.access == AccessMode::Extended
    }

    /// The same client for a long job: its calls let others pass while the rate limit is met.
    pub(crate) fn in_bulk(mut self) -> Self {
        self.options = self.options.or(&CallOptions::new().lane(Lane::Bulk));
        self
    }

    /// The request with the options of the client where it has none.
    fn prepare(&self, request: Request) -> Request {
        let options = request.options().clone().or(&self.options);
        request.with_options(options)
    }

    /// Sends a request whose answer is an object.
    pub(crate) async fn fetch<T: DeserializeOwned>(
        &self,
        request: Request,
    ) -> Result<Response<T>, Error> {
        let operation = request.operation();
        let answer = self.pipeline.call(self.prepare(request)).await?;
        arrival::tell().await;
        answer.json(operation)
    }

    /// Sends a request whose answer may be missing.
    pub(crate) async fn fetch_optional<T: DeserializeOwned>(
        &self,
        request: Request,
    ) -> Result<Response<Option<T>>, Error> {
        self.pipeline.call_optional(self.prepare(request)).await
    }

    /// Sends a request whose only answer is its success.
    pub(crate) async fn command(&self, request: Request) -> Result<Response<()>, Error> {
        self.pipeline.call_empty(self.prepare(request)).await
    }
}

impl From<Pipeline> for Client {
    fn from(pipeline: Pipeline) -> Self {
        Self { pipeline, market: None, access: AccessMode::default(), options: CallOptions::new() }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Client");
        out.field("base_url", &self.pipeline.base_url());
        out.field("market", &self.market).field("access", &self.access).finish_non_exhaustive()
    }
}
