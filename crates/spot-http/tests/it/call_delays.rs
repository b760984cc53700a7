//! Tests that a failed, cancelled or refused call does not delay the next call. The tests use real
//! sockets.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use spot_http::{
    AccessToken, CallOptions, ErrorKind, Pipeline, RateLimit, Request, ReqwestTransport,
};
use spot_model::Operation;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

/// Maximum delay of the call after a failure.
const SOON: Duration = Duration::from_millis(100);

/// Returns the response for the first line of a request. `None` closes the connection.
type Respond = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

async fn serve(latency: Duration, respond: Respond) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            tokio::spawn(exchange(connection, latency, respond.clone()));
        }
    });
    url
}

async fn exchange(mut connection: TcpStream, latency: Duration, respond: Respond) {
    let mut request = [0; 4096];
    while let Ok(1..) = connection.read(&mut request).await {
        let text = String::from_utf8_lossy(&request);
        let line = text.lines().next().unwrap_or_default().to_owned();
        sleep(latency).await;
        let Some(response) = respond(&line) else { return };
        if connection.write_all(response.as_bytes()).await.is_err() {
            return;
        }
        request = [0; 4096];
    }
}

fn ok() -> String {
    "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".to_owned()
}

fn refused(retry_after: u64, body: &str) -> String {
    let head = format!("HTTP/1.1 429 Too Many Requests\r\nretry-after: {retry_after}");
    format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

fn pipeline(url: &str, limit: RateLimit) -> Pipeline {
    Pipeline::builder(AccessToken::new("token").unwrap())
        .transport(ReqwestTransport::builder().no_proxy().build().unwrap())
        .base_url(url)
        .rate_limit(limit)
        .build()
        .unwrap()
}

fn get() -> Request {
    Request::new(Operation::GET_MY_PROFILE)
}

#[tokio::test]
async fn failed_commands_do_not_delay_the_next_call() {
    let left = AtomicUsize::new(4);
    let fails = move |_: &str| {
        let failed =
            left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        failed.is_err().then(ok)
    };
    let url = serve(Duration::ZERO, Arc::new(fails)).await;
    let pipeline = pipeline(&url, RateLimit::learned());
    for _ in 0..4 {
        let error = pipeline.call(Request::new(Operation::SKIP_TO_NEXT)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OutcomeUnknown);
    }
    let start = Instant::now();
    pipeline.call(Request::new(Operation::SKIP_TO_NEXT)).await.unwrap();
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
}

#[tokio::test]
async fn cancelled_searches_do_not_delay_the_last_search() {
    const LATENCY: Duration = Duration::from_millis(200);
    let url = serve(LATENCY, Arc::new(|_: &str| Some(ok()))).await;
    let pipeline = pipeline(&url, RateLimit::learned());
    let search =
        |text: &str| Request::new(Operation::SEARCH).query("q", text).query("type", "track");
    // Each letter that the user types starts a search. When the user types the next letter, the
    // program cancels this search before the response arrives.
    for letters in 1..=16 {
        let call = pipeline.call(search(&"search as you type"[..letters]));
        timeout(Duration::from_millis(20), call).await.unwrap_err();
    }
    let start = Instant::now();
    let response = pipeline.call(search("search as you type")).await.unwrap();
    assert!(start.elapsed() < LATENCY + SOON, "{:?}", start.elapsed());
    assert!(response.waited() < SOON, "{:?}", response.waited());
}

#[tokio::test]
async fn clients_of_the_same_application_share_a_learned_limit() {
    const LIMIT: usize = 40;
    const WINDOW: Duration = Duration::from_secs(2);
    let counted = Mutex::new(VecDeque::<Instant>::new());
    let refusals = Arc::new(AtomicUsize::new(0));
    let respond = {
        let refusals = refusals.clone();
        move |_: &str| {
            let mut counted = counted.lock().unwrap();
            counted.retain(|at| at.elapsed() < WINDOW);
            if counted.len() < LIMIT {
                counted.push_back(Instant::now());
                return Some(ok());
            }
            refusals.fetch_add(1, Ordering::SeqCst);
            let left = WINDOW.saturating_sub(counted[0].elapsed());
            Some(refused(left.as_secs() + 1, "{}"))
        }
    };
    let url = serve(Duration::from_millis(5), Arc::new(respond)).await;
    let base = pipeline(&url, RateLimit::learned().window(WINDOW));
    let clients = (0..8).map(|user| {
        let client = base.with_tokens(AccessToken::new(&format!("user-{user}")).unwrap());
        async move {
            for _ in 0..15 {
                client.call(get()).await.unwrap();
            }
        }
    });
    futures::future::join_all(clients).await;
    // Eight clients without a shared limiter would get dozens of refusals.
    let refusals = refusals.load(Ordering::SeqCst);
    assert!((1..=10).contains(&refusals), "{refusals}");
    let learned = base.limits().limit().unwrap();
    assert!((30..=45).contains(&learned), "{learned}");
    sleep(WINDOW).await;
    let start = Instant::now();
    base.with_tokens(AccessToken::new("another").unwrap()).call(get()).await.unwrap();
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
}

#[tokio::test]
async fn an_exceeded_album_quota_does_not_block_player_commands() {
    let respond = |line: &str| {
        let body = r#"{"error":{"status":429,"message":"Quota","reason":"QUOTA_EXCEEDED"}}"#;
        Some(if line.contains("/albums") { refused(48_925, body) } else { ok() })
    };
    let url = serve(Duration::ZERO, Arc::new(respond)).await;
    let pipeline = pipeline(&url, RateLimit::learned());
    let albums = || Request::new(Operation::GET_ARTIST_ALBUMS).path("id", "spotmockArtist00000001");
    for _ in 0..2 {
        let error = pipeline.call(albums()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::QuotaExceeded);
    }
    let start = Instant::now();
    let pause = Request::new(Operation::PAUSE_PLAYBACK);
    pipeline.call_empty(pause.with_options(CallOptions::new().attempts(1))).await.unwrap();
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
}
