//! HTTP servers for the measurements. Each server has its own thread, so that the allocations of
//! the server are not counted.

use std::{
    convert::Infallible,
    error::Error,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    time::Instant,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

use crate::{count, relay::Relay};

/// A function that returns the response body for a path with a query.
pub(crate) type Answers = Arc<dyn Fn(&str) -> Bytes + Send + Sync>;

/// The source of the responses.
#[derive(Clone)]
enum Source {
    Made(Answers),
    Relayed(Arc<Relay>),
}

/// A server that runs until the program ends.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) url: String,
    /// The server's certificate as PEM, if the server uses HTTP/2 over TLS.
    pub(crate) certificate: Option<String>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    requests: AtomicUsize,
    /// Number of sent body bytes, after compression.
    bytes: AtomicUsize,
    connections: AtomicUsize,
}

/// The settings and counters that all connections of a server share.
#[derive(Clone)]
struct Site {
    latency: Duration,
    source: Source,
    counts: Arc<Counts>,
    tls: Option<TlsAcceptor>,
}

impl Server {
    /// Starts an HTTP/1.1 server that delays each response by `latency`.
    pub(crate) fn start(latency: Duration, answers: Answers) -> Result<Self, Box<dyn Error>> {
        Self::start_http1(latency, Source::Made(answers))
    }

    /// Starts an HTTP/1.1 server that returns responses of a spot-mock. If the client accepts gzip,
    /// the server compresses the responses.
    pub(crate) fn start_relay(
        latency: Duration,
        relay: Arc<Relay>,
    ) -> Result<Self, Box<dyn Error>> {
        Self::start_http1(latency, Source::Relayed(relay))
    }

    fn start_http1(latency: Duration, source: Source) -> Result<Self, Box<dyn Error>> {
        let site = Site { latency, source, counts: Arc::default(), tls: None };
        let counts = site.counts.clone();
        let url = format!("http://{}", listen(site)?);
        Ok(Self { url, certificate: None, counts })
    }

    /// Starts an HTTP/2 server with TLS that delays each response by `latency`.
    pub(crate) fn start_http2(latency: Duration, answers: Answers) -> Result<Self, Box<dyn Error>> {
        let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signed.signing_key.serialize_der()));
        let mut config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![signed.cert.der().clone()], key)?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        let tls = Some(TlsAcceptor::from(Arc::new(config)));
        let source = Source::Made(answers);
        let site = Site { latency, source, counts: Arc::default(), tls };
        let counts = site.counts.clone();
        let url = format!("https://localhost:{}", listen(site)?.port());
        Ok(Self { url, certificate: Some(signed.cert.pem()), counts })
    }

    /// Returns the number of requests since the last call of [`take_seen`](Self::take_seen).
    pub(crate) fn seen(&self) -> usize {
        self.counts.requests.load(Ordering::Relaxed)
    }

    /// Returns the number of requests since the last call of this method.
    pub(crate) fn take_seen(&self) -> usize {
        self.counts.requests.swap(0, Ordering::Relaxed)
    }

    /// Returns the number of body bytes, after compression, since the last call of this method.
    pub(crate) fn take_bytes(&self) -> usize {
        self.counts.bytes.swap(0, Ordering::Relaxed)
    }

    /// Returns the number of new connections since the last call of this method.
    pub(crate) fn take_connections(&self) -> usize {
        self.counts.connections.swap(0, Ordering::Relaxed)
    }
}

fn listen(site: Site) -> Result<SocketAddr, Box<dyn Error>> {
    let (tell, told) = std::sync::mpsc::channel::<SocketAddr>();
    std::thread::spawn(move || {
        count::leave_this_thread_out();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let Ok(runtime) = runtime else { return };
        runtime.block_on(async move {
            let Ok(listener) = TcpListener::bind("127.0.0.1:0").await else { return };
            let Ok(address) = listener.local_addr() else { return };
            if tell.send(address).is_err() {
                return;
            }
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(site.clone(), stream));
            }
        });
    });
    Ok(told.recv()?)
}

/// Serves one connection until the client closes it.
async fn serve(site: Site, stream: TcpStream) {
    site.counts.connections.fetch_add(1, Ordering::Relaxed);
    let _ = stream.set_nodelay(true);
    let tls = site.tls.clone();
    let service = service_fn(move |request| answer(site.clone(), request));
    match tls {
        Some(tls) => {
            let Ok(stream) = tls.accept(stream).await else { return };
            let http = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service);
            let _ = http.await;
        }
        None => {
            let http = hyper::server::conn::http1::Builder::new();
            let _ = http.serve_connection(TokioIo::new(stream), service).await;
        }
    }
}

async fn answer(
    site: Site,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    site.counts.requests.fetch_add(1, Ordering::Relaxed);
    let due = Instant::now() + site.latency;
    let path = request.uri().to_string();
    let accepted = request.headers().get("accept-encoding");
    let gzip = accepted.is_some_and(|value| value.to_str().is_ok_and(|text| text.contains("gzip")));
    let host = request.headers().get("host").and_then(|host| host.to_str().ok()).map(str::to_owned);
    let _ = request.into_body().collect().await;
    let mut response = Response::builder().header("content-type", "application/json");
    let body = match &site.source {
        Source::Made(answers) => answers(&path),
        Source::Relayed(relay) => {
            let answer = relay.answer(&path, &host.unwrap_or_default()).await;
            response = response.status(answer.status);
            if gzip {
                response = response.header("content-encoding", "gzip");
                answer.compressed
            } else {
                answer.plain
            }
        }
    };
    // The latency includes the time to create the response.
    if !site.latency.is_zero() {
        tokio::time::sleep_until(due).await;
    }
    site.counts.bytes.fetch_add(body.len(), Ordering::Relaxed);
    Ok(response.body(Full::new(body)).unwrap_or_default())
}
