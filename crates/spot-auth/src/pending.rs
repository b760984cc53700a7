//! A sign-in between its two halves.

use std::fmt;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use spot_http::Error;

use crate::callback::{self, Expected, Stray, Verdict};
use crate::clock::Deadline;
use crate::endpoint::Challenge;
use crate::redirect::RedirectUri;
use crate::refusal::Class;
use crate::{App, Scopes, Session, TokenRecord};

/// A sign-in that has begun: the user is sent to [`authorize_url`](Self::authorize_url), and the
/// address the browser comes back to [finishes](Self::finish) it.
///
/// It holds what has to be remembered in between, which is secret: the state, the PKCE verifier and
/// the redirect URI. A server keeps it by its [`state`](Self::state) in the session of the browser.
/// It is good for ten minutes and for one use.
pub struct PendingSignIn {
    app: App,
    redirect: RedirectUri,
    scopes: Scopes,
    challenge: Challenge,
    ends: Deadline,
}

/// How long the user may take.
const LIFE: Duration = Duration::from_secs(600);

impl PendingSignIn {
    pub(crate) fn new(app: App, redirect: RedirectUri, scopes: Scopes) -> Result<Self, Error> {
        let challenge = app.endpoint().challenge(&redirect, &scopes, false)?;
        let ends = Deadline::after(app.clock().now(), LIFE);
        Ok(Self { app, redirect, scopes, challenge, ends })
    }

    /// The same sign-in, with the page on which the user consents shown even to one who has done
    /// so before: to ask for other scopes, or to change the account.
    ///
    /// # Errors
    ///
    /// [`Configuration`](crate::ErrorKind::Configuration), which does not happen for an
    /// application that could begin a sign-in.
    pub fn show_dialog(mut self) -> Result<Self, Error> {
        self.challenge = self.app.endpoint().challenge(&self.redirect, &self.scopes, true)?;
        Ok(self)
    }

    /// Where to send the user.
    pub fn authorize_url(&self) -> &str {
        self.challenge.url.as_str()
    }

    /// The value that comes back as `state`, to find this one among others. It is not for anyone
    /// but the browser of the user.
    pub fn state(&self) -> &str {
        self.challenge.state.expose_secret()
    }

    /// The scopes that are asked for.
    pub fn scopes(&self) -> &Scopes {
        &self.scopes
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
        let verdict = self.judge(callback::query(callback)?)?;
        self.conclude(verdict).await
    }

    pub(crate) fn judge(&self, query: &str) -> Result<Verdict, Stray> {
        let issuer = self.app.endpoint().issuer();
        callback::judge(query, &Expected { state: &self.challenge.state, issuer })
    }

    pub(crate) async fn conclude(self, verdict: Verdict) -> Result<Session, Error> {
        let code: SecretString = match verdict {
            Verdict::Code(code) => code,
            Verdict::Declined { error } => return Err(callback::declined(&error)),
        };
        if self.ends.left(self.app.clock().now()).is_zero() {
            return Err(Error::authentication(
                "the sign-in took longer than ten minutes; begin another one",
            ));
        }
        let issued = self
            .app
            .endpoint()
            .exchange(&code, &self.challenge.verifier, &self.redirect)
            .await
            .map_err(|refusal| match refusal.class {
                // The service's words do not say which of the two it is.
                Class::InvalidGrant => Error::authentication(
                    "the accounts service refuses the code: it was used before, is too old, \
                     or belongs to another redirect URI",
                )
                .with_reason("invalid_grant"),
                _ => refusal.error,
            })?;
        Ok(self.app.session(TokenRecord::granted(&issued, self.scopes)))
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
