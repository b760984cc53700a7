//! The accounts service: who is asking, and what the user has allowed.

mod authorize;
mod redirect;
mod scope;
mod token;

use std::collections::HashMap;

pub(crate) use authorize::authorize;
pub(crate) use redirect::is_secure;
pub(crate) use scope::{SCOPES, ScopeSet};
pub(crate) use token::token;

use crate::clock::Moment;
use crate::world::{Key, Rng, User};

/// How long an access token lives.
pub(crate) const TOKEN_SECONDS: i64 = 3_600;
/// How long a code may wait to be exchanged.
const CODE_SECONDS: i64 = 600;
/// How long a user's consent lasts.
const CONSENT_MONTHS: i64 = 6;

/// What the user does on the page that asks for consent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Consent {
    /// Agrees at once: no page is shown, the browser is sent back with a code.
    #[default]
    Grant,
    /// Declines at once: the browser is sent back with `error=access_denied`.
    Deny,
    /// Is asked: a page is shown with a link to agree and one to cancel.
    Ask,
}

/// What the answer to a refresh says about the refresh token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefreshPolicy {
    /// Nothing, as Spotify usually does: the old one stays valid.
    #[default]
    Omit,
    /// An empty text, and empty scopes too: the old one stays valid.
    Empty,
    /// A new one, and the old one is revoked.
    Rotate,
}

/// Applications, and everything that was given out to them. Not `Debug`, because all of it is
/// secret.
pub(crate) struct Auth {
    pub(crate) app: App,
    pub(crate) consent: Consent,
    pub(crate) refresh_policy: RefreshPolicy,
    access: HashMap<String, AccessGrant>,
    refresh: HashMap<String, RefreshGrant>,
    codes: HashMap<String, Code>,
    rng: Rng,
}

/// A registered application.
pub(crate) struct App {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) redirect_uris: Vec<String>,
}

/// What an access token stands for.
#[derive(Clone)]
pub(crate) struct AccessGrant {
    pub(crate) client_id: String,
    /// Nobody, if the application asked in its own name.
    pub(crate) user: Option<Key<User>>,
    pub(crate) scopes: ScopeSet,
    expires: Moment,
}

/// What a refresh token stands for.
#[derive(Clone)]
struct RefreshGrant {
    client_id: String,
    user: Key<User>,
    scopes: ScopeSet,
    /// When the user agreed. Refreshing does not move it.
    consented: Moment,
    /// Without a secret only those may refresh who signed in without one.
    pkce: bool,
    revoked: bool,
}

/// A code on its way through the user's browser.
struct Code {
    client_id: String,
    user: Key<User>,
    redirect_uri: String,
    scopes: ScopeSet,
    challenge: Option<String>,
    issued: Moment,
}

impl Auth {
    pub(crate) fn new(seed: u64, consent: Consent, refresh_policy: RefreshPolicy) -> Self {
        let mut rng = Rng::new(seed, "accounts");
        let redirect_uris =
            ["http://127.0.0.1/callback", "http://[::1]/callback", "https://example.com/callback"];
        let app = App {
            client_id: rng.hex(32),
            client_secret: rng.hex(32),
            redirect_uris: redirect_uris.map(str::to_owned).to_vec(),
        };
        Self {
            app,
            consent,
            refresh_policy,
            access: HashMap::new(),
            refresh: HashMap::new(),
            codes: HashMap::new(),
            rng,
        }
    }

    /// A new access token, for a user or for the application itself.
    pub(crate) fn mint(
        &mut self,
        user: Option<Key<User>>,
        scopes: ScopeSet,
        now: Moment,
    ) -> String {
        let token = format!("BQ{}", self.rng.hex(120));
        let client_id = self.app.client_id.clone();
        let expires = now.minus_seconds(-TOKEN_SECONDS);
        self.access.insert(token.clone(), AccessGrant { client_id, user, scopes, expires });
        token
    }

    /// A new refresh token, as if the user had agreed just now.
    pub(crate) fn mint_refresh(
        &mut self,
        user: Key<User>,
        scopes: ScopeSet,
        now: Moment,
    ) -> String {
        let client_id = self.app.client_id.clone();
        let grant =
            RefreshGrant { client_id, user, scopes, consented: now, pkce: true, revoked: false };
        self.keep_refresh(grant)
    }

    /// What a valid access token stands for.
    pub(crate) fn access(&self, token: &str, now: Moment) -> Option<&AccessGrant> {
        self.access.get(token).filter(|grant| now < grant.expires)
    }

    /// Ends everything users have agreed to, as if they had removed the application.
    pub(crate) fn revoke_consents(&mut self) {
        for grant in self.refresh.values_mut() {
            grant.revoked = true;
        }
        self.access.retain(|_, grant| grant.user.is_none());
        self.codes.clear();
    }

    fn keep_refresh(&mut self, grant: RefreshGrant) -> String {
        let token = format!("AQ{}", self.rng.hex(128));
        self.refresh.insert(token.clone(), grant);
        token
    }

    fn keep_code(&mut self, code: Code) -> String {
        let text = format!("AQ{}", self.rng.hex(160));
        self.codes.insert(text.clone(), code);
        text
    }
}
