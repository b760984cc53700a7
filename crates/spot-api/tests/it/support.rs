//! Creates a client of a mock server, for all tests.

use spot_api::Client;
use spot_http::{AccessToken, Pipeline};
use spot_mock::MockSpotify;

/// Returns a client with all scopes.
pub(crate) fn client(mock: &MockSpotify) -> Client {
    let token = AccessToken::new(&mock.user_token_all()).unwrap();
    Pipeline::builder(token).base_url(mock.api_url()).build().unwrap().into()
}
