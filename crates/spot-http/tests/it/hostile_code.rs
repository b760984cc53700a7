//! Token sources, observers and transports of the program that hang or panic.

use std::{future::pending, time::Duration};

use bytes::Bytes;
use spot_http::{
    AccessToken, Error, ErrorKind, Event, Observer, Pipeline, Request, TokenSource, Transport,
    TransportError,
};
use tokio::time::{Instant, timeout};

use crate::script::{Script, status};

const DEADLINE: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    TokenHangs,
    TokenPanics,
    RejectHangs,
    RejectPanics,
    RejectDoesNothing,
}

#[spot_http::async_trait]
impl TokenSource for Trouble {
    async fn token(&self) -> Result<AccessToken, Error> {
        match self {
            Self::TokenHangs => pending().await,
            Self::TokenPanics => panic!("the program's token source panics, as the test wants"),
            _ => {
                use std::sync::OnceLock;
                static TOKEN: OnceLock<AccessToken> = OnceLock::new();
                Ok(TOKEN.get_or_init(|| AccessToken::new("token").unwrap()).clone())
            }
        }
    }

    async fn reject(&self, _: &AccessToken) {
        match self {
            Self::RejectHangs => pending().await,
            Self::RejectPanics => panic!("the program's token source panics, as the test wants"),
            _ => {}
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_source_is_inside_the_deadline_and_its_panics_are_errors() {
    for (trouble, kind, sent) in [
        (Trouble::TokenHangs, ErrorKind::Timeout, 0),
        (Trouble::TokenPanics, ErrorKind::Configuration, 0),
        (Trouble::RejectHangs, ErrorKind::Authentication, 1),
        (Trouble::RejectPanics, ErrorKind::Authentication, 1),
        (Trouble::RejectDoesNothing, ErrorKind::Authentication, 1),
    ] {
        let script = Script::new([status(401)]);
        let pipeline = Pipeline::builder(trouble)
            .transport(script.clone())
            .deadline(DEADLINE)
            .build()
            .unwrap();
        let start = Instant::now();
        let called = tokio::spawn(async move {
            timeout(10 * DEADLINE, pipeline.call(Request::get("/me"))).await
        });
        let ended = called.await.unwrap_or_else(|error| panic!("{trouble:?}: {error}"));
        let ended = ended.unwrap_or_else(|_| panic!("{trouble:?}: not over after {DEADLINE:?}"));
        let error = ended.unwrap_err();
        assert_eq!((error.kind(), script.count()), (kind, sent), "{trouble:?}: {error}");
        assert!(start.elapsed() <= DEADLINE, "{trouble:?}: {:?}", start.elapsed());
    }
}

#[derive(Debug)]
struct Panics;

impl Observer for Panics {
    fn event(&self, _: &Event<'_>) {
        panic!("the program's observer panics, as the test wants");
    }
}

#[spot_http::async_trait]
impl Transport for Panics {
    async fn send(&self, _: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        panic!("the program's transport panics, as the test wants");
    }
}

#[tokio::test(start_paused = true)]
async fn panics_of_observers_and_transports_do_not_reach_the_caller() {
    let script = Script::new([status(200)]);
    let pipeline = script.pipeline().observer(Panics).build().unwrap();
    let called = tokio::spawn(async move { pipeline.call(Request::get("/me")).await });
    called.await.expect("the observer").unwrap();
    let pipeline = script.pipeline().transport(Panics).build().unwrap();
    let called = tokio::spawn(async move { pipeline.call(Request::get("/me")).await });
    let error = called.await.expect("the transport").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
}
