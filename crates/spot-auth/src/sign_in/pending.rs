//! A sign-in that has been started but not finished.

use std::{fmt, sync::Arc, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use spot_http::{Error, ErrorKind};

use crate::{
    Scopes, Session, TokenRecord,
    accounts::{AuthorizationRequest, RedirectUri},
    application::Application,
    clock::{Deadline, from_unix, to_unix},
    sign_in::callback::{self, CallbackOutcome, Expected, InvalidCallback},
};

/// A sign-in that has started and is not finished yet. Send the user to
/// [`authorize_url`](Self::authorize_url). Then call [`finish`](Self::finish) with the URL to which
/// Spotify redirects the browser.
///
/// The value contains secrets: the state and the PKCE verifier. A web server stores the value in
/// the web session of the user's browser, with the [`state`](Self::state) as the key. The value can
/// be used once, within ten minutes.
pub struct PendingSignIn {
    app: Arc<Application>,
    redirect: RedirectUri,
    scopes: Scopes,
    request: AuthorizationRequest,
    ends: Deadline,
}

/// The JSON of a sign-in.
#[derive(Serialize, Deserialize)]
struct PendingJson {
    url: String,
    state: String,
    verifier: String,
    redirect_uri: String,
    scopes: String,
    /// Seconds since 1970.
    ends_at: u64,
}

/// How long a sign-in is valid.
const LIFE: Duration = Duration::from_secs(600);

impl PendingSignIn {
    pub(crate) fn new(
        app: Arc<Application>,
        redirect: RedirectUri,
        scopes: Scopes,
    ) -> Result<Self, Error> {
        let request = app.endpoint.authorization_request(&redirect, &scopes)?;
        let ends = Deadline::after(app.clock().now(), LIFE);
        Ok(Self { app, redirect, scopes, request, ends })
    }

    /// Shows the consent page even to users who have consented before, for example to change the
    /// account.
    #[must_use]
    pub fn show_dialog(mut self) -> Self {
        self.request.url.query_pairs_mut().append_pair("show_dialog", "true");
        self
    }

    /// URL of the consent page.
    pub fn authorize_url(&self) -> &str {
        self.request.url.as_str()
    }

    /// The value that the callback contains as `state`. A server uses this value to find the
    /// sign-in that belongs to a callback. Send this value only to the browser of the user who
    /// signs in.
    pub fn state(&self) -> &str {
        self.request.state.expose_secret()
    }

    /// The requested scopes.
    pub fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// Whether the sign-in has expired. An expired sign-in cannot be finished.
    pub fn is_over(&self) -> bool {
        self.ends.left(self.app.clock().now()).is_zero()
    }

    /// Finishes the sign-in with the URL to which Spotify redirected the browser. `callback` can be
    /// a whole URL, a path with a query, or only a query.
    ///
    /// # Errors
    ///
    /// Returns an [`Authentication`](crate::ErrorKind::Authentication) error if the URL belongs to
    /// another sign-in, if ten minutes have passed, or if the user declined. If the user declined,
    /// the [`reason`](Error::reason) of the error is `access_denied`. If the accounts service or
    /// the network fails, this method returns the error.
    pub async fn finish(self, callback: &str) -> Result<Session, Error> {
        let outcome = callback::query(callback).and_then(|query| self.validate_callback(query));
        let outcome = outcome.map_err(InvalidCallback::into_error)?;
        self.complete(outcome).await
    }

    /// Returns the sign-in as JSON, for servers with several machines.
    /// [`App::resume`](crate::App::resume) restores the sign-in. Protect the JSON like a password,
    /// because it contains the state and the PKCE verifier. Finish the sign-in only once: the
    /// accounts service refuses a second attempt.
    pub fn into_json(self) -> SecretString {
        let form = PendingJson {
            url: self.request.url.into(),
            state: self.request.state.expose_secret().to_owned(),
            verifier: self.request.verifier.expose_secret().to_owned(),
            redirect_uri: self.redirect.as_str().to_owned(),
            scopes: self.scopes.to_string(),
            ends_at: to_unix(self.ends.wall()),
        };
        // Text and numbers can always be serialized.
        serde_json::to_string(&form).unwrap_or_default().into()
    }

    pub(crate) fn from_json(app: Arc<Application>, json: &str) -> Result<Self, Error> {
        let wrong = || {
            let message = "the text is not a pending sign-in; expected JSON from `into_json`";
            Error::configuration(message)
        };
        let form: PendingJson = serde_json::from_str(json).map_err(|_| wrong())?;
        let now = app.clock().now();
        let left = from_unix(form.ends_at).and_then(|ends| ends.duration_since(now.wall).ok());
        let request = AuthorizationRequest {
            url: form.url.parse().map_err(|_| wrong())?,
            state: Some(form.state).filter(|state| !state.is_empty()).ok_or_else(wrong)?.into(),
            verifier: form.verifier.into(),
        };
        Ok(Self {
            app,
            redirect: RedirectUri::parse(&form.redirect_uri)?,
            scopes: Scopes::parse(&form.scopes),
            request,
            ends: Deadline::after(now, left.unwrap_or_default().min(LIFE)),
        })
    }

    pub(crate) fn validate_callback(
        &self,
        query: &str,
    ) -> Result<CallbackOutcome, InvalidCallback> {
        let issuer = self.app.endpoint.issuer();
        callback::validate_callback(query, &Expected { state: &self.request.state, issuer })
    }

    pub(crate) async fn complete(&self, outcome: CallbackOutcome) -> Result<Session, Error> {
        let code: SecretString = match outcome {
            CallbackOutcome::Code(code) => code,
            CallbackOutcome::Declined { error } => return Err(callback::declined(&error)),
        };
        if self.is_over() {
            return Err(Error::authentication(
                "the sign-in took longer than ten minutes: start another one",
            ));
        }
        let issued = self
            .app
            .endpoint
            .exchange(&code, &self.request.verifier, &self.redirect)
            .await
            .map_err(|error| match error.kind() {
                // The service's message does not distinguish these causes.
                ErrorKind::ConsentExpired => Error::authentication(
                    "the accounts service refuses the authorization code: it was used before, is \
                     too old, or belongs to another redirect URI",
                )
                .with_reason("invalid_grant"),
                _ => error,
            })?;
        let record = TokenRecord::granted(&issued, self.scopes.clone());
        Ok(Session::new(Arc::clone(&self.app), record))
    }
}

impl fmt::Debug for PendingSignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingSignIn")
            .field("app", &self.app)
            .field("redirect_uri", &self.redirect.as_str())
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}
