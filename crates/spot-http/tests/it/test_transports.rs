//! Tests the test transports `Recorder`, `Replay` and `Faulty`.

use std::time::Duration;

use spot_http::{
    AccessToken, ErrorKind, Pipeline, Request, Transport,
    test::{Exchange, Faulty, Recorder, Replay},
};
use spot_model::Operation;

use crate::script::{Script, Turn, body, status, wait};

fn pipeline(transport: impl Transport) -> Pipeline {
    Pipeline::builder(AccessToken::new("CANARY").unwrap())
        .transport(transport)
        .backoff(Duration::ZERO, Duration::ZERO)
        .retry_budget(None)
        .build()
        .unwrap()
}

type Breaks = fn(Faulty) -> Faulty;

fn get() -> Request {
    Request::new(Operation::GET_MY_PROFILE)
}

#[tokio::test(start_paused = true)]
async fn replay_returns_the_recorded_exchanges() {
    let script = Script::new([wait("1"), body(200, r#"{"id":"a"}"#), status(404)]);
    let recorder = Recorder::new(script);
    let live = pipeline(recorder.clone());
    live.call(get()).await.unwrap();
    live.call(Request::new(Operation::GET_ALBUM).path("id", "a")).await.unwrap_err();
    let json = serde_json::to_string_pretty(&recorder.exchanges()).unwrap();
    assert!(!json.contains("CANARY"), "{json}");
    let record: Vec<Exchange> = serde_json::from_str(&json).unwrap();
    assert_eq!(record, recorder.exchanges());
    let played = pipeline(Replay::new(record));
    let answer = played.call(get()).await.unwrap();
    assert_eq!((answer.attempts(), answer.into_body().as_ref()), (2, &br#"{"id":"a"}"#[..]));
    let album = Request::new(Operation::GET_ALBUM).path("id", "a");
    assert_eq!(played.call(album).await.unwrap_err().kind(), ErrorKind::NotFound);
    let other = Request::new(Operation::GET_ALBUM).path("id", "b");
    let error = played.call(other).await.unwrap_err();
    assert!(error.to_string().contains("GET /v1/albums/b was not recorded"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn every_injected_fault_has_the_expected_error_kind() {
    let always = |faulty: fn(Faulty) -> Faulty| {
        let script = Script::new([status(200)]);
        (faulty(Faulty::new(script.clone(), 1)), script)
    };
    let cases: [(Breaks, ErrorKind, usize); 5] = [
        (|faulty| faulty.drop_before_send(1.0), ErrorKind::Transport, 0),
        (|faulty| faulty.reset_after_send(1.0), ErrorKind::OutcomeUnknown, 1),
        (|faulty| faulty.truncated_body(1.0), ErrorKind::OutcomeUnknown, 1),
        (|faulty| faulty.server_error(1.0), ErrorKind::OutcomeUnknown, 0),
        (|faulty| faulty.storm(1.0, 3, Duration::from_secs(1)), ErrorKind::RateLimited, 0),
    ];
    for (faulty, kind, arrived) in cases {
        let (transport, script) = always(faulty);
        let next = Request::new(Operation::SKIP_TO_NEXT);
        let error = pipeline(transport.clone()).call(next).await.unwrap_err();
        assert_eq!((error.kind(), script.count()), (kind, arrived), "{transport:?}");
    }
    let (slow, _) = always(|faulty| faulty.delay(1.0, Duration::from_secs(16)));
    assert_eq!(pipeline(slow).call(get()).await.unwrap_err().kind(), ErrorKind::Timeout);
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_injects_the_same_faults() {
    let run = async |seed| {
        let script = Script::new([Turn::Late(Duration::ZERO)]);
        let faulty = Faulty::new(script, seed).server_error(0.3).reset_after_send(0.2);
        let pipeline = pipeline(faulty);
        let mut attempts = Vec::new();
        for _ in 0..50 {
            attempts.push(pipeline.call(get()).await.map_or(0, |answer| answer.attempts()));
        }
        attempts
    };
    let (one, again, other) = (run(1).await, run(1).await, run(2).await);
    assert_eq!(one, again);
    assert_ne!(one, other);
}

#[tokio::test(start_paused = true)]
async fn recorded_token_exchanges_contain_no_secrets() {
    let tokens = r#"{"access_token":"CANARY-a","refresh_token":"CANARY-r","expires_in":3600,
                     "nested":[{"id_token":"CANARY-i"}],"echo":"Basic CANARYbasic="}"#;
    let recorder = Recorder::new(Script::new([body(200, tokens), body(400, "no CANARYbasic=")]));
    for form in [
        "grant_type=refresh_token&refresh_token=CANARY-old&client_secret=CANARY-s",
        "grant_type=authorization_code&code=CANARY-c&code_verifier=CANARY-v",
    ] {
        let request = http::Request::post("https://accounts.spotify.com/api/token?code=CANARY-q")
            .header("authorization", "Basic CANARYbasic=")
            .body(form.into())
            .unwrap();
        recorder.send(request).await.unwrap();
    }
    let exchanges = recorder.exchanges();
    let json = serde_json::to_string(&exchanges).unwrap();
    assert!(!json.contains("CANARY") && !format!("{exchanges:?}").contains("CANARY"), "{json}");
    assert_eq!(
        exchanges[0].sent,
        "grant_type=refresh_token&refresh_token=REDACTED&client_secret=REDACTED"
    );
    assert!(exchanges[0].body.contains("3600"), "{json}");
}
