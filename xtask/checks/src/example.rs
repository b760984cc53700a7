//! Turns the examples in the spec into calls.

use futures::{FutureExt as _, TryFutureExt as _, future::BoxFuture};
use spot::{ApiRequest, Client, Error, Request, model::Operation};
use spot_mock::RecordedRequest;

/// An example call that works against spot-mock. The documentation of the request shows this call.
pub(crate) struct Example {
    /// `default`, or the name of one of the `cases` in the spec.
    pub(crate) case: &'static str,
    pub(crate) operation: &'static Operation,
    pub(crate) call: fn(Client) -> Call,
}

/// The requests of an example, and the future that sends them.
pub(crate) struct Call {
    /// The requests that `ApiRequest::into_requests` returned.
    pub(crate) requests: Vec<Request>,
    pub(crate) done: BoxFuture<'static, Result<(), Error>>,
}

/// Converts a request to a call.
pub(crate) fn call(request: impl ApiRequest) -> Call {
    Call {
        requests: request.clone().into_requests(),
        done: request.into_future().map_ok(drop).boxed(),
    }
}

/// Compares the requests of `into_requests` with the requests that the server received.
pub(crate) fn compare(requests: &[Request], seen: &[RecordedRequest]) -> Result<(), String> {
    let told: Vec<String> = requests
        .iter()
        .map(|request| format!("{} /v1{}", request.operation().method, request.path_and_query()))
        .collect();
    let seen: Vec<String> = seen
        .iter()
        .map(|seen| {
            let mark = if seen.query.is_empty() { "" } else { "?" };
            format!("{} {}{mark}{}", seen.method, seen.path, seen.query)
        })
        .collect();
    if told == seen { Ok(()) } else { Err(format!("sent {seen:?} instead of {told:?}")) }
}

#[cfg(test)]
mod tests {
    use spot::{
        AccessMode,
        net::{AccessToken, Pipeline},
    };
    use spot_mock::{MockSpotify, Mode};

    use super::*;
    use crate::generated::examples::EXAMPLES;

    async fn mock(mode: Mode, access: AccessMode) -> (MockSpotify, Client) {
        let mock = MockSpotify::builder().mode(mode).start().await.expect("a server");
        let token = AccessToken::new(&mock.user_token_all()).expect("a token");
        let pipeline = Pipeline::builder(token).base_url(mock.api_url()).build().expect("a client");
        (mock, Client::from(pipeline).with_access_mode(access))
    }

    #[tokio::test]
    async fn request_data_matches_the_requests_that_are_sent() {
        for (mode, access) in
            [(Mode::Extended, AccessMode::Extended), (Mode::Development, AccessMode::Development)]
        {
            for example in EXAMPLES {
                let (mock, client) = mock(mode, access).await;
                let call = (example.call)(client);
                // The test compares only the requests, so it ignores errors. Development Mode
                // refuses some of the requests.
                let _ = call.done.await;
                let compared = compare(&call.requests, &mock.requests());
                assert_eq!(compared, Ok(()), "{} ({})", example.operation.name, example.case);
                assert!(!call.requests.is_empty(), "{}", example.operation.name);
            }
        }
        for operation in Operation::ALL {
            assert!(EXAMPLES.iter().any(|example| example.operation == *operation), "{operation}");
        }
    }
}
