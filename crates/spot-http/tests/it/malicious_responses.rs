//! Tests responses of a malicious server: decoding time, memory, error texts and secrets.

use std::{
    error::Error as _,
    time::{Duration, Instant},
};

use spot_http::{AccessToken, Error, ErrorKind, Pipeline, Request, Response, failure::Refusal};
use spot_model::{Album, Operation, Page, Track};

use crate::script::{Script, Turn, body};

const TOKEN: &str = "BQDc4nary-tok_en/with+signs==";

/// Makes a call to which the server responds with this status and body.
async fn call(status: u16, text: &str) -> Result<Response<Track>, Error> {
    let pipeline = Pipeline::builder(AccessToken::new(TOKEN).unwrap())
        .transport(Script::new([body(status, text)]))
        .attempts(1)
        .build()
        .unwrap();
    pipeline.call_json(Request::new(Operation::GET_TRACK).path("id", "x")).await
}

/// Returns the error of a call to which the server responds with this status and body.
async fn error_of(status: u16, text: &str) -> Error {
    call(status, text).await.unwrap_err()
}

/// Returns every text that a program can print from an error.
fn texts(error: &Error) -> Vec<String> {
    let mut texts = vec![error.to_string(), error.message().to_owned()];
    texts.extend(error.path().map(str::to_owned));
    let mut source = error.source();
    while let Some(error) = source {
        texts.push(error.to_string());
        source = error.source();
    }
    texts
}

/// Maximum time to decode a body of several MiB in a build without optimization.
const SOON: Duration = Duration::from_secs(20);

