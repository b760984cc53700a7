//! Applications and their builder.

use std::{fmt, sync::Arc, time::SystemTime};

use secrecy::SecretString;
use spot_http::{Error, Transport};

use crate::{
    ClientCredentials, PendingSignIn, Scopes, Session, SessionEvent, SignIn, StoreKey, TokenRecord,
    TokenStore,
    accounts::{Endpoint, RedirectUri},
    application::Application,
    clock::Clock,
    session::event::Observer,
};

/// An application that is registered with Spotify. Cloning is cheap, and all clones share the same
/// state.
///
/// ```
/// # fn main() -> Result<(), spot_auth::Error> {
/// use spot_auth::{App, Scope};
///
/// let app = App::builder("0123456789abcdef0123456789abcdef")
///     .redirect_uri("https://example.org/signed-in")
///     .build()?;
/// let pending = app.begin(Scope::UserLibraryRead)?;
/// println!("send the user to {}", pending.authorize_url());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct App {
    shared: Arc<Application>,
}

/// Builder of an [`App`].
#[must_use]
pub struct AppBuilder {
    client_id: String,
    secret: Option<SecretString>,
    redirect_uri: Option<String>,
    accounts_url: String,
    transport: Option<Arc<dyn Transport>>,
    clock: Clock,
    observer: Observer,
}

/// Base URL of Spotify's accounts service.
const ACCOUNTS: &str = "https://accounts.spotify.com";

impl App {
    /// Creates a builder of an application with this client id.
    pub fn builder(client_id: impl Into<String>) -> AppBuilder {
        AppBuilder {
            client_id: client_id.into(),
            secret: None,
            redirect_uri: None,
            accounts_url: ACCOUNTS.to_owned(),
            transport: None,
            clock: Clock::system(),
            observer: Observer::default(),
        }
    }

    /// Creates an application from environment variables. `SPOTIFY_CLIENT_ID` is required;
    /// `SPOTIFY_CLIENT_SECRET` and `SPOTIFY_REDIRECT_URI` are optional. If a variable is not set,
    /// the corresponding variable of spotipy is read, for example `SPOTIPY_CLIENT_ID`.
    ///
    /// # Errors
    ///
    /// Returns a [`Configuration`](crate::ErrorKind::Configuration) error if there is no client id,
    /// or if a value is invalid.
    pub fn from_env() -> Result<Self, Error> {
        AppBuilder::from_env()?.build()
    }

    /// The client id.
    pub fn client_id(&self) -> &str {
        &self.shared.client_id
    }

    /// The redirect URI, if one was set.
    pub fn redirect_uri(&self) -> Option<&str> {
        self.shared.redirect_uri.as_ref().map(RedirectUri::as_str)
    }

    /// Returns a source of access tokens for the application itself. These tokens give access to
    /// public data, but not to data of users.
    ///
    /// # Errors
    ///
    /// Returns a [`Configuration`](crate::ErrorKind::Configuration) error if the application has no
    /// secret.
    pub fn client_credentials(&self) -> Result<ClientCredentials, Error> {
        if !self.shared.has_secret {
            return Err(Error::configuration(
                "the client credentials flow needs the client secret: set it with `AppBuilder::secret`",
            ));
        }
        Ok(ClientCredentials::new(Arc::clone(&self.shared)))
    }

    /// Starts a two-step sign-in. Store the returned `PendingSignIn`, and redirect the user to the
    /// [`authorize_url`](PendingSignIn::authorize_url) of the sign-in. When the browser requests
    /// the redirect URI, pass the whole URL to [`finish`](PendingSignIn::finish).
    ///
    /// # Errors
    ///
    /// Returns a [`Configuration`](crate::ErrorKind::Configuration) error if the application has no
    /// redirect URI.
    pub fn begin(&self, scopes: impl Into<Scopes>) -> Result<PendingSignIn, Error> {
        let redirect = self.shared.redirect_uri.clone().ok_or_else(|| {
            Error::configuration(
                "a two-step sign-in needs a redirect URI: set it with `AppBuilder::redirect_uri`",
            )
        })?;
        PendingSignIn::new(Arc::clone(&self.shared), redirect, scopes.into())
    }

    /// Restores a sign-in from the JSON of [`PendingSignIn::into_json`].
    ///
    /// # Errors
    ///
    /// Returns a [`Configuration`](crate::ErrorKind::Configuration) error if `json` is not the JSON
    /// of a pending sign-in. The error does not quote `json`.
    pub fn resume(&self, json: &str) -> Result<PendingSignIn, Error> {
        PendingSignIn::from_json(Arc::clone(&self.shared), json)
    }

    /// Signs a user in with a single call. The session comes from a store, from a sign-in in the
    /// browser on this machine, or from a URL that the user pastes.
    pub fn sign_in(&self, scopes: impl Into<Scopes>) -> SignIn {
        SignIn::new(Arc::clone(&self.shared), scopes.into())
    }

