//! A simulated library of many saved tracks, and clients that read the library.

use std::{error::Error, sync::Arc, time::Duration};

use bytes::Bytes;
use rspotify::AuthCodeSpotify;
use serde_json::{Value, json};
use spot_api::Client;
use spot_http::{AccessToken, Pipeline, ReqwestTransport};
use spot_mock::{MockSpotify, Mode};

use crate::server::{Answers, Server};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Number of tracks per page.
pub(crate) const PAGE: usize = 50;

/// Pages of spot-mock, which are repeated to simulate a library with `items` tracks.
#[derive(Clone)]
pub(crate) struct Library {
    pages: Arc<[Bytes]>,
    pub(crate) items: usize,
}

impl Library {
    pub(crate) async fn new(items: usize) -> Result<Self> {
        let mock = MockSpotify::builder().mode(Mode::Extended).start().await?;
        let path = format!("/me/tracks?limit={PAGE}");
        let page: Value = serde_json::from_slice(&get(&mock, &path).await?)?;
        let page = |at: usize| {
            let next = (at + 1) * PAGE;
            let link = format!("https://api.spotify.com/v1/me/tracks?offset={next}&limit={PAGE}");
            let mut page = page.clone();
            let fields = page.as_object_mut()?;
            fields.insert("total".to_owned(), json!(items));
            fields.insert("offset".to_owned(), json!(at * PAGE));
            fields.insert("next".to_owned(), if next < items { json!(link) } else { Value::Null });
            Some(Bytes::from(page.to_string()))
        };
        let pages: Option<Arc<[Bytes]>> = (0..items / PAGE).map(page).collect();
        Ok(Self { pages: pages.ok_or("a page is not a JSON object")?, items })
    }

    /// Starts a server for the library.
    pub(crate) fn serve(&self, latency: Duration) -> Result<Server> {
        let library = self.clone();
        let answers: Answers = Arc::new(move |path| library.page(path));
        Server::start(latency, answers)
    }

    /// Returns the page that starts at the offset in the query.
    pub(crate) fn page(&self, query: &str) -> Bytes {
        let offset = query.split(['?', '&']).find_map(|pair| pair.strip_prefix("offset="));
        let offset = offset.and_then(|offset| offset.parse::<usize>().ok()).unwrap_or(0);
        self.pages.get(offset / PAGE).cloned().unwrap_or_default()
    }

    pub(crate) fn pages(&self) -> usize {
        self.pages.len()
    }

    /// Size of a page in bytes.
    pub(crate) fn page_bytes(&self) -> usize {
        self.pages.first().map_or(0, Bytes::len)
    }

    /// Checks that a client read all tracks.
    pub(crate) fn check(&self, count: usize) -> Result<()> {
        if count == self.items {
            Ok(())
        } else {
            Err(format!("{count} items were read; expected {}", self.items).into())
        }
    }
}

/// Requests a path of a spot-mock, and returns the response body.
pub(crate) async fn get(mock: &MockSpotify, path: &str) -> Result<Bytes> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let request = client.get(format!("{}{path}", mock.api_url()));
    let answer = request.bearer_auth(mock.user_token_all()).send().await?;
    Ok(answer.error_for_status()?.bytes().await?)
}

/// Creates a client of this SDK with default settings.
pub(crate) fn ours(url: &str) -> Result<Client> {
    let pipeline = Pipeline::builder(AccessToken::new("token")?)
        .transport(ReqwestTransport::builder().no_proxy().build()?)
        .base_url(url)
        .build()?;
    Ok(pipeline.into())
}

/// Creates a client of rspotify.
pub(crate) fn theirs(url: &str) -> AuthCodeSpotify {
    let token = rspotify::Token {
        access_token: "token".to_owned(),
        expires_in: chrono::Duration::hours(1),
        expires_at: None,
        refresh_token: None,
        scopes: Default::default(),
    };
    let config = rspotify::Config {
        api_base_url: format!("{url}/"),
        pagination_chunks: 50,
        token_refreshing: false,
        ..Default::default()
    };
    AuthCodeSpotify::from_token_with_config(token, Default::default(), Default::default(), config)
}
