//! Tests sign-in through a browser and the local listener.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use spot_auth::{ErrorKind, MemoryStore, Scope, Scopes, SignIn, TokenSource};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use url::Url;

use crate::scripted_accounts::{Reply, Script};

/// Values that the browser gets from the authorization URL.
#[derive(Clone, Debug)]
struct Sent {
    redirect: Url,
    state: String,
}

impl Sent {
    fn read(authorize_url: &str) -> Self {
        let url = Url::parse(authorize_url).unwrap();
        let get =
            |name: &str| url.query_pairs().find(|(known, _)| known == name).unwrap().1.into_owned();
        Self { redirect: Url::parse(&get("redirect_uri")).unwrap(), state: get("state") }
    }

    fn address(&self) -> String {
        format!("{}:{}", self.redirect.host_str().unwrap(), self.redirect.port().unwrap())
    }

    async fn raw(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address()).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    async fn get(&self, target: &str) -> String {
        self.raw(&format!("GET {target} HTTP/1.1\r\nHost: {}\r\n\r\n", self.address())).await
    }

    /// Sends the callback of a user who consented.
    async fn consent(&self) -> String {
        self.get(&format!("{}?code=c&state={}", self.redirect.path(), self.state)).await
    }
}

/// Replaces the browser with a function that receives the redirect URI and the state of the
/// sign-in.
fn browse<F>(sign_in: SignIn, with: impl Fn(Sent) -> F + Send + Sync + 'static) -> SignIn
where
    F: Future<Output = ()> + Send + 'static,
{
    sign_in.show(|_| {}).browser(move |url| {
        tokio::spawn(with(Sent::read(url)));
    })
}

fn service() -> Script {
    Script::of([Reply::token("the-access", "the-refresh")]).takes(Duration::ZERO)
}

#[tokio::test]
async fn a_sign_in_without_a_fixed_port_listens_on_a_free_port() {
    let service = service();
    let app = service.app().build().unwrap();
    let pages = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&pages);
    let session = browse(app.sign_in(Scope::UserLibraryRead), move |sent| {
        let seen = Arc::clone(&seen);
        async move {
            assert_eq!(sent.redirect.host_str(), Some("127.0.0.1"));
            assert_eq!(sent.redirect.path(), "/callback");
            let page = sent.consent().await;
            seen.lock().unwrap().push(page);
        }
    })
    .await
    .unwrap();
    assert_eq!(session.token().await.unwrap().header(), "Bearer the-access");
    while pages.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    let page = pages.lock().unwrap()[0].clone();
    assert!(page.starts_with("HTTP/1.1 200 OK\r\n") && page.contains("Signed in"), "{page}");
    let exchanged = service.asked()[0].get("redirect_uri").unwrap().to_owned();
    assert!(exchanged.starts_with("http://127.0.0.1:"), "{exchanged}");
}

#[tokio::test]
async fn invalid_requests_get_an_error_and_do_not_end_the_sign_in() {
    let service = service();
    let app = service.app().redirect_uri("http://127.0.0.1/back").build().unwrap();
    let session = browse(app.sign_in(Scopes::new()), |sent| async move {
        // Browsers open connections that they do not use. An idle or slow connection must not block
        // other connections.
        let _idle = TcpStream::connect(sent.address()).await.unwrap();
        let mut slow = TcpStream::connect(sent.address()).await.unwrap();
        slow.write_all(b"GET /back?code=c&sta").await.unwrap();
        let host = sent.address();
        let state = &sent.state;
        for (request, status) in [
            (format!("GET /favicon.ico HTTP/1.1\r\nHost: {host}\r\n\r\n"), "404"),
            (format!("GET /back?code=c HTTP/1.1\r\nHost: {host}\r\n\r\n"), "400"),
            (format!("GET /back?code=c&state=guess HTTP/1.1\r\nHost: {host}\r\n\r\n"), "400"),
            (format!("GET /back?error=access_denied HTTP/1.1\r\nHost: {host}\r\n\r\n"), "400"),
            (
                format!("GET /back?code=c&state={state}&state=x HTTP/1.1\r\nHost: {host}\r\n\r\n"),
                "400",
            ),
            (
                format!("GET /back?code=c&state={state} HTTP/1.1\r\nHost: evil.example\r\n\r\n"),
                "421",
            ),
            (format!("POST /back?code=c&state={state} HTTP/1.1\r\nHost: {host}\r\n\r\n"), "405"),
            ("garbage\r\n\r\n".to_owned(), "400"),
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), "4"),
            (format!("GET /back HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(7_000)), "4"),
        ] {
            let answer = sent.raw(&request).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{request}: {answer}");
            assert!(!answer.contains("guess") && !answer.contains(state), "no echo: {answer}");
            assert!(answer.contains("Cache-Control: no-store"), "{answer}");
        }
        sent.consent().await;
    })
    .await
    .unwrap();
    assert!(session.token().await.is_ok());
    assert_eq!(service.count(), 1);
}

