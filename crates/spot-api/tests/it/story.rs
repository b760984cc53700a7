//! What all stories start with: a server, and a client that talks to it.

use spot_api::Client;
use spot_http::{AccessToken, Pipeline};
use spot_mock::MockSpotify;

/// A client with every scope.
pub(crate) fn client(mock: &MockSpotify) -> Client {
    let token = AccessToken::new(&mock.user_token_all()).unwrap();
    Pipeline::builder(token).base_url(mock.api_url()).build().unwrap().into()
}
