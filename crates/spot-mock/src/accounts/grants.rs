//! Everything that was given out: codes, access tokens, refresh tokens.

use std::collections::HashMap;

use crate::{
    accounts::{apps::AppKey, scope::ScopeSet},
    clock::Moment,
    world::{Key, Rng, User},
};

/// How long an access token lives.
pub(crate) const TOKEN_SECONDS: i64 = 3_600;
/// How long a code may wait to be exchanged.
pub(super) const CODE_SECONDS: i64 = 600;
/// How long a user's consent lasts.
pub(super) const CONSENT_MONTHS: i64 = 6;

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

/// Everything that was given out to applications. Not `Debug`, because all of it is secret.
pub(crate) struct Auth {
    pub(crate) consent: Consent,
    /// Who sits before the browser.
    pub(crate) signed_in: Key<User>,
    pub(crate) refresh_policy: RefreshPolicy,
    pub(super) access: HashMap<String, AccessGrant>,
    pub(super) refresh: HashMap<String, RefreshGrant>,
    pub(super) codes: HashMap<String, Code>,
    pub(super) rng: Rng,
}

/// What an access token stands for.
#[derive(Clone)]
pub(crate) struct AccessGrant {
    pub(crate) app: AppKey,
    /// Nobody, if the application asked in its own name.
    pub(crate) user: Option<Key<User>>,
    pub(crate) scopes: ScopeSet,
    pub(super) expires: Moment,
}

/// What a refresh token stands for.
#[derive(Clone)]
pub(super) struct RefreshGrant {
    pub(super) app: AppKey,
    pub(super) user: Key<User>,
    pub(super) scopes: ScopeSet,
    /// When the user agreed. Refreshing does not move it.
    pub(super) consented: Moment,
    /// Without a secret only those may refresh who signed in without one.
    pub(super) pkce: bool,
    pub(super) revoked: bool,
}

/// A code on its way through the user's browser.
pub(super) struct Code {
    pub(super) app: AppKey,
    pub(super) user: Key<User>,
    pub(super) redirect_uri: String,
    pub(super) scopes: ScopeSet,
    pub(super) challenge: Option<String>,
    pub(super) issued: Moment,
}

impl Auth {
    /// Nothing is given out yet; what will be, is made from `rng`.
    pub(crate) fn new(
        rng: Rng,
        signed_in: Key<User>,
        consent: Consent,
        refresh_policy: RefreshPolicy,
    ) -> Self {
        Self {
            consent,
            signed_in,
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
        app: AppKey,
        user: Option<Key<User>>,
        scopes: ScopeSet,
        now: Moment,
    ) -> String {
        let token = format!("BQ{}", self.rng.hex(120));
        let expires = now.minus_seconds(-TOKEN_SECONDS);
        self.access.insert(token.clone(), AccessGrant { app, user, scopes, expires });
        token
    }

    /// A new refresh token, as if the user had agreed just now.
    pub(crate) fn mint_refresh(
        &mut self,
        app: AppKey,
        user: Key<User>,
        scopes: ScopeSet,
        now: Moment,
    ) -> String {
        let grant = RefreshGrant { app, user, scopes, consented: now, pkce: true, revoked: false };
        self.keep_refresh(grant)
    }

    /// What a valid access token stands for.
    pub(crate) fn access(&self, token: &str, now: Moment) -> Option<&AccessGrant> {
        self.access.get(token).filter(|grant| now < grant.expires)
    }

    /// Ends what users have agreed to, as if they had removed the application from their
    /// account: of one application or of all, of one user or of all.
    pub(crate) fn revoke(&mut self, app: Option<AppKey>, user: Option<Key<User>>) {
        let meant = |of_app: AppKey, of_user: Key<User>| {
            app.is_none_or(|app| app == of_app) && user.is_none_or(|user| user == of_user)
        };
        for grant in self.refresh.values_mut().filter(|grant| meant(grant.app, grant.user)) {
            grant.revoked = true;
        }
        self.access.retain(|_, grant| !grant.user.is_some_and(|user| meant(grant.app, user)));
        self.codes.retain(|_, code| !meant(code.app, code.user));
    }

    pub(super) fn keep_refresh(&mut self, grant: RefreshGrant) -> String {
        let token = format!("AQ{}", self.rng.hex(128));
        self.refresh.insert(token.clone(), grant);
        token
    }

    pub(super) fn keep_code(&mut self, code: Code) -> String {
        let text = format!("AQ{}", self.rng.hex(160));
        self.codes.insert(text.clone(), code);
        text
    }
}
