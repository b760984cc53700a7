//! Tests single requests over real HTTP.

use futures::FutureExt as _;
use mockito::Matcher;
use serde_json::json;
use spot_http::{AccessToken, Error, ErrorKind, Pipeline, PlayerReason, Request};
use spot_model::{Artist, Operation, Page, SavedTrack};

fn pipeline(server: &mockito::Server) -> Pipeline {
    Pipeline::builder(AccessToken::new("token").unwrap())
        .base_url(&server.url())
        .accept_language("sv, en;q=0.5")
        .build()
        .unwrap()
}

#[tokio::test]
async fn requests_have_an_encoded_url_token_language_and_user_agent() {
    let mut server = mockito::Server::new_async().await;
    let exchange = server
        .mock("GET", "/artists/a%2Fb%23c/albums")
        .match_query(Matcher::Exact("include_groups=album,single&x=1%2B1%20%26".to_owned()))
        .match_header("authorization", "Bearer token")
        .match_header("accept-language", "sv, en;q=0.5")
        .match_header("user-agent", Matcher::Regex("^spot-http/".to_owned()))
        .with_body("{}")
        .create_async()
        .await;
    let request = Request::new(Operation::GET_ARTIST_ALBUMS)
        .path("id", "a/b#c")
        .query_list("include_groups", ["album", "single"])
        .query("x", "1+1 &");
    pipeline(&server).call(request).await.unwrap();
    exchange.assert_async().await;
}

#[tokio::test]
async fn a_put_without_a_body_sends_content_length_zero() {
    let mut server = mockito::Server::new_async().await;
    let exchange = server
        .mock("PUT", "/me/player/pause")
        .match_header("content-length", "0")
        .with_status(200)
        // Spotify sometimes reports success with a body that is not JSON.
        .with_body("qwertz")
        .create_async()
        .await;
    let request = Request::new(Operation::PAUSE_PLAYBACK);
    pipeline(&server).call_empty(request).await.unwrap();
    exchange.assert_async().await;
}

