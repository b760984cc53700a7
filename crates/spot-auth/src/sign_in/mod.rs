//! Signing in: in one step, and in two steps.

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
    thread,
    time::Duration,
};

use spot_http::{Error, ErrorKind, TokenSource};
use tokio::{sync::oneshot, time::timeout};

pub use self::pending::PendingSignIn;
use crate::{
    App, FileStore, Scopes, Session, StoreKey, TokenStore,
    accounts::{DEFAULT_REDIRECT_URI, RedirectUri},
    application::Application,
    sign_in::callback::CallbackOutcome,
};

/// A sign-in in one step, which is awaited.
///
/// It takes the session that the [store](Self::store) keeps, if that is still good for the scopes.
/// Otherwise it shows the address of the page on which the user consents, and waits for the browser
/// to come back: to a listener on this machine if the redirect URI names it, or else by the user
/// pasting the address they ended at.
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
    timeout_after: Duration,
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

/// Signs in the user of a script, in one call: the application is that of the
/// [environment](App::from_env), and the session is kept in the
/// [default directory](FileStore::in_default_directory). The user is asked the first time, and when
/// the consent has ended.
///
/// # Errors
///
/// [`Configuration`](crate::ErrorKind::Configuration) if the environment lacks something, and
/// everything that can go wrong with a [`SignIn`].
pub async fn sign_in_from_env(scopes: impl Into<Scopes>) -> Result<Session, Error> {
    let store = FileStore::in_default_directory()?;
    App::from_env()?.sign_in(scopes).store(store).await
}

/// How long the user may take.
const LIMIT: Duration = Duration::from_secs(300);

impl SignIn {
    pub(crate) fn new(app: Arc<Application>, scopes: Scopes) -> Self {
        Self {
            app,
            scopes,
            store: None,
            account: "default".to_owned(),
            show_dialog: false,
            timeout_after: LIMIT,
            method: SignInMethod::Browser,
            show: Arc::new(print_to_stderr),
            browser: default_browser(),
            prompt: Arc::new(read_line),
        }
    }

    /// Takes the session from this store if it has one that is good, and keeps it there.
    pub fn store(mut self, store: impl TokenStore) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Under which name the store keeps the session: the program's own name for the user. It is
    /// `default` unless set.
    pub fn account(mut self, account: impl Into<String>) -> Self {
        self.account = account.into();
        self
    }

    /// Shows the page on which the user consents even to one who has done so before.
    pub fn show_dialog(mut self, show: bool) -> Self {
        self.show_dialog = show;
        self
    }

    /// How long the user may take. 5 minutes unless set, and at most 10.
    pub fn timeout(mut self, timeout_after: Duration) -> Self {
        self.timeout_after = timeout_after;
        self
    }

    /// How the browser is opened, with the address to open. It is called inside the runtime, on a
    /// thread that may block. Unless set, it is the
    /// user's browser if the feature `browser` is on, and nothing otherwise: the address is
    /// [shown](Self::show) in any case.
    pub fn browser(mut self, open: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.browser = Some(Arc::new(open));
        self
    }

    /// How a message is shown to the user: the address of the page, what to paste, what was wrong
    /// with it. Standard error unless set.
    pub fn show(mut self, show: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.show = Arc::new(show);
        self
    }

    /// How the address is read that the user pastes. It may block. A line of standard input unless
    /// set.
    pub fn prompt(mut self, ask: impl Fn() -> io::Result<String> + Send + Sync + 'static) -> Self {
        self.prompt = Arc::new(ask);
        self
    }

    /// Lets the user paste the address they end at, though a listener on this machine could wait
    /// for the browser: for machines whose browser is elsewhere.
    pub fn paste(mut self) -> Self {
        self.method = SignInMethod::Paste;
        self
    }

    /// Asks nobody: an [`Authentication`](crate::ErrorKind::Authentication) error if the store
    /// has no session, a [`MissingScope`](crate::ErrorKind::MissingScope) error if it lacks
    /// scopes.
    pub fn store_only(mut self) -> Self {
        self.method = SignInMethod::StoreOnly;
        self
    }

