//! Servers that cost little, in threads of their own, so that the client is what is measured.

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
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// What a server answers to a path with a query.
pub type Answers = Arc<dyn Fn(&str) -> Bytes + Send + Sync>;

/// A server that runs for as long as the program.
#[derive(Clone)]
pub struct Server {
    pub url: String,
    seen: Arc<AtomicUsize>,
}

impl Server {
    /// Starts a server that thinks for a while before each answer.
    pub fn start(latency: Duration, answers: Answers) -> Result<Self, Box<dyn Error>> {
        let seen = Arc::new(AtomicUsize::new(0));
        let (tell, told) = std::sync::mpsc::channel::<SocketAddr>();
        let count = seen.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let Ok(runtime) = runtime else { return };
            runtime.block_on(async move {
                let Ok(listener) = TcpListener::bind("127.0.0.1:0").await else { return };
                let Ok(address) = listener.local_addr() else { return };
                if tell.send(address).is_err() {
                    return;
                }
                while let Ok((stream, _)) = listener.accept().await {
                    let _ = stream.set_nodelay(true);
                    let (answers, count) = (answers.clone(), count.clone());
                    tokio::spawn(async move {
                        let service = service_fn(move |request: Request<Incoming>| {
                            let (answers, count) = (answers.clone(), count.clone());
                            async move {
                                count.fetch_add(1, Ordering::Relaxed);
                                let path = request.uri().to_string();
                                let _ = request.into_body().collect().await;
                                if !latency.is_zero() {
                                    tokio::time::sleep(latency).await;
                                }
                                let response = Response::builder()
                                    .header("content-type", "application/json")
                                    .body(Full::new(answers(&path)));
                                Ok::<_, Infallible>(response.unwrap_or_default())
                            }
                        });
                        let http = hyper::server::conn::http1::Builder::new();
                        let _ = http.serve_connection(TokioIo::new(stream), service).await;
                    });
                }
            });
        });
        Ok(Self { url: format!("http://{}", told.recv()?), seen })
    }

    /// How many requests came since this was asked last.
    pub fn take_seen(&self) -> usize {
        self.seen.swap(0, Ordering::Relaxed)
    }
}
