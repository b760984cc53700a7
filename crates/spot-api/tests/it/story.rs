//! What all stories start with: a server, and a client that talks to it.

use spot_api::{AccessMode, Client, Error, model::Operation};
use spot_http::{AccessToken, Pipeline};
use spot_mock::{MockSpotify, Mode};

/// A client with every scope.
pub(crate) fn client(mock: &MockSpotify) -> Client {
    let token = AccessToken::new(&mock.user_token_all()).unwrap();
    Pipeline::builder(token).base_url(mock.api_url()).build().unwrap().into()
}

/// The example does what it says, and the server saw the operation it is about.
pub(crate) async fn example<F>(operation: &'static Operation, call: impl FnOnce(Client) -> F)
where
    F: Future<Output = Result<(), Error>>,
{
    let mock = MockSpotify::builder().mode(Mode::Extended).start().await.unwrap();
    let client = client(&mock).with_access_mode(AccessMode::Extended);
    call(client).await.unwrap_or_else(|error| panic!("{}: {error}", operation.id));
    let asked = mock.requests();
    assert!(
        asked.iter().any(|request| request.operation == Some(operation.id)),
        "the server saw {asked:?}"
    );
}
