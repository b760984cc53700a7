//! Fuzz target for paged lists from a hostile server.

use std::{cell::RefCell, sync::Mutex};

use bytes::Bytes;
use spot_api::{Client, Paged};
use spot_http::{AccessToken, Pipeline, RateLimit, Request, Transport, TransportError};
use spot_model::{CursorPage, Operation, Page, SavedTrack};
use tokio::runtime::{Builder, Runtime};

use crate::check_line;

/// A server that responds to each request with the next body.
#[derive(Debug, Default)]
struct Server(Mutex<Script>);

#[derive(Debug, Default)]
struct Script {
    bodies: Vec<Bytes>,
    /// Whether the server repeats the bodies after the last body. If not, the server sends empty
    /// pages after the last body.
    circles: bool,
    requests: usize,
}

#[async_trait::async_trait]
impl Transport for Server {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        assert!(request.uri().path().starts_with("/v1/"), "{}", request.uri());
        let mut script = self.0.lock().expect("a thread panicked while it held this lock");
        let at = script.requests;
        script.requests += 1;
        let last = Bytes::from_static(b"{\"items\":[]}");
        let body = match script.bodies.len() {
            0 => last,
            length if script.circles => script.bodies.get(at % length).cloned().unwrap_or(last),
            _ => script.bodies.get(at).cloned().unwrap_or(last),
        };
        Ok(http::Response::new(body))
    }
}

struct Setup {
    runtime: Runtime,
    server: std::sync::Arc<Server>,
    client: Client,
}

impl Setup {
    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
        let server = std::sync::Arc::new(Server::default());
        let token = AccessToken::new("token").expect("a token");
        let pipeline = Pipeline::builder(token)
            .transport(std::sync::Arc::clone(&server))
            .rate_limit(RateLimit::unpaced())
            .attempts(1)
            .build();
        let client = pipeline.expect("a pipeline").into();
        Self { runtime: runtime.expect("a runtime"), server, client }
    }
}

/// The first byte of the input chooses how the list is read. The other bytes are the bodies, which
/// are separated by zero bytes.
///
/// The client must stop reading after a limited number of requests. The limit depends on the number
/// of bodies.
pub(crate) fn streams(data: &[u8]) {
    thread_local! {
        static SETUP: RefCell<Setup> = RefCell::new(Setup::new());
    }
    let Some((how, bodies)) = data.split_first() else { return };
    let bodies: Vec<_> = bodies.split(|byte| *byte == 0).map(Bytes::copy_from_slice).collect();
    let most = 4 * bodies.len() + 16;
    SETUP.with_borrow(|Setup { runtime, server, client }| {
        // For a list with offsets, the server sends each body only once, because repeated bodies
        // could make the list endless.
        let circles = how % 3 == 1 || how % 3 == 2 && how / 3 % 2 == 1;
        *server.0.lock().expect("a thread panicked while it held this lock") =
            Script { bodies, circles, requests: 0 };
        let prefetch = usize::from(how / 6 % 4);
        runtime.block_on(async {
            match how % 3 {
                0 => {
                    stream::<Page<SavedTrack>>(client, Operation::GET_SAVED_TRACKS, prefetch).await
                }
                1 => {
                    let operation = Operation::GET_FOLLOWED_ARTISTS;
                    stream::<CursorPage<SavedTrack>>(client, operation, prefetch).await;
                }
                _ if circles => follow::<CursorPage<SavedTrack>>(client).await,
                _ => follow::<Page<SavedTrack>>(client).await,
            }
        });
        let requests = server.0.lock().expect("a thread panicked while it held this lock").requests;
        assert!(requests <= most, "{requests} requests, at most {most} expected");
    });
}

async fn stream<P: Paged>(client: &Client, operation: &'static Operation, prefetch: usize) {
    let mut entries = client.stream::<P>(Request::new(operation)).prefetch(prefetch);
    loop {
        match entries.try_next().await {
            Ok(Some(_)) => {}
            Ok(None) => return,
            Err(error) => return check_line(&error.to_string()),
        }
    }
}

/// Follows the links of pages, forwards and then backwards.
async fn follow<P: Paged>(client: &Client) {
    let first = client.request_json::<P>(Request::new(Operation::GET_SAVED_TRACKS)).await;
    let mut page = match first {
        Ok(page) => page.into_body(),
        Err(error) => return check_line(&error.to_string()),
    };
    loop {
        match client.next_page(&page).await {
            Ok(Some(next)) => page = next,
            Ok(None) => break,
            Err(error) => {
                check_line(&error.to_string());
                break;
            }
        }
    }
    loop {
        match client.previous_page(&page).await {
            Ok(Some(previous)) => page = previous,
            Ok(None) => return,
            Err(error) => return check_line(&error.to_string()),
        }
    }
}
