//! Access tokens of the application itself.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use spot_http::{AccessToken, Error, TokenSource};

use crate::{
    application::Application,
    session::token_cache::{CachedToken, Refresh, TokenCache},
};

/// Provides access tokens for the application itself, from its client id and secret. These tokens
/// give access to public data, such as the catalog, but not to data of users.
///
/// Clones share one token, which is refreshed once for all of them.
#[derive(Clone)]
pub struct ClientCredentials {
    app: Arc<Application>,
    cache: TokenCache<ClientCredentialsGrant>,
}

impl ClientCredentials {
    pub(crate) fn new(app: Arc<Application>) -> Self {
        let grant = ClientCredentialsGrant(Arc::clone(&app));
        let cache = TokenCache::new(grant, None, app.clock().clone());
        Self { app, cache }
    }
}

#[async_trait]
impl TokenSource for ClientCredentials {
    async fn token(&self) -> Result<AccessToken, Error> {
        self.cache.token().await
    }

    async fn reject(&self, token: &AccessToken) {
        self.cache.reject(token);
    }
}

impl fmt::Debug for ClientCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCredentials").field("app", &self.app).finish_non_exhaustive()
    }
}

/// Gets a token with the client credentials grant (RFC 6749, section 4.4).
#[derive(Clone)]
struct ClientCredentialsGrant(Arc<Application>);

#[async_trait]
impl Refresh for ClientCredentialsGrant {
    async fn refresh(&self, _refused: bool) -> Result<CachedToken, Error> {
        let issued = self.0.endpoint.client_credentials().await?;
        CachedToken::issued(&issued)
    }
}
