//! The accounts service: registered applications, sign-in, tokens.

mod apps;
mod authorize;
mod grants;
mod redirect;
mod scope;
mod token;

pub use apps::App;
pub(crate) use apps::{AppKey, Apps, Registered};
pub(crate) use authorize::authorize;
pub(crate) use grants::Auth;
pub use grants::{Consent, RefreshPolicy};
pub(crate) use scope::{SCOPES, ScopeSet};
pub(crate) use token::token;
