//! Tests complete sign-in scenarios against the mock. The tests can advance the mock's clock.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use spot_auth::{
    App, AppBuilder, Error, ErrorKind, ExposeSecret, MemoryStore, Scope, Session, SessionEventKind,
    TokenRecord, TokenSource,
};
use spot_http::{Pipeline, Request};
use spot_mock::{Consent, Fault, MockBuilder, MockSpotify, RefreshPolicy};

use crate::scripted_accounts::eventually;

const DAY: Duration = Duration::from_secs(86_400);

async fn start(builder: MockBuilder) -> MockSpotify {
    builder.start().await.unwrap()
}

fn app(mock: &MockSpotify) -> AppBuilder {
    App::builder(mock.client_id())
        .accounts_url(mock.accounts_url())
        .redirect_uri("https://example.com/callback")
}

/// Opens the consent page. Returns the URL to which the page redirects the browser.
async fn visit(authorize_url: &str) -> String {
    let browser = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let answer = browser.get(authorize_url).send().await.unwrap();
    assert_eq!(answer.status(), 302, "{authorize_url}");
    answer.headers()["location"].to_str().unwrap().to_owned()
}

async fn signed_in(app: &App) -> Result<Session, Error> {
    let pending = app.begin([Scope::UserLibraryRead, Scope::UserReadPrivate])?;
    let callback = visit(pending.authorize_url()).await;
    pending.finish(&callback).await
}

/// Calls the API as the user.
async fn saved_tracks(mock: &MockSpotify, source: impl TokenSource) -> Result<(), Error> {
    let pipeline = Pipeline::builder(source).base_url(mock.api_url()).build()?;
    pipeline.call(Request::get("/me/tracks?limit=1")).await.map(drop)
}

fn token_requests(mock: &MockSpotify) -> usize {
    mock.requests().iter().filter(|request| request.path == "/api/token").count()
}

#[tokio::test]
async fn public_and_confidential_clients_can_call_the_api() {
    let mock = start(MockSpotify::builder()).await;
    for app in [app(&mock), app(&mock).secret(mock.client_secret())] {
        let session = signed_in(&app.build().unwrap()).await.unwrap();
        saved_tracks(&mock, session.clone()).await.unwrap();
        session.refresh().await.unwrap();
        saved_tracks(&mock, session).await.unwrap();
    }
    let own = app(&mock).secret(mock.client_secret()).build().unwrap();
    let source = own.client_credentials().unwrap();
    let pipeline = Pipeline::builder(source.clone()).base_url(mock.api_url()).build().unwrap();
    pipeline.call(Request::get("/search?q=a&type=artist")).await.unwrap();
    assert!(saved_tracks(&mock, source).await.is_err(), "an application has no library");
}

#[tokio::test]
async fn a_wrong_client_secret_is_a_configuration_error() {
    let mock = start(MockSpotify::builder()).await;
    let app = app(&mock).secret("CANARY-wrong").build().unwrap();
    let error = app.client_credentials().unwrap().token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert_eq!(error.reason(), Some("invalid_client"));
    assert!(!format!("{error:?}").contains("CANARY"));
}

#[tokio::test]
async fn a_declined_consent_fails_the_sign_in_with_access_denied() {
    let mock = start(MockSpotify::builder().consent(Consent::Deny)).await;
    let error = signed_in(&app(&mock).build().unwrap()).await.unwrap_err();
    assert_eq!(error.reason(), Some("access_denied"));
}

#[tokio::test]
async fn an_authorization_code_cannot_be_used_twice() {
    let mock = start(MockSpotify::builder()).await;
    let app = app(&mock).build().unwrap();
    let (one, other) = (app.begin("").unwrap(), app.begin("").unwrap());
    let callback = visit(one.authorize_url()).await;
    let code = callback.split(['=', '&']).nth(1).unwrap();
    let stolen = format!("/?code={code}&state={}", other.state());
    let error = other.finish(&stolen).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Authentication, "the verifier is another one");
    let error = one.finish(&callback).await.unwrap_err();
    assert_eq!(error.reason(), Some("invalid_grant"), "the code was used");
}

#[tokio::test]
async fn a_token_that_expires_early_is_refreshed_during_the_call() {
    let mock = start(MockSpotify::builder()).await;
    let session = signed_in(&app(&mock).build().unwrap()).await.unwrap();
    mock.advance(Duration::from_secs(4_000));
    saved_tracks(&mock, session).await.unwrap();
    assert_eq!(token_requests(&mock), 2);
}

#[tokio::test]
async fn sessions_survive_every_refresh_token_policy() {
    for policy in [RefreshPolicy::Omit, RefreshPolicy::Empty, RefreshPolicy::Rotate] {
        let mock = start(MockSpotify::builder().refresh(policy)).await;
        let now = Arc::new(Mutex::new(SystemTime::now()));
        let clock = Arc::clone(&now);
        let app = app(&mock).wall_clock(move || *clock.lock().unwrap()).build().unwrap();
        let session = signed_in(&app).await.unwrap();
        let consented = session.consented_at();
        for hour in 0..5 {
            mock.advance(Duration::from_secs(3_601));
            *now.lock().unwrap() += Duration::from_secs(3_601);
            saved_tracks(&mock, session.clone()).await.unwrap();
            let scopes = session.granted_scopes().to_string();
            assert_eq!(scopes, "user-library-read user-read-private", "{policy:?}, {hour}");
        }
        assert_eq!(session.consented_at(), consented, "refreshing does not move it");
    }
}

