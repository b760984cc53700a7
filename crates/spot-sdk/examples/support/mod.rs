//! Creates the signed-in client of the examples, which uses Spotify or a `spot-mock`.

use std::error::Error;

use spot::{
    Client,
    auth::{App, Scope, Scopes, Session},
    net::{ReqwestTransport, Transport},
};
use spot_mock::{MockSpotify, Mode};

/// A signed-in client.
pub(crate) struct Start {
    pub(crate) client: Client,
    /// The `spot-mock` that the client uses. The mock stops when it is dropped.
    pub(crate) mock: Option<MockSpotify>,
}

/// If `SPOTIFY_CLIENT_ID` is set, signs in at Spotify in the browser. Otherwise, performs the same
/// sign-in at a `spot-mock` in the given mode.
pub(crate) async fn start(
    mode: Mode,
    scopes: impl IntoIterator<Item = Scope>,
) -> Result<Start, Box<dyn Error>> {
    let scopes: Scopes = scopes.into_iter().collect();
    if std::env::var_os("SPOTIFY_CLIENT_ID").is_some() {
        let session = App::from_env()?.sign_in(scopes).await?;
        return Ok(Start { client: Client::new(session)?, mock: None });
    }
    let mock = MockSpotify::builder().mode(mode).start().await?;
    let session = sign_in(&mock, scopes).await?;
    let client = Client::builder(session).base_url(mock.api_url()).build()?;
    Ok(Start { client, mock: Some(mock) })
}

/// Performs a complete sign-in. A client that follows redirects replaces the browser, so that no
/// user interaction is needed.
async fn sign_in(mock: &MockSpotify, scopes: Scopes) -> Result<Session, spot::Error> {
    let app = App::builder(mock.client_id())
        .redirect_uri("http://127.0.0.1/callback")
        .accounts_url(mock.accounts_url())
        .build()?;
    let runtime = tokio::runtime::Handle::current();
    let browser = move |url: &str| {
        runtime.spawn(visit(url.to_owned()));
    };
    app.sign_in(scopes).show(|_| {}).browser(browser).await
}

async fn visit(url: String) -> Result<(), Box<dyn Error + Send + Sync>> {
    let browser = ReqwestTransport::builder().no_proxy().build()?;
    let page = browser.send(http::Request::get(url).body(Default::default())?).await?;
    let back = page.headers().get(http::header::LOCATION).ok_or("no redirect")?.to_str()?;
    browser.send(http::Request::get(back).body(Default::default())?).await?;
    Ok(())
}
