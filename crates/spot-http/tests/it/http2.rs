//! Tests HTTP/2 servers over TLS that refuse or reset a stream, stop responding, or close the
//! connection.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use bytes::Bytes;
use h2::{Reason, server::SendResponse};
use spot_http::{
    AccessToken, ErrorKind, Pipeline, Request, ReqwestTransport, Transport as _, TransportErrorKind,
};
use spot_model::Operation;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

/// Reaction of a server to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Answer,
    /// Resets the stream with REFUSED_STREAM: the server has not processed the request.
    RefuseStream,
    /// Resets the stream with INTERNAL_ERROR: the server may have processed the request.
    ResetStream,
    /// Sends the start of a response, then resets the stream with REFUSED_STREAM.
    RefuseBody,
    /// Accepts the request, then neither responds nor reads from the connection.
    FallSilent,
    /// Refuses the request and shuts down the connection.
    GoAway,
}

#[derive(Clone, Debug)]
struct Server {
    url: String,
    certificate: String,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    deeds: VecDeque<Deed>,
    connections: usize,
    /// Number of received requests.
    seen: usize,
    /// Number of requests that may have been executed.
    done: usize,
}

async fn serve(deeds: impl IntoIterator<Item = Deed>) -> Server {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signed.signing_key.serialize_der()));
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let state = State { deeds: deeds.into_iter().collect(), ..State::default() };
    let state = Arc::new(Mutex::new(state));
    let shared = state.clone();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            tokio::spawn(speak(acceptor.clone(), connection, shared.clone()));
        }
    });
    Server { url: format!("https://localhost:{port}"), certificate: signed.cert.pem(), state }
}

async fn speak(acceptor: TlsAcceptor, connection: TcpStream, state: Arc<Mutex<State>>) {
    let Ok(tls) = acceptor.accept(connection).await else { return };
    let Ok(mut connection) = h2::server::handshake(tls).await else { return };
    state.lock().unwrap().connections += 1;
    while let Some(Ok((_request, mut respond))) = connection.accept().await {
        let deed = {
            let mut state = state.lock().unwrap();
            let deed = state.deeds.pop_front().unwrap_or(Deed::Answer);
            state.seen += 1;
            state.done +=
                usize::from(matches!(deed, Deed::Answer | Deed::ResetStream | Deed::RefuseBody));
            deed
        };
        match deed {
            Deed::Answer => {
                tokio::spawn(answer(respond));
            }
            Deed::RefuseStream => respond.send_reset(Reason::REFUSED_STREAM),
            Deed::ResetStream => respond.send_reset(Reason::INTERNAL_ERROR),
            Deed::RefuseBody => {
                tokio::spawn(refuse_body(respond));
            }
            Deed::FallSilent => tokio::time::sleep(Duration::from_secs(60)).await,
            Deed::GoAway => {
                // The reset tells the client that the server has not processed this request.
                respond.send_reset(Reason::REFUSED_STREAM);
                connection.graceful_shutdown();
            }
        }
    }
}

async fn answer(mut respond: SendResponse<Bytes>) {
    tokio::time::sleep(Duration::from_millis(20)).await;
    let response = http::Response::builder().status(200).body(()).unwrap();
    if let Ok(mut body) = respond.send_response(response, false) {
        let _ = body.send_data(Bytes::from_static(b"{}"), true);
    }
}

async fn refuse_body(mut respond: SendResponse<Bytes>) {
    let response = http::Response::builder().status(200).body(()).unwrap();
    let Ok(mut body) = respond.send_response(response, false) else { return };
    let _ = body.send_data(Bytes::from_static(b"{"), false);
    // Gives the client time to read the head of the response.
    tokio::time::sleep(Duration::from_millis(100)).await;
    body.send_reset(Reason::REFUSED_STREAM);
}

fn pipeline(server: &Server) -> Pipeline {
    pipeline_with(server, "token")
}

fn transport(server: &Server) -> ReqwestTransport {
    let (interval, timeout) = (Duration::from_millis(100), Duration::from_millis(100));
    ReqwestTransport::builder()
        .no_proxy()
        .root_certificate(server.certificate.as_bytes())
        .http2_keep_alive(interval, timeout)
        .build()
        .unwrap()
}

fn pipeline_with(server: &Server, token: &str) -> Pipeline {
    let transport = transport(server);
    Pipeline::builder(AccessToken::new(token).unwrap())
        .transport(transport)
        .base_url(&server.url)
        .backoff(Duration::ZERO, Duration::ZERO)
        .build()
        .unwrap()
}

fn next() -> Request {
    Request::new(Operation::SKIP_TO_NEXT)
}

#[tokio::test]
async fn a_refused_stream_is_retried_and_the_command_runs_once() {
    for deeds in [vec![Deed::RefuseStream], vec![Deed::RefuseStream; 2], vec![Deed::GoAway]] {
        let server = serve(deeds.clone()).await;
        pipeline(&server).call_empty(next()).await.unwrap();
        let state = server.state.lock().unwrap();
        assert_eq!((state.seen, state.done), (deeds.len() + 1, 1), "{deeds:?}");
    }
}

