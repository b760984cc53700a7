//! A command-line program that stores the session of its user.
//!
//! - `cli sign-in` signs the user in through the browser.
//! - `cli who` prints the Spotify id of the user.
//! - `cli sign-out` removes the stored session.
//!
//! The program reads the environment variable `SPOTIFY_CLIENT_ID`. The application must have the
//! redirect URI `http://127.0.0.1/callback`. Without `SPOTIFY_CLIENT_ID`, the program runs the
//! commands against a mock server.
#![expect(clippy::print_stdout, reason = "a command-line program prints its results")]

use std::error::Error;

use serde_json::Value;
use spot_auth::{App, ErrorKind, FileStore, Scope, SignIn};
use spot_http::{Pipeline, Request, ReqwestTransport, Transport};
use spot_mock::MockSpotify;

const SCOPES: [Scope; 2] = [Scope::UserReadPrivate, Scope::UserLibraryRead];

const ACCOUNT: &str = "default";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    if std::env::var_os("SPOTIFY_CLIENT_ID").is_none() {
        return demo().await;
    }
    let program = Program {
        app: App::from_env()?,
        store: FileStore::in_default_directory()?,
        api: "https://api.spotify.com/v1".to_owned(),
    };
    match std::env::args().nth(1).as_deref() {
        Some("sign-in") => program.sign_in(|sign_in| sign_in).await,
        Some("who") => program.who().await,
        Some("sign-out") => program.sign_out().await,
        _ => Err("the command must be `sign-in`, `who` or `sign-out`".into()),
    }
}

struct Program {
    app: App,
    store: FileStore,
    api: String,
}

impl Program {
    /// Loads the stored session. If the store has no usable session, the user has to sign in.
    async fn sign_in(&self, with: impl FnOnce(SignIn) -> SignIn) -> Result<(), Box<dyn Error>> {
        let sign_in = self.app.sign_in(SCOPES).store(self.store.clone()).account(ACCOUNT);
        let session = with(sign_in).await?;
        println!("Signed in. Granted scopes: {}.", session.granted_scopes());
        Ok(())
    }

    /// Prints the Spotify id of the user. This command never opens the consent page.
    async fn who(&self) -> Result<(), Box<dyn Error>> {
        let sign_in = self.app.sign_in(SCOPES).store(self.store.clone()).account(ACCOUNT);
        let session = match sign_in.store_only().await {
            Err(error) if error.kind() == ErrorKind::ConsentExpired => {
                println!("Your consent has expired. Sign in again.");
                return Ok(());
            }
            other => other?,
        };
        let pipeline = Pipeline::builder(session.clone()).base_url(&self.api).build()?;
        let me: Value = pipeline.call_json(Request::get("/me")).await?.into_body();
        // The program must not end before the tokens of a background refresh are saved.
        session.settled().await?;
        println!("You are {}.", me.get("id").and_then(Value::as_str).unwrap_or("nobody"));
        Ok(())
    }

    async fn sign_out(&self) -> Result<(), Box<dyn Error>> {
        let session = self.app.stored_session(self.store.clone(), ACCOUNT, SCOPES).await?;
        if let Some(session) = session {
            session.sign_out().await?;
        }
        println!("Signed out.");
        Ok(())
    }
}

pub(crate) async fn demo() -> Result<(), Box<dyn Error>> {
    let mock = MockSpotify::start().await?;
    let directory = tempfile::tempdir()?;
    let program = Program {
        app: App::builder(mock.client_id()).accounts_url(mock.accounts_url()).build()?,
        store: FileStore::new(directory.path()),
        api: mock.api_url().to_owned(),
    };
    // The demo runs without a browser, so this function sends the browser's requests.
    let browser = |url: &str| {
        tokio::spawn(visit(url.to_owned()));
    };
    program.sign_in(|sign_in| sign_in.show(|_| {}).browser(browser)).await?;
    program.who().await?;
    program.sign_in(|sign_in| sign_in).await?;
    program.sign_out().await?;
    match program.who().await {
        Err(error) => println!("Afterwards: {error}."),
        Ok(()) => return Err("the session is still stored after the sign-out".into()),
    }
    Ok(())
}

async fn visit(url: String) -> Result<(), Box<dyn Error + Send + Sync>> {
    let browser = ReqwestTransport::builder().no_proxy().build()?;
    let page = browser.send(http::Request::get(url).body(Default::default())?).await?;
    let back = page.headers().get(http::header::LOCATION).ok_or("no redirect")?.to_str()?;
    browser.send(http::Request::get(back).body(Default::default())?).await?;
    Ok(())
}