    /// Creates a session from a record that the program already has. The record may come from the
    /// program's own storage, or may be made from a refresh token.
    pub fn session(&self, record: TokenRecord) -> Session {
        Session::new(Arc::clone(&self.shared), record)
    }

    /// Loads the session with this account and these scopes from a store. Returns `None` if the
    /// store has no such session.
    ///
    /// This method shows no consent page, and sends no request to Spotify.
    ///
    /// # Errors
    ///
    /// Returns a [`MissingScope`](crate::ErrorKind::MissingScope) error if the user has not granted
    /// all of the scopes. If the store fails, this method returns the error of the store.
    pub async fn stored_session(
        &self,
        store: impl TokenStore,
        account: &str,
        scopes: impl Into<Scopes>,
    ) -> Result<Option<Session>, Error> {
        let scopes = scopes.into();
        let key = StoreKey::new(self.client_id(), account, scopes.clone());
        let session = Session::load(Arc::clone(&self.shared), Arc::new(store), key).await?;
        if let Some(session) = &session {
            session.require(&scopes)?;
        }
        Ok(session)
    }
}

impl AppBuilder {
    /// Sets the client secret. Do not set a client secret in programs that users install, because
    /// such programs cannot keep it secret.
    pub fn secret(mut self, secret: impl Into<SecretString>) -> Self {
        self.secret = Some(secret.into());
        self
    }

    /// Sets the redirect URI, to which the accounts service sends the browser back. The URI must be
    /// exactly the same as the URI that is registered with Spotify. A loopback address that is
    /// registered without a port, such as `http://127.0.0.1/callback`, works with every port. If a
    /// loopback redirect URI has no port, [`App::sign_in`] listens on a free port.
    pub fn redirect_uri(mut self, redirect_uri: impl Into<String>) -> Self {
        self.redirect_uri = Some(redirect_uri.into());
        self
    }

    /// Sets the base URL of the accounts service, for tests. The default is
    /// `https://accounts.spotify.com`.
    pub fn accounts_url(mut self, url: &str) -> Self {
        url.clone_into(&mut self.accounts_url);
        self
    }

    /// Sets the transport for requests to the token endpoint. The default is reqwest with its
    /// default settings. Sessions can call the transport from several tokio runtimes.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// Sets a function that receives the events of all sessions of this application. The function
    /// runs on its own thread. A session waits up to 50 ms for the function to return. At most 256
    /// events are queued, and further events are dropped.
    pub fn observer(
        mut self,
        observer: impl Fn(&SessionEvent<'_>) + Send + Sync + 'static,
    ) -> Self {
        self.observer = Observer::new(observer);
        self
    }

    /// Sets the wall clock, for tests. The default is the system clock. The function must return
    /// immediately, because it is called for every token request. If the function panics, the
    /// system clock is used.
    pub fn wall_clock(mut self, now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Clock::new(now);
        self
    }

    /// Builds the application.
    ///
    /// # Errors
    ///
    /// Returns a [`Configuration`](crate::ErrorKind::Configuration) error if the client id is
    /// empty, if Spotify would refuse the redirect URI, or if there is no transport. Spotify has
    /// refused the host `localhost` since November 2025.
    pub fn build(self) -> Result<App, Error> {
        if self.client_id.trim().is_empty() {
            return Err(Error::configuration(
                "the client id is empty: copy it from developer.spotify.com/dashboard",
            ));
        }
        let redirect_uri = self.redirect_uri.as_deref().map(RedirectUri::parse).transpose()?;
        let transport = match self.transport {
            Some(transport) => transport,
            None => default_transport()?,
        };
        let endpoint = Endpoint::new(
            self.client_id.trim(),
            self.secret.as_ref(),
            &self.accounts_url,
            transport,
            self.clock,
        )?;
        Ok(App {
            shared: Arc::new(Application {
                client_id: self.client_id.trim().to_owned(),
                has_secret: self.secret.is_some(),
                redirect_uri,
                endpoint,
                observer: self.observer,
            }),
        })
    }
}

#[cfg(feature = "reqwest")]
fn default_transport() -> Result<Arc<dyn Transport>, Error> {
    Ok(Arc::new(spot_http::ReqwestTransport::builder().build()?))
}

#[cfg(not(feature = "reqwest"))]
fn default_transport() -> Result<Arc<dyn Transport>, Error> {
    Err(Error::configuration(
        "there is no transport: set one with `AppBuilder::transport`, or enable the feature \
         `reqwest`",
    ))
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.fmt(f)
    }
}

impl fmt::Debug for AppBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppBuilder")
            .field("client_id", &self.client_id)
            .field("has_secret", &self.secret.is_some())
            .field("redirect_uri", &self.redirect_uri)
            .field("accounts_url", &self.accounts_url)
            .field("transport", &self.transport)
            .finish_non_exhaustive()
    }
}
