//! What spot-mock reads: its world file, and HTTP.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpStream},
    sync::OnceLock,
    time::Duration,
};

use spot_mock::{MockSpotify, custom::World};
use tokio::runtime::Runtime;

/// A world file is read, or refused.
pub(crate) fn world(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(world) = World::from_json(text) else { return };
    // What the file says has to fit the rest of the world; that is checked at the start.
    let (runtime, _) = server();
    let started = runtime.block_on(MockSpotify::builder().world(world).start());
    if let Ok(mock) = started {
        runtime.block_on(mock.shutdown());
    }
}

/// A line with method and path, and the body behind it; or, if it starts with a zero, the raw bytes of
/// a connection. The server answers or closes, and does not panic.
pub(crate) fn http(data: &[u8]) {
    let (_, mock) = server();
    let address = mock.api_url().trim_start_matches("http://").trim_end_matches("/v1");
    let mut bytes = Vec::new();
    if let Some(raw) = data.strip_prefix(b"\0") {
        bytes.extend_from_slice(raw);
    } else {
        let mut parts = data.splitn(2, |byte| *byte == b'\n');
        let (line, body) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        bytes.extend_from_slice(line);
        let token = mock.user_token_all();
        let head = format!(
            " HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
             Connection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        bytes.extend_from_slice(head.as_bytes());
        bytes.extend_from_slice(body);
    }
    let Ok(mut stream) = TcpStream::connect(address) else { panic!("the server is gone") };
    stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
    // The server may close before it has read all.
    let _ = stream.write_all(&bytes).and_then(|()| stream.shutdown(Shutdown::Write));
    let _ = stream.read_to_end(&mut Vec::new());
    mock.take_requests();
}

/// A server for all inputs, so that an input costs a connection and no more.
fn server() -> &'static (Runtime, MockSpotify) {
    static SERVER: OnceLock<(Runtime, MockSpotify)> = OnceLock::new();
    SERVER.get_or_init(|| {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let mock = runtime.block_on(MockSpotify::builder().rate_limit(usize::MAX).start());
        (runtime, mock.expect("a server"))
    })
}