#[tokio::test]
async fn parallel_valid_callbacks_exchange_the_code_once() {
    let service = service();
    let app = service.app().build().unwrap();
    let session = browse(app.sign_in(Scopes::new()), |sent| async move {
        let request = format!(
            "GET {}?code=c&state={} HTTP/1.1\r\nHost: {}\r\n\r\n",
            sent.redirect.path(),
            sent.state,
            sent.address()
        );
        let mut streams = Vec::new();
        for _ in 0..10 {
            streams.push(TcpStream::connect(sent.address()).await.unwrap());
        }
        for stream in &mut streams {
            stream.write_all(request.as_bytes()).await.unwrap();
        }
        for mut stream in streams {
            // The listener may close before it has read the later requests, so read errors are
            // ignored.
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await;
        }
    })
    .await
    .unwrap();
    assert_eq!(session.token().await.unwrap().header(), "Bearer the-access");
    assert_eq!(service.count(), 1);
}

#[tokio::test]
async fn a_declined_consent_ends_the_browser_sign_in() {
    let app = service().app().build().unwrap();
    let error = browse(app.sign_in(Scopes::new()), |sent| async move {
        let page = sent.get(&format!("/callback?error=access_denied&state={}", sent.state)).await;
        assert!(page.contains("Not signed in"), "{page}");
    })
    .await
    .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Authentication);
    assert_eq!(error.reason(), Some("access_denied"));
}

#[tokio::test]
async fn the_listener_is_closed_after_the_sign_in() {
    let app = service().app().build().unwrap();
    let address = Arc::new(Mutex::new(String::new()));
    let told = Arc::clone(&address);
    browse(app.sign_in(Scopes::new()), move |sent| {
        *told.lock().unwrap() = sent.address();
        async move {
            sent.consent().await;
        }
    })
    .await
    .unwrap();
    let address = address.lock().unwrap().clone();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_browser_sign_in_fails_after_the_timeout() {
    let app = service().app().build().unwrap();
    let sign_in = app.sign_in(Scopes::new()).timeout(Duration::from_millis(30));
    let error = browse(sign_in, |_| async {}).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.message().contains("30ms"), "{error}");
}