    async fn run(self) -> Result<Session, Error> {
        if let Some(session) = self.session_from_store().await? {
            return Ok(session);
        }
        let session = self.ask_user().await?;
        if let Some(store) = &self.store {
            // A store that fails must not undo what the user has just done: the observer is told,
            // and the session writes itself again.
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
                    // The user cannot mend the network or the application.
                    _ => return Err(error),
                },
            },
            Ok(None) if self.method == SignInMethod::StoreOnly => {
                return Err(Error::authentication(format!(
                    "no session is stored for the account `{}` with these scopes: {}",
                    self.account, self.scopes,
                )));
            }
            Ok(None) => return Ok(None),
            Err(error) => error,
        };
        if self.method == SignInMethod::StoreOnly {
            return Err(unusable);
        }
        (self.show)(&format!("The stored session cannot be used: {unusable}."));
        Ok(None)
    }

    /// The session that the store has, if the user has granted all of the scopes.
    async fn load(&self) -> Result<Option<Session>, Error> {
        let Some(store) = &self.store else { return Ok(None) };
        let key = self.key();
        let Some(stored) = store.load(&key).await? else { return Ok(None) };
        let session = Session::stored(Arc::clone(&self.app), stored, Arc::clone(store), key);
        session.require(&self.scopes)?;
        Ok(Some(session))
    }

    /// Asks the user.
    async fn ask_user(&self) -> Result<Session, Error> {
        let redirect = match &self.app.redirect_uri {
            Some(redirect) => redirect.clone(),
            None => RedirectUri::parse(DEFAULT_REDIRECT_URI)?,
        };
        let in_time = async {
            #[cfg(feature = "loopback")]
            if self.method == SignInMethod::Browser
                && let Some(loopback) = redirect.loopback()
            {
                match crate::sign_in::loopback::Listener::bind(loopback).await {
                    Ok(listener) => return self.listen(listener, redirect).await,
                    Err(error) => (self.show)(&format!(
                        "Cannot wait for the browser at {}: {error}.",
                        redirect.as_str()
                    )),
                }
            }
            self.ask_to_paste(redirect).await
        };
        timeout(self.timeout_after, in_time).await.unwrap_or_else(|_| {
            Err(Error::new(
                ErrorKind::Timeout,
                format!("nobody finished the sign-in within {:?}", self.timeout_after),
            ))
        })
    }

    fn begin(&self, redirect: RedirectUri) -> Result<PendingSignIn, Error> {
        let pending = PendingSignIn::new(Arc::clone(&self.app), redirect, self.scopes.clone())?;
        Ok(if self.show_dialog { pending.show_dialog() } else { pending })
    }

    /// Shows the address, and opens it. A browser that runs in the terminal blocks until it is
    /// closed, and one that does not open is no failure: the address can be opened by hand.
    fn open(&self, pending: &PendingSignIn) {
        let url = pending.authorize_url().to_owned();
        (self.show)(&format!("Open this address in a browser to sign in to Spotify:\n\n{url}\n"));
        if let Some(browser) = self.browser.clone() {
            tokio::task::spawn_blocking(move || browser(&url));
        }
    }

    #[cfg(feature = "loopback")]
    async fn listen(
        &self,
        listener: crate::sign_in::loopback::Listener,
        redirect: RedirectUri,
    ) -> Result<Session, Error> {
        let redirect = redirect.with_port(listener.port());
        let pending = Arc::new(self.begin(redirect.clone())?);
        self.open(&pending);
        let validate_callback = Arc::clone(&pending);
        let outcome = listener
            .wait(
                &redirect,
                Arc::new(move |query: &str| validate_callback.validate_callback(query)),
            )
            .await
            .map_err(|error| {
                Error::configuration("the listener on this machine failed").with_source(error)
            })?;
        pending.complete(outcome).await
    }

    async fn ask_to_paste(&self, redirect: RedirectUri) -> Result<Session, Error> {
        let pending = self.begin(redirect)?;
        self.open(&pending);
        (self.show)(
            "Afterwards the browser shows a page that may say it cannot be reached. \
             Copy its address, paste it here, and press Enter:",
        );
        let outcome = loop {
            match self.read_pasted_callback(&pending).await? {
                Ok(outcome) => break outcome,
                Err(invalid) => (self.show)(&format!("{invalid}. Paste it again:")),
            }
        };
        pending.complete(outcome).await
    }

    /// Reads on a thread of its own: one of the runtime's would keep the program from ending while
    /// nobody types.
    async fn read_pasted_callback(
        &self,
        pending: &PendingSignIn,
    ) -> Result<Result<CallbackOutcome, callback::InvalidCallback>, Error> {
        let (sender, receiver) = oneshot::channel();
        let prompt = Arc::clone(&self.prompt);
        thread::spawn(move || sender.send(prompt()));
        let pasted = receiver
            .await
            .unwrap_or_else(|_| Err(io::Error::other("the prompt panicked")))
            .map_err(|error| {
                Error::configuration(format!("the pasted address could not be read: {error}"))
            })?;
        Ok(callback::query(&pasted).and_then(|query| pending.validate_callback(query)))
    }
}

impl IntoFuture for SignIn {
    type Output = Result<Session, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    // Compiled by programs that sign in, and not by all.
    #[inline]
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

/// Standard output may be what the program is for.
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
            .field("timeout", &self.timeout_after)
            .field("way", &self.method)
            .finish_non_exhaustive()
    }
}
