//! Tests `RedisServer`, the server that the other tests use.

use std::{
    env,
    io::{self, BufRead, BufReader, Write},
    net::TcpStream,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use spot_redis::test::RedisServer;

/// Returns whether a process listens on this port.
fn listens(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(10), "{what}");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn the_test_server_can_be_frozen_killed_and_restarted_empty() {
    let Some(server) = crate::server() else { return };
    server.command::<()>(&["SET", "key", "value"]).unwrap();
    assert_eq!(server.command_counts().unwrap()["set"], 1);
    server.freeze().unwrap();
    server.command::<String>(&["GET", "key"]).expect_err("it answers nothing");
    server.thaw().unwrap();
    assert_eq!(server.command::<String>(&["GET", "key"]).unwrap(), "value");
    server.kill();
    assert!(!listens(server.port()));
    server.freeze().expect_err("there is no process");
    server.restart().unwrap();
    assert_eq!(server.command::<Option<String>>(&["GET", "key"]).unwrap(), None);
    let port = server.port();
    drop(server);
    assert!(!listens(port));
}

#[test]
fn record_commands_logs_received_commands() {
    let Some(server) = crate::server() else { return };
    let log = server.record_commands().unwrap();
    server.command::<()>(&["SET", "key", "value"]).unwrap();
    until("it is recorded", || {
        log.lines().iter().any(|line| line.ends_with(r#""SET" "key" "value""#))
    });
}

/// Environment variable that marks the child process.
const CHILD: &str = "SPOT_REDIS_SERVER_CHILD";

/// The child process: starts a server, prints its port and waits to be killed. If the variable is
/// not set, this test does nothing.
#[test]
fn child_process_starts_a_server() {
    if env::var_os(CHILD).is_none() {
        return;
    }
    let server = RedisServer::start().unwrap();
    // The line breaks separate the port from the output of the test runner.
    let line = format!("\nport {}\n", server.port());
    io::stdout().write_all(line.as_bytes()).unwrap();
    thread::sleep(Duration::from_secs(60));
}

#[test]
fn the_test_server_stops_when_the_parent_process_is_killed() {
    if crate::server().is_none() {
        return;
    }
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "server::child_process_starts_a_server", "--nocapture"])
        .env(CHILD, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let port =
        lines.map_while(Result::ok).find_map(|line| line.strip_prefix("port ")?.parse().ok());
    let port: u16 = port.expect("the child prints it");
    assert!(listens(port));
    child.kill().unwrap();
    child.wait().unwrap();
    until("the server ends", || !listens(port));
}
