//! Tests sign-in, token refresh and the errors of the accounts service.

use std::time::Duration;

use reqwest::Url;
use serde_json::Value;
use spot_mock::{Consent, MockSpotify, RefreshPolicy};

use crate::support::{Answer, Api, finish, http};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CALLBACK: &str = "http://127.0.0.1:49152/callback";
const HALF_A_YEAR: Duration = Duration::from_secs(182 * 24 * 3_600);

/// Opens the authorization page. Returns the response without following its redirect.
async fn authorize(mock: &MockSpotify, parameters: &[(&str, &str)]) -> Answer {
    let url = Url::parse_with_params(&format!("{}/authorize", mock.accounts_url()), parameters);
    finish(http().get(url.unwrap())).await
}

fn parameters(mock: &MockSpotify) -> Vec<(&str, &str)> {
    vec![
        ("client_id", mock.client_id()),
        ("response_type", "code"),
        ("redirect_uri", CALLBACK),
        ("scope", "user-library-read playlist-modify-public"),
        ("state", "a state & more"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]
}

fn replaced<'a>(
    parameters: Vec<(&'a str, &'a str)>,
    name: &str,
    value: &'a str,
) -> Vec<(&'a str, &'a str)> {
    parameters.into_iter().map(|(key, old)| (key, if key == name { value } else { old })).collect()
}

/// Returns the query parameters of the redirect to the application.
fn came_back(answer: &Answer) -> Vec<(String, String)> {
    assert_eq!(answer.status, 302, "{}", answer.text);
    let url = Url::parse(answer.header("location").unwrap()).unwrap();
    assert!(url.as_str().starts_with(CALLBACK), "{url}");
    url.query_pairs().into_owned().collect()
}

async fn code(mock: &MockSpotify) -> String {
    let pairs = came_back(&authorize(mock, &parameters(mock)).await);
    assert_eq!(pairs[1], ("state".to_owned(), "a state & more".to_owned()));
    pairs.into_iter().find(|(key, _)| key == "code").unwrap().1
}

async fn token(mock: &MockSpotify, form: &[(&str, &str)], with_secret: bool) -> Answer {
    let body = Url::parse_with_params("http://form", form).unwrap();
    let mut request = http()
        .post(format!("{}/api/token", mock.accounts_url()))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body.query().unwrap_or_default().to_owned());
    if with_secret {
        request = request.basic_auth(mock.client_id(), Some(mock.client_secret()));
    }
    finish(request).await
}

async fn exchange(mock: &MockSpotify, code: &str, verifier: &str) -> Answer {
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("client_id", mock.client_id()),
        ("code_verifier", verifier),
    ];
    token(mock, &form, false).await
}

async fn refresh(mock: &MockSpotify, refresh_token: &str) -> Answer {
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh_token),
        ("client_id", mock.client_id()),
    ];
    token(mock, &form, false).await
}

#[track_caller]
fn assert_denied(answer: &Answer, error: &str, description: &str) {
    assert_eq!(answer.status, 400, "{}", answer.text);
    assert_eq!(answer.json()["error"], error);
    assert_eq!(answer.json()["error_description"], description);
}

#[tokio::test]
async fn a_public_client_signs_in_with_pkce() {
    let mock = MockSpotify::start().await.unwrap();
    let code = code(&mock).await;
    let answer = exchange(&mock, &code, VERIFIER).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let granted = answer.json();
    assert_eq!(granted["token_type"], "Bearer");
    assert_eq!(granted["expires_in"], 3600);
    assert_eq!(granted["scope"], "user-library-read playlist-modify-public");

    let text = |name: &str| granted[name].as_str().unwrap().to_owned();
    let renewed = refresh(&mock, &text("refresh_token")).await;
    assert_eq!(renewed.json().get("refresh_token"), None);
    let api = Api::new(mock).with_token(text("access_token"));
    assert_eq!(api.get("/me/tracks?limit=1").await.status, 200);
    assert_eq!(api.get("/me/player").await.status, 403);

    let seen: Vec<_> = api.mock.requests().iter().map(|request| request.operation).collect();
    assert_eq!(seen[..3], [Some("authorize"), Some("token"), Some("token")]);
}

