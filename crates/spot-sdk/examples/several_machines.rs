//! A web service on two machines. One machine starts the sign-in of a user, and the other machine
//! completes it.
//!
//! The machines share the sessions, the pending sign-ins and the rate limit through Redis. In this
//! example, the machines are two processes of this program behind a load balancer. The load
//! balancer sends every second request to the second machine. The program also simulates the
//! browsers of two users.
//!
//! `cargo run -p spot-sdk --features redis --example several_machines` starts a Redis server, or
//! uses the server at the URL in `REDIS_URL`.
#![expect(clippy::print_stdout, reason = "the example prints its output to stdout")]

#[path = "support/browser.rs"]
mod browser;

use std::{
    env,
    error::Error as StdError,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    body::Body,
    extract::{Path, RawQuery, State},
    http::Uri,
    response::Redirect,
    routing::get,
};
use browser::{browse, page_of};
use spot::{
    Client, Error, ErrorKind,
    auth::{App, Scope, Session},
    net::{ReqwestTransport, Transport},
    shared::{Redis, RedisLimiter, RedisStore, test::RedisServer},
};
use spot_mock::MockSpotify;
use tokio::net::TcpListener;

type Failure = Box<dyn StdError + Send + Sync>;

/// Shared state of the requests to one machine.
#[derive(Clone)]
struct Machine {
    name: String,
    app: App,
    /// The client of the application. All users share the connections and limits of this client.
    base: Client,
    /// Sessions and pending sign-ins, shared by all machines.
    store: RedisStore,
}

/// Returns the message for an error. A real service would log the error and choose an HTTP status
/// by the kind of the error.
fn text(error: Error) -> String {
    match error.kind() {
        ErrorKind::ConsentExpired | ErrorKind::Authentication => "sign in again".to_owned(),
        _ => error.to_string(),
    }
}

/// Sends the browser to Spotify. A real service also stores the `state` in a cookie, and compares
/// it with the `state` of the callback.
async fn login(State(machine): State<Machine>) -> Result<Redirect, String> {
    let pending = machine.app.begin(Scope::UserLibraryRead).map_err(text)?;
    let redirect = Redirect::to(pending.authorize_url());
    machine.store.keep_sign_in(pending).await.map_err(text)?;
    println!("{} sends a user to Spotify", machine.name);
    Ok(redirect)
}

/// Finishes a sign-in, which another machine may have started.
async fn callback(
    State(machine): State<Machine>,
    RawQuery(query): RawQuery,
) -> Result<String, String> {
    let query = query.unwrap_or_default();
    let state = query.split('&').find_map(|pair| pair.strip_prefix("state=")).unwrap_or_default();
    let pending = machine.store.take_sign_in(&machine.app, state).await.map_err(text)?;
    let session = pending.ok_or("unknown sign-in")?.finish(&query).await.map_err(text)?;
    let me = machine.base.with_tokens(session.clone()).me().await.map_err(text)?;
    let account = me.id.to_string();
    session.keep_in(machine.store.clone(), &account).await.map_err(text)?;
    println!("{} signs {account} in", machine.name);
    Ok(account)
}

/// The session of a user who signed in at any of the machines.
async fn session(machine: &Machine, account: &str) -> Result<Session, String> {
    let stored = machine.app.stored_session(machine.store.clone(), account, Scope::UserLibraryRead);
    stored.await.map_err(text)?.ok_or_else(|| format!("{account} has to sign in first"))
}

async fn saved(
    State(machine): State<Machine>,
    Path(account): Path<String>,
) -> Result<String, String> {
    let client = machine.base.with_tokens(session(&machine, &account).await?);
    let page = client.library().tracks().limit(1).await.map_err(text)?;
    let total = page.total.unwrap_or_default();
    Ok(format!("{}: {account} saved {total} tracks", machine.name))
}

async fn logout(
    State(machine): State<Machine>,
    Path(account): Path<String>,
) -> Result<String, String> {
    session(&machine, &account).await?.sign_out().await.map_err(text)?;
    Ok(format!("{}: {account} has signed out", machine.name))
}

