//! Fuzz targets for the inputs of spot-mock: files with test data, and HTTP requests.

use std::time::Duration;

use spot_mock::{MockSpotify, custom::World, fuzzing::InMemory};
use tokio::{
    runtime::{Builder, Runtime},
    time::timeout,
};

/// Fuzz target for files with test data. The mock accepts or refuses each file, and does not panic.
pub(crate) fn world(data: &[u8]) {
    thread_local! {
        static RUNTIME: Runtime = runtime();
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(world) = World::from_json(text) else { return };
    // When the mock starts, it checks that the file is consistent with the other test data.
    RUNTIME.with(|runtime| {
        runtime.block_on(async {
            if let Ok(mock) = MockSpotify::builder().world(world).start().await {
                mock.shutdown().await;
            }
        });
    });
}

/// Fuzz target for requests. The first line of the input contains the method and the path, and the
/// rest is the body. If the input starts with a zero byte, the rest is sent to the server as raw
/// bytes. The server responds or closes the connection, and does not panic.
pub(crate) fn http(data: &[u8]) {
    thread_local! {
        static SERVER: Server = Server::start();
    }
    let raw = data.strip_prefix(b"\0");
    SERVER.with(|server| {
        let bytes = raw.map_or_else(|| server.request(data), <[u8]>::to_vec);
        let Server { runtime, mock, .. } = server;
        // The clock is paused, so that delays of the server take no time.
        let answer = runtime
            .block_on(async { timeout(Duration::from_secs(3600), mock.exchange(&bytes)).await });
        let answer = answer.expect("the server closes the connection").expect("the server runs");
        mock.mock().take_requests();
        // If the server panics, it closes the connection without a response. An incomplete request
        // also gets no response, so this code checks only complete requests.
        let is_complete = raw.is_none() && !data.contains(&b'\r');
        let request = String::from_utf8_lossy(&bytes);
        assert!(!is_complete || !answer.is_empty(), "no response to {request}");
    });
}

/// A server that all inputs share, so that it is not started again for each input.
struct Server {
    runtime: Runtime,
    mock: InMemory,
    token: String,
}

impl Server {
    fn start() -> Self {
        let runtime = runtime();
        let builder = MockSpotify::builder().rate_limit(usize::MAX).frozen_clock();
        let entered = runtime.enter();
        let mock = InMemory::start(builder).expect("a server");
        drop(entered);
        let token = mock.mock().user_token_all();
        Self { runtime, mock, token }
    }

    /// Builds the request. The first line of `data` contains the method and the path, and the rest
    /// is the body.
    fn request(&self, data: &[u8]) -> Vec<u8> {
        let mut parts = data.splitn(2, |byte| *byte == b'\n');
        let (line, body) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let (token, length) = (&self.token, body.len());
        let head = format!(
            " HTTP/1.1\r\nHost: mock\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
             Connection: close\r\nContent-Length: {length}\r\n\r\n"
        );
        [line, head.as_bytes(), body].concat()
    }
}

fn runtime() -> Runtime {
    let mut runtime = Builder::new_current_thread();
    runtime.enable_all().start_paused(true).build().expect("a runtime")
}
