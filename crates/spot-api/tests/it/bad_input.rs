//! Tests of invalid arguments: the error names the parameter, and no request is sent.

use spot_api::{ErrorKind, Market};
use spot_mock::MockSpotify;

use crate::support;

#[tokio::test]
async fn an_invalid_id_is_named_and_no_request_is_sent() {
    let mock = MockSpotify::start().await.unwrap();
    let client = support::client(&mock);
    let error = client.artist("not-an-id").albums().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadRequest);
    assert_eq!(error.status(), None);
    let text = error.to_string();
    assert!(text.contains("`id`") && text.contains("artist"), "{text}");
    assert!(text.contains("not-an-id"), "{text}");
    let error = client.artist("spotify:album:spotmockAlbum000000001").await.unwrap_err();
    assert!(error.to_string().contains("album"), "{error}");
    assert!(mock.requests().is_empty());
}

#[tokio::test]
async fn an_invalid_uri_in_a_list_prevents_the_request() {
    let mock = MockSpotify::start().await.unwrap();
    let client = support::client(&mock);
    let uris = ["spotify:track:spotmockTrack000000001", "spotify:banana:1"];
    let error = client.library().save(uris).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadRequest);
    assert!(error.to_string().contains("`uris`"), "{error}");
    assert!(error.to_string().contains("banana"), "{error}");
    assert!(mock.requests().is_empty());
}

#[tokio::test]
async fn an_empty_search_is_refused() {
    let mock = MockSpotify::start().await.unwrap();
    let client = support::client(&mock);
    for query in ["", "   "] {
        let error = client.search(query).tracks().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadRequest);
        assert!(error.to_string().contains("`q`"), "{error}");
    }
    assert!(mock.requests().is_empty());
}

#[tokio::test]
async fn zero_limits_fail_locally_and_large_limits_at_the_server() {
    let mock = MockSpotify::start().await.unwrap();
    let client = support::client(&mock);
    let error = client.library().tracks().limit(0).await.unwrap_err();
    assert!(error.to_string().contains("`limit`"), "{error}");
    assert!(mock.requests().is_empty());
    let error = client.library().tracks().limit(51).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadRequest);
    assert_eq!(error.status(), Some(400));
    assert!(error.to_string().contains("limit"), "{error}");
}

#[tokio::test]
async fn an_invalid_market_is_named_in_the_error() {
    let mock = MockSpotify::start().await.unwrap();
    let client = support::client(&mock);
    let error = client.track("spotmockTrack000000001").market("Germany").await.unwrap_err();
    assert!(error.to_string().contains("Germany"), "{error}");
    assert!(mock.requests().is_empty());
}

#[tokio::test]
async fn a_call_can_override_or_omit_the_default_market() {
    let mock = MockSpotify::start().await.unwrap();
    let client = support::client(&mock).with_market("SE");
    client.track("spotmockTrack000000001").await.unwrap();
    client.track("spotmockTrack000000001").market("DE").await.unwrap();
    client.track("spotmockTrack000000001").market(Market::UNSET).await.unwrap();
    let queries: Vec<_> = mock.requests().into_iter().map(|request| request.query).collect();
    assert_eq!(queries, ["market=SE", "market=DE", ""]);
}

#[tokio::test]
async fn a_refused_token_is_an_authentication_error() {
    let mock = MockSpotify::start().await.unwrap();
    let token = spot_http::AccessToken::new("CANARY-not-a-token").unwrap();
    let pipeline = spot_http::Pipeline::builder(token).base_url(mock.api_url()).build().unwrap();
    let error = spot_api::Client::from(pipeline).me().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Authentication);
    assert!(!format!("{error} {error:?}").contains("CANARY"), "{error:?}");
}

#[tokio::test]
async fn an_unreachable_server_is_a_transport_error() {
    let token = spot_http::AccessToken::new("token").unwrap();
    // The listener is dropped immediately, so no server listens on its port.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let pipeline = spot_http::Pipeline::builder(token)
        .base_url(&format!("http://127.0.0.1:{port}/v1"))
        .attempts(1)
        .build()
        .unwrap();
    let error = spot_api::Client::from(pipeline).me().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert!(error.to_string().contains("GET /me"), "{error}");
}

#[tokio::test]
async fn an_html_response_is_a_decode_error_that_names_html() {
    let mut server = mockito::Server::new_async().await;
    let page = "<html><head><title>Captive portal</title></head><body>Log in</body></html>";
    let answer = server.mock("GET", "/me").with_status(200).with_body(page).create_async().await;
    let token = spot_http::AccessToken::new("token").unwrap();
    let pipeline = spot_http::Pipeline::builder(token).base_url(&server.url()).build().unwrap();
    let error = spot_api::Client::from(pipeline).me().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("HTML"), "{error}");
    assert!(error.body().unwrap().contains("Captive portal"));
    answer.assert_async().await;
}

#[tokio::test]
async fn a_cover_must_be_a_jpeg_of_at_most_192_kib() {
    let mock = MockSpotify::start().await.unwrap();
    let client = support::client(&mock);
    let playlist = client.playlist("spotmockPlaylist000001");
    let error = playlist.upload_cover(b"\x89PNG".as_slice()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadRequest);
    assert!(error.to_string().contains("`jpeg`"), "{error}");
    assert!(error.to_string().contains("not a JPEG"), "{error}");
    let mut large = vec![0xFF; 196_609];
    large[1] = 0xD8;
    let error = playlist.upload_cover(large.clone()).await.unwrap_err();
    assert!(error.to_string().contains("196609 bytes; expected at most 196608"), "{error}");
    assert!(mock.requests().is_empty());
    large.truncate(196_608);
    playlist.upload_cover(large).await.unwrap();
}
