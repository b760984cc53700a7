//! Tests clusters with one node and with three nodes.

use std::{net::TcpListener, time::Duration};

use spot_auth::{ExposeSecret as _, Scope, StoreKey, TokenRecord, TokenStore as _};
use spot_http::{AttemptEnd, PermitRequest, RateLimiter as _};
use spot_model::Operation;
use spot_redis::{Redis, RedisLimiter, RedisStore, test::RedisServer};
use tokio::time::{Instant, sleep};

/// Starts a node. By default, the cluster bus uses the port of the node plus 10,000, which may
/// exceed 65,535.
fn node() -> Option<RedisServer> {
    let bus = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    crate::server_with(&["--cluster-enabled", "yes", "--cluster-port", &bus.to_string()])
}

/// Waits until a node knows all nodes, and until each slot is assigned to a node.
async fn ready(server: &RedisServer, nodes: usize) {
    let start = Instant::now();
    let known = format!("cluster_known_nodes:{nodes}\r");
    loop {
        let info: String = server.command(&["CLUSTER", "INFO"]).unwrap();
        if info.contains("cluster_state:ok") && info.contains(&known) {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{info}");
        sleep(Duration::from_millis(20)).await;
    }
}

fn open(server: &RedisServer, more: &[String]) -> Redis {
    Redis::builder(server.url())
        .cluster(more)
        .connect_timeout(Duration::from_secs(10))
        .response_timeout(Duration::from_secs(10))
        .build()
        .unwrap()
}

/// Sends calls that use slots of a limiter.
async fn calls(limiter: &RedisLimiter, count: usize) {
    for _ in 0..count {
        let deadline = Instant::now() + Duration::from_secs(20);
        let permit = limiter.acquire(PermitRequest::new(Operation::GET_MY_PROFILE, deadline));
        let mut permit = permit.await.unwrap();
        permit.sent(Instant::now());
        permit.finish(AttemptEnd::Answered);
    }
    limiter.flush().await;
}

#[tokio::test]
async fn the_limiter_works_on_a_cluster() {
    let Some(server) = node() else { return };
    let _: String = server.command(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]).unwrap();
    ready(&server, 1).await;
    let redis = open(&server, &[]);
    redis.ping().await.unwrap();
    let limiter = RedisLimiter::new(&redis, "cluster").unwrap();
    calls(&limiter, 10).await;
    let slots: u64 = server.command(&["ZCARD", "spot:limits:{cluster}:slots"]).unwrap();
    assert_eq!(slots, 10);
    let counts = server.command_counts().unwrap();
    assert!(counts["evalsha"] > 0, "{counts:?}");
}

#[tokio::test]
async fn applications_and_sessions_are_spread_over_three_nodes() {
    let Some(first) = node() else { return };
    let nodes = [first, node().unwrap(), node().unwrap()];
    for (node, (from, to)) in
        nodes.iter().zip([("0", "5460"), ("5461", "10922"), ("10923", "16383")])
    {
        let _: String = node.command(&["CLUSTER", "ADDSLOTSRANGE", from, to]).unwrap();
        let bus: Vec<String> = node.command(&["CONFIG", "GET", "cluster-port"]).unwrap();
        let (port, bus) = (node.port().to_string(), &bus[1]);
        let _: String = nodes[0].command(&["CLUSTER", "MEET", "127.0.0.1", &port, bus]).unwrap();
    }
    for node in &nodes {
        ready(node, 3).await;
    }
    // The client learns the layout from any node.
    let redis = open(&nodes[2], &[nodes[0].url()]);
    redis.ping().await.unwrap();
    let store = RedisStore::new(&redis);
    for number in 0..12 {
        let application = format!("application-{number}");
        calls(&RedisLimiter::new(&redis, &application).unwrap(), 2).await;
        let key = StoreKey::new("client", format!("user-{number}"), Scope::UserLibraryRead);
        let lock = store.lock(&key).await.unwrap();
        let record = TokenRecord::from_refresh_token(application.clone());
        store.save(&key, &record, None).await.unwrap();
        drop(lock);
        let stored = store.load(&key).await.unwrap().unwrap();
        let token = stored.record().refresh_token().unwrap().expose_secret();
        assert_eq!(token, application);
    }
    for node in &nodes {
        let keys: u64 = node.command(&["DBSIZE"]).unwrap();
        assert!(keys > 0, "a node has no keys");
    }
}
