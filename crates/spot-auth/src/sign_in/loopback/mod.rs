//! The listener that the browser comes back to.

mod request;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc},
    task::JoinSet,
    time::timeout,
};

use self::request::{Answer, Guard, Head};
use crate::{
    accounts::{Loopback, RedirectUri},
    sign_in::callback::{CallbackOutcome, InvalidCallback},
};

/// A listener on this machine, for one sign-in.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

/// Says what the query of a request means for the sign-in.
pub(crate) type Validate = dyn Fn(&str) -> Result<CallbackOutcome, InvalidCallback> + Send + Sync;

/// How many connections are served at once.
const MAX_CONNECTIONS: usize = 32;

/// How long a connection may take to say what it wants.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);

/// How much of a request is read, in bytes.
const MAX_HEAD: usize = 16 * 1024;

impl Listener {
    /// Listens on the address and port of a redirect URI; on any free port if it names none.
    pub(crate) async fn bind(loopback: Loopback) -> io::Result<Self> {
        let wanted = SocketAddr::new(loopback.address, loopback.port.unwrap_or(0));
        let socket = TcpListener::bind(wanted).await?;
        let address = socket.local_addr()?;
        Ok(Self { socket, address })
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Serves until a request carries the outcome of the sign-in. All others are answered and
    /// ignored: anybody on this machine can send some. The listener is closed afterwards.
    pub(crate) async fn wait(
        self,
        redirect: &RedirectUri,
        validate_callback: Arc<Validate>,
    ) -> io::Result<CallbackOutcome> {
        let guard = Arc::new(Guard::new(self.address, redirect.path()));
        let (sender, mut outcomes) = mpsc::channel(1);
        let mut serving = JoinSet::new();
        serving.spawn(accept(self.socket, guard, validate_callback, sender));
        let outcome = outcomes.recv().await;
        // The port is free and nobody is connected any more when this is over.
        serving.shutdown().await;
        outcome.ok_or_else(|| io::Error::other("the listener has stopped"))
    }
}

/// Serves connections side by side: browsers open some that they never use.
async fn accept(
    socket: TcpListener,
    guard: Arc<Guard>,
    validate_callback: Arc<Validate>,
    outcomes: mpsc::Sender<CallbackOutcome>,
) {
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        let place = Arc::clone(&room).acquire_owned().await;
        let stream = match socket.accept().await {
            Ok((stream, _)) => stream,
            // Out of file descriptors, or the peer has left already: both pass.
            Err(_) => {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        while connections.try_join_next().is_some() {}
        let (guard, validate_callback, outcomes) =
            (Arc::clone(&guard), Arc::clone(&validate_callback), outcomes.clone());
        connections.spawn(async move {
            let _place = place;
            let served =
                timeout(CONNECTION_TIMEOUT, serve(stream, &guard, &*validate_callback)).await;
            if let Ok(Some(outcome)) = served {
                // Only the first outcome counts.
                let _ = outcomes.try_send(outcome);
            }
        });
    }
}

/// Answers one request, and gives its outcome only after the answer is on its way: the program may
/// end right after it.
async fn serve(
    mut stream: TcpStream,
    guard: &Guard,
    validate_callback: &Validate,
) -> Option<CallbackOutcome> {
    let head = read_head(&mut stream).await?;
    let (answer, outcome) = match Head::parse(&head).and_then(|head| guard.query(head)) {
        Ok(query) => match validate_callback(&query) {
            Ok(outcome @ CallbackOutcome::Code(_)) => (Answer::Done, Some(outcome)),
            Ok(outcome @ CallbackOutcome::Declined { .. }) => (Answer::Declined, Some(outcome)),
            Err(_) => (Answer::InvalidCallback, None),
        },
        Err(answer) => (answer, None),
    };
    let sent = stream.write_all(answer.to_http().as_bytes()).await;
    if sent.is_ok() {
        // The outcome counts also when the browser has hung up before it saw the page.
        let _ = stream.shutdown().await;
    }
    outcome
}

/// Reads to the end of the headers. `None` if they do not end, or are too long.
async fn read_head(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut head = Vec::with_capacity(1024);
    loop {
        let read = stream.read_buf(&mut head).await.ok()?;
        if request::is_whole(&head) {
            return Some(head);
        }
        if read == 0 || head.len() >= MAX_HEAD {
            return None;
        }
    }
}