#[tokio::test]
async fn json_bodies_are_sent_and_decoded() {
    let mut server = mockito::Server::new_async().await;
    let exchange = server
        .mock("POST", "/me/playlists")
        .match_header("content-type", "application/json")
        .match_body(Matcher::Json(json!({ "name": "x" })))
        .with_status(201)
        .with_body(r#"{"id":"spotmockPlaylist000001"}"#)
        .create_async()
        .await;
    let request = Request::new(Operation::CREATE_PLAYLIST).json(&json!({ "name": "x" }));
    let answer = pipeline(&server).call_json::<spot_model::Playlist>(request).await.unwrap();
    assert_eq!(answer.status(), 201);
    assert_eq!(answer.body().id.unwrap().as_str(), "spotmockPlaylist000001");
    exchange.assert_async().await;
}

#[tokio::test]
async fn a_204_response_decodes_to_an_empty_option() {
    let mut server = mockito::Server::new_async().await;
    server.mock("GET", "/me/player").with_status(204).create_async().await;
    let request = Request::new(Operation::GET_PLAYBACK_STATE);
    let answer = pipeline(&server).call_optional::<spot_model::PlaybackState>(request).await;
    assert_eq!(answer.unwrap().into_body(), None);
}

#[tokio::test]
async fn error_responses_map_to_distinct_error_kinds() {
    let cases: [(&Operation, u16, &str, ErrorKind); 8] = [
        (
            Operation::SKIP_TO_NEXT,
            404,
            r#"{"error":{"status":404,"message":"No device","reason":"NO_ACTIVE_DEVICE"}}"#,
            ErrorKind::Player(PlayerReason::NoActiveDevice),
        ),
        (
            Operation::SKIP_TO_NEXT,
            403,
            r#"{"error":{"status":403,"message":"Premium","reason":"PREMIUM_REQUIRED"}}"#,
            ErrorKind::Player(PlayerReason::PremiumRequired),
        ),
        (
            Operation::GET_SAVED_TRACKS,
            403,
            r#"{"error":{"status":403,"message":"Insufficient client scope"}}"#,
            ErrorKind::MissingScope,
        ),
        (Operation::GET_MY_PROFILE, 403, "User not registered", ErrorKind::Forbidden),
        (Operation::GET_MY_PROFILE, 404, "", ErrorKind::NotFound),
        (Operation::GET_MY_PROFILE, 400, r#"{"status":400,"message":"No"}"#, ErrorKind::BadRequest),
        (Operation::GET_MY_PROFILE, 302, "", ErrorKind::Configuration),
        (Operation::SKIP_TO_NEXT, 502, "<html><title>Bad</title>", ErrorKind::OutcomeUnknown),
    ];
    let mut seen = Vec::new();
    for (operation, status, body, kind) in cases {
        let mut server = mockito::Server::new_async().await;
        server
            .mock(operation.method.as_str(), operation.path)
            .with_status(status.into())
            .with_body(body)
            .create_async()
            .await;
        let error = pipeline(&server).call(Request::new(operation)).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error:?}");
        seen.push(error.to_string());
    }
    insta::assert_snapshot!(seen.join("\n"), @r"
    POST /me/player/next: the player refused the command (404): No device; name a device: `.device(id)`, see `client.player().devices()`
    POST /me/player/next: the player refused the command (403): Premium; the player accepts commands only from users with Spotify Premium
    GET /me/tracks: a scope is missing (403): Insufficient client scope; sign the user in with the scope `user-library-read`
    GET /me: forbidden (403): User not registered; add the user to the allow-list of the application in the dashboard; Development Mode allows five users
    GET /me: not found (404): Spotify gives no reason: the item does not exist, or the application is not allowed to see it
    GET /me: bad request (400): No
    GET /me: configuration error (302): the server redirects to another address; check `base_url`
    POST /me/player/next: the call may or may not have been carried out (502): the response is an HTML page: Bad; check whether the call took effect before you repeat it
    ");
}

/// User ids are personal data. `Error::target` contains the id, but the printed error does not.
#[tokio::test]
async fn an_error_prints_the_path_without_the_id_of_a_user() {
    let server = mockito::Server::new_async().await;
    for (path, printed) in [
        ("/me", "GET /me: "),
        ("/tracks/x1", "GET /tracks/x1: "),
        ("/users/smith", "GET /users/{user_id}: "),
        ("/users/smith/playlists", "GET /users/{user_id}/playlists: "),
    ] {
        let error = pipeline(&server).call(Request::get(path)).await.unwrap_err();
        assert!(error.to_string().starts_with(printed), "{error}");
        assert_eq!(error.target(), Some(path));
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let mut server = mockito::Server::new_async().await;
    let elsewhere = server.mock("GET", "/elsewhere").expect(0).create_async().await;
    let from = server.mock("GET", "/me").with_status(307).with_header("location", "/elsewhere");
    from.create_async().await;
    let error = pipeline(&server).call(Request::get("/me")).await.unwrap_err();
    assert_eq!(error.status(), Some(307));
    elsewhere.assert_async().await;
}

#[tokio::test]
async fn decode_errors_name_the_json_path_and_the_cause() {
    let mut server = mockito::Server::new_async().await;
    let body = r#"{"items":[],"limit":{"not":"a number"}}"#;
    server.mock("GET", "/me/tracks").with_body(body).create_async().await;
    let request = Request::new(Operation::GET_SAVED_TRACKS);
    let error = pipeline(&server).call_json::<Page<SavedTrack>>(request).await.unwrap_err();
    assert_eq!((error.kind(), error.path()), (ErrorKind::Decode, Some("limit")));
    assert_eq!(error.body(), Some(body));
    assert!(
        error.to_string().starts_with("GET /me/tracks: the response could not be decoded"),
        "{error}"
    );
    for (body, words) in [
        ("", "the body is empty; expected JSON"),
        (
            "<html><head><title>Log in</title></head></html>",
            "the body is an HTML page titled \"Log in\"; expected JSON",
        ),
        ("{\"id\":", "EOF while parsing"),
    ] {
        let mut server = mockito::Server::new_async().await;
        server.mock("GET", "/artists/a").with_body(body).create_async().await;
        let request = Request::new(Operation::GET_ARTIST).path("id", "a");
        let error = pipeline(&server).call_json::<Artist>(request).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn request_errors_name_the_invalid_path_parameter() {
    let check = |request: Request| request.check().unwrap_err().to_string();
    insta::assert_snapshot!(
        [
            check(Request::new(Operation::GET_ARTIST)),
            check(Request::new(Operation::GET_ARTIST).path("id", "")),
        ]
        .join("\n"),
        @r"
    GET /artists/{id}: bad request: the path parameter `id` is missing; set it with `Request::path`
    GET /artists/{id}: bad request: `id` is empty
    "
    );
    assert_eq!(
        Request::new(Operation::GET_ARTIST).path("id", "..").path_and_query(),
        "/artists/%2E%2E"
    );
}

#[test]
fn invalid_base_urls_and_access_tokens_are_rejected() {
    let build = |url: &str| {
        let token = AccessToken::new("token").unwrap();
        Pipeline::builder(token).base_url(url).build().unwrap_err().to_string()
    };
    assert!(build("nonsense").contains("`base_url` is \"nonsense\""));
    assert!(build("ftp://example.org").contains("expected http or https"));
    let error = AccessToken::new("  ").unwrap_err();
    assert!(error.to_string().contains("the access token is empty"), "{error}");
    let error = AccessToken::new("CANARY\n").and(AccessToken::new("CAN\u{0}ARY")).unwrap_err();
    assert!(!format!("{error:?}").contains("CAN"), "{error:?}");
}

#[test]
fn path_of_accepts_only_links_below_the_base_url() {
    let token = AccessToken::new("token").unwrap();
    let pipeline = Pipeline::builder(token).build().unwrap();
    for (link, is_ours) in [
        ("https://api.spotify.com/v1/me/tracks?offset=50", true),
        ("https://api.spotify.com:443/v1/me", true),
        ("http://api.spotify.com/v1/me", false),
        ("https://api.spotify.com.example.org/v1/me", false),
        ("https://api.spotify.com@example.org/v1/me", false),
        ("https://accounts.spotify.com/v1/me", false),
        ("/v1/me", false),
        ("", false),
    ] {
        assert_eq!(pipeline.path_of(link).is_some(), is_ours, "{link}");
    }
}

#[tokio::test]
async fn cloned_and_deferred_errors_keep_all_fields() {
    let body = br#"{"error":{"status":429,"message":"Too many","reason":"QUOTA_EXCEEDED"}}"#;
    let error = Error::from_response(429, body)
        .with_operation(Operation::GET_ARTIST)
        .with_retry_after(std::time::Duration::from_secs(7))
        .with_path("items[3]")
        .with_done(5)
        .with_source(std::io::Error::other("the cause"));
    let shown = format!("{error:?}");
    assert_eq!(format!("{:?}", error.clone()), shown);
    // A change of the clone does not change the original error.
    let changed = error.clone().with_done(6);
    assert_eq!((error.done(), changed.done()), (Some(5), Some(6)));
    let server = mockito::Server::new_async().await;
    let deferred = pipeline(&server).call(Request::failed(error)).await.unwrap_err();
    assert_eq!(format!("{deferred:?}"), shown);
}

#[test]
fn a_call_outside_of_a_runtime_is_an_error() {
    let pipeline = Pipeline::builder(AccessToken::new("CANARY").unwrap()).build().unwrap();
    let error = pipeline.call(Request::get("/me")).now_or_never().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("outside of a tokio runtime"), "{error}");
}
