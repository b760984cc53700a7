//! Tests servers that are unreachable or do not respond.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use spot_http::ErrorKind;
use spot_redis::Redis;
use tokio::net::TcpListener;

#[test]
fn a_malformed_url_is_an_error_without_the_password() {
    for url in ["http://user:hunter2@localhost", "redis://user:hunter2@localhost:port", "hunter2"] {
        let error = Redis::open(url).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}

#[test]
fn redis_handles_do_not_print_the_password() {
    let builder = Redis::builder("redis://user:hunter2@localhost:7000/3").prefix("app:");
    let printed = format!("{builder:?} {:?}", builder.clone().build().unwrap());
    assert!(!printed.contains("hunter2"), "{printed}");
    assert!(printed.contains("localhost:7000") && printed.contains("app:"), "{printed}");
}

#[tokio::test]
async fn a_refused_connection_fails_at_once() {
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let redis = Redis::open(format!("redis://user:hunter2@{address}")).unwrap();
    let start = Instant::now();
    for _ in 0..20 {
        let error = redis.ping().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Store);
        assert!(error.to_string().contains(&address.to_string()), "{error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
    assert!(start.elapsed() < Duration::from_millis(900), "{:?}", start.elapsed());
}

/// Starts a server that accepts connections and never responds. Returns the address of the server,
/// and the counter of its connections.
async fn silent() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, connections) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&connections);
    tokio::spawn(async move {
        let mut streams = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::Relaxed);
            streams.push(stream);
        }
    });
    (address, connections)
}

#[tokio::test]
async fn only_the_first_use_waits_for_a_silent_server() {
    let (address, connections) = silent().await;
    let redis = Redis::builder(format!("redis://{address}"))
        .connect_timeout(Duration::from_millis(300))
        .build()
        .unwrap();
    let start = Instant::now();
    // All calls during the connection attempt wait for the same attempt.
    let uses: Vec<_> = (0..50)
        .map(|_| {
            let redis = redis.clone();
            tokio::spawn(async move { redis.ping().await.unwrap_err() })
        })
        .collect();
    for one in uses {
        assert_eq!(one.await.unwrap().kind(), ErrorKind::Store);
    }
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(290) && took < Duration::from_secs(2), "{took:?}");
    let start = Instant::now();
    for _ in 0..50 {
        redis.ping().await.unwrap_err();
    }
    assert!(start.elapsed() < Duration::from_millis(250), "{:?}", start.elapsed());
    // The attempts run one after another, and each attempt takes 300 ms.
    assert!(connections.load(Ordering::Relaxed) <= 3, "{connections:?}");
}

#[test]
fn a_connection_outlives_the_creating_runtime() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (address, connections) = server.block_on(silent());
    let redis = Redis::builder(format!("redis://{address}"))
        .connect_timeout(Duration::from_millis(50))
        .build()
        .unwrap();
    runtime().block_on(redis.ping()).unwrap_err();
    let before = connections.load(Ordering::Relaxed);
    std::thread::sleep(Duration::from_millis(500));
    // The background task tries to reconnect although the program polls no runtime.
    assert!(connections.load(Ordering::Relaxed) > before);
    runtime().block_on(redis.ping()).unwrap_err();
    drop(redis);
    std::thread::sleep(Duration::from_millis(100));
    let after = connections.load(Ordering::Relaxed);
    std::thread::sleep(Duration::from_millis(2500));
    // The task stops when the last handle is dropped.
    assert!(connections.load(Ordering::Relaxed) <= after + 1);
}
