//! Grants: authorization codes, access tokens and refresh tokens.

use std::collections::HashMap;

use crate::{
    accounts::{apps::AppKey, scope::ScopeSet},
    clock::Moment,
    world::{Key, Rng, User},
};

/// Lifetime of an access token.
pub(crate) const TOKEN_SECONDS: i64 = 3_600;
/// Lifetime of an authorization code.
pub(super) const CODE_SECONDS: i64 = 600;
/// Lifetime of a consent.
pub(super) const CONSENT_MONTHS: i64 = 6;

/// The user's decision at sign-in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "control",
    derive(serde::Deserialize, schemars::JsonSchema),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum Consent {
    /// Grants access. The browser is redirected immediately with an authorization code.
    #[default]
    Grant,
    /// Denies access. The browser is redirected immediately with `error=access_denied`.
    Deny,
    /// Shows a page that lists the users and has links to grant or deny access.
    Ask,
}

/// The refresh token in the response to a refresh request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "control",
    derive(serde::Deserialize, schemars::JsonSchema),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum RefreshPolicy {
    /// The response has no refresh token, as is usual for Spotify. The old refresh token stays
    /// valid.
    #[default]
    Omit,
    /// The response has an empty refresh token and empty scopes. The old refresh token stays valid.
    Empty,
    /// The response has a new refresh token, and the old refresh token is revoked.
    Rotate,
}

/// All grants. The type does not implement `Debug`, because grants contain secrets.
pub(crate) struct Auth {
    pub(crate) consent: Consent,
    /// The user who signs in.
    pub(crate) signed_in: Key<User>,
    pub(crate) refresh_policy: RefreshPolicy,
    pub(super) access: HashMap<String, AccessGrant>,
    pub(super) refresh: HashMap<String, RefreshGrant>,
    pub(super) codes: HashMap<String, Code>,
    pub(super) rng: Rng,
}

/// The application, the user and the scopes of an access token.
#[derive(Clone)]
pub(crate) struct AccessGrant {
    pub(crate) app: AppKey,
    /// `None` for the client credentials flow.
    pub(crate) user: Option<Key<User>>,
    pub(crate) scopes: ScopeSet,
    pub(super) expires: Moment,
}

/// The application, the user and the scopes of a refresh token.
#[derive(Clone)]
pub(super) struct RefreshGrant {
    pub(super) app: AppKey,
    pub(super) user: Key<User>,
    pub(super) scopes: ScopeSet,
    /// Time of the consent. A refresh does not change this time.
    pub(super) consented: Moment,
    /// Whether the user signed in with PKCE. If the user signed in with PKCE, a refresh request
    /// needs no client secret.
    pub(super) pkce: bool,
    pub(super) revoked: bool,
}

/// The sign-in for which an authorization code was issued.
pub(super) struct Code {
    pub(super) app: AppKey,
    pub(super) user: Key<User>,
    pub(super) redirect_uri: String,
    pub(super) scopes: ScopeSet,
    pub(super) challenge: Option<String>,
    pub(super) issued: Moment,
}

impl Auth {
    /// Creates a store without grants. `rng` generates the tokens.
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

    /// Creates an access token, with or without a user.
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

    /// Creates a refresh token, as if the user had consented now.
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

    /// The grant of a valid access token.
    pub(crate) fn access(&self, token: &str, now: Moment) -> Option<&AccessGrant> {
        self.access.get(token).filter(|grant| now < grant.expires)
    }

    /// Revokes consents. `None` for `app` means all applications, and `None` for `user` means all
    /// users.
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
