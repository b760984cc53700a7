//! Sends malformed requests to the local listener.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use spot_auth::{Scopes, TokenSource};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use url::Url;

use crate::scripted_accounts::{Reply, Script};

/// Damages a request: replaces, duplicates, inserts or removes bytes. Returns the request in two
/// parts.
fn damaged(random: &mut fastrand::Rng, request: &str) -> Vec<Vec<u8>> {
    let mut bytes = request.as_bytes().to_vec();
    for _ in 0..random.usize(1..4) {
        if bytes.is_empty() {
            break;
        }
        let at = random.usize(..bytes.len());
        match random.u8(..5) {
            0 => bytes[at] = random.u8(..),
            1 => bytes.truncate(at),
            2 => {
                bytes.remove(at);
            }
            3 => {
                let piece = bytes[at..].to_vec();
                bytes.extend(piece);
            }
            _ => bytes.insert(at, *random.choice(b"\r\n\0 &=?%\xff").unwrap()),
        }
    }
    let cut = random.usize(..=bytes.len());
    let rest = bytes.split_off(cut);
    vec![bytes, rest]
}

#[tokio::test]
async fn malformed_requests_do_not_end_the_sign_in() {
    let service = Script::of([Reply::token("the-access", "r")]).takes(Duration::ZERO);
    let app = service.app().build().unwrap();
    let url = Arc::new(Mutex::new(None::<Url>));
    let told = Arc::clone(&url);
    let sign_in = app.sign_in(Scopes::new()).show(|_| {}).browser(move |url| {
        *told.lock().unwrap() = Some(Url::parse(url).unwrap());
    });
    let signed_in = tokio::spawn(sign_in.into_future());
    let url = loop {
        if let Some(url) = url.lock().unwrap().clone() {
            break url;
        }
        tokio::task::yield_now().await;
    };
    let get = |name: &str| url.query_pairs().find(|(n, _)| n == name).unwrap().1.into_owned();
    let redirect = Url::parse(&get("redirect_uri")).unwrap();
    let address = format!("127.0.0.1:{}", redirect.port().unwrap());
    let state = get("state");
    let mut random = fastrand::Rng::with_seed(7);
    for round in 0..400 {
        // The state lacks its first character. Otherwise, a slightly damaged request could finish
        // the sign-in.
        let request = format!(
            "GET /callback?code=c&state={} HTTP/1.1\r\nHost: {address}\r\n\r\n",
            &state[1..]
        );
        let mut stream = TcpStream::connect(&address).await.unwrap();
        for part in damaged(&mut random, &request) {
            if stream.write_all(&part).await.is_err() {
                break;
            }
        }
        // Half of the clients close the connection without reading the response.
        if random.bool() {
            let _ = stream.shutdown().await;
            let mut answer = Vec::new();
            let _ =
                timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await.unwrap();
            assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"), "round {round}");
        }
        assert!(!signed_in.is_finished(), "round {round}");
    }
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let endless = vec![b'a'; 64 * 1024];
    let _ = stream.write_all(&endless).await;
    drop(stream);

    let mut browser = TcpStream::connect(&address).await.unwrap();
    let request = format!("GET /callback?code=c&state={state} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    browser.write_all(request.as_bytes()).await.unwrap();
    let session = signed_in.await.unwrap().unwrap();
    assert_eq!(session.token().await.unwrap().header(), "Bearer the-access");
    assert_eq!(service.count(), 1);
}
