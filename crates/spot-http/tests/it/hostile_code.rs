//! Tests user-supplied token sources and transports that hang or panic.

use std::{
    future::pending,
    sync::{
        Mutex,
        mpsc::{Receiver, channel},
    },
    time::Duration,
};

use bytes::Bytes;
use spot_http::{
    AccessToken, Error, ErrorKind, Pipeline, Request, TokenSource, Transport, TransportError,
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
async fn token_source_hangs_and_panics_are_errors_within_the_deadline() {
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

/// A cache key contains the token. Therefore a pipeline with a cache calls the token source before
/// it looks up a response.
#[cfg(feature = "cache")]
#[tokio::test(start_paused = true)]
async fn hanging_and_panicking_token_sources_are_errors_with_a_cache() {
    for (trouble, kind) in [
        (Trouble::TokenHangs, ErrorKind::Timeout),
        (Trouble::TokenPanics, ErrorKind::Configuration),
    ] {
        let pipeline = Pipeline::builder(trouble)
            .transport(Script::new([status(200)]))
            .cache(spot_http::Cache::new(1 << 10))
            .deadline(DEADLINE)
            .build()
            .unwrap();
        let called = tokio::spawn(async move { pipeline.call(Request::get("/me")).await });
        assert_eq!(called.await.expect("no panic").unwrap_err().kind(), kind, "{trouble:?}");
    }
}

#[derive(Debug)]
struct Panics;

#[spot_http::async_trait]
impl Transport for Panics {
    async fn send(&self, _: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        panic!("the program's transport panics, as the test wants");
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_a_transport_is_an_error() {
    let pipeline = Script::new([status(200)]).pipeline().transport(Panics).build().unwrap();
    let asked = pipeline.clone();
    let called = tokio::spawn(async move { asked.call(Request::get("/me")).await });
    let error = called.await.expect("no panic").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    let called = tokio::spawn(async move { pipeline.redirect_of("https://spotify.link/x").await });
    let error = called.await.expect("no panic").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
}

/// A transport that blocks its thread at the path `/block` until the test drops the sender.
#[derive(Debug)]
struct Blocks(Mutex<Receiver<()>>);

#[spot_http::async_trait]
impl Transport for Blocks {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        if request.uri().path() == "/v1/block" {
            // An error means that the test dropped the sender. The timeout ends the wait if the
            // test fails.
            let _ = self.0.lock().unwrap().recv_timeout(Duration::from_secs(40));
        }
        Ok(http::Response::new(Bytes::from_static(b"{}")))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocking_transport_does_not_delay_other_calls() {
    let (release, until) = channel();
    let pipeline = Pipeline::builder(AccessToken::new("token").unwrap())
        .transport(Blocks(Mutex::new(until)))
        .build()
        .unwrap();
    let blocking = pipeline.clone();
    let blocked = tokio::spawn(async move { blocking.call(Request::get("/block")).await });
    let others = async {
        for _ in 0..100 {
            let pipeline = pipeline.clone();
            let called = tokio::spawn(async move { pipeline.call(Request::get("/me")).await });
            called.await.unwrap().unwrap();
        }
    };
    timeout(Duration::from_secs(30), others).await.expect("other calls go on");
    assert!(!blocked.is_finished());
    drop(release);
    blocked.await.unwrap().unwrap();
}
