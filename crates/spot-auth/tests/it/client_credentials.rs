//! Tests the client credentials flow.

use std::time::Duration;

use spot_auth::{App, ErrorKind, TokenSource};

use crate::scripted_accounts::{Reply, Script};

#[tokio::test]
async fn client_credentials_are_sent_with_basic_authentication() {
    let mut server = mockito::Server::new_async().await;
    let token = server
        .mock("POST", "/api/token")
        .match_header("authorization", "Basic dGhlLWNsaWVudDp0aGUtc2VjcmV0")
        .match_header("content-type", "application/x-www-form-urlencoded")
        .match_body("grant_type=client_credentials")
        .with_body(r#"{"access_token":"its-own","token_type":"Bearer","expires_in":3600}"#)
        .expect(1)
        .create_async()
        .await;
    let app = App::builder("the-client")
        .secret("the-secret")
        .accounts_url(&server.url())
        .build()
        .unwrap();
    let source = app.client_credentials().unwrap();
    for _ in 0..3 {
        assert_eq!(source.token().await.unwrap().header(), "Bearer its-own");
    }
    token.assert_async().await;
}

#[tokio::test(start_paused = true)]
async fn the_token_is_renewed_in_the_background_before_expiry() {
    let service = Script::new(|n, _| Reply::token(&format!("token-{n}"), ""));
    let app = service.app().secret("the-secret").build().unwrap();
    let source = app.client_credentials().unwrap();
    assert_eq!(source.token().await.unwrap().header(), "Bearer token-0");
    tokio::time::advance(Duration::from_secs(3_600 - 120)).await;
    assert_eq!(source.token().await.unwrap().header(), "Bearer token-0", "nobody waits");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(source.token().await.unwrap().header(), "Bearer token-1", "renewed behind");
    assert_eq!(service.count(), 2);
    let basic = &service.asked()[0].headers["authorization"];
    assert!(basic.is_sensitive(), "no log prints the secret");
}

#[tokio::test(start_paused = true)]
async fn wrong_credentials_are_reported_and_not_retried() {
    let service = Script::of([Reply::json(
        400,
        r#"{"error":"invalid_client","error_description":"Invalid client secret"}"#,
    )]);
    let app = service.app().secret("CANARY").build().unwrap();
    let source = app.client_credentials().unwrap();
    for _ in 0..5 {
        let error = source.token().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert_eq!(error.status(), Some(400));
        assert_eq!(error.reason(), Some("invalid_client"));
        assert!(error.message().contains("Invalid client secret"), "{error}");
    }
    assert_eq!(service.count(), 1);
}

#[test]
fn client_credentials_need_a_secret() {
    let app = Script::of([Reply::Never]).app().build().unwrap();
    let error = app.client_credentials().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.message().contains("client secret"), "{error}");
}
