//! A web server whose users sign in to Spotify. Each user has a separate session.
//!
//! The server reads the environment variables `SPOTIFY_CLIENT_ID`, `SPOTIFY_CLIENT_SECRET` and
//! `SPOTIFY_REDIRECT_URI`. The redirect URI must be `http://127.0.0.1:3000/callback`. Without
//! `SPOTIFY_CLIENT_ID`, the server uses a mock server and simulates two visitors.
#![expect(clippy::print_stdout, reason = "a command-line program prints its results")]

use std::{
    collections::HashMap,
    error::Error,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    extract::State,
    http::{
        HeaderMap, StatusCode, Uri,
        header::{COOKIE, LOCATION, SET_COOKIE},
    },
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde_json::Value;
use spot_auth::{App, ErrorKind, MemoryStore, PendingSignIn, Scope, Session};
use spot_http::{Pipeline, Request, ReqwestTransport, Transport};
use spot_mock::MockSpotify;
use tokio::net::TcpListener;

const SCOPES: [Scope; 2] = [Scope::UserLibraryRead, Scope::UserReadPrivate];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    if std::env::var_os("SPOTIFY_CLIENT_ID").is_none() {
        return demo().await;
    }
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    println!("Open http://127.0.0.1:3000/");
    let site = Site::new(App::from_env()?, "https://api.spotify.com/v1")?;
    Ok(axum::serve(listener, site.router()).await?)
}

/// State of the server. A real server would store the sessions in a database, with a
/// `CallbackStore` or its own implementation of `TokenStore`.
struct Site {
    app: App,
    /// The server derives the pipeline of each visitor from this pipeline. All pipelines share the
    /// connections and the rate limit of the application.
    base: Pipeline,
    store: MemoryStore,
    /// Sign-ins that are not finished yet, by visitor.
    pending: Mutex<HashMap<String, PendingSignIn>>,
    /// Loaded sessions, by visitor. All requests of a visitor use the same session, so that these
    /// requests share one token refresh.
    sessions: Mutex<HashMap<String, Session>>,
}

impl Site {
    fn new(app: App, api: &str) -> Result<Arc<Self>, spot_auth::Error> {
        let base = Pipeline::builder(app.client_credentials()?).base_url(api).build()?;
        Ok(Arc::new(Self {
            app,
            base,
            store: MemoryStore::new(),
            pending: Mutex::default(),
            sessions: Mutex::default(),
        }))
    }

    fn router(self: Arc<Self>) -> Router {
        Router::new()
            .route("/", get(home))
            .route("/sign-in", get(sign_in))
            .route("/callback", get(callback))
            .route("/sign-out", post(sign_out))
            .with_state(self)
    }

    fn pending(&self) -> MutexGuard<'_, HashMap<String, PendingSignIn>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the visitor's session. After a restart, the session is loaded from the store.
    async fn session(&self, visitor: &str) -> Result<Option<Session>, spot_auth::Error> {
        if let Some(session) = self.sessions().get(visitor).cloned() {
            return Ok(Some(session));
        }
        let Some(session) = self.app.stored_session(self.store.clone(), visitor, SCOPES).await?
        else {
            return Ok(None);
        };
        Ok(Some(self.sessions().entry(visitor.to_owned()).or_insert(session).clone()))
    }
}

async fn home(State(site): State<Arc<Site>>, headers: HeaderMap) -> Result<Html<String>, Failed> {
    const STRANGER: &str = "<p><a href=\"/sign-in\">Sign in with Spotify</a>";
    let session = match visitor(&headers) {
        Some(visitor) => site.session(visitor).await?,
        None => None,
    };
    let Some(session) = session else { return Ok(Html(STRANGER.to_owned())) };
    let pipeline = site.base.with_tokens(session);
    let saved: Value = pipeline.call_json(Request::get("/me/tracks?limit=1")).await?.into_body();
    let total = saved.get("total").and_then(Value::as_u64).unwrap_or_default();
    Ok(Html(format!(
        "<p>You have saved {total} tracks.\
         <form method=\"post\" action=\"/sign-out\"><button>Sign out</button></form>"
    )))
}

/// Starts a sign-in, and sets a cookie so that only this browser can finish the sign-in. Without
/// the cookie, an attacker could make another user finish the attacker's sign-in. The cookie
/// contains the `state` of the sign-in, a random value that nobody can guess.
async fn sign_in(State(site): State<Arc<Site>>) -> Result<impl IntoResponse, Failed> {
    let pending = site.app.begin(SCOPES)?;
    let visitor = pending.state().to_owned();
    let redirect = Redirect::to(pending.authorize_url());
    let mut all = site.pending();
    all.retain(|_, pending| !pending.is_over());
    all.insert(visitor.clone(), pending);
    let cookie = format!("visitor={visitor}; HttpOnly; SameSite=Lax; Path=/");
    Ok(([(SET_COOKIE, cookie)], redirect))
}