#[tokio::test(start_paused = true)]
async fn malicious_json_bodies_are_parsed_in_linear_time() {
    let deep = "[".repeat(1_000_000);
    for text in [
        deep.clone(),
        "{\"a\":".repeat(200_000),
        format!("{{\"name\":1,\"x\":{deep}"),
        format!("{{\"x\":{deep}{},\"name\":1}}", "]".repeat(1_000_000)),
        format!("{{\"artists\":[{}7]}}", "{},".repeat(100_000)),
        format!("{{\"{}\":7}}", "k".repeat(1_000_000)),
        "\n".repeat(1_000_000),
    ] {
        for status in [200, 400] {
            let start = Instant::now();
            // Some of these bodies decode successfully, because unknown fields are ignored.
            let error = call(status, &text).await.err();
            let took = start.elapsed();
            assert!(took < SOON, "{took:?} for {}", &text[..40]);
            let path = error.as_ref().and_then(Error::path).unwrap_or_default();
            assert!(path.chars().count() <= 200, "{path}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_with_a_million_entries_is_rejected() {
    for text in [
        format!("{{\"items\":[{}{{}}]}}", "{},".repeat(1_000_000)),
        format!("{{\"items\":[{}null]}}", "null,".repeat(1_000_000)),
        format!("{{\"items\":[{}1]}}", "1,".repeat(1_000_000)),
    ] {
        let page: Result<Page<Track>, _> = spot_model::from_slice(text.as_bytes());
        let entries = page.map(|page| page.items.len() + page.skipped.len());
        let error = entries.map(|entries| panic!("{entries} entries")).unwrap_err();
        let text = error.to_string();
        let reasons = ["more than 10000 entries", "too many small values"];
        assert!(reasons.iter().any(|reason| text.contains(reason)), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn error_texts_are_short_single_printable_lines() {
    let long = format!("a\u{1b}[2J\r\nb\u{202e}c\u{2028}\u{0}{}", "x".repeat(1_000_000));
    let json = serde_json::to_string(&long).unwrap();
    for (status, text) in [
        (400, format!("{{\"error\":{{\"message\":{json}}}}}")),
        (400, format!("{{\"error\":{{\"status\":400,\"message\":\"no\",\"reason\":{json}}}}}")),
        (400, format!("{{\"error\":{json},\"error_description\":{json}}}")),
        (400, long.clone()),
        (502, format!("<html><title>{long}</title>")),
        (200, format!("<html><title>{long}</title>")),
        (200, format!("{{\"popularity\":{json}}}")),
        (200, format!("{{\"album\":{{{json}:{{\"a\":1}},\"album_type\":7}}}}")),
        (200, format!("{{\"album\":{json}}}")),
        (200, long.clone()),
    ] {
        let error = error_of(status, &text).await;
        for text in texts(&error) {
            let length = text.chars().count();
            assert!(length <= 500, "{length} characters: {}", &text[..200]);
            let unprintable = |c: char| c.is_control() || "\u{202e}\u{2028}".contains(c);
            assert!(!text.contains(unprintable), "{text:?}");
        }
        let debug = format!("{error:?}");
        assert!(debug.len() < 20_000 && !debug.contains(char::is_control), "{}", debug.len());
        assert!(error.body().is_some_and(|body| body.len() <= 1100), "the body stays available");
    }
    // Texts from the program or from another crate are also printed on one line.
    let error = Error::new(ErrorKind::Server, long.clone()).with_path(long.clone());
    let error = error.with_reason(long.clone()).with_source(std::io::Error::other(long));
    for text in [error.to_string(), error.reason().unwrap().to_owned(), format!("{error:?}")] {
        assert!(text.chars().count() <= 5_000, "{}", text.len());
        assert!(!text.contains(|c: char| c.is_control()), "{text:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn access_tokens_echoed_by_the_server_are_redacted() {
    let escaped = TOKEN.replace('/', "\\/");
    let encoded = TOKEN.replace('/', "%2F").replace('+', "%2B").replace('=', "%3D");
    let unicode = TOKEN.replace('B', "\\u0042");
    for token in [TOKEN.to_owned(), escaped, encoded, unicode, format!("Bearer {TOKEN}")] {
        for (status, text) in [
            (400, format!("{{\"error\":{{\"message\":\"{token} is no token\"}}}}")),
            (401, format!("{{\"error\":{{\"message\":\"\",\"reason\":\"{token}\"}}}}")),
            (500, format!("request: authorization: {token}")),
            (502, format!("<html><title>{token}</title>{token}</html>")),
            (200, format!("<html><title>{token}</title>{token}</html>")),
            (200, format!("{{\"popularity\":\"{token}\"}}")),
            (200, format!("{{\"album\":{{\"{token}\":{{}},\"artists\":\"{token}\"}}}}")),
            (200, format!("{{\"{token}\":{{\"x\":1}},\"artists\":7}}")),
            (200, token.to_string()),
        ] {
            let error = error_of(status, &text).await;
            let mut shown = texts(&error);
            shown.push(format!("{error:?}"));
            shown.extend(error.body().map(str::to_owned));
            shown.extend(error.reason().map(str::to_owned));
            for shown in shown {
                assert!(!shown.contains("nary-tok_en"), "{status} {text}: {shown}");
            }
        }
    }
    let header = vec![("www-authenticate", format!("Bearer error=\"{TOKEN}\""))];
    let turn = Turn::Answer { status: 401, headers: header, body: String::new() };
    let pipeline = Pipeline::builder(AccessToken::new(TOKEN).unwrap());
    let pipeline = pipeline.transport(Script::new([turn])).build().unwrap();
    let error = pipeline.call(Request::get("/me")).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("nary-tok_en"), "{error:?}");
}

#[test]
fn passwords_of_base_urls_and_proxies_are_never_printed() {
    let token = || AccessToken::new("token").unwrap();
    let builder = Pipeline::builder(token()).base_url("https://me:CANARY@api.spotify.com/v1");
    let mut shown = vec![format!("{builder:?}")];
    let error = builder.build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    shown.push(format!("{error} {error:?}"));
    for wrong in
        ["ftp://me:CANARY@host", "https://me:CANARY@", "me:CANARY@host", "https://me:CANARY@h:x"]
    {
        let builder = Pipeline::builder(token()).base_url(wrong);
        shown.push(format!("{builder:?}"));
        let error = builder.build().unwrap_err();
        shown.push(format!("{error} {error:?}"));
    }
    for proxy in
        ["http://me:CANARY@proxy:1", "ftp://me:CANARY@proxy", "me:CANARY@:x", "http://me:CANARY@"]
    {
        let builder = spot_http::ReqwestTransport::builder().proxy(proxy);
        shown.push(format!("{builder:?}"));
        shown.push(format!("{:?}", builder.build()));
    }
    for shown in shown {
        assert!(!shown.contains("CANARY"), "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_invalid_request_path_is_rejected_before_sending() {
    for path in ["/me top", "/a\nb", "/me?q=a b", "/\u{e9}\u{0}"] {
        let script = Script::new([body(200, "{}")]);
        let pipeline = script.pipeline().build().unwrap();
        let error = pipeline.call(Request::get(path)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadRequest, "{path:?}: {error}");
        assert_eq!(script.count(), 0);
        assert_eq!(error.attempts(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn responses_of_an_unexpected_type_are_decode_errors() {
    for text in
        ["[]", "[[]]", "{}", r#"{"error":{"status":500}}"#, r#"{"message":"Hello"}"#, "null", "7"]
    {
        let page: Result<Page<Track>, _> = spot_model::from_slice(text.as_bytes());
        assert!(page.is_err(), "{text} is no page");
    }
    for text in
        ["[]", "[1,2]", r#"{"error":{"status":500,"message":"No"}}"#, r#" { "error" : "no" }"#]
    {
        let error = error_of(200, text).await;
        assert_eq!(error.kind(), ErrorKind::Decode, "{text}");
    }
    assert!(spot_model::from_slice::<Album>(b"[]").is_err());
    let html = |text: &str, kind: &str| {
        let headers = vec![("content-type", kind.to_owned())];
        Turn::Answer { status: 200, headers, body: text.to_owned() }
    };
    for turn in [
        html("<html>Please sign in</html>", "text/html; charset=utf-8"),
        html("Please sign in", "Text/HTML"),
        html("  <!DOCTYPE html><html>", "text/plain"),
        html("<html>", "application/json"),
    ] {
        let pipeline = Script::new([turn.clone()]).pipeline().build().unwrap();
        let command = Request::new(Operation::PAUSE_PLAYBACK);
        let error = pipeline.call_empty(command).await.expect_err(&format!("{turn:?}"));
        assert_eq!(error.kind(), ErrorKind::Decode);
    }
    for turn in [html("", "text/html"), html("ok", "text/plain"), html("{}", "application/json")] {
        let pipeline = Script::new([turn]).pipeline().build().unwrap();
        pipeline.call_empty(Request::new(Operation::PAUSE_PLAYBACK)).await.unwrap();
    }
}

#[test]
fn huge_error_bodies_are_parsed_quickly() {
    let start = Instant::now();
    for text in ["[".repeat(8 << 20), format!("[{}]", "{},".repeat(5 << 20)), "\"".repeat(8 << 20)]
    {
        assert!(Refusal::read(text.as_bytes()).message.chars().count() <= 200);
    }
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
}
