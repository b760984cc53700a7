//! Tests `App::begin` and `PendingSignIn::finish`, the two steps of a sign-in on a web server.

use std::time::{Duration, SystemTime};

use spot_auth::{ErrorKind, ExposeSecret, PendingSignIn, Scope, Scopes, TokenSource};
use spot_http::TransportErrorKind;
use url::Url;

use crate::scripted_accounts::{Reply, Script};

fn begin(service: &Script) -> PendingSignIn {
    let app = service.app().redirect_uri("https://example.org/back").build().unwrap();
    app.begin([Scope::UserLibraryRead, Scope::UserTopRead]).unwrap()
}

fn parameter(pending: &PendingSignIn, name: &str) -> Option<String> {
    let url = Url::parse(pending.authorize_url()).unwrap();
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

fn back(pending: &PendingSignIn) -> String {
    format!("https://example.org/back?code=the%2Fcode&state={}", pending.state())
}

#[tokio::test(start_paused = true)]
async fn begin_and_finish_complete_a_pkce_sign_in() {
    let service = Script::of([Reply::token("the-access", "the-refresh")]);
    let pending = begin(&service);
    assert!(pending.authorize_url().starts_with("https://accounts.spotify.com/authorize?"));
    for (name, value) in [
        ("client_id", "the-client"),
        ("response_type", "code"),
        ("redirect_uri", "https://example.org/back"),
        ("scope", "user-library-read user-top-read"),
        ("code_challenge_method", "S256"),
        ("state", pending.state()),
    ] {
        assert_eq!(parameter(&pending, name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(parameter(&pending, "code_challenge").unwrap().len(), 43);
    assert_eq!(parameter(&pending, "show_dialog"), None);
    assert!(pending.state().len() >= 22, "128 bits");

    let callback = back(&pending);
    let session = pending.finish(&callback).await.unwrap();
    assert_eq!(session.token().await.unwrap().header(), "Bearer the-access");
    assert_eq!(session.granted_scopes(), Scopes::from(Scope::UserLibraryRead));
    assert_eq!(session.record().requested_scopes().len(), 2, "asked for, and granted, are apart");
    assert!(session.consented_at().is_some());

    let asked = &service.asked()[0];
    for (name, value) in [
        ("grant_type", "authorization_code"),
        ("code", "the/code"),
        ("redirect_uri", "https://example.org/back"),
        ("client_id", "the-client"),
    ] {
        assert_eq!(asked.get(name), Some(value), "{name}");
    }
    assert_eq!(asked.get("code_verifier").unwrap().len(), 43);
    assert!(!asked.headers.contains_key("authorization"));
}

#[tokio::test(start_paused = true)]
async fn a_client_secret_is_sent_in_addition_to_pkce() {
    let service = Script::of([Reply::token("a", "r")]);
    let app = service.app().secret("the-secret").redirect_uri("https://a.b/").build().unwrap();
    let pending = app.begin(Scopes::new()).unwrap().show_dialog();
    assert_eq!(parameter(&pending, "show_dialog").as_deref(), Some("true"));
    assert_eq!(parameter(&pending, "scope"), None);
    let callback = format!("/?code=c&state={}", pending.state());
    pending.finish(&callback).await.unwrap();
    let asked = &service.asked()[0];
    assert_eq!(asked.headers["authorization"], "Basic dGhlLWNsaWVudDp0aGUtc2VjcmV0");
    assert!(asked.get("code_verifier").is_some());
    assert_eq!(asked.get("client_secret"), None);
}

#[test]
fn every_sign_in_has_a_unique_state_and_code_challenge() {
    let service = Script::of([Reply::Never]);
    let (one, other) = (begin(&service), begin(&service));
    assert_ne!(one.state(), other.state());
    assert_ne!(parameter(&one, "code_challenge"), parameter(&other, "code_challenge"));
    let app = service.app().build().unwrap();
    assert_eq!(app.begin(Scopes::new()).unwrap_err().kind(), ErrorKind::Configuration);
}

#[tokio::test(start_paused = true)]
async fn a_callback_without_the_right_state_sends_no_request() {
    let service = Script::of([Reply::token("a", "r")]);
    for callback in [
        "https://example.org/back?code=c&state=guess",
        "https://example.org/back?code=c",
        "https://example.org/back",
        "",
    ] {
        let error = begin(&service).finish(callback).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Authentication, "{callback}");
        assert_eq!(error.reason(), None);
    }
    assert_eq!(service.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_declined_consent_has_the_reason_access_denied() {
    let service = Script::of([Reply::token("a", "r")]);
    let pending = begin(&service);
    let callback = format!("/back?error=access_denied&state={}", pending.state());
    let error = pending.finish(&callback).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Authentication);
    assert_eq!(error.reason(), Some("access_denied"));
    assert_eq!(service.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_pending_sign_in_is_valid_for_ten_minutes() {
    let service = Script::of([Reply::token("a", "r")]);
    let (late, later) = (begin(&service), begin(&service));
    let (callback, too_late) = (back(&late), back(&later));
    tokio::time::advance(Duration::from_secs(599)).await;
    late.finish(&callback).await.unwrap();
    tokio::time::advance(Duration::from_secs(1)).await;
    let error = later.finish(&too_late).await.unwrap_err();
    assert!(error.message().contains("ten minutes"), "{error}");
    assert_eq!(service.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_pending_sign_in_can_be_resumed_on_another_machine() {
    let service = Script::of([Reply::token("a", "r")]);
    let pending = begin(&service);
    let (url, callback) = (pending.authorize_url().to_owned(), back(&pending));
    let json = pending.into_json();
    let app = service.app().build().unwrap();
    let resumed = app.resume(json.expose_secret()).unwrap();
    assert_eq!(resumed.authorize_url(), url);
    assert_eq!(resumed.scopes().len(), 2);
    resumed.finish(&callback).await.unwrap();
    let asked = &service.asked()[0];
    assert_eq!(asked.get("redirect_uri"), Some("https://example.org/back"));
    assert!(json.expose_secret().contains(asked.get("code_verifier").unwrap()));

    let later = SystemTime::now() + Duration::from_secs(601);
    let late = service.app().wall_clock(move || later).build().unwrap();
    let error = late.resume(json.expose_secret()).unwrap().finish(&callback).await.unwrap_err();
    assert!(error.message().contains("ten minutes"), "{error}");
    for json in ["", "{}", "CANARY", &json.expose_secret().replace("\"state\":\"", "\"stat\":\"")] {
        let error = app.resume(json).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(!format!("{error:?}").contains("CANARY"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_code_exchange_is_retried_only_if_the_request_was_not_sent() {
    let cases = [
        (Reply::Break(TransportErrorKind::NotSent), 3, ErrorKind::Transport),
        (Reply::Break(TransportErrorKind::Reset), 1, ErrorKind::Transport),
        (Reply::Never, 1, ErrorKind::Timeout),
        (Reply::json(502, "<html>"), 1, ErrorKind::Server),
        (Reply::limited(120), 1, ErrorKind::RateLimited),
        (Reply::invalid_grant(), 1, ErrorKind::Authentication),
        (Reply::ok("{}"), 1, ErrorKind::Decode),
    ];
    for (reply, sent, kind) in cases {
        let service = Script::of([reply.clone()]);
        let pending = begin(&service);
        let callback = back(&pending);
        let error = pending.finish(&callback).await.unwrap_err();
        assert_eq!((service.count(), error.kind()), (sent, kind), "{reply:?}: {error}");
        if matches!(error.kind(), ErrorKind::Transport | ErrorKind::Timeout) {
            assert!(error.message().contains("token request to accounts.spotify.com"), "{error}");
        }
    }
}
