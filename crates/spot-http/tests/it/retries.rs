//! Tests which calls are retried.

use std::{sync::Arc, time::Duration};

use spot_http::{
    AccessToken, CallOptions, Error, ErrorKind, Event, Observer, Pipeline, Request, TokenSource,
    TransportErrorKind,
};
use spot_model::Operation;
use tokio::{sync::Mutex, time::Instant};

use crate::script::{Script, Turn, status, wait};

fn get() -> Request {
    Request::new(Operation::GET_MY_PROFILE)
}

fn next() -> Request {
    Request::new(Operation::SKIP_TO_NEXT)
}

#[tokio::test(start_paused = true)]
async fn idempotent_requests_are_sent_up_to_three_times() {
    for turn in [status(500), status(502), status(503), status(504), status(408)] {
        let script = Script::new([turn.clone()]);
        let error = script.pipeline().build().unwrap().call(get()).await.unwrap_err();
        assert_eq!((script.count(), error.attempts()), (3, 3), "{turn:?}");
    }
    let script = Script::new([status(502), status(502), status(200)]);
    let answer = script.pipeline().build().unwrap().call(get()).await.unwrap();
    assert_eq!((answer.status(), answer.attempts()), (200, 3));
}

#[tokio::test(start_paused = true)]
async fn a_command_with_an_unknown_outcome_is_not_retried() {
    for turn in [
        status(500),
        status(503),
        Turn::Fail(TransportErrorKind::Reset),
        Turn::Fail(TransportErrorKind::Timeout),
        Turn::Late(Duration::from_secs(40)),
    ] {
        let script = Script::new([turn.clone()]);
        let error = script.pipeline().build().unwrap().call(next()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OutcomeUnknown, "{turn:?}");
        assert_eq!(script.count(), 1, "{turn:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_command_that_was_not_sent_is_retried() {
    let script = Script::new([Turn::Fail(TransportErrorKind::NotSent), status(204)]);
    script.pipeline().build().unwrap().call_empty(next()).await.unwrap();
    assert_eq!(script.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn permanent_error_statuses_are_not_retried() {
    for code in [400, 403, 404, 405, 410, 301, 501] {
        let script = Script::new([status(code)]);
        let error = script.pipeline().build().unwrap().call(get()).await.unwrap_err();
        assert_eq!((script.count(), error.status()), (1, Some(code)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_with_a_single_attempt_is_not_retried() {
    let script = Script::new([status(503)]);
    let pipeline = script.pipeline().build().unwrap();
    let once = get().with_options(CallOptions::new().attempts(1));
    pipeline.call(once).await.unwrap_err();
    assert_eq!(script.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_includes_all_attempts() {
    let script = Script::new([Turn::Late(Duration::from_secs(100))]);
    let pipeline = script.pipeline().deadline(Duration::from_secs(20)).build().unwrap();
    let start = Instant::now();
    let error = pipeline.call(get()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    // The first attempt times out after 15 s. The second attempt gets the remaining 5 s of the
    // deadline.
    assert_eq!((start.elapsed().as_secs(), script.count()), (20, 2));
}

#[tokio::test(start_paused = true)]
async fn the_maximum_wait_doubles_between_attempts() {
    let script = Script::new([status(503)]);
    let pipeline = script
        .pipeline()
        .backoff(Duration::from_secs(1), Duration::from_secs(20))
        .attempts(5)
        .build()
        .unwrap();
    pipeline.call(get()).await.unwrap_err();
    let times = script.times();
    let waits: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    for (at, wait) in waits.iter().enumerate() {
        assert!(*wait <= Duration::from_secs(1 << at) + Duration::from_millis(2), "{waits:?}");
    }
}

/// A token source that returns a new token after each rejection.
#[derive(Clone, Debug, Default)]
struct Renewing(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    current: Option<AccessToken>,
    given: u32,
    rejected: u32,
}

#[spot_http::async_trait]
impl TokenSource for Renewing {
    async fn token(&self) -> Result<AccessToken, Error> {
        let mut state = self.0.lock().await;
        if state.current.is_none() {
            state.given += 1;
            state.current = Some(AccessToken::new(&format!("token-{}", state.given))?);
        }
        Ok(state.current.clone().unwrap())
    }

    async fn reject(&self, token: &AccessToken) {
        let mut state = self.0.lock().await;
        if state.current.as_ref().is_some_and(|current| current.same(token)) {
            state.rejected += 1;
            state.current = None;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_command_is_retried_with_a_new_token_after_a_401() {
    let tokens = Renewing::default();
    let script = Script::new([status(401), status(204)]);
    let pipeline = Pipeline::builder(tokens.clone()).transport(script.clone()).build().unwrap();
    pipeline.call_empty(next()).await.unwrap();
    let sent: Vec<_> = script
        .requests()
        .iter()
        .map(|request| request.headers()["authorization"].to_str().unwrap().to_owned())
        .collect();
    assert_eq!(sent, ["Bearer token-1", "Bearer token-2"]);
    assert_eq!(tokens.0.lock().await.rejected, 1);
}

#[tokio::test(start_paused = true)]
async fn a_second_401_fails_the_call() {
    let script = Script::new([status(401)]);
    let pipeline =
        Pipeline::builder(Renewing::default()).transport(script.clone()).build().unwrap();
    let error = pipeline.call(get()).await.unwrap_err();
    assert_eq!((error.kind(), script.count()), (ErrorKind::Authentication, 2));
}

#[tokio::test(start_paused = true)]
async fn a_rejected_static_token_is_not_sent_again() {
    let script = Script::new([status(401)]);
    let pipeline = script.pipeline().build().unwrap();
    for _ in 0..2 {
        let error = pipeline.call(get()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Authentication);
    }
    assert_eq!(script.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_retry_budget_limits_the_retries_of_all_calls() {
    let script = Script::new([status(503)]);
    let pipeline = script.pipeline().retry_budget(60).build().unwrap();
    for _ in 0..10 {
        pipeline.call(get()).await.unwrap_err();
    }
    // Each of the ten calls makes a first attempt. The budget of 60 points allows four retries,
    // which cost 14 points each.
    assert_eq!(script.count(), 10 + 4);
    // The cost of a successful retry is refunded.
    let script = Script::new([status(503), status(200), status(503), status(200), status(200)]);
    let pipeline = script.pipeline().retry_budget(14).build().unwrap();
    for _ in 0..3 {
        pipeline.call(get()).await.unwrap();
    }
    let script = Script::new([status(503)]);
    let pipeline = script.pipeline().retry_budget(None).build().unwrap();
    for _ in 0..100 {
        pipeline.call(get()).await.unwrap_err();
    }
    assert_eq!(script.count(), 300);
}

#[tokio::test(start_paused = true)]
async fn call_options_override_whether_a_call_is_repeatable() {
    let harmless = CallOptions::new().repeatable(true);
    let script = Script::new([status(503), status(204)]);
    let pipeline = script.pipeline().build().unwrap();
    pipeline.call_empty(next().with_options(harmless)).await.unwrap();
    assert_eq!(script.count(), 2);
    let once = CallOptions::new().repeatable(false);
    let script = Script::new([status(503)]);
    let error = script.pipeline().build().unwrap().call(get().with_options(once)).await;
    assert_eq!((error.unwrap_err().kind(), script.count()), (ErrorKind::OutcomeUnknown, 1));
}

#[tokio::test(start_paused = true)]
async fn a_call_can_override_the_backoff() {
    let script = Script::new([status(503)]);
    let pipeline = script.pipeline().build().unwrap();
    let slow = CallOptions::new().backoff(Duration::from_secs(8), Duration::from_secs(8));
    let start = Instant::now();
    for _ in 0..5 {
        pipeline.call(get().with_options(slow.clone())).await.unwrap_err();
    }
    // The calls wait ten times, each time for up to 8 s.
    assert!(start.elapsed() > Duration::from_secs(8), "{:?}", start.elapsed());
}

/// An observer that stores a note for each event.
#[derive(Clone, Debug, Default)]
struct Notes(Arc<std::sync::Mutex<Vec<String>>>);

impl Observer for Notes {
    fn event(&self, event: &Event) {
        let note = match event {
            Event::AttemptStarted { attempt, .. } => format!("attempt {attempt}"),
            Event::AttemptEnded { status, error, .. } => format!("ended {status:?} {error:?}"),
            Event::Retry { error, .. } => format!("again, since {}", error.message()),
            Event::RateLimited { pause, quota, .. } => {
                format!("429: {} s, quota: {quota}", pause.as_secs())
            }
            Event::Throttled { waited, .. } => format!("waited {} s", waited.as_secs()),
            Event::CallEnded { attempts, error, .. } => {
                format!("call ended after {attempts}: {:?}", error.as_ref().map(Error::kind))
            }
            other => format!("{other:?}"),
        };
        self.0.lock().unwrap().push(note);
    }
}

#[tokio::test(start_paused = true)]
async fn an_observer_receives_every_event() {
    let notes = Notes::default();
    let script =
        Script::new([wait("3"), Turn::Fail(TransportErrorKind::Reset), status(200), status(404)]);
    let pipeline = script.pipeline().observer(notes.clone()).build().unwrap();
    pipeline.call(get()).await.unwrap();
    pipeline.call(get()).await.unwrap_err();
    pipeline.settled().await;
    insta::assert_snapshot!(notes.0.lock().unwrap().join("\n"));
}
