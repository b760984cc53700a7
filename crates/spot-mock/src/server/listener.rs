//! Connections that the mock can close or reset to simulate a network failure.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use axum::{extract::connect_info::Connected, serve::IncomingStream};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};

/// Accepts connections that the mock can close or reset to simulate a network failure.
#[derive(Debug)]
pub(crate) struct BreakableListener(pub(crate) TcpListener);

/// A connection that writes the permitted number of bytes and then breaks.
#[derive(Debug)]
pub(crate) struct BreakableStream {
    stream: TcpStream,
    handle: ConnectionHandle,
}

/// Closes or resets a connection to simulate a network failure.
#[derive(Clone, Debug)]
pub(crate) struct ConnectionHandle(Arc<Break>);

#[derive(Debug)]
struct Break {
    /// Number of bytes that may still be written; `usize::MAX` for no limit.
    left: AtomicUsize,
    reset: AtomicBool,
}

impl ConnectionHandle {
    /// Creates a handle that does not limit the bytes written.
    pub(super) fn whole() -> Self {
        let (left, reset) = (AtomicUsize::new(usize::MAX), AtomicBool::new(false));
        Self(Arc::new(Break { left, reset }))
    }

    /// Stops all writes and resets the connection.
    pub(crate) fn reset(&self) {
        self.0.reset.store(true, Ordering::SeqCst);
        self.0.left.store(0, Ordering::SeqCst);
    }

    /// Closes the connection after this number of bytes.
    pub(crate) fn cut_after(&self, bytes: usize) {
        self.0.left.store(bytes, Ordering::SeqCst);
    }
}

impl axum::serve::Listener for BreakableListener {
    type Io = BreakableStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (BreakableStream, SocketAddr) {
        loop {
            match self.0.accept().await {
                Ok((stream, peer)) => {
                    // Responses are small, and clients wait for each response. Nagle's algorithm
                    // would delay each response by 40 ms.
                    let _ = stream.set_nodelay(true);
                    return (BreakableStream { stream, handle: ConnectionHandle::whole() }, peer);
                }
                // After an error, the listener continues to accept connections.
                Err(error) => {
                    tracing::debug!(%error, "could not accept a connection");
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, BreakableListener>> for ConnectionHandle {
    fn connect_info(stream: IncomingStream<'_, BreakableListener>) -> Self {
        stream.io().handle.clone()
    }
}

impl BreakableStream {
    /// Returns the handle that can close or reset this connection.
    #[cfg(feature = "tls")]
    pub(super) fn handle(&self) -> ConnectionHandle {
        self.handle.clone()
    }
}

impl AsyncRead for BreakableStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for BreakableStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let left = self.handle.0.left.load(Ordering::SeqCst);
        if left == 0 {
            if self.handle.0.reset.load(Ordering::SeqCst) {
                // With a linger time of zero, closing the socket sends a reset.
                let _ = self.stream.set_zero_linger();
            }
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let allowed = bytes.get(..left).unwrap_or(bytes);
        let written = Pin::new(&mut self.stream).poll_write(cx, allowed);
        if let (Poll::Ready(Ok(count)), true) = (&written, left != usize::MAX) {
            self.handle.0.left.fetch_sub(*count, Ordering::SeqCst);
        }
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.handle.0.left.load(Ordering::SeqCst) == usize::MAX {
            return Pin::new(&mut self.stream).poll_write_vectored(cx, buffers);
        }
        let first = buffers.iter().find(|buffer| !buffer.is_empty());
        self.poll_write(cx, first.map_or(&[], |buffer| buffer))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