#[tokio::test]
async fn a_reused_unverified_or_expired_code_gets_invalid_grant() {
    let mock = MockSpotify::start().await.unwrap();
    let first = code(&mock).await;
    assert_eq!(exchange(&mock, &first, VERIFIER).await.status, 200);
    let again = exchange(&mock, &first, VERIFIER).await;
    assert_denied(&again, "invalid_grant", "Invalid authorization code");

    let second = code(&mock).await;
    let wrong = "a-verifier-that-is-long-enough-but-not-the-right-one";
    let refused = exchange(&mock, &second, wrong).await;
    assert_denied(&refused, "invalid_grant", "code_verifier was incorrect");

    let third = code(&mock).await;
    mock.advance(Duration::from_secs(601));
    let late = exchange(&mock, &third, VERIFIER).await;
    assert_denied(&late, "invalid_grant", "Authorization code expired");
}

#[tokio::test]
async fn a_code_requires_the_original_redirect_uri_and_verifier() {
    let mock = MockSpotify::start().await.unwrap();
    let code_for_other = code(&mock).await;
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", code_for_other.as_str()),
        ("redirect_uri", "https://example.com/callback"),
        ("client_id", mock.client_id()),
        ("code_verifier", VERIFIER),
    ];
    assert_denied(&token(&mock, &form, false).await, "invalid_grant", "Invalid redirect URI");

    let without_verifier = code(&mock).await;
    form.pop();
    form[1].1 = &without_verifier;
    form[2].1 = CALLBACK;
    let refused = token(&mock, &form, true).await;
    assert_denied(&refused, "invalid_request", "code_verifier must be supplied");
}

#[tokio::test]
async fn a_confidential_client_needs_a_secret_instead_of_pkce() {
    let mock = MockSpotify::start().await.unwrap();
    let mut asked = parameters(&mock);
    asked.truncate(5);
    let code = came_back(&authorize(&mock, &asked).await).remove(0).1;
    let form =
        [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", CALLBACK)];
    let granted = token(&mock, &form, true).await;
    assert_eq!(granted.status, 200, "{}", granted.text);

    // If the sign-in used the secret, a refresh without the secret fails.
    let refresh_token = granted.json()["refresh_token"].as_str().unwrap().to_owned();
    let refused = refresh(&mock, &refresh_token).await;
    assert_denied(&refused, "invalid_client", "Invalid client secret");

    let code = came_back(&authorize(&mock, &asked).await).remove(0).1;
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", CALLBACK),
        ("client_id", mock.client_id()),
    ];
    let refused = token(&mock, &form, false).await;
    assert_denied(&refused, "invalid_client", "Invalid client secret");
}

#[tokio::test]
async fn an_invalid_client_or_redirect_uri_shows_an_error_page() {
    let mock = MockSpotify::start().await.unwrap();
    for (name, value, text) in [
        ("client_id", "nobody", "INVALID_CLIENT: Invalid client"),
        ("redirect_uri", "http://localhost:8080/callback", "INVALID_CLIENT: Insecure redirect URI"),
        ("redirect_uri", "https://elsewhere.example/", "INVALID_CLIENT: Invalid redirect URI"),
    ] {
        let answer = authorize(&mock, &replaced(parameters(&mock), name, value)).await;
        assert_eq!((answer.status, answer.text.as_str()), (400, text));
    }
}

#[tokio::test]
async fn invalid_authorization_requests_redirect_with_an_error() {
    let mock = MockSpotify::start().await.unwrap();
    for (name, value, error) in [
        ("response_type", "token", "unsupported_response_type"),
        ("scope", "user-read-minds", "invalid_scope"),
        ("code_challenge_method", "plain", "invalid_request"),
    ] {
        let answer = authorize(&mock, &replaced(parameters(&mock), name, value)).await;
        let pairs = came_back(&answer);
        assert_eq!(pairs[0], ("error".to_owned(), error.to_owned()));
        assert_eq!(pairs[1].0, "state");
    }
}