async fn callback(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    uri: Uri,
) -> Result<Redirect, Failed> {
    let visitor = visitor(&headers).unwrap_or_default();
    let Some(pending) = site.pending().remove(visitor) else {
        return Ok(Redirect::to("/sign-in"));
    };
    let session = pending.finish(&uri.to_string()).await?;
    session.keep_in(site.store.clone(), visitor).await?;
    site.sessions().insert(visitor.to_owned(), session);
    Ok(Redirect::to("/"))
}

async fn sign_out(State(site): State<Arc<Site>>, headers: HeaderMap) -> Result<Redirect, Failed> {
    let visitor = visitor(&headers).unwrap_or_default();
    if let Some(session) = site.session(visitor).await? {
        session.sign_out().await?;
    }
    site.sessions().remove(visitor);
    Ok(Redirect::to("/"))
}

fn visitor(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get(COOKIE)?.to_str().ok()?;
    cookies.split("; ").find_map(|cookie| cookie.strip_prefix("visitor="))
}

/// An error. The visitor sees a page that explains how to continue.
struct Failed(spot_auth::Error);

impl From<spot_auth::Error> for Failed {
    fn from(error: spot_auth::Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let page = match (self.0.kind(), self.0.reason()) {
            (ErrorKind::ConsentExpired, _) => {
                "Your consent has expired. <a href=\"/sign-in\">Sign in again</a>"
            }
            (_, Some("access_denied")) => "You did not sign in. <a href=\"/\">Back</a>",
            _ => "Something went wrong. <a href=\"/\">Back</a>",
        };
        println!("  an error: {}", self.0);
        (StatusCode::BAD_GATEWAY, Html(format!("<p>{page}"))).into_response()
    }
}

pub(crate) async fn demo() -> Result<(), Box<dyn Error>> {
    let mock = MockSpotify::start().await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let home = format!("http://{}", listener.local_addr()?);
    let app = App::builder(mock.client_id())
        .secret(mock.client_secret())
        .accounts_url(mock.accounts_url())
        .redirect_uri(format!("{home}/callback"))
        .build()?;
    let site = Site::new(app, mock.api_url())?;
    tokio::spawn(async move { axum::serve(listener, site.router()).await });

    let (mut ann, mut bob) = (Browser::new(&home)?, Browser::new(&home)?);
    println!("Ann opens the site:  {}", ann.get("/").await?);
    println!("Ann signs in:        {}", ann.get("/sign-in").await?);
    println!("Bob opens the site:  {}", bob.get("/").await?);
    println!("Bob signs in:        {}", bob.get("/sign-in").await?);
    println!("Bob signs out:       {}", bob.post("/sign-out").await?);
    println!("Ann opens the site:  {}", ann.get("/").await?);
    mock.revoke_consents();
    println!("Ann opens the site after her consent was revoked: {}", ann.get("/").await?);
    let again = ann.get("/sign-in").await?;
    println!("Ann signs in again:  {again}");
    if again.contains("You have saved") {
        Ok(())
    } else {
        Err("Ann could not sign in again".into())
    }
}

/// A minimal browser, which follows redirects and stores the cookie of the site.
struct Browser {
    http: ReqwestTransport,
    home: String,
    cookie: Option<String>,
}

impl Browser {
    fn new(home: &str) -> Result<Self, Box<dyn Error>> {
        let http = ReqwestTransport::builder().no_proxy().build()?;
        Ok(Self { http, home: home.to_owned(), cookie: None })
    }

    async fn get(&mut self, path: &str) -> Result<String, Box<dyn Error>> {
        self.go("GET", path).await
    }

    async fn post(&mut self, path: &str) -> Result<String, Box<dyn Error>> {
        self.go("POST", path).await
    }

    async fn go(&mut self, method: &str, path: &str) -> Result<String, Box<dyn Error>> {
        let mut method = method;
        let mut url = format!("{}{path}", self.home);
        loop {
            let mut request = http::Request::builder().method(method).uri(&url);
            if let Some(cookie) = self.cookie.as_ref().filter(|_| url.starts_with(&self.home)) {
                request = request.header(COOKIE, cookie);
            }
            let answer = self.http.send(request.body(Default::default())?).await?;
            if let Some(cookie) = answer.headers().get(SET_COOKIE) {
                self.cookie = cookie.to_str()?.split(';').next().map(str::to_owned);
            }
            let Some(location) = answer.headers().get(LOCATION) else {
                return Ok(String::from_utf8_lossy(answer.body()).into_owned());
            };
            let location = location.to_str()?;
            method = "GET";
            url = match location.starts_with('/') {
                true => format!("{}{location}", self.home),
                false => location.to_owned(),
            };
        }
    }
}
