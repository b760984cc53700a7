//! Tests the checks that run before every operation.

use std::time::Duration;

use spot_mock::{MockSpotify, Mode};

use crate::support::{Api, development, extended, finish};

#[tokio::test]
async fn requests_require_a_valid_bearer_token() {
    let api = development().await;
    let url = format!("{}/artists/{}", api.mock.api_url(), api.mock.world().artist);

    let missing = finish(api.http.get(&url)).await;
    assert_eq!(missing.status, 401);
    assert_eq!(missing.message(), "Missing/invalid/expired access token");
    assert!(missing.header("www-authenticate").unwrap().contains(r#"error="missing_token""#));

    let invalid = finish(api.http.get(&url).bearer_auth("nonsense")).await;
    assert_eq!(invalid.status, 401);
    assert!(invalid.header("www-authenticate").unwrap().contains(r#"error="invalid_token""#));

    let basic = finish(api.http.get(&url).basic_auth("id", Some("secret"))).await;
    assert_eq!(
        (basic.status, basic.message().as_str()),
        (400, "Only valid bearer authentication supported")
    );
}

#[tokio::test]
async fn a_trailing_slash_in_the_path_is_ignored() {
    let api = extended().await;
    assert_eq!(api.get("/me/").await.text, api.get("/me").await.text);
    let track = api.mock.world().track.clone();
    assert_eq!(api.get(&format!("/tracks/?ids={track}")).await.status, 200);
    assert_eq!(api.get("/nothing/").await.status, 404);
}

#[tokio::test]
async fn an_access_token_expires_after_an_hour() {
    let api = development().await;
    api.mock.advance(Duration::from_secs(3_590));
    assert_eq!(api.get("/me").await.status, 200);
    api.mock.advance(Duration::from_secs(20));
    assert_eq!(api.get("/me").await.status, 401);
}

#[tokio::test]
async fn an_app_token_cannot_call_user_operations() {
    let api = development().await;
    let token = api.mock.app_token();
    let api = api.with_token(token);
    assert_eq!(api.get("/me").await.message(), "Valid user authentication required");
    let artist = format!("/artists/{}", api.mock.world().artist);
    assert_eq!(api.get(&artist).await.status, 200);
}

#[tokio::test]
async fn a_missing_scope_is_refused_with_403() {
    let api = development().await;
    let token = api.mock.user_token(&["user-library-read"]);
    let api = api.with_token(token);
    assert_eq!(api.get("/me/tracks").await.status, 200);
    let refused = api.get("/me/following?type=artist").await;
    assert_eq!((refused.status, refused.message().as_str()), (403, "Insufficient client scope"));
    let refused = api.put("/me/player/pause", "").await;
    assert_eq!((refused.status, refused.message().as_str()), (403, "Insufficient client scope"));
}

#[tokio::test]
async fn deprecated_operations_require_extended_mode() {
    let api = development().await;
    let path = format!("/tracks?ids={}", api.mock.world().track);
    let refused = api.get(&path).await;
    assert_eq!((refused.status, refused.message().as_str()), (403, "Forbidden"));

    let api = extended().await;
    assert_eq!(api.read(&path).await["tracks"][0]["id"], api.mock.world().track.as_str());
}

#[tokio::test]
async fn operations_closed_in_2024_return_403_or_404() {
    let closed = MockSpotify::builder().mode(Mode::Extended).closed_2024(true);
    for mock in [MockSpotify::builder(), closed] {
        let api = Api::new(mock.start().await.unwrap());
        let (artist, track) = (&api.mock.world().artist, &api.mock.world().track);
        let related = api.get(&format!("/artists/{artist}/related-artists")).await;
        assert_eq!((related.status, related.message().as_str()), (403, "Forbidden"));
        let features = api.get(&format!("/audio-features/{track}")).await;
        assert_eq!(features.status, 403);
        assert_eq!(features.json(), serde_json::json!({ "error": { "status": 403 } }));
        let recommendations = api.get(&format!("/recommendations?seed_tracks={track}")).await;
        assert_eq!((recommendations.status, recommendations.text.as_str()), (404, ""));
        let editorial =
            api.get(&format!("/playlists/{}", api.mock.world().editorial_playlist)).await;
        assert_eq!(editorial.status, 404);
    }
}

#[tokio::test]
async fn the_page_limit_depends_on_operation_and_mode() {
    let api = development().await;
    let artist = api.mock.world().artist.clone();
    let album = api.mock.world().album.clone();
    for path in [
        format!("/artists/{artist}/albums?limit=11"),
        "/search?q=a&type=track&limit=11".to_owned(),
        format!("/albums/{album}/tracks?limit=51"),
        "/me/tracks?limit=0".to_owned(),
        "/me/tracks?limit=-1".to_owned(),
        "/me/tracks?limit=many".to_owned(),
    ] {
        let refused = api.get(&path).await;
        assert_eq!((refused.status, refused.message().as_str()), (400, "Invalid limit"), "{path}");
    }
    assert_eq!(api.read(&format!("/artists/{artist}/albums")).await["limit"], 5);

    let api = extended().await;
    assert_eq!(api.read(&format!("/artists/{artist}/albums")).await["limit"], 20);
    assert_eq!(api.read("/search?q=a&type=track&limit=50").await["tracks"]["limit"], 50);
}

#[tokio::test]
async fn invalid_parameters_are_refused_with_a_specific_message() {
    let api = extended().await;
    let fifty_one = vec![api.mock.world().track.as_str(); 51].join(",");
    for (path, status, message) in [
        ("/artists/nope".to_owned(), 400, "Invalid base62 id"),
        ("/artists/0000000000000000000000".to_owned(), 404, "Resource not found"),
        ("/search?q=a&type=track&offset=1001".to_owned(), 400, "Invalid offset"),
        ("/me/tracks?offset=-1".to_owned(), 400, "Invalid offset"),
        (format!("/tracks/{}?market=GBR", api.mock.world().track), 400, "Invalid market code"),
        ("/search?type=track".to_owned(), 400, "No search query"),
        ("/search?q=a".to_owned(), 400, "Missing parameter type"),
        ("/search?q=a&type=song".to_owned(), 400, "Bad search type field song"),
        ("/tracks".to_owned(), 400, "Missing required field: ids"),
        (format!("/tracks?ids={fifty_one}"), 400, "Too many ids requested"),
        ("/tracks?ids=nope".to_owned(), 400, "Invalid base62 id"),
        ("/me/following".to_owned(), 400, "Missing required field: type"),
        ("/nowhere".to_owned(), 404, "Service not found"),
    ] {
        let refused = api.get(&path).await;
        assert_eq!((refused.status, refused.message().as_str()), (status, message), "{path}");
    }
}

#[tokio::test]
async fn a_wrong_method_gets_405_with_an_empty_body() {
    let api = development().await;
    let refused = api.get("/me/library").await;
    assert_eq!((refused.status, refused.text.as_str()), (405, ""));
}

#[tokio::test]
async fn exceeding_the_rate_limit_returns_429_with_retry_after() {
    let mock = MockSpotify::builder().rate_limit(3).start().await.unwrap();
    let api = Api::new(mock);
    for _ in 0..3 {
        assert_eq!(api.get("/me").await.status, 200);
    }
    let refused = api.get("/me").await;
    assert_eq!((refused.status, refused.message().as_str()), (429, "API rate limit exceeded"));
    assert_eq!(refused.header("retry-after"), Some("30"));
    api.mock.advance(Duration::from_secs(30));
    assert_eq!(api.get("/me").await.status, 200);
}

#[tokio::test]
async fn a_put_without_content_length_gets_411() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let api = development().await;
    let host = api.mock.accounts_url().strip_prefix("http://").unwrap().to_owned();
    let mut stream = tokio::net::TcpStream::connect(&host).await.unwrap();
    let request = format!(
        "PUT /v1/me/player/pause HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {}\r\nconnection: close\r\n\r\n",
        api.token
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 411 Length Required"), "{answer}");
    assert!(answer.contains("text/html"), "{answer}");

    assert_eq!(api.put("/me/player/pause", "").await.status, 204);
}

#[tokio::test]
async fn cache_control_is_sent_and_a_matching_etag_yields_304() {
    let api = development().await;
    let artist = format!("/artists/{}", api.mock.world().artist);
    let first = api.get(&artist).await;
    assert_eq!(first.header("cache-control"), Some("public, max-age=0"));
    let etag = first.header("etag").unwrap();
    assert!(etag.starts_with("\"MC-"), "{etag}");

    let url = format!("{}{artist}", api.mock.api_url());
    let again = api.http.get(&url).bearer_auth(&api.token).header("if-none-match", etag);
    let again = finish(again).await;
    assert_eq!((again.status, again.text.as_str()), (304, ""));
    assert_eq!(again.header("etag"), Some(etag));

    let mine = api.get("/me/tracks").await;
    assert_eq!(mine.header("cache-control"), Some("private, max-age=0"));
    assert!(mine.header("etag").is_some());
    let search = api.get("/search?q=quiet&type=track").await;
    assert_eq!(search.header("cache-control"), Some("public, max-age=7200"));
    assert_eq!(search.header("etag"), None);
}

#[tokio::test]
async fn the_mock_records_all_requests() {
    let api = development().await;
    api.get("/me/tracks?limit=1").await;
    api.get("/nowhere").await;
    let requests = api.mock.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].method, "GET");
    assert_eq!(requests[0].path, "/v1/me/tracks");
    assert_eq!(requests[0].query, "limit=1");
    assert_eq!(requests[0].status, 200);
    assert_eq!(requests[0].operation, Some("get-users-saved-tracks"));
    assert_eq!((requests[1].status, requests[1].operation), (404, None));
    assert_eq!(api.mock.take_requests(), requests);
    assert_eq!(api.mock.requests(), []);
}

#[tokio::test]
async fn the_same_seed_gives_the_same_answers() {
    let mut bodies = Vec::new();
    for _ in 0..2 {
        let mock = MockSpotify::builder().frozen_clock().start().await.unwrap();
        let api = Api::new(mock);
        let mut all = api.token.clone();
        for path in
            ["/me/tracks?limit=50", "/me/playlists", "/me/player", "/search?q=a&type=artist,album"]
        {
            all.push_str(&api.get(path).await.text.replace(api.mock.api_url(), ""));
        }
        bodies.push(all);
        api.mock.shutdown().await;
    }
    assert_eq!(bodies[0], bodies[1]);
}
