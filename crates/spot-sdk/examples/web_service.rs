//! A web service with several users: one application, one rate limiter, and sessions in SQLite.
//!
//! `/login` sends the browser to Spotify, `/callback` finishes the sign-in and stores the session,
//! and `/saved/{account}` counts the saved tracks of a user. The program also simulates the
//! browsers of two users.
//!
//! `cargo run -p spot-sdk --example web_service`
#![expect(clippy::print_stdout, reason = "the example prints its output to stdout")]

#[path = "support/browser.rs"]
mod browser;
#[path = "support/sessions.rs"]
mod sessions;

use std::{
    collections::HashMap,
    error::Error as StdError,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    extract::{Path, RawQuery, State},
    response::Redirect,
    routing::get,
};
use spot::{
    Client, Error, ErrorKind,
    auth::{App, CallbackStore, PendingSignIn, Scope},
};
use spot_mock::MockSpotify;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

use crate::{
    browser::{browse, page_of},
    sessions::sessions,
};

type Failure = Box<dyn StdError + Send + Sync>;

/// Shared state of the requests.
#[derive(Clone)]
struct Service {
    app: App,
    /// The client of the application. All users share the connections and limits of this client.
    base: Client,
    sessions: CallbackStore,
    /// Pending sign-ins, by their `state`.
    pending: Arc<Mutex<HashMap<String, PendingSignIn>>>,
}

/// Returns the message for an error. A real service would log the error and choose an HTTP status
/// by the kind of the error.
fn text(error: Error) -> String {
    match error.kind() {
        ErrorKind::ConsentExpired | ErrorKind::Authentication => "sign in again".to_owned(),
        _ => error.to_string(),
    }
}

async fn login(State(service): State<Service>) -> Result<Redirect, String> {
    let pending = service.app.begin(Scope::UserLibraryRead).map_err(text)?;
    let redirect = Redirect::to(pending.authorize_url());
    let mut waiting = service.pending.lock().unwrap_or_else(PoisonError::into_inner);
    waiting.insert(pending.state().to_owned(), pending);
    Ok(redirect)
}

async fn callback(
    State(service): State<Service>,
    RawQuery(query): RawQuery,
) -> Result<String, String> {
    let query = query.unwrap_or_default();
    let state = query.split('&').find_map(|pair| pair.strip_prefix("state=")).unwrap_or_default();
    let pending = {
        let mut waiting = service.pending.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.remove(state).ok_or("unknown sign-in")?
    };
    let address = format!("{}?{query}", service.app.redirect_uri().unwrap_or_default());
    let session = pending.finish(&address).await.map_err(text)?;
    let me = service.base.with_tokens(session.clone()).me().await.map_err(text)?;
    let account = me.id.to_string();
    session.keep_in(service.sessions.clone(), &account).await.map_err(text)?;
    Ok(account)
}

async fn saved(
    State(service): State<Service>,
    Path(account): Path<String>,
) -> Result<String, String> {
    let stored =
        service.app.stored_session(service.sessions.clone(), &account, Scope::UserLibraryRead);
    let session = stored.await.map_err(text)?.ok_or("sign in first")?;
    let client = service.base.with_tokens(session);
    let page = client.library().tracks().limit(1).await.map_err(text)?;
    Ok(format!("{account} saved {} tracks", page.total.unwrap_or_default()))
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let home = format!("http://{}", listener.local_addr()?);
    let redirect_uri = format!("{home}/callback");
    let mock = MockSpotify::builder().redirect_uri(redirect_uri.clone()).start().await?;
    let app = App::builder(mock.client_id())
        .secret(mock.client_secret().to_owned())
        .redirect_uri(redirect_uri)
        .accounts_url(mock.accounts_url())
        .build()?;
    let base = Client::builder(app.client_credentials()?).base_url(mock.api_url()).build()?;
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("sessions.db");
    let file = SqliteConnectOptions::new().filename(file).create_if_missing(true);
    let sessions = sessions(&SqlitePoolOptions::new().connect_with(file).await?).await?;
    let service = Service { app, base, sessions, pending: Arc::default() };
    let router = Router::new()
        .route("/login", get(login))
        .route("/callback", get(callback))
        .route("/saved/{account}", get(saved))
        .with_state(service);
    let server = tokio::spawn(async move { axum::serve(listener, router).await });

    for user in [mock.world().user.clone(), mock.world().other_user.clone()] {
        mock.sign_in_as(&user);
        let account = browse(format!("{home}/login")).await?;
        println!("{}", browse(page_of(&home, "saved", &account)?).await?);
    }
    println!("{}", browse(page_of(&home, "saved", "nobody")?).await?);
    server.abort();
    Ok(())
}
