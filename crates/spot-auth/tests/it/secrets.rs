//! Tests that no type, error or event prints a secret.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, UNIX_EPOCH},
};

use spot_auth::{
    CallbackStore, ErrorKind, FileStore, MemoryStore, SaveOutcome, Scope, Scopes, SecretString,
    StoreKey, StoreLock, Stored, TokenRecord, TokenSource, TokenStore,
};
use spot_http::TransportErrorKind;

use crate::scripted_accounts::{Reply, Script, eventually};

const CANARY: &str = "CANARY";

fn record() -> TokenRecord {
    TokenRecord::from_refresh_token("CANARY-refresh")
        .with_access_token("CANARY-access", UNIX_EPOCH + Duration::from_secs(1_795_003_600))
        .with_consented_at(UNIX_EPOCH + Duration::from_secs(1_795_000_000))
        .with_granted_scopes([Scope::Streaming, Scope::UserTopRead])
}

#[tokio::test(start_paused = true)]
async fn debug_output_of_public_types_contains_no_secret() {
    let service = Script::of([Reply::token("CANARY-access", "CANARY-refresh")]);
    let builder = || service.app().secret("CANARY-secret").redirect_uri("https://example.org/back");
    let at = || UNIX_EPOCH + Duration::from_secs(1_795_000_000);
    let app = builder().wall_clock(at).build().unwrap();
    let key = StoreKey::new("the-client", "me", Scope::Streaming);
    let store = MemoryStore::new();
    store.save(&key, &record(), None).await.unwrap();
    let callbacks =
        CallbackStore::new(|_| async { Ok(None) }, |_, _| async { Ok(()) }, |_| async { Ok(()) });
    let stored = app.stored_session(store.clone(), "me", Scope::Streaming).await.unwrap().unwrap();
    let token = stored.token().await.unwrap();
    let pending = app.begin(Scope::Streaming).unwrap();
    let state = pending.state().to_owned();
    let sign_in = app.sign_in(Scope::Streaming).store(store.clone());
    let printed = [
        ("AppBuilder", format!("{:#?}", builder())),
        ("App", format!("{app:#?}")),
        ("ClientCredentials", format!("{:#?}", app.client_credentials().unwrap())),
        ("PendingSignIn", format!("{pending:#?}")),
        ("SignIn", format!("{sign_in:#?}")),
        ("Session", format!("{stored:#?}")),
        ("AccessToken", format!("{token:#?}")),
        ("TokenRecord", format!("{:#?}", record())),
        ("TokenRecord as JSON", format!("{:#?}", record().to_json())),
        ("Stored", format!("{:#?}", Stored::new(record(), 7))),
        ("StoreKey", format!("{key:#?}\n{key}")),
        ("SaveOutcome", format!("{:#?}", SaveOutcome::Saved(7))),
        ("StoreLock", format!("{:#?}", StoreLock::new(SecretString::from("CANARY-guard")))),
        ("MemoryStore", format!("{store:#?}")),
        ("FileStore", format!("{:#?}", FileStore::new("/var/lib/example"))),
        ("CallbackStore", format!("{callbacks:#?}")),
        ("Scopes", format!("{:#?}\n{}", Scopes::all(), Scopes::from(Scope::Streaming))),
    ];
    let text: String = printed.map(|(name, text)| format!("--- {name}\n{text}\n")).concat();
    assert!(!text.contains(CANARY), "{text}");
    assert!(!text.contains(&state), "{text}");
    insta::assert_snapshot!(text);
}

#[tokio::test(start_paused = true)]
async fn errors_and_session_events_contain_no_secret() {
    // The service replaces the word FORM with the form values that it received.
    let echo = r#"{"error":"invalid_request","error_description":"was: FORM"}"#;
    let replies = [
        Reply::json(400, echo),
        Reply::json(500, echo),
        Reply::json(429, echo),
        Reply::json(302, echo),
        Reply::invalid_grant(),
        Reply::ok(r#"{"access_token":["CANARY-access"],"refresh_token":"CANARY-refresh"}"#),
        Reply::ok(r#"{"access_token":"CANARY-\n-access","expires_in":1}"#),
        Reply::ok("CANARY-access"),
        Reply::ok(r#""CANARY-access""#),
        Reply::ok("CANARY".repeat(1 << 18)),
        Reply::Break(TransportErrorKind::Reset),
        Reply::Never,
    ];
    for reply in replies {
        let answer = reply.clone();
        let service = Script::new(move |_, asked| match answer.clone() {
            Reply::Http(status, headers, body) => {
                let form = asked.form.values().cloned().collect::<Vec<_>>().join(" ");
                Reply::Http(status, headers, body.replace("FORM", &form))
            }
            other => other,
        });
        let heard = Arc::new(Mutex::new(String::new()));
        let hear = Arc::clone(&heard);
        let app = service
            .app()
            .secret("CANARY-secret")
            .redirect_uri("https://example.org/")
            .observer(move |event| *hear.lock().unwrap() += &format!("{event:?}"))
            .build()
            .unwrap();
        let session = app.session(TokenRecord::from_refresh_token("CANARY-refresh"));
        let refresh = session.token().await.unwrap_err();
        let pending = app.begin("").unwrap();
        let callback = format!("/?code=CANARY-code&state={}", pending.state());
        // The exchange may succeed: a response with only a refresh token is enough for a session.
        let exchange = pending.finish(&callback).await.err();
        let own = app.client_credentials().unwrap().token().await.unwrap_err();
        for error in [Some(refresh), exchange, Some(own)].into_iter().flatten() {
            let printed = format!("{error} {error:?} {error:#?}");
            assert!(!printed.contains(CANARY), "{reply:?}: {printed}");
            assert_ne!(error.kind(), ErrorKind::OutcomeUnknown, "{printed}");
        }
        assert!(eventually(|| !heard.lock().unwrap().is_empty()), "{reply:?}: no event");
        let heard = heard.lock().unwrap();
        assert!(!heard.contains(CANARY), "{reply:?}: {heard}");
    }
}
