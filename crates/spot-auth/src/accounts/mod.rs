//! The accounts service: the authorize page, the token endpoint and its responses.

mod endpoint;
#[cfg_attr(
    not(feature = "loopback"),
    allow(dead_code, reason = "only the loopback listener uses the port of the redirect URI")
)]
mod redirect_uri;
mod token_response;

#[cfg(feature = "loopback")]
pub(crate) use self::redirect_uri::Loopback;
#[cfg(feature = "fuzzing")]
pub(crate) use self::token_response::TokenResponse;
pub(crate) use self::{
    endpoint::{AuthorizationRequest, Endpoint, IssuedTokens},
    redirect_uri::{DEFAULT_REDIRECT_URI, RedirectUri},
};
