//! Tests that tokens are never printed.

use std::error::Error as _;

use spot_http::{AccessToken, ErrorKind, Pipeline, Request};
use spot_model::Operation;

use crate::script::{Script, Turn, body, status};

#[tokio::test(start_paused = true)]
async fn debug_output_and_errors_contain_no_access_token() {
    let token = AccessToken::new("CANARY-token").unwrap();
    let turns = [
        status(401),
        status(500),
        body(200, "not JSON"),
        Turn::Fail(spot_http::TransportErrorKind::Other),
    ];
    let mut printed = vec![format!("{token:?}"), format!("{:?}", token.header())];
    for turn in turns {
        let script = Script::new([turn]);
        let token = AccessToken::new("CANARY-token").unwrap();
        let builder = Pipeline::builder(token).transport(script);
        printed.push(format!("{builder:?}"));
        let pipeline = builder.build().unwrap();
        printed.push(format!("{pipeline:?}"));
        let request = Request::new(Operation::GET_MY_PROFILE);
        printed.push(format!("{request:?}"));
        let error = pipeline.call_json::<spot_model::PrivateUser>(request).await.unwrap_err();
        assert_ne!(error.kind(), ErrorKind::BadRequest);
        printed.push(format!("{error} {error:?} {:?}", error.source()));
    }
    for text in printed {
        assert!(!text.contains("CANARY"), "{text}");
    }
}
