//! Rate limits and sessions on a real server.

// A panic is how a test fails, also in the functions that tests share.
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

/// A server for one test. `None` where no server is installed: the test then does nothing, and one line
/// says so for all of them. With `CI` in the environment that is a failure.
fn server() -> Option<RedisServer> {
    server_with(&[])
}

/// A server with further arguments.
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
        // Not by `eprintln!`, which the output of a passing test swallows.
        let line = "skipped: the tests of spot-redis on a real server, because neither \
                    redis-server nor valkey-server is on PATH (or set REDIS_SERVER)\n";
        let _ = io::stderr().write_all(line.as_bytes());
    });
    None
}
