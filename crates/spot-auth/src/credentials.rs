//! An application that asks for itself.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use spot_http::{AccessToken, Error, TokenSource};

use crate::App;
use crate::clock::Deadline;
use crate::endpoint::{Endpoint, Issued};
use crate::renewal::{Held, Keeper, Renew};

/// An application's own tokens, by its id and secret: they reach the catalogue, and nothing that
/// belongs to a user.
///
/// Clones share one token, which is renewed once for all of them.
#[derive(Clone)]
pub struct ClientCredentials {
    app: App,
    keeper: Keeper<Own>,
}

impl ClientCredentials {
    pub(crate) fn new(app: App) -> Self {
        let endpoint = Arc::clone(app.endpoint());
        let clock = endpoint.clock().clone();
        Self { app, keeper: Keeper::new(Own(endpoint), None, clock) }
    }
}

#[async_trait]
impl TokenSource for ClientCredentials {
    async fn token(&self) -> Result<AccessToken, Error> {
        self.keeper.token().await
    }

    async fn reject(&self, token: &AccessToken) {
        self.keeper.reject(token);
    }
}

impl fmt::Debug for ClientCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCredentials").field("app", &self.app).finish_non_exhaustive()
    }
}

struct Own(Arc<Endpoint>);

#[async_trait]
impl Renew for Own {
    async fn renew(&self, _refused: bool) -> Result<Held, Error> {
        let issued = self.0.client_credentials().await.map_err(|refusal| refusal.error)?;
        issued.held()
    }
}

impl Issued {
    /// The access token alone.
    pub(crate) fn held(&self) -> Result<Held, Error> {
        let lifetime = self.answer.lifetime();
        Ok(Held {
            token: AccessToken::new(self.answer.access_token())?,
            ends: Deadline::after(self.asked, lifetime),
            lifetime,
        })
    }
}