#[tokio::test]
async fn a_command_is_not_retried_after_a_stream_reset() {
    let server = serve([Deed::ResetStream]).await;
    let error = pipeline(&server).call_empty(next()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutcomeUnknown, "{error:?}");
    assert_eq!(server.state.lock().unwrap().seen, 1);
    // The pipeline retries a `GET` request, because it is safe to send a `GET` request twice.
    let server = serve([Deed::ResetStream]).await;
    let get = Request::new(Operation::GET_MY_PROFILE);
    assert_eq!(pipeline(&server).call(get).await.unwrap().attempts(), 2);
}

#[tokio::test]
async fn the_transport_does_not_retry_refused_streams() {
    for deed in [Deed::RefuseStream, Deed::GoAway] {
        let server = serve([deed]).await;
        let request = http::Request::post(&server.url).body(Bytes::new()).unwrap();
        let error = transport(&server).send(request).await.unwrap_err();
        assert_eq!(error.kind(), TransportErrorKind::NotSent, "{deed:?}");
        assert_eq!(server.state.lock().unwrap().seen, 1, "{deed:?}");
    }
}

#[tokio::test]
async fn a_reset_during_the_response_body_makes_the_outcome_unknown() {
    let server = serve([Deed::RefuseBody]).await;
    let error = pipeline(&server).call_empty(next()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutcomeUnknown, "{error:?}");
    let state = server.state.lock().unwrap();
    assert_eq!((state.seen, state.done), (1, 1));
}

#[tokio::test]
async fn a_silent_connection_is_replaced_after_a_failed_command() {
    let server = serve([Deed::Answer, Deed::FallSilent]).await;
    let pipeline = pipeline(&server);
    pipeline.call(next()).await.unwrap();
    let start = Instant::now();
    let error = pipeline.call_empty(next()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutcomeUnknown, "{error:?}");
    // The failure is detected long before the attempt timeout of 15 s. The next call uses a new
    // connection.
    pipeline.call(next()).await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    assert_eq!(server.state.lock().unwrap().connections, 2);
}

#[tokio::test]
async fn parallel_calls_share_a_single_http2_connection() {
    let server = serve([]).await;
    let pipeline = pipeline(&server);
    pipeline.call(next()).await.unwrap();
    let calls = (0..20).map(|_| pipeline.call(next()));
    futures::future::join_all(calls).await.into_iter().for_each(|answer| _ = answer.unwrap());
    let state = server.state.lock().unwrap();
    assert_eq!((state.connections, state.seen), (1, 21));
}

#[tokio::test]
async fn an_untrusted_certificate_is_a_transport_error() {
    let server = serve([]).await;
    let transport = ReqwestTransport::builder().no_proxy().build().unwrap();
    let pipeline = Pipeline::builder(AccessToken::new("token").unwrap())
        .transport(transport)
        .base_url(&server.url)
        .attempts(1)
        .build()
        .unwrap();
    let error = pipeline.call(next()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert!(error.to_string().contains("certificate"), "{error}");
    assert_eq!(server.state.lock().unwrap().seen, 0);
}

#[tokio::test]
async fn http2_traces_contain_no_access_token() {
    const ALONE: &str = "SPOT_HTTP_TEST_ALONE";
    if std::env::var_os(ALONE).is_none() {
        // This test runs in its own process. `tracing` decides at the first use of a span whether
        // the span is recorded. In a shared process, another test without a subscriber may use the
        // span first.
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "http2::http2_traces_contain_no_access_token"])
            .env(ALONE, "1")
            .status();
        assert!(status.unwrap().success());
        return;
    }
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    // The subscriber applies to this thread, on which the server also runs.
    let _told = tracing::subscriber::set_default(subscriber);
    let server = serve([Deed::RefuseStream]).await;
    let pipeline = pipeline_with(&server, "CANARY");
    pipeline.call(next()).await.unwrap();
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for told in ["h2::", "spotify.attempt"] {
        assert!(log.contains(told), "{told} tells nothing");
    }
    assert!(!log.contains("CANARY"), "{:?}", log.lines().find(|line| line.contains("CANARY")));
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A connection makes progress only while the runtime that opened it is driven.
#[test]
fn each_runtime_uses_a_separate_connection() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (serving, first, second) = (runtime(), runtime(), runtime());
    let server = serving.block_on(serve([]));
    std::thread::spawn(move || serving.block_on(std::future::pending::<()>()));
    let pipeline = pipeline(&server);
    first.block_on(pipeline.call(next())).unwrap();
    // From here on, nothing drives the first runtime and its connection.
    let start = std::time::Instant::now();
    let called = second.block_on(pipeline.call(next()));
    let took = start.elapsed();
    assert!(called.is_ok() && took < Duration::from_secs(5), "{took:?}: {called:?}");
    first.block_on(pipeline.call(next())).unwrap();
    let state = server.state.lock().unwrap();
    assert_eq!((state.connections, state.done), (2, 3));
}
