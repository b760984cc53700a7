//! Tests the CORS responses that a page in a browser needs.

use reqwest::Method;
use spot_mock::Fault;

use crate::support::{development, finish};

const ORIGIN: &str = "http://localhost:3000";

#[tokio::test]
async fn cors_allows_preflight_and_api_requests() {
    let api = development().await;
    for url in [
        format!("{}/me/player/play", api.mock.api_url()),
        format!("{}/api/token", api.mock.accounts_url()),
    ] {
        let ask = api.http.request(Method::OPTIONS, &url).header("origin", ORIGIN);
        let ask = ask.header("access-control-request-method", "PUT");
        let allowed = finish(ask.header("access-control-request-headers", "authorization")).await;
        assert_eq!(allowed.status, 204, "{url}");
        assert_eq!(allowed.header("access-control-allow-origin"), Some("*"));
        assert!(allowed.header("access-control-allow-methods").unwrap().contains("PUT"));
        let headers = allowed.header("access-control-allow-headers").unwrap().to_lowercase();
        assert!(headers.contains("authorization") && headers.contains("content-type"));
        assert_eq!(allowed.header("access-control-max-age"), Some("604800"));
    }
    // The request log does not contain preflight requests.
    assert!(api.mock.requests().is_empty());

    let me = api.http.get(format!("{}/me", api.mock.api_url())).header("origin", ORIGIN);
    let me = finish(me.bearer_auth(&api.token)).await;
    assert_eq!((me.status, me.header("access-control-allow-origin")), (200, Some("*")));
    // No response header is exposed, so a page cannot read `Retry-After`.
    assert_eq!(me.header("access-control-expose-headers"), None);
    let refused = api.http.get(format!("{}/me", api.mock.api_url())).header("origin", ORIGIN);
    let refused = finish(refused).await;
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (401, Some("*")));
    assert_eq!(api.get("/me").await.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn a_429_response_has_no_cors_header() {
    let api = development().await;
    api.mock.fail_next(Fault::rate_limited(3));
    let me = api.http.get(format!("{}/me", api.mock.api_url())).header("origin", ORIGIN);
    let me = finish(me.bearer_auth(&api.token)).await;
    assert_eq!((me.status, me.header("access-control-allow-origin")), (429, None));
}

#[tokio::test]
async fn the_control_interface_sends_no_cors_header() {
    let api = development().await;
    let url = format!("{}/_mock", api.mock.accounts_url());
    let info = finish(api.http.get(&url).header("origin", ORIGIN)).await;
    assert_eq!((info.status, info.header("access-control-allow-origin")), (200, None));
}
