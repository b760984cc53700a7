//! Tests responses that violate HTTP. Each call soon returns an error or the right response. No
//! call receives a byte of another call's response.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use spot_http::{AccessToken, Error, ErrorKind, Pipeline, Request, ReqwestTransport};
use spot_model::Operation;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    time::timeout,
};

/// Maximum size of a body in these tests.
const MAX_BODY: usize = 10_000;

/// A server that sends the same bytes for every request.
struct Server {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

/// Bytes of a response: the first part is sent once, and the second part is repeated forever.
struct Bytes {
    once: Vec<u8>,
    endless: Vec<u8>,
}

impl Server {
    async fn start(bytes: Bytes) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (bytes, requests) = (Arc::new(bytes), Arc::new(Mutex::new(Vec::new())));
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((mut connection, _)) = listener.accept().await {
                let (bytes, seen) = (Arc::clone(&bytes), Arc::clone(&seen));
                tokio::spawn(async move {
                    let mut request = [0; 4096];
                    while let Ok(length @ 1..) = connection.read(&mut request).await {
                        let text = String::from_utf8_lossy(&request[..length]).into_owned();
                        seen.lock().unwrap().push(text);
                        if connection.write_all(&bytes.once).await.is_err() {
                            return;
                        }
                        while !bytes.endless.is_empty() {
                            if connection.write_all(&bytes.endless).await.is_err() {
                                return;
                            }
                        }
                    }
                });
            }
        });
        Self { url, requests }
    }

    fn pipeline(&self) -> Pipeline {
        let transport = ReqwestTransport::builder().no_proxy().max_body(MAX_BODY);
        Pipeline::builder(AccessToken::new("token").unwrap())
            .transport(transport.build().unwrap())
            .base_url(&self.url)
            .backoff(Duration::ZERO, Duration::ZERO)
            .attempt_timeout(Duration::from_millis(500))
            .attempts(2)
            .build()
            .unwrap()
    }
}

fn once(head: &str, body: &[u8]) -> Bytes {
    let once = [head.replace('\n', "\r\n").as_bytes(), b"\r\n\r\n", body].concat();
    Bytes { once, endless: Vec::new() }
}

fn endless(head: &str, endless: &str) -> Bytes {
    let once = head.replace('\n', "\r\n").into_bytes();
    Bytes { once, endless: endless.replace('\n', "\r\n").repeat(100).into_bytes() }
}

#[cfg(feature = "gzip")]
fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;

    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Makes a call, and returns the decoded body as JSON.
async fn get(pipeline: &Pipeline) -> Result<String, Error> {
    let called = pipeline.call_json::<serde_json::Value>(Request::new(Operation::GET_MY_PROFILE));
    let called = timeout(Duration::from_secs(20), called).await.expect("the call ends");
    called.map(|response| response.body().to_string())
}

/// For each case, starts a server that sends these bytes, and calls the server once. Each call must
/// fail within the time limit.
async fn all_fail<const N: usize>(cases: [(&str, Bytes); N]) {
    for (case, bytes) in cases {
        let server = Server::start(bytes).await;
        let outcome = get(&server.pipeline()).await;
        let error = outcome.map(|body| panic!("{case}: {body:?}")).unwrap_err();
        let kinds =
            [ErrorKind::Transport, ErrorKind::Timeout, ErrorKind::Decode, ErrorKind::Server];
        assert!(kinds.contains(&error.kind()), "{case}: {error:?}");
        assert!(error.to_string().chars().count() < 500, "{case}: {error}");
        let requests = server.requests.lock().unwrap().len();
        assert!((1..=2).contains(&requests), "{case}: {requests} requests");
    }
}

