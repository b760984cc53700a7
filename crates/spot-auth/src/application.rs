//! State that all sign-ins and sessions of an application share.

use std::fmt;

use crate::{
    accounts::{Endpoint, RedirectUri},
    clock::Clock,
    session::event::Observer,
};

/// The settings of an [`App`](crate::App) and its connection to the accounts service.
pub(crate) struct Application {
    pub(crate) client_id: String,
    pub(crate) has_secret: bool,
    pub(crate) redirect_uri: Option<RedirectUri>,
    pub(crate) endpoint: Endpoint,
    pub(crate) observer: Observer,
}

impl Application {
    pub(crate) fn clock(&self) -> &Clock {
        self.endpoint.clock()
    }
}

impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("client_id", &self.client_id)
            .field("has_secret", &self.has_secret)
            .field("redirect_uri", &self.redirect_uri.as_ref().map(RedirectUri::as_str))
            .field("accounts_url", &self.endpoint.issuer())
            .finish()
    }
}
