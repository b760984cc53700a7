//! `cargo xtask smoke`: every operation once, through the real client.
//!
//! Calls are counted by method and path, so that an operation that is two calls on one path (replace
//! and reorder, following artists and users) counts once, and `GET /me/top/{type}`, which is two
//! paths here, twice: 97 for the 96 operations of the API. One that fails in any of its calls has
//! failed.

use std::collections::BTreeMap;

use spot::{
    AccessMode, Client,
    net::{AccessToken, Pipeline},
};
use spot_mock::{MockSpotify, Mode};
use xtask::{Error, say};

use crate::{
    example::{Example, compare},
    generated::examples::EXAMPLES,
};

/// Calls every operation at `base_url`, or at a `spot-mock` in Extended Quota Mode.
pub(crate) async fn run(base_url: Option<&str>, token: Option<&str>) -> Result<(), Error> {
    let mut operations: BTreeMap<(&str, &str), Result<(), String>> = BTreeMap::new();
    for example in EXAMPLES.iter().filter(|example| example.case == "default") {
        let done = call(example, base_url, token).await?;
        let operation = example.operation;
        match &done {
            Ok(()) => say(&format!("passed {} ({operation})", operation.name)),
            Err(error) => say(&format!("FAILED {} ({operation}): {error}", operation.name)),
        }
        let outcome =
            operations.entry((operation.method.as_str(), operation.path)).or_insert(Ok(()));
        if done.is_err() {
            *outcome = done;
        }
    }
    let failed = operations.values().filter(|outcome| outcome.is_err()).count();
    say(&format!("{} passed, {failed} failed", operations.len() - failed));
    if failed > 0 { Err("some operations failed".to_owned()) } else { Ok(()) }
}

/// Runs an example. The inner error says why it failed: a status that is no success, a response that
/// does not decode, or a request for another operation.
async fn call(
    example: &Example,
    base_url: Option<&str>,
    token: Option<&str>,
) -> Result<Result<(), String>, Error> {
    if let Some(base_url) = base_url {
        let client = client(token.unwrap_or("token"), base_url)?;
        return Ok((example.call)(client).done.await.map_err(|error| error.to_string()));
    }
    // A world of its own, so that no call depends on what another one did.
    let mock = MockSpotify::builder().mode(Mode::Extended).start().await;
    let mock = mock.map_err(|error| error.to_string())?;
    let client = client(&mock.user_token_all(), mock.api_url())?;
    let call = (example.call)(client);
    let mut done = call.done.await.map_err(|error| error.to_string());
    let asked = mock.requests();
    if done.is_ok() && !asked.iter().any(|request| request.operation == Some(example.operation.id))
    {
        done = Err(format!("the mock saw {asked:?}"));
    }
    done = done.and_then(|()| compare(&call.requests, &asked));
    mock.shutdown().await;
    Ok(done)
}

fn client(token: &str, base_url: &str) -> Result<Client, Error> {
    let token = AccessToken::new(token).map_err(|error| error.to_string())?;
    let pipeline = Pipeline::builder(token).base_url(base_url).attempts(1).build();
    let pipeline = pipeline.map_err(|error| error.to_string())?;
    Ok(Client::from(pipeline).with_access_mode(AccessMode::Extended))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_example_of_every_operation_works() {
        run(None, None).await.unwrap();
    }
}