/// Prints the address of this machine, and serves requests until the process is killed.
async fn serve(name: String) -> Result<(), Failure> {
    let app = App::builder(env::var("SPOTIFY_CLIENT_ID")?)
        .secret(env::var("SPOTIFY_CLIENT_SECRET")?)
        .redirect_uri(env::var("SPOTIFY_REDIRECT_URI")?)
        .accounts_url(&env::var("EXAMPLE_ACCOUNTS_URL")?)
        .build()?;
    let redis = Redis::builder(env::var("REDIS_URL")?).prefix("spot-example:").build()?;
    let base = Client::builder(app.client_credentials()?)
        .base_url(&env::var("EXAMPLE_API_URL")?)
        .rate_limiter(RedisLimiter::new(&redis, app.client_id())?)
        .build()?;
    let machine = Machine { name, app, base, store: RedisStore::new(&redis) };
    let router = Router::new()
        .route("/login", get(login))
        .route("/callback", get(callback))
        .route("/saved/{account}", get(saved))
        .route("/logout/{account}", get(logout))
        .with_state(machine);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    axum::serve(listener, router).await?;
    Ok(())
}

/// A process that is killed when this value is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Errors are ignored, because the process may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a machine, and returns the address of the machine. A thread prints all later output of
/// the machine.
fn start(
    name: &str,
    redis_url: &str,
    redirect_uri: &str,
    mock: &MockSpotify,
) -> Result<(Running, String), Failure> {
    let mut process = Running(
        Command::new(env::current_exe()?)
            .env("EXAMPLE_MACHINE", name)
            .env("EXAMPLE_API_URL", mock.api_url())
            .env("EXAMPLE_ACCOUNTS_URL", mock.accounts_url())
            .env("SPOTIFY_CLIENT_ID", mock.client_id())
            .env("SPOTIFY_CLIENT_SECRET", mock.client_secret())
            .env("SPOTIFY_REDIRECT_URI", redirect_uri)
            .env("REDIS_URL", redis_url)
            .stdout(Stdio::piped())
            .spawn()?,
    );
    let mut lines = BufReader::new(process.0.stdout.take().ok_or("no output")?).lines();
    let address = lines.next().ok_or("the machine does not start")??;
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            println!("  {line}");
        }
    });
    Ok((process, address))
}

/// Distributes the requests to the machines in turn.
#[derive(Clone)]
struct LoadBalancer {
    machines: Arc<[String]>,
    next: Arc<AtomicUsize>,
    transport: ReqwestTransport,
}

impl LoadBalancer {
    async fn forward(self, uri: &Uri) -> Result<http::Response<Body>, Failure> {
        let number = self.next.fetch_add(1, Ordering::Relaxed) % self.machines.len();
        let machine = self.machines.get(number).ok_or("no machine")?;
        let request = http::Request::get(format!("{machine}{uri}")).body(Default::default())?;
        Ok(self.transport.send(request).await?.map(Body::from))
    }
}

async fn balance(State(balancer): State<LoadBalancer>, uri: Uri) -> http::Response<Body> {
    balancer.forward(&uri).await.unwrap_or_else(|error| {
        http::Response::new(Body::from(format!("no machine responds: {error}")))
    })
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    if let Ok(name) = env::var("EXAMPLE_MACHINE") {
        return serve(name).await;
    }
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let home = format!("http://{}", listener.local_addr()?);
    let redirect_uri = format!("{home}/callback");
    let mock = MockSpotify::builder().redirect_uri(redirect_uri.clone()).start().await?;
    let own_redis = match env::var_os("REDIS_URL") {
        Some(_) => None,
        None => Some(RedisServer::start()?),
    };
    let redis_url =
        own_redis.as_ref().map_or_else(|| env::var("REDIS_URL"), |own| Ok(own.url()))?;

    let (_first, first) = start("machine 1", &redis_url, &redirect_uri, &mock)?;
    let (_second, second) = start("machine 2", &redis_url, &redirect_uri, &mock)?;
    let balancer = LoadBalancer {
        machines: Arc::new([first, second]),
        next: Arc::default(),
        transport: ReqwestTransport::builder().no_proxy().build()?,
    };
    let router = Router::new().fallback(balance).with_state(balancer);
    let server = tokio::spawn(async move { axum::serve(listener, router).await });

    for user in [mock.world().user.clone(), mock.world().other_user.clone()] {
        mock.sign_in_as(&user);
        let account = browse(format!("{home}/login")).await?;
        for page in ["saved", "saved", "logout", "saved"] {
            println!("{}", browse(page_of(&home, page, &account)?).await?);
        }
    }
    server.abort();
    Ok(())
}
