//! The listener that waits for the browser to return.

mod page;
mod request;

use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

#[cfg(feature = "fuzzing")]
use secrecy::SecretString;
use spot_http::Error;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::{AbortHandle, JoinSet},
    time::timeout,
};

#[cfg(feature = "fuzzing")]
use crate::sign_in::callback::{Expected, validate_callback};
use crate::{
    accounts::{Loopback, RedirectUri},
    sign_in::{
        callback::{CallbackOutcome, InvalidCallback},
        loopback::{
            page::Page,
            request::{RequestFilter, RequestHead},
        },
    },
    user_code::Work,
};

/// A listener on this machine for one sign-in.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

/// The connection of the browser that sent the callback. The browser waits for a page.
#[derive(Debug)]
pub(crate) struct Browser {
    stream: TcpStream,
    declined: bool,
}

/// Function that decides from the query of a request whether the request is the callback of the
/// sign-in.
pub(crate) type Validate = dyn Fn(&str) -> Result<CallbackOutcome, InvalidCallback> + Send + Sync;

/// Maximum number of open connections.
const MAX_CONNECTIONS: usize = 32;

/// Time limit for a connection to send its request.
const REQUEST_LIMIT: Duration = Duration::from_secs(10);

/// Time limit for sending a page.
const RESPONSE_LIMIT: Duration = Duration::from_secs(2);

/// Maximum size of the head of a request, in bytes.
const MAX_HEAD: usize = 16 * 1024;

impl Listener {
    /// Listens on the address and port of a redirect URI, or on any free port if the URI has no
    /// port.
    pub(crate) async fn bind(loopback: Loopback) -> io::Result<Self> {
        let wanted = SocketAddr::new(loopback.address, loopback.port.unwrap_or(0));
        let socket = TcpListener::bind(wanted).await?;
        let address = socket.local_addr()?;
        Ok(Self { socket, address })
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Waits for the callback of the sign-in, then closes the listener. Other requests receive an
    /// error page and do not end the wait, because any program on this machine can send requests to
    /// the listener.
    pub(crate) async fn wait(
        self,
        redirect: &RedirectUri,
        validate: Arc<Validate>,
    ) -> io::Result<(CallbackOutcome, Browser)> {
        let filter = Arc::new(RequestFilter::new(self.address, redirect.path()));
        let (sender, mut callbacks) = mpsc::channel(1);
        let mut serving = JoinSet::new();
        serving.spawn::<Work>(Box::pin(accept(self.socket, filter, validate, sender)));
        let callback = callbacks.recv().await;
        // Stopping `accept` frees the port, and closes all connections except the connection of the
        // callback.
        serving.shutdown().await;
        callback.ok_or_else(|| io::Error::other("the listener has stopped"))
    }
}

impl Browser {
    /// Shows the result of the sign-in. The user may have closed the browser.
    pub(crate) async fn answer(self, error: Option<&Error>) {
        let page = match error {
            None => Page::SignedIn,
            Some(_) if self.declined => Page::Declined,
            Some(_) => Page::Failed,
        };
        send(self.stream, page).await;
    }
}

/// A connection that is being served.
struct Connection {
    task: AbortHandle,
    /// Whether a part of a request has arrived.
    active: Arc<AtomicBool>,
}

/// Serves connections in parallel, because browsers open connections that they never use.
async fn accept(
    socket: TcpListener,
    filter: Arc<RequestFilter>,
    validate: Arc<Validate>,
    callbacks: mpsc::Sender<(CallbackOutcome, Browser)>,
) {
    let mut tasks = JoinSet::new();
    let mut connections = VecDeque::new();
    loop {
        let stream = match socket.accept().await {
            Ok((stream, _)) => stream,
            // File descriptors are exhausted, or the peer has disconnected. Both problems are
            // temporary.
            Err(_) => {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        while tasks.try_join_next().is_some() {}
        make_room(&mut connections);
        let (filter, validate, callbacks) =
            (Arc::clone(&filter), Arc::clone(&validate), callbacks.clone());
        let active = Arc::new(AtomicBool::new(false));
        let is_active = Arc::clone(&active);
        let task = tasks.spawn::<Work>(Box::pin(async move {
            serve(stream, &filter, &*validate, &is_active, callbacks).await;
        }));
        connections.push_back(Connection { task, active });
    }
}

/// If there are too many connections, closes the oldest idle connection. If no connection is idle,
/// closes the oldest connection.
fn make_room(connections: &mut VecDeque<Connection>) {
    connections.retain(|connection| !connection.task.is_finished());
    if connections.len() >= MAX_CONNECTIONS {
        let idle = connections.iter().position(|c| !c.active.load(Ordering::Relaxed));
        if let Some(connection) = connections.remove(idle.unwrap_or(0)) {
            connection.task.abort();
        }
    }
}

/// Responds to one request of the browser. The response to the callback request is sent later, when
/// the result of the sign-in is known.
async fn serve(
    mut stream: TcpStream,
    filter: &RequestFilter,
    validate: &Validate,
    active: &AtomicBool,
    callbacks: mpsc::Sender<(CallbackOutcome, Browser)>,
) {
    let head = timeout(REQUEST_LIMIT, read_head(&mut stream, active)).await;
    let Ok(Some(head)) = head else { return };
    let page = match RequestHead::parse(&head).and_then(|head| filter.query(head)) {
        Ok(query) => match validate(&query) {
            Ok(outcome) => {
                let declined = matches!(outcome, CallbackOutcome::Declined { .. });
                // Only the first callback is used.
                let _ = callbacks.try_send((outcome, Browser { stream, declined }));
                return;
            }
            Err(_) => Page::InvalidCallback,
        },
        Err(page) => page,
    };
    send(stream, page).await;
}

async fn send(mut stream: TcpStream, page: Page) {
    let response = page.to_http();
    // Errors are ignored, because the browser may have disconnected.
    let _ = timeout(RESPONSE_LIMIT, async {
        stream.write_all(response.as_bytes()).await?;
        stream.shutdown().await
    })
    .await;
}

/// Reads to the end of the headers. Returns `None` if the headers are incomplete or too long.
async fn read_head(stream: &mut TcpStream, active: &AtomicBool) -> Option<Vec<u8>> {
    let mut head = Vec::with_capacity(1024);
    loop {
        let read = stream.read_buf(&mut head).await.ok()?;
        active.store(true, Ordering::Relaxed);
        if request::is_whole(&head) {
            return Some(head);
        }
        if read == 0 || head.len() >= MAX_HEAD {
            return None;
        }
    }
}

/// Reads a request as the listener does, for fuzzing. Returns `None` if the request is not the
/// callback.
#[cfg(feature = "fuzzing")]
pub(crate) fn read_for_fuzzing(bytes: &[u8], state: &SecretString) -> Option<CallbackOutcome> {
    if !request::is_whole(bytes) {
        return None;
    }
    let filter = RequestFilter::new(([127, 0, 0, 1], 4711).into(), "/callback");
    let query = filter.query(RequestHead::parse(bytes).ok()?).ok()?;
    let expected = Expected { state, issuer: "https://accounts.spotify.com" };
    validate_callback(&query, &expected).ok()
}
