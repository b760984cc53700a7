//! A mock that communicates in memory, without sockets.

use std::{future::pending, io, time::Duration};

use axum::{extract::connect_info::Connected, serve::IncomingStream};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex, split},
    select,
    sync::mpsc,
    time::sleep,
};

use crate::{MockBuilder, MockSpotify, server::listener::ConnectionHandle};

/// A mock with connections in memory. The mock runs in the tokio runtime that started it.
#[derive(Debug)]
pub struct InMemory {
    mock: MockSpotify,
    connections: mpsc::UnboundedSender<DuplexStream>,
}

impl InMemory {
    /// Starts the mock. The builder's address, port, host and TLS settings are ignored.
    ///
    /// # Errors
    ///
    /// Fails with `InvalidInput` if the custom test data or an application is invalid.
    pub fn start(builder: MockBuilder) -> io::Result<Self> {
        let (connections, accepted) = mpsc::unbounded_channel();
        Ok(Self { mock: builder.start_on(InMemoryListener(accepted))?, connections })
    }

    /// The mock.
    pub fn mock(&self) -> &MockSpotify {
        &self.mock
    }

    /// Sends these bytes on a new connection and returns everything that the mock sends until it
    /// closes the connection. One minute after the bytes were sent, the client shuts down the write
    /// half of the connection. When the write half is shut down, the mock closes the connection,
    /// even if the request is incomplete.
    ///
    /// # Errors
    ///
    /// Fails with `BrokenPipe` if the mock has stopped.
    pub async fn exchange(&self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let (client, server) = duplex(64 * 1024);
        self.connections.send(server).map_err(|_| io::ErrorKind::BrokenPipe)?;
        let (mut reader, mut writer) = split(client);
        let mut answer = Vec::new();
        let received = {
            let send = async {
                // The server may close the connection before it has read all bytes.
                let _ = writer.write_all(bytes).await;
                sleep(Duration::from_secs(60)).await;
                let _ = writer.shutdown().await;
                pending::<()>().await;
            };
            select! {
                received = reader.read_to_end(&mut answer) => received,
                () = send => Ok(0),
            }
        };
        received.map(|_| answer)
    }
}

/// Accepts the connections of an [`InMemory`].
#[derive(Debug)]
pub(crate) struct InMemoryListener(mpsc::UnboundedReceiver<DuplexStream>);

impl axum::serve::Listener for InMemoryListener {
    type Io = DuplexStream;
    type Addr = ();

    async fn accept(&mut self) -> (DuplexStream, ()) {
        match self.0.recv().await {
            Some(stream) => (stream, ()),
            // The `InMemory` was dropped, which stops the server.
            None => pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<()> {
        Ok(())
    }
}

impl Connected<IncomingStream<'_, InMemoryListener>> for ConnectionHandle {
    fn connect_info(_: IncomingStream<'_, InMemoryListener>) -> Self {
        Self::whole()
    }
}