#[tokio::test]
async fn sign_in_works_on_the_ipv6_loopback_address() {
    if tokio::net::TcpListener::bind("[::1]:0").await.is_err() {
        return;
    }
    let app = service().app().redirect_uri("http://[::1]/").build().unwrap();
    browse(app.sign_in(Scopes::new()), |sent| async move {
        sent.consent().await;
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_port_in_use_falls_back_to_the_prompt() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let app =
        service().app().redirect_uri(format!("http://127.0.0.1:{port}/callback")).build().unwrap();
    let shown = Arc::new(Mutex::new(Vec::<String>::new()));
    let (show, read) = (Arc::clone(&shown), Arc::clone(&shown));
    app.sign_in(Scopes::new())
        .show(move |message| show.lock().unwrap().push(message.to_owned()))
        .prompt(move || {
            let shown = read.lock().unwrap();
            let url = shown.iter().flat_map(|m| m.lines()).find(|l| l.starts_with("http"));
            let sent = Sent::read(url.unwrap());
            Ok(format!("{}?code=c&state={}\n", sent.redirect, sent.state))
        })
        .await
        .unwrap();
    assert!(shown.lock().unwrap()[0].contains("Cannot listen for the browser"));
}

#[tokio::test]
async fn the_prompt_is_repeated_after_an_invalid_address() {
    let app = service().app().redirect_uri("https://example.org/back").build().unwrap();
    let shown = Arc::new(Mutex::new(Vec::<String>::new()));
    let (show, read) = (Arc::clone(&shown), Arc::clone(&shown));
    let session = app
        .sign_in(Scopes::new())
        .show(move |message| show.lock().unwrap().push(message.to_owned()))
        .prompt(move || {
            let shown = read.lock().unwrap();
            let url = shown[0].lines().find(|line| line.starts_with("https")).unwrap();
            if shown.len() == 2 {
                return Ok(url.to_owned());
            }
            Ok(format!("https://example.org/back?code=c&state={}", Sent::read(url).state))
        })
        .await
        .unwrap();
    assert!(session.token().await.is_ok());
    let shown = shown.lock().unwrap();
    assert!(shown[2].contains("neither `code` nor `error`"), "{shown:?}");
}

#[tokio::test]
async fn a_stored_session_needs_no_second_sign_in() {
    let service = service();
    let app = service.app().build().unwrap();
    let store = MemoryStore::new();
    let ask = || app.sign_in(Scope::UserLibraryRead).store(store.clone());
    let error = ask().store_only().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Authentication);
    assert!(error.message().contains("user-library-read"), "{error}");
    browse(ask(), |sent| async move {
        sent.consent().await;
    })
    .await
    .unwrap();
    let session = ask().store_only().await.unwrap();
    assert_eq!(session.token().await.unwrap().header(), "Bearer the-access");
    assert_eq!(service.count(), 1);

    let other = app.sign_in(Scope::UserLibraryRead).store(store).account("somebody else");
    assert!(other.store_only().await.is_err());
}

#[tokio::test]
async fn idle_connections_do_not_delay_the_callback() {
    let app = service().app().build().unwrap();
    let took = Arc::new(Mutex::new(Duration::ZERO));
    let told = Arc::clone(&took);
    browse(app.sign_in(Scopes::new()), move |sent| {
        let told = Arc::clone(&told);
        async move {
            let mut idle = Vec::new();
            for _ in 0..260 {
                idle.push(TcpStream::connect(sent.address()).await.unwrap());
            }
            let start = std::time::Instant::now();
            sent.consent().await;
            *told.lock().unwrap() = start.elapsed();
            drop(idle);
        }
    })
    .await
    .unwrap();
    // The sign-in may end before the browser has read the page.
    while took.lock().unwrap().is_zero() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let took = *took.lock().unwrap();
    assert!(took < Duration::from_secs(2), "260 idle connections delay the callback {took:?}");
}

#[tokio::test]
async fn the_browser_page_shows_the_result_of_the_code_exchange() {
    for (reply, status, title) in [
        (Reply::token("the-access", "r"), "200", "Signed in"),
        (Reply::json(503, ""), "502", "Not signed in"),
        (Reply::invalid_grant(), "502", "Not signed in"),
        (Reply::ok("{}"), "502", "Not signed in"),
    ] {
        let service = Script::of([reply.clone()]).takes(Duration::from_millis(50));
        let app = service.app().build().unwrap();
        let page = Arc::new(Mutex::new(String::new()));
        let told = Arc::clone(&page);
        let signed_in = browse(app.sign_in(Scopes::new()), move |sent| {
            let told = Arc::clone(&told);
            async move {
                let answer = sent.consent().await;
                *told.lock().unwrap() = answer;
            }
        })
        .await;
        while page.lock().unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let page = page.lock().unwrap().clone();
        let right = page.contains(&format!("<h1>{title}</h1>"))
            && page.starts_with(&format!("HTTP/1.1 {status} "));
        assert!(right, "{reply:?}, ended with {:?}: {page}", signed_in.is_ok());
    }
}
