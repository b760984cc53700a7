//! Tests a cluster with one node.

use std::time::Duration;

use spot_http::{AttemptEnd, PermitRequest, RateLimiter as _};
use spot_model::Operation;
use spot_redis::{Redis, RedisLimiter};
use tokio::time::{Instant, sleep};

#[tokio::test]
async fn the_limiter_works_on_a_cluster() {
    let Some(server) = crate::server_with(&["--cluster-enabled", "yes"]) else { return };
    let _: String = server.command(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]).unwrap();
    let start = Instant::now();
    loop {
        let info: String = server.command(&["CLUSTER", "INFO"]).unwrap();
        if info.contains("cluster_state:ok") {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{info}");
        sleep(Duration::from_millis(20)).await;
    }
    let more: [&str; 0] = [];
    let redis = Redis::builder(server.url())
        .cluster(more)
        .connect_timeout(Duration::from_secs(10))
        .response_timeout(Duration::from_secs(10))
        .build()
        .unwrap();
    redis.ping().await.unwrap();
    let limiter = RedisLimiter::new(&redis, "cluster").unwrap();
    for _ in 0..10 {
        let deadline = Instant::now() + Duration::from_secs(20);
        let permit = limiter.acquire(PermitRequest::new(Operation::GET_MY_PROFILE, deadline));
        let mut permit = permit.await.unwrap();
        permit.sent(Instant::now());
        permit.finish(AttemptEnd::Answered);
    }
    limiter.flush().await;
    let slots: u64 = server.command(&["ZCARD", "spot:limits:{cluster}:slots"]).unwrap();
    assert_eq!(slots, 10);
    let counts = server.command_counts().unwrap();
    assert!(counts["evalsha"] > 0, "{counts:?}");
}