#[tokio::test]
async fn a_response_that_violates_http_is_an_error_and_the_call_ends() {
    let ok = "HTTP/1.1 200 OK";
    let cases = [
        ("two lengths", once(&format!("{ok}\ncontent-length: 2\ncontent-length: 3"), b"{}x")),
        ("a negative length", once(&format!("{ok}\ncontent-length: -2"), b"{}")),
        ("a length of 2^64", once(&format!("{ok}\ncontent-length: 18446744073709551616"), b"{}")),
        ("a length of 2^63", once(&format!("{ok}\ncontent-length: 9223372036854775808"), b"{}")),
        ("a length that is too long", once(&format!("{ok}\ncontent-length: 50"), b"{}")),
        (
            "a chunk size that is no number",
            once(&format!("{ok}\ntransfer-encoding: chunked"), b"zz\r\n{}\r\n0\r\n\r\n"),
        ),
        (
            "a chunk size of 2^64",
            once(&format!("{ok}\ntransfer-encoding: chunked"), b"10000000000000000\r\n{}"),
        ),
        (
            "chunks without an end",
            endless(&format!("{ok}\ntransfer-encoding: chunked\n\n"), "1\n{\n"),
        ),
        (
            "a chunk extension without an end",
            endless(&format!("{ok}\ntransfer-encoding: chunked\n\n1;"), "x"),
        ),
        (
            "an unknown transfer coding",
            once(&format!("{ok}\ntransfer-encoding: rot13\ncontent-length: 2"), b"{}"),
        ),
        ("headers without an end", endless(&format!("{ok}\n"), "x: y\n")),
        ("a header name without an end", endless(&format!("{ok}\n"), "x")),
        ("a status line without an end", endless("HTTP/1.1 200 ", "x")),
        ("informational responses without an end", endless("", "HTTP/1.1 100 Continue\n\n")),
        ("early hints without an end", endless("", "HTTP/1.1 103 Early Hints\nlink: </x>\n\n")),
        ("a status of two digits", once("HTTP/1.1 20 OK\ncontent-length: 2", b"{}")),
        ("a version that does not exist", once("HTTP/7.3 200 OK\ncontent-length: 2", b"{}")),
        ("no HTTP", once("SSH-2.0-OpenSSH_9.2", b"")),
        (
            "a switch of the protocol",
            once("HTTP/1.1 101 Switching Protocols\nupgrade: x\nconnection: upgrade", b"{}"),
        ),
    ];
    all_fail(cases).await;
}

#[cfg(feature = "gzip")]
#[tokio::test]
async fn a_body_with_an_invalid_content_encoding_is_an_error() {
    let ok = "HTTP/1.1 200 OK";
    let json = gzip(b"{}");
    let bomb = gzip(&gzip(&vec![b' '; 50_000_000]));
    let cases = [
        (
            "gzip that is none",
            once(&format!("{ok}\ncontent-encoding: gzip\ncontent-length: 2"), b"{}"),
        ),
        (
            "gzip that is cut",
            once(
                &format!("{ok}\ncontent-encoding: gzip\ncontent-length: {}", json.len() - 4),
                &json[..json.len() - 4],
            ),
        ),
        (
            "a bomb of gzip in gzip",
            once(
                &format!("{ok}\ncontent-encoding: gzip, gzip\ncontent-length: {}", bomb.len()),
                &bomb,
            ),
        ),
        (
            "an unknown encoding",
            once(&format!("{ok}\ncontent-encoding: zip\ncontent-length: 2"), b"PK"),
        ),
    ];
    all_fail(cases).await;
}

#[tokio::test]
async fn unsolicited_responses_are_not_delivered_to_other_calls() {
    // After the first response, the server sends a second response, which the client did not
    // request.
    let head = "HTTP/1.1 200 OK\ncontent-length: 2";
    let extra = b"{}HTTP/1.1 200 OK\r\ncontent-length: 18\r\n\r\n{\"id\":\"of another\"}";
    let server = Server::start(once(head, extra)).await;
    let pipeline = server.pipeline();
    for _ in 0..20 {
        // A call on the same connection may fail, but it never receives the extra response.
        if let Ok(body) = get(&pipeline).await {
            assert_eq!(body, "{}");
        }
    }
}

#[tokio::test]
async fn cookies_are_neither_stored_nor_sent() {
    let cookies: String =
        (0..90).map(|n| format!("\nset-cookie: c{n}={}", "x".repeat(100))).collect();
    let server =
        Server::start(once(&format!("HTTP/1.1 200 OK{cookies}\ncontent-length: 2"), b"{}")).await;
    let pipeline = server.pipeline();
    for _ in 0..3 {
        assert_eq!(get(&pipeline).await.unwrap(), "{}");
    }
    let requests = server.requests.lock().unwrap();
    assert!(
        requests.iter().all(|request| !request.to_lowercase().contains("cookie")),
        "{requests:?}"
    );
}
