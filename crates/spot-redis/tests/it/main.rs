//! Tests rate limits and sessions with a real server.

// Tests fail by panicking, also in shared functions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod acl;
#[cfg(feature = "cluster")]
mod cluster;
mod connection;
mod limiter;
mod processes;
mod server;
mod store;
#[cfg(any(feature = "rustls", feature = "native-tls"))]
mod tls;

use std::{
    env,
    io::{self, Write},
    sync::Once,
};

use spot_redis::test::RedisServer;

/// Starts a server for one test. If no server is installed, prints one message for all tests and
/// returns `None`, so that the test does nothing. If the environment variable `CI` is set, a
/// missing server is a failure.
fn server() -> Option<RedisServer> {
    server_with(&[])
}

/// Starts a server with these additional arguments.
fn server_with(arguments: &[&str]) -> Option<RedisServer> {
    static SAID: Once = Once::new();
    if RedisServer::program().is_some() {
        return Some(RedisServer::start_with(arguments).unwrap());
    }
    assert!(
        env::var_os("CI").is_none(),
        "neither redis-server nor valkey-server is on PATH, and CI is set"
    );
    SAID.call_once(|| {
        // The test runner hides the `eprintln!` output of passing tests, but not this direct write.
        let line = "skipped: the tests of spot-redis on a real server, because neither \
                    redis-server nor valkey-server is on PATH (or set REDIS_SERVER)\n";
        let _ = io::stderr().write_all(line.as_bytes());
    });
    None
}
