//! Sign-in in one step or in two steps.

mod callback;
#[cfg(feature = "loopback")]
mod loopback;
mod pending;

use std::{
    fmt,
    future::{Future, IntoFuture},
    io::{self, BufRead, Write},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use spot_http::{Error, ErrorKind, TokenSource};
use tokio::time::{Instant, timeout_at};

pub use self::pending::PendingSignIn;
#[cfg(feature = "fuzzing")]
pub(crate) use self::{
    callback::{CallbackOutcome as FuzzedOutcome, query},
    loopback::read_for_fuzzing,
};
#[cfg(feature = "loopback")]
use crate::sign_in::loopback::{Browser, Listener};
use crate::{
    App, FileStore, Scopes, Session, StoreKey, TokenStore,
    accounts::{DEFAULT_REDIRECT_URI, RedirectUri},
    application::Application,
    sign_in::callback::CallbackOutcome,
    user_code,
};

/// A sign-in in one step. Await the value to run the sign-in.
///
/// If the [store](Self::store) has a session with all of the scopes, the sign-in returns this
/// session. If the store has no such session, the sign-in shows the URL of the consent page and
/// waits for the callback. If the redirect URI is a loopback address, a listener on this machine
/// waits for the browser. With any other redirect URI, the user has to paste the URL to which
/// Spotify redirected the browser.
///
/// ```no_run
/// # async fn run() -> Result<(), spot_auth::Error> {
/// use spot_auth::{App, Scope};
///
/// let app = App::builder("0123456789abcdef0123456789abcdef").build()?;
/// let session = app.sign_in([Scope::UserLibraryRead]).await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a sign-in does nothing unless it is awaited"]
pub struct SignIn {
    app: Arc<Application>,
    scopes: Scopes,
    store: Option<Arc<dyn TokenStore>>,
    account: String,
    show_dialog: bool,
    time_limit: Duration,
    method: SignInMethod,
    show: Show,
    browser: Option<Show>,
    prompt: Prompt,
}

type Show = Arc<dyn Fn(&str) + Send + Sync>;
type Prompt = Arc<dyn Fn() -> io::Result<String> + Send + Sync>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SignInMethod {
    Browser,
    Paste,
    StoreOnly,
}

/// Signs in the user of a script. This function reads the client id, the client secret and the
/// redirect URI from [environment variables](App::from_env), and stores the session in the
/// [default directory](FileStore::in_default_directory). The user has to consent the first time,
/// and again after the consent has expired or was revoked. Call [`Session::settled`] before the
/// script ends.
///
/// # Errors
///
/// Returns a [`Configuration`](crate::ErrorKind::Configuration) error if an environment variable is
/// missing. If the sign-in fails, this function returns the error of the [`SignIn`].
pub async fn sign_in_from_env(scopes: impl Into<Scopes>) -> Result<Session, Error> {
    let store = FileStore::in_default_directory()?;
    App::from_env()?.sign_in(scopes).store(store).await
}

/// Default time limit.
const TIME_LIMIT: Duration = Duration::from_secs(300);

/// Longest time limit. After this time, a sign-in is no longer valid.
const MAX_TIME_LIMIT: Duration = Duration::from_secs(600);

/// Time limit for showing a message.
const SHOW_LIMIT: Duration = Duration::from_secs(5);

/// Maximum number of pasted URLs that are read.
const MAX_PASTES: usize = 10;

impl SignIn {
    pub(crate) fn new(app: Arc<Application>, scopes: Scopes) -> Self {
        Self {
            app,
            scopes,
            store: None,
            account: "default".to_owned(),
            show_dialog: false,
            time_limit: TIME_LIMIT,
            method: SignInMethod::Browser,
            show: Arc::new(print_to_stderr),
            browser: default_browser(),
            prompt: Arc::new(read_line),
        }
    }

    /// Sets the store of the session. The consent page is shown only if the store has no usable
    /// session.
    pub fn store(mut self, store: impl TokenStore) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Sets the string that your program uses to identify the user. If you do not call this method,
    /// the sign-in uses the account `default`. The string is part of the key in the store.
    pub fn account(mut self, account: impl Into<String>) -> Self {
        self.account = account.into();
        self
    }

    /// Shows the consent page even to users who have consented before.
    pub fn show_dialog(mut self, show: bool) -> Self {
        self.show_dialog = show;
        self
    }

    /// Sets how long to wait for the callback of the browser; 5 minutes by default, and 10 minutes
    /// at most. The timeout does not include the requests to the accounts service after the
    /// callback.
    pub fn timeout(mut self, time_limit: Duration) -> Self {
        self.time_limit = time_limit;
        self
    }

    /// Sets the function that opens a URL in the browser. The function runs on its own thread, may
    /// block, and can spawn tokio tasks. By default, the sign-in opens the user's browser if the
    /// feature `browser` is enabled. The sign-in always [shows](Self::show) the URL to the user,
    /// even if the sign-in opens a browser.
    pub fn browser(mut self, open: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.browser = Some(Arc::new(open));
        self
    }

    /// Sets the function that shows messages to the user. A message contains the URL to open, asks
    /// the user to paste a URL, or reports a problem. By default, the messages are written to
    /// standard error. The sign-in waits at most 5 s for this function.
    pub fn show(mut self, show: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.show = Arc::new(show);
        self
    }

    /// Sets the function that reads the URL that the user pastes. The function runs on its own
    /// thread and may block. By default, the function reads a line of standard input.
    pub fn prompt(mut self, ask: impl Fn() -> io::Result<String> + Send + Sync + 'static) -> Self {
        self.prompt = Arc::new(ask);
        self
    }

    /// Asks the user to paste the URL to which Spotify redirected the browser. The sign-in starts
    /// no listener. Use this method if the browser runs on another machine.
    pub fn paste(mut self) -> Self {
        self.method = SignInMethod::Paste;
        self
    }

    /// Uses only the session in the store, and never shows the consent page. The sign-in fails with
    /// [`Authentication`](crate::ErrorKind::Authentication) if the store has no session, and with
    /// [`MissingScope`](crate::ErrorKind::MissingScope) if the session lacks scopes.
    pub fn store_only(mut self) -> Self {
        self.method = SignInMethod::StoreOnly;
        self
    }

    async fn run(self) -> Result<Session, Error> {
        let deadline = Instant::now() + self.time_limit.min(MAX_TIME_LIMIT);
        let out_of_time = |_| {
            let message = format!("the sign-in was not finished within {:?}", self.time_limit);
            Error::new(ErrorKind::Timeout, message)
        };
        let stored = timeout_at(deadline, self.session_from_store());
        if let Some(session) = stored.await.map_err(out_of_time)?? {
            return Ok(session);
        }
        let callback = timeout_at(deadline, self.ask_user()).await.map_err(out_of_time)??;
        // The time limit of the sign-in does not apply to the following steps, because the user
        // would have to consent again after a timeout. These steps have their own time limits.
        let session = callback.pending.complete(callback.outcome).await;
        #[cfg(feature = "loopback")]
        if let Some(browser) = callback.browser {
            browser.answer(session.as_ref().err()).await;
        }
        let session = session?;
        if let Some(store) = &self.store {
            // The sign-in succeeds even if the store fails. The observer gets an event, and the
            // session retries saving its record.
            let _ = session.move_to_store(Arc::clone(store), self.key()).await;
        }
        Ok(session)
    }

    fn key(&self) -> StoreKey {
        StoreKey::new(self.app.client_id.as_str(), &*self.account, self.scopes.clone())
    }

    async fn session_from_store(&self) -> Result<Option<Session>, Error> {
        let unusable = match self.load().await {
            Ok(Some(session)) => match session.token().await {
                Ok(_) => return Ok(Some(session)),
                Err(error) => match error.kind() {
                    ErrorKind::ConsentExpired | ErrorKind::Authentication => error,
                    // A new sign-in would not fix a problem of the network or of the application.
                    _ => return Err(error),
                },
            },
            Ok(None) if self.method == SignInMethod::StoreOnly => {
                return Err(Error::authentication(format!(
                    "no session is stored for the account `{}` with these scopes: {}; sign in without \
                     `store_only` first",
                    self.account, self.scopes,
                )));
            }
            Ok(None) => return Ok(None),
            Err(error) => error,
        };
        if self.method == SignInMethod::StoreOnly {
            return Err(unusable);
        }
        self.tell_user(format!("The stored session cannot be used: {unusable}.")).await;
        Ok(None)
    }

    /// Returns the session in the store, if the user has granted all of the scopes.
    async fn load(&self) -> Result<Option<Session>, Error> {
        let Some(store) = &self.store else { return Ok(None) };
        let session = Session::load(Arc::clone(&self.app), Arc::clone(store), self.key()).await?;
        if let Some(session) = &session {
            session.require(&self.scopes)?;
        }
        Ok(session)
    }

    /// Sends the user to the consent page, and waits for the browser to return.
    async fn ask_user(&self) -> Result<Callback, Error> {
        let redirect = match &self.app.redirect_uri {
            Some(redirect) => redirect.clone(),
            None => RedirectUri::parse(DEFAULT_REDIRECT_URI)?,
        };
        #[cfg(feature = "loopback")]
        if self.method == SignInMethod::Browser
            && let Some(loopback) = redirect.loopback()
        {
            match Listener::bind(loopback).await {
                Ok(listener) => return self.listen(listener, redirect).await,
                Err(error) => {
                    let why = format!(
                        "cannot listen for the browser at {}: {error}; stop the program that uses \
                         the port, or register a redirect URI with another port",
                        redirect.as_str()
                    );
                    self.tell_user(format!("Cannot {}.", why.trim_start_matches("cannot "))).await;
                    // If pasting fails too, the error message starts with the listener's problem,
                    // because the user should solve this problem first.
                    return self.ask_to_paste(redirect).await.map_err(|paste| {
                        Error::new(paste.kind(), format!("{why}; {}", paste.message()))
                            .with_source(error)
                    });
                }
            }
        }
        self.ask_to_paste(redirect).await
    }

    fn begin(&self, redirect: RedirectUri) -> Result<PendingSignIn, Error> {
        let pending = PendingSignIn::new(Arc::clone(&self.app), redirect, self.scopes.clone())?;
        Ok(if self.show_dialog { pending.show_dialog() } else { pending })
    }

    /// Shows a message. The sign-in continues even if showing the message fails or takes too long.
    async fn tell_user(&self, message: String) {
        let show = Arc::clone(&self.show);
        let _ = user_code::call_blocking(SHOW_LIMIT, move || show(&message)).await;
    }

    /// Shows the URL of the consent page, and opens it. If no browser opens, the sign-in continues,
    /// because the user can open the URL manually.
    async fn open(&self, pending: &PendingSignIn) {
        let url = pending.authorize_url().to_owned();
        let message = format!("Open this address in a browser to sign in to Spotify:\n\n{url}\n");
        self.tell_user(message).await;
        if let Some(browser) = self.browser.clone() {
            user_code::call_detached(move || browser(&url));
        }
    }

    #[cfg(feature = "loopback")]
    async fn listen(&self, listener: Listener, redirect: RedirectUri) -> Result<Callback, Error> {
        let redirect = redirect.with_port(listener.port());
        let pending = Arc::new(self.begin(redirect.clone())?);
        self.open(&pending).await;
        let validate = {
            let pending = Arc::clone(&pending);
            Arc::new(move |query: &str| pending.validate_callback(query))
        };
        let (outcome, browser) = listener.wait(&redirect, validate).await.map_err(|error| {
            Error::configuration("the loopback listener of the sign-in failed").with_source(error)
        })?;
        Ok(Callback { pending, outcome, browser: Some(browser) })
    }

    async fn ask_to_paste(&self, redirect: RedirectUri) -> Result<Callback, Error> {
        let pending = Arc::new(self.begin(redirect)?);
        self.open(&pending).await;
        self.tell_user(
            "After you sign in, the browser opens another page, which may fail to load. \
             Copy the address of that page, paste it here, and press Enter:"
                .to_owned(),
        )
        .await;
        for _ in 0..MAX_PASTES {
            let pasted = self.read_pasted_address().await?;
            let outcome = callback::query(&pasted).and_then(|q| pending.validate_callback(q));
            match outcome {
                Ok(outcome) => {
                    return Ok(Callback {
                        pending,
                        outcome,
                        #[cfg(feature = "loopback")]
                        browser: None,
                    });
                }
                Err(invalid) => {
                    self.tell_user(format!("{invalid}. Paste the address again:")).await
                }
            }
        }
        Err(Error::authentication(format!(
            "none of the {MAX_PASTES} pasted addresses was the callback URL of the sign-in"
        )))
    }

    /// Reads on a separate thread, because the user may never type anything.
    async fn read_pasted_address(&self) -> Result<String, Error> {
        let prompt = Arc::clone(&self.prompt);
        user_code::call_blocking(MAX_TIME_LIMIT, move || prompt())
            .await
            .map_err(|failure| failure.into_error("the prompt"))?
            .map_err(|error| {
                Error::configuration(format!("the pasted address could not be read: {error}"))
            })
    }
}

/// The outcome of the callback: from the browser, or from the URL that the user pasted.
struct Callback {
    pending: Arc<PendingSignIn>,
    outcome: CallbackOutcome,
    /// The browser, which waits for a response.
    #[cfg(feature = "loopback")]
    browser: Option<Browser>,
}

impl IntoFuture for SignIn {
    type Output = Result<Session, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    // The function is inline, so that only programs that use it compile its code.
    #[inline]
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// Prints to standard error, because the program may use standard output for its results.
fn print_to_stderr(message: &str) {
    let _ = writeln!(io::stderr(), "{message}");
}

fn read_line() -> io::Result<String> {
    let mut line = String::new();
    match io::stdin().lock().read_line(&mut line)? {
        0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "standard input has ended")),
        _ => Ok(line),
    }
}

#[cfg(feature = "browser")]
fn default_browser() -> Option<Show> {
    Some(Arc::new(|url| {
        let _ = webbrowser::open(url);
    }))
}

#[cfg(not(feature = "browser"))]
fn default_browser() -> Option<Show> {
    None
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn")
            .field("app", &self.app)
            .field("scopes", &self.scopes)
            .field("store", &self.store)
            .field("account", &self.account)
            .field("show_dialog", &self.show_dialog)
            .field("timeout", &self.time_limit)
            .field("way", &self.method)
            .finish_non_exhaustive()
    }
}