#[tokio::test]
async fn observers_receive_consent_expiring_and_expired_events() {
    let mock = start(MockSpotify::builder()).await;
    let begun = SystemTime::now();
    let now = Arc::new(Mutex::new(begun));
    let (clock, told) = (Arc::clone(&now), Arc::new(Mutex::new(Vec::new())));
    let tell = Arc::clone(&told);
    let app = app(&mock)
        .wall_clock(move || *clock.lock().unwrap())
        .observer(move |event| match event.kind() {
            SessionEventKind::ConsentExpiring { .. } => tell.lock().unwrap().push("expiring"),
            SessionEventKind::ConsentExpired => tell.lock().unwrap().push("expired"),
            _ => {}
        })
        .build()
        .unwrap();
    let session = signed_in(&app).await.unwrap();
    let later = |by: Duration| {
        mock.advance(by);
        *now.lock().unwrap() += by;
    };
    later(160 * DAY);
    saved_tracks(&mock, session.clone()).await.unwrap();
    assert!(told.lock().unwrap().is_empty());
    later(10 * DAY);
    saved_tracks(&mock, session.clone()).await.unwrap();
    later(Duration::from_secs(7_200));
    saved_tracks(&mock, session.clone()).await.unwrap();
    eventually(|| !told.lock().unwrap().is_empty());
    assert_eq!(*told.lock().unwrap(), ["expiring"], "once a day");
    assert_eq!(session.consent_expires_at(), session.consented_at().map(|at| at + 181 * DAY));
    later(20 * DAY);
    for _ in 0..3 {
        let error = saved_tracks(&mock, session.clone()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConsentExpired);
    }
    eventually(|| told.lock().unwrap().len() > 1);
    assert_eq!(*told.lock().unwrap(), ["expiring", "expired"]);
    let store = MemoryStore::new();
    session.keep_in(store, "me").await.unwrap();
    assert!(session.record().refresh_token().is_some());
}

#[tokio::test]
async fn a_revoked_consent_is_detected_at_the_next_call() {
    let mock = start(MockSpotify::builder()).await;
    let session = signed_in(&app(&mock).build().unwrap()).await.unwrap();
    mock.revoke_consents();
    let error = saved_tracks(&mock, session.clone()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConsentExpired, "{error}");
    let asked = token_requests(&mock);
    saved_tracks(&mock, session).await.unwrap_err();
    assert_eq!(token_requests(&mock), asked, "it is final");
}

#[tokio::test]
async fn a_new_session_works_after_a_false_invalid_grant() {
    let mock = start(MockSpotify::builder()).await;
    let app = app(&mock).build().unwrap();
    let store = MemoryStore::new();
    let session = signed_in(&app).await.unwrap();
    session.keep_in(store.clone(), "me").await.unwrap();
    mock.advance(Duration::from_secs(3_601));
    let mistake = Fault::status(400).body("application/json", r#"{"error":"invalid_grant"}"#);
    mock.fail_next_on("token", mistake);
    let error = saved_tracks(&mock, session).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConsentExpired);
    // The store still has the record, so the next program can use the session.
    let scopes = [Scope::UserLibraryRead, Scope::UserReadPrivate];
    let next = app.stored_session(store, "me", scopes).await.unwrap().unwrap();
    saved_tracks(&mock, next).await.unwrap();
}

#[tokio::test]
async fn token_endpoint_failures_map_to_error_kinds() {
    let mock = start(MockSpotify::builder()).await;
    let app = app(&mock).build().unwrap();
    let refresh_token = mock.refresh_token(&["user-library-read"]);
    let fresh = || app.session(TokenRecord::from_refresh_token(refresh_token.clone()));

    mock.fail_next_on("token", Fault::rate_limited(90));
    let error = saved_tracks(&mock, fresh()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(90)));

    let bad_gateway = Fault::status(502).body("text/html", "<html><h1>502 Bad Gateway</h1>");
    mock.fail_next_on("token", bad_gateway.clone());
    saved_tracks(&mock, fresh()).await.expect("one of them is passed over");
    for _ in 0..3 {
        mock.fail_next_on("token", bad_gateway.clone());
    }
    let error = saved_tracks(&mock, fresh()).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Server, Some(502)));

    mock.fail_next_on("token", Fault::status(200).body("text/html", "<html>captive portal"));
    let error = saved_tracks(&mock, fresh()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
}

#[tokio::test]
async fn token_responses_with_missing_fields_are_accepted() {
    let mock = start(MockSpotify::builder()).await;
    let app = app(&mock).build().unwrap();
    let refresh_token = mock.refresh_token(&["user-library-read"]);
    for body in [
        r#"{"access_token":"a","expires_in":3600.0,"token_type":"Bearer"}"#,
        r#"{"access_token":"a","expires_in":3600}"#,
        r#"{"access_token":"a","expires_in":3600,"refresh_token":"","scope":""}"#,
    ] {
        mock.fail_next_on("token", Fault::status(200).body("application/json", body));
        let record = TokenRecord::from_refresh_token(refresh_token.clone());
        let session = app.session(record);
        assert_eq!(session.token().await.unwrap().header(), "Bearer a", "{body}");
        let kept = session.record();
        assert_eq!(kept.refresh_token().unwrap().expose_secret(), refresh_token, "{body}");
    }
}
