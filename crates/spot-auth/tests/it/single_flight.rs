//! Tests that parallel calls share one refresh.

use std::time::{Duration, SystemTime};

use spot_auth::{AccessToken, ErrorKind, ExposeSecret, Session, TokenRecord, TokenSource};
use spot_http::TransportErrorKind;
use tokio::task::JoinSet;

use crate::scripted_accounts::{Reply, Script};

/// Creates a session without an access token.
fn session(service: &Script) -> Session {
    service.app().build().unwrap().session(TokenRecord::from_refresh_token("the-refresh"))
}

/// Creates a session whose access token is valid for an hour.
fn fresh(service: &Script) -> Session {
    let hour = SystemTime::now() + Duration::from_secs(3_600);
    let record = TokenRecord::from_refresh_token("the-refresh").with_access_token("old", hour);
    service.app().build().unwrap().session(record)
}

fn numbered() -> Script {
    Script::new(|n, _| Reply::token(&format!("token-{n}"), ""))
}

async fn ask(session: &Session, times: usize) -> Vec<Result<AccessToken, ErrorKind>> {
    let mut tasks = JoinSet::new();
    for _ in 0..times {
        let session = session.clone();
        tasks.spawn(async move { session.token().await.map_err(|error| error.kind()) });
    }
    tasks.join_all().await
}

