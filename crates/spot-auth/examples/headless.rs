//! A program on a machine without a browser. The user opens the consent page on another machine,
//! and pastes the URL to which Spotify redirects the browser.
//!
//! The program reads the environment variables `SPOTIFY_CLIENT_ID` and `SPOTIFY_REDIRECT_URI`. The
//! program stores the session, so the user has to sign in only once in six months. Without
//! `SPOTIFY_CLIENT_ID`, the program uses a mock server.
#![expect(clippy::print_stdout, reason = "a command-line program prints its results")]

use std::{
    error::Error,
    io,
    sync::{Arc, Mutex},
};

use spot_auth::{App, FileStore, MemoryStore, Scope, Session, SessionEventKind, TokenSource};
use spot_http::{ReqwestTransport, Transport};
use spot_mock::MockSpotify;

const SCOPES: [Scope; 1] = [Scope::UserReadRecentlyPlayed];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    if std::env::var_os("SPOTIFY_CLIENT_ID").is_none() {
        return demo().await;
    }
    let app = spot_auth::AppBuilder::from_env()?.observer(watch).build()?;
    let session = app.sign_in(SCOPES).store(FileStore::in_default_directory()?).paste().await?;
    work(&session).await
}

/// Prints a message if the user has to sign in again. A real program would send an email.
fn watch(event: &spot_auth::SessionEvent<'_>) {
    match event.kind() {
        SessionEventKind::ConsentExpiring { at, .. } => {
            println!("Message to the user: sign in again before {at:?}.");
        }
        SessionEventKind::ConsentExpired => println!("Message to the user: sign in again now."),
        _ => {}
    }
}

async fn work(session: &Session) -> Result<(), Box<dyn Error>> {
    session.token().await?;
    println!("Signed in. Granted scopes: {}.", session.granted_scopes());
    Ok(())
}

pub(crate) async fn demo() -> Result<(), Box<dyn Error>> {
    let mock = MockSpotify::start().await?;
    let app = App::builder(mock.client_id())
        .accounts_url(mock.accounts_url())
        .redirect_uri("https://example.com/callback")
        .observer(watch)
        .build()?;
    let said = Arc::new(Mutex::new(String::new()));
    let (show, read) = (Arc::clone(&said), said);
    // In this demo, no user opens the consent page. `show` stores the URL of the page, and `prompt`
    // opens the page and returns the callback URL.
    let show = move |message: &str| {
        println!("{message}");
        if let Ok(mut said) = show.lock() {
            said.push_str(message);
        }
    };
    let runtime = tokio::runtime::Handle::current();
    let prompt = move || {
        let said = read.lock().map_err(|_| io::Error::other("no message was shown"))?.clone();
        let page = said.lines().find(|line| line.starts_with("http")).unwrap_or_default();
        let ended_at = runtime.block_on(open(page)).map_err(io::Error::other)?;
        println!("> {ended_at}");
        Ok(ended_at)
    };
    let store = MemoryStore::new();
    let ask = || app.sign_in(SCOPES).store(store.clone()).paste();
    work(&ask().show(show).prompt(prompt).await?).await?;
    println!("The second sign-in uses the stored session.");
    work(&ask().await?).await
}

/// Opens a page, and returns the URL to which the page redirects the browser.
async fn open(page: &str) -> Result<String, Box<dyn Error + Send + Sync>> {
    let browser = ReqwestTransport::builder().no_proxy().build()?;
    let answer = browser.send(http::Request::get(page).body(Default::default())?).await?;
    let to = answer.headers().get(http::header::LOCATION).ok_or("no redirect")?;
    Ok(to.to_str()?.to_owned())
}
