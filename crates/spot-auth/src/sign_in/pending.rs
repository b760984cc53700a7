//! A sign-in between its two halves.

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

/// A sign-in that has begun: the user is sent to [`authorize_url`](Self::authorize_url), and the
/// address the browser comes back to [finishes](Self::finish) it.
///
/// It holds what has to be remembered in between, which is secret: the state, the PKCE verifier and
/// the redirect URI. A server keeps it by its [`state`](Self::state) in the session of the browser.
/// It is good for ten minutes and for one use.
pub struct PendingSignIn {
    app: Arc<Application>,
    redirect: RedirectUri,
    scopes: Scopes,
    request: AuthorizationRequest,
    ends: Deadline,
}

/// A sign-in as it is remembered elsewhere.
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

/// How long the user may take.
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

    /// The same sign-in, with the page on which the user consents shown even to one who has done
    /// so before: to ask for other scopes, or to change the account.
    #[must_use]
    pub fn show_dialog(mut self) -> Self {
        self.request.url.query_pairs_mut().append_pair("show_dialog", "true");
        self
    }

    /// Where to send the user.
    pub fn authorize_url(&self) -> &str {
        self.request.url.as_str()
    }

    /// The value that comes back as `state`, to find this one among others. It is not for anyone
    /// but the browser of the user.
    pub fn state(&self) -> &str {
        self.request.state.expose_secret()
    }

    /// The scopes that are asked for.
    pub fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// Whether its ten minutes are over, so that it can be forgotten.
    pub fn is_over(&self) -> bool {
        self.ends.left(self.app.clock().now()).is_zero()
    }

    /// Ends the sign-in with the address the browser came back to: a whole URL, its path and query,
    /// or its query.
    ///
    /// # Errors
    ///
    /// [`Authentication`](crate::ErrorKind::Authentication) if the address is not that of this
    /// sign-in, if ten minutes have passed, or if the user declined; then the error's
    /// [`reason`](Error::reason) is `access_denied`. Otherwise what the accounts service or the
    /// network says.
    pub async fn finish(self, callback: &str) -> Result<Session, Error> {
        let outcome = self.validate_callback(callback::query(callback)?)?;
        self.complete(outcome).await
    }

    /// What has to be remembered, as JSON, for servers whose next request may reach another machine.
    /// [`App::resume`] makes it a sign-in again. It is secret, and whoever keeps it sees to it that
    /// it is used once: PKCE and the accounts service refuse a second time as well.
    pub fn into_json(self) -> SecretString {
        let form = PendingJson {
            url: self.request.url.into(),
            state: self.request.state.expose_secret().to_owned(),
            verifier: self.request.verifier.expose_secret().to_owned(),
            redirect_uri: self.redirect.as_str().to_owned(),
            scopes: self.scopes.to_string(),
            ends_at: to_unix(self.ends.wall()),
        };
        // The form is text and a number, which always can be written.
        serde_json::to_string(&form).unwrap_or_default().into()
    }

    pub(crate) fn from_json(app: Arc<Application>, json: &str) -> Result<Self, Error> {
        let wrong = || Error::configuration("this is not a sign-in that has begun");
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
                "the sign-in took longer than ten minutes; begin another one",
            ));
        }
        let issued = self
            .app
            .endpoint
            .exchange(&code, &self.request.verifier, &self.redirect)
            .await
            .map_err(|error| match error.kind() {
                // The service's words do not say which of the two it is.
                ErrorKind::ConsentExpired => Error::authentication(
                    "the accounts service refuses the code: it was used before, is too old, \
                     or belongs to another redirect URI",
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