#[tokio::test(start_paused = true)]
async fn parallel_tasks_share_a_single_refresh() {
    let service = numbered();
    let session = session(&service);
    let tokens = ask(&session, 100).await;
    let first = tokens[0].as_ref().unwrap();
    assert!(tokens.iter().all(|token| token.as_ref().is_ok_and(|token| token.same(first))));
    assert_eq!(service.count(), 1);
    let asked = &service.asked()[0];
    assert_eq!(asked.get("grant_type"), Some("refresh_token"));
    assert_eq!(asked.get("refresh_token"), Some("the-refresh"));
    assert_eq!(asked.get("client_id"), Some("the-client"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tasks_on_many_threads_share_a_single_refresh() {
    let service = numbered().takes(Duration::from_millis(20));
    let session = session(&service);
    assert!(ask(&session, 100).await.iter().all(Result::is_ok));
    assert_eq!(service.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn late_rejections_of_an_old_token_cause_a_single_refresh() {
    let service = numbered();
    let session = fresh(&service);
    let old = session.token().await.unwrap();
    let mut tasks = JoinSet::new();
    for call in 0..50 {
        let (session, old) = (session.clone(), old.clone());
        tasks.spawn(async move {
            // The 401 responses to calls with the old token arrive within half a second.
            tokio::time::sleep(Duration::from_millis(10 * call)).await;
            session.reject(&old).await;
            session.token().await.unwrap()
        });
    }
    for token in tasks.join_all().await {
        assert_eq!(token.header(), "Bearer token-0");
    }
    assert_eq!(service.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_caller_does_not_cancel_the_refresh() {
    let service = numbered();
    let session = session(&service);
    let first = tokio::spawn({
        let session = session.clone();
        async move { session.token().await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    assert!(ask(&session, 5).await.iter().all(Result::is_ok));
    assert_eq!(service.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn waiting_calls_share_the_failure_of_a_refresh() {
    let service = Script::of([Reply::json(400, r#"{"error":"invalid_request"}"#)]);
    let session = session(&service);
    for outcome in ask(&session, 40).await {
        assert_eq!(outcome.unwrap_err(), ErrorKind::BadRequest);
    }
    assert_eq!(service.count(), 1);
}

#[test]
fn a_refresh_restarts_after_the_runtime_shuts_down() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let service = Script::new(|n, _| match n {
        0 => Reply::Never,
        _ => Reply::token("token-1", ""),
    });
    let session = session(&service);
    let ended = runtime();
    ended.block_on(async {
        let token = session.token();
        tokio::time::timeout(Duration::from_millis(5), token).await.unwrap_err();
    });
    drop(ended);
    let token = runtime().block_on(session.token()).unwrap();
    assert_eq!(token.header(), "Bearer token-1");
}

#[tokio::test(start_paused = true)]
async fn refresh_failures_do_not_fail_calls_while_the_token_is_valid() {
    let service = Script::new(|n, _| match n {
        0..3 => Reply::json(503, "<html>maintenance</html>"),
        _ => Reply::token("new", ""),
    });
    let session = fresh(&service);
    tokio::time::advance(Duration::from_secs(3_600 - 180)).await;
    for _ in 0..20 {
        assert_eq!(session.token().await.unwrap().header(), "Bearer old");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert_eq!(service.count(), 3, "three attempts of one refresh, and then a rest");
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(session.token().await.unwrap().header(), "Bearer old");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(session.token().await.unwrap().header(), "Bearer new");
}

#[tokio::test(start_paused = true)]
async fn a_failed_refresh_near_expiry_falls_back_to_the_old_token() {
    let service = Script::of([Reply::Break(TransportErrorKind::NotSent)]);
    let session = fresh(&service);
    tokio::time::advance(Duration::from_secs(3_600 - 50)).await;
    assert_eq!(session.token().await.unwrap().header(), "Bearer old");
    assert_eq!(service.count(), 3);
    tokio::time::advance(Duration::from_secs(60)).await;
    let error = session.token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
}

#[tokio::test(start_paused = true)]
async fn a_failed_explicit_refresh_keeps_the_old_token() {
    let service = Script::of([Reply::json(503, "")]);
    let session = fresh(&service);
    let asked = tokio::spawn({
        let session = session.clone();
        async move { session.refresh().await }
    });
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(session.token().await.unwrap().header(), "Bearer old", "nobody waits for it");
    assert_eq!(asked.await.unwrap().unwrap_err().kind(), ErrorKind::Server);
    assert_eq!(session.token().await.unwrap().header(), "Bearer old");
}

#[tokio::test(start_paused = true)]
async fn a_long_retry_after_is_reported_and_obeyed() {
    let service = Script::new(|n, _| match n {
        0 => Reply::limited(600),
        _ => Reply::token("new", ""),
    });
    let session = session(&service);
    let error = session.token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(error.status(), Some(429));
    assert_eq!(error.retry_after(), Some(Duration::from_secs(600)));
    tokio::time::advance(Duration::from_secs(200)).await;
    let error = session.token().await.unwrap_err();
    assert!(error.retry_after().unwrap() <= Duration::from_secs(400), "{error:?}");
    assert_eq!(service.count(), 1, "nothing is sent before the time");
    tokio::time::advance(Duration::from_secs(401)).await;
    assert_eq!(session.token().await.unwrap().header(), "Bearer new");
}

#[tokio::test(start_paused = true)]
async fn a_refresh_waits_for_a_short_retry_after() {
    let service = Script::of([Reply::limited(3), Reply::token("new", "")]);
    let session = session(&service);
    let start = tokio::time::Instant::now();
    session.token().await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(3));
    assert_eq!(service.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn fields_missing_from_a_refresh_response_keep_old_values() {
    let service = Script::new(|n, _| match n {
        0 => Reply::ok(r#"{"access_token":"a0","expires_in":3600.0}"#),
        1 => Reply::ok(r#"{"access_token":"a1","refresh_token":"","scope":"","expires_in":3600}"#),
        2 => Reply::ok(r#"{"access_token":"a2","refresh_token":"rotated","scope":"streaming"}"#),
        _ => Reply::ok(r#"{"access_token":"a3","refresh_token":null,"scope":null}"#),
    });
    let record = TokenRecord::from_refresh_token("the-refresh")
        .with_granted_scopes("user-library-read user-top-read");
    let session = service.app().build().unwrap().session(record);
    let expected = [
        ("the-refresh", "user-library-read user-top-read"),
        ("the-refresh", "user-library-read user-top-read"),
        ("rotated", "streaming"),
        ("rotated", "streaming"),
    ];
    for (n, (refresh, scopes)) in expected.into_iter().enumerate() {
        session.refresh().await.unwrap();
        let record = session.record();
        assert_eq!(record.access_token().unwrap().expose_secret(), format!("a{n}"));
        assert_eq!(record.refresh_token().unwrap().expose_secret(), refresh, "after {n}");
        assert_eq!(session.granted_scopes().to_string(), scopes, "after {n}");
    }
    assert_eq!(service.asked()[3].get("refresh_token"), Some("rotated"));
}

#[tokio::test(start_paused = true)]
async fn an_expired_consent_is_not_refreshed_again() {
    let service = Script::of([Reply::invalid_grant()]);
    let session = session(&service);
    for _ in 0..5 {
        let error = session.token().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConsentExpired);
        assert_eq!(error.reason(), Some("invalid_grant"));
        tokio::time::advance(Duration::from_secs(3_600)).await;
    }
    assert_eq!(service.count(), 1);
    assert!(session.record().refresh_token().is_some(), "the record is kept");
}

#[tokio::test(start_paused = true)]
async fn a_refresh_without_a_response_is_retried_once() {
    let service = Script::new(|n, _| match n {
        0 => Reply::Break(TransportErrorKind::Reset),
        _ => Reply::token("new", ""),
    });
    session(&service).token().await.unwrap();
    assert_eq!(service.count(), 2);
    let service = Script::of([Reply::Never]);
    let error = session(&service).token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(service.count(), 2);
}