#[tokio::test]
async fn the_consent_setting_denies_access_or_shows_a_page() {
    let mock = MockSpotify::builder().consent(Consent::Deny).start().await.unwrap();
    let pairs = came_back(&authorize(&mock, &parameters(&mock)).await);
    assert_eq!(pairs[0], ("error".to_owned(), "access_denied".to_owned()));

    let mock = MockSpotify::builder().consent(Consent::Ask).start().await.unwrap();
    let page = authorize(&mock, &parameters(&mock)).await;
    assert_eq!(page.status, 200);
    let link = page.text.split("href=\"").nth(1).unwrap().split('"').next().unwrap();
    let link = format!("{}/authorize{}", mock.accounts_url(), link.replace("&amp;", "&"));
    let agreed = finish(http().get(link)).await;
    assert_eq!(came_back(&agreed)[0].0, "code");
}

#[tokio::test]
async fn the_token_endpoint_validates_credentials_and_grant_type() {
    let mock = MockSpotify::start().await.unwrap();
    let grant = ("grant_type", "client_credentials");
    let granted = token(&mock, &[grant], true).await;
    assert_eq!(granted.status, 200);
    assert_eq!(granted.json().get("scope"), None::<&Value>);
    assert_eq!(granted.json().get("refresh_token"), None::<&Value>);

    let nobody = token(&mock, &[grant], false).await;
    assert_eq!((nobody.status, nobody.text.as_str()), (400, r#"{"error":"invalid_client"}"#));
    let stranger = token(&mock, &[grant, ("client_id", "nobody")], false).await;
    assert_denied(&stranger, "invalid_client", "Invalid client");
    let liar = [grant, ("client_id", mock.client_id()), ("client_secret", "guess")];
    assert_denied(&token(&mock, &liar, false).await, "invalid_client", "Invalid client secret");
    let public = [grant, ("client_id", mock.client_id())];
    assert_denied(&token(&mock, &public, false).await, "invalid_client", "Invalid client secret");
    let unknown = token(&mock, &[("grant_type", "password")], true).await;
    assert_denied(&unknown, "unsupported_grant_type", "grant_type parameter is not supported");
    let json = http()
        .post(format!("{}/api/token", mock.accounts_url()))
        .basic_auth(mock.client_id(), Some(mock.client_secret()))
        .header("content-type", "application/json")
        .body(r#"{"grant_type":"client_credentials"}"#);
    let refused = finish(json).await;
    assert_denied(&refused, "unsupported_grant_type", "grant_type parameter is missing");
    let form = http()
        .post(format!("{}/api/token", mock.accounts_url()))
        .basic_auth(mock.client_id(), Some(mock.client_secret()))
        .header("content-type", "Application/X-WWW-Form-Urlencoded; charset=UTF-8")
        .body("grant_type=client_credentials");
    assert_eq!(finish(form).await.status, 200);
}

#[tokio::test]
async fn a_refresh_response_follows_the_refresh_policy() {
    let mock = MockSpotify::builder().refresh(RefreshPolicy::Empty).start().await.unwrap();
    let old = mock.refresh_token(&["user-library-read"]);
    let answer = refresh(&mock, &old).await.json();
    assert_eq!((&answer["refresh_token"], &answer["scope"]), (&"".into(), &"".into()));
    assert_eq!(refresh(&mock, &old).await.status, 200);

    let mock = MockSpotify::builder().refresh(RefreshPolicy::Rotate).start().await.unwrap();
    let old = mock.refresh_token(&["user-library-read"]);
    let new = refresh(&mock, &old).await.json()["refresh_token"].as_str().unwrap().to_owned();
    assert_ne!(new, old);
    assert_denied(&refresh(&mock, &old).await, "invalid_grant", "Refresh token revoked");
    assert_eq!(refresh(&mock, &new).await.status, 200);
}

#[tokio::test]
async fn consent_expires_after_six_months_despite_refreshes() {
    let mock = MockSpotify::start().await.unwrap();
    let token = mock.refresh_token(&["user-library-read"]);
    mock.advance(HALF_A_YEAR / 2);
    assert_eq!(refresh(&mock, &token).await.status, 200);
    mock.advance(HALF_A_YEAR / 2);
    assert_denied(&refresh(&mock, &token).await, "invalid_grant", "Refresh token expired");
}

#[tokio::test]
async fn revoking_consent_invalidates_the_refresh_token() {
    let mock = MockSpotify::start().await.unwrap();
    let token = mock.refresh_token(&["user-library-read"]);
    mock.revoke_consents();
    assert_denied(&refresh(&mock, &token).await, "invalid_grant", "Refresh token revoked");
}
