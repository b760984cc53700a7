//! Tests connection failures: which error the client returns, and how many requests the server
//! receives.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use spot_http::{AccessToken, ErrorKind, Pipeline, Request, ReqwestTransport};
use spot_model::Operation;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// Behaviour of a server after it has read a request.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// Closes the connection without a response.
    Reset,
    /// Sends the head of a response, but no body.
    Stall,
    /// Sends a part of the body, then closes the connection.
    HalfABody,
    /// Sends a body that is larger than the client accepts.
    Flood,
    /// Sends an error response whose body is larger than the client accepts.
    LongRefusal,
    /// Sends the HTML error page of a gateway.
    BadGateway,
    /// Answers the first request. Closes the connection when the second request arrives.
    CloseKeptAlive,
}

struct Server {
    url: String,
    seen: Arc<AtomicUsize>,
}

async fn serve(fault: Fault) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(AtomicUsize::new(0));
    let count = seen.clone();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            tokio::spawn(answer(connection, fault, count.clone()));
        }
    });
    Server { url, seen }
}

async fn answer(mut connection: TcpStream, fault: Fault, seen: Arc<AtomicUsize>) {
    let mut request = [0; 4096];
    if connection.read(&mut request).await.unwrap_or(0) == 0 {
        return;
    }
    seen.fetch_add(1, Ordering::SeqCst);
    let answer: String = match fault {
        Fault::Reset => return,
        Fault::Stall => "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n".to_owned(),
        Fault::HalfABody => "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"half\":".to_owned(),
        Fault::Flood => {
            format!("HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n{}", "x".repeat(5000))
        }
        Fault::LongRefusal => {
            format!("HTTP/1.1 404 Not Found\r\ncontent-length: 5000\r\n\r\n{}", "x".repeat(5000))
        }
        Fault::BadGateway => {
            let page = "<html><head><title>502 Bad Gateway</title></head></html>";
            format!("HTTP/1.1 502 Bad Gateway\r\ncontent-length: {}\r\n\r\n{page}", page.len())
        }
        Fault::CloseKeptAlive => "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".to_owned(),
    };
    let _ = connection.write_all(answer.as_bytes()).await;
    if matches!(fault, Fault::CloseKeptAlive) && connection.read(&mut request).await.is_ok() {
        seen.fetch_add(1, Ordering::SeqCst);
    }
    if matches!(fault, Fault::Stall) {
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
}

fn pipeline(url: &str) -> Pipeline {
    let transport = ReqwestTransport::builder().no_proxy().max_body(1000).build().unwrap();
    Pipeline::builder(AccessToken::new("token").unwrap())
        .transport(transport)
        .base_url(url)
        .backoff(Duration::ZERO, Duration::ZERO)
        .attempt_timeout(Duration::from_millis(300))
        .build()
        .unwrap()
}

#[tokio::test]
async fn server_faults_map_to_error_kinds_and_never_repeat_commands() {
    let cases = [
        (Fault::Reset, ErrorKind::Transport, 3, ErrorKind::OutcomeUnknown),
        (Fault::Stall, ErrorKind::Timeout, 3, ErrorKind::OutcomeUnknown),
        (Fault::HalfABody, ErrorKind::Transport, 3, ErrorKind::OutcomeUnknown),
        (Fault::Flood, ErrorKind::Transport, 1, ErrorKind::OutcomeUnknown),
        (Fault::LongRefusal, ErrorKind::NotFound, 1, ErrorKind::NotFound),
        (Fault::BadGateway, ErrorKind::Server, 3, ErrorKind::OutcomeUnknown),
    ];
    for (fault, read, times, command) in cases {
        let server = serve(fault).await;
        let get = Request::new(Operation::GET_MY_PROFILE);
        let error = pipeline(&server.url).call(get).await.unwrap_err();
        assert_eq!(error.kind(), read, "{fault:?}: {error:?}");
        assert_eq!(server.seen.load(Ordering::SeqCst), times, "{fault:?}");
        let server = serve(fault).await;
        let post = Request::new(Operation::SKIP_TO_NEXT);
        let error = pipeline(&server.url).call(post).await.unwrap_err();
        assert_eq!(error.kind(), command, "{fault:?}: {error:?}");
        assert_eq!(server.seen.load(Ordering::SeqCst), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_refused_connection_is_a_transport_error() {
    // The listener is dropped at once, so no server listens at this address.
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let post = Request::new(Operation::SKIP_TO_NEXT);
    let error = pipeline(&format!("http://{address}")).call(post).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Transport, 3));
    assert!(error.to_string().contains("no connection to the server"), "{error}");
}

#[tokio::test]
async fn a_command_ends_as_outcome_unknown_if_the_connection_closes() {
    let server = serve(Fault::CloseKeptAlive).await;
    let pipeline = pipeline(&server.url);
    pipeline.call(Request::new(Operation::SKIP_TO_NEXT)).await.unwrap();
    // The server read the command and closed the connection, so the command may have been executed.
    let error = pipeline.call(Request::new(Operation::SKIP_TO_NEXT)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutcomeUnknown, "{error:?}");
    assert_eq!(server.seen.load(Ordering::SeqCst), 2);
    // A request that may be repeated is retried on a new connection.
    pipeline.call(Request::new(Operation::GET_MY_PROFILE)).await.unwrap();
    let answer = pipeline.call(Request::new(Operation::GET_MY_PROFILE)).await.unwrap();
    assert_eq!(answer.attempts(), 2);
}

#[tokio::test]
async fn an_idle_connection_closed_by_the_server_causes_no_retry() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = connection.read(&mut request).await;
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
            let _ = connection.write_all(answer).await;
        }
    });
    let pipeline = pipeline(&url);
    for _ in 0..3 {
        let answer = pipeline.call(Request::new(Operation::SKIP_TO_NEXT)).await.unwrap();
        assert_eq!(answer.attempts(), 1);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
