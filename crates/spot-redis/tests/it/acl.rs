//! Tests the access rights that the README recommends.

use std::time::Duration;

use spot_auth::{StoreKey, TokenStore as _, test::check_store};
use spot_http::{AccessToken, Pipeline, Request};
use spot_mock::MockSpotify;
use spot_redis::{Redis, RedisLimiter, RedisStore, test::RedisServer};

/// Returns the ACL command of the README for the user `app`, with another password.
fn command() -> Vec<&'static str> {
    let (_, rest) = include_str!("../../README.md").split_once("ACL SETUSER app ").unwrap();
    let (rights, _) = rest.split_once("```").unwrap();
    let rights = rights.split_whitespace();
    let rights = rights.map(|right| if right.starts_with('>') { ">hunter2" } else { right });
    ["ACL", "SETUSER", "app"].into_iter().chain(rights).collect()
}

fn redis(server: &RedisServer, user: &str, prefix: &str) -> Redis {
    let url = format!("redis://{user}@127.0.0.1:{}", server.port());
    Redis::builder(url).prefix(prefix).build().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_readme_acl_rights_are_sufficient() {
    let Some(server) = crate::server() else { return };
    server.command::<()>(&command()).unwrap();
    let redis = redis(&server, "app:hunter2", "spot:");
    redis.ping().await.unwrap();
    let store = RedisStore::new(&redis);
    check_store(store.clone()).await.unwrap();
    let key = StoreKey::new("the-client", "me", "");
    server.command::<()>(&["SET", &store.key(&key), "junk"]).unwrap();
    let error = store.load(&key).await.unwrap_err();
    assert!(error.message().contains(":broken"), "{error}");

    let mock = MockSpotify::builder().rate_limit(3).start().await.unwrap();
    let limiter = RedisLimiter::new(&redis, mock.client_id()).unwrap();
    let pipeline = Pipeline::builder(AccessToken::new(&mock.user_token_all()).unwrap())
        .base_url(mock.api_url())
        .rate_limiter(limiter.clone())
        .max_wait(Duration::ZERO)
        .build()
        .unwrap();
    for _ in 0..6 {
        // The mock refuses some of these calls, so the limiter has a block to share.
        let _ = pipeline.call(Request::get("/me")).await;
    }
    limiter.flush().await;
    assert!(server.command_counts().unwrap()["zadd"] > 0, "the limiter used the server");
    let log: Vec<redis::Value> = server.command(&["ACL", "LOG"]).unwrap();
    assert!(log.is_empty(), "nothing was denied: {log:?}");
}

#[tokio::test]
async fn the_readme_acl_rights_deny_other_keys_and_commands() {
    let Some(server) = crate::server() else { return };
    server.command::<()>(&command()).unwrap();
    let store = |user, prefix| RedisStore::new(&redis(&server, user, prefix));
    let key = StoreKey::new("the-client", "me", "");
    let other = store("app:hunter2", "other:");
    let error = other.load(&key).await.unwrap_err();
    assert!(error.message().contains("NOPERM"), "{error}");
    let wrong = store("app:hunter3", "spot:");
    let error = wrong.load(&key).await.unwrap_err();
    assert!(error.message().contains("authentication failed"), "{error}");
    assert!(!format!("{error:?} {wrong:?}").contains("hunter"), "{error:?}");
    let denied = server.command::<String>(&["ACL", "DRYRUN", "app", "FLUSHALL"]);
    assert!(denied.unwrap().contains("no permissions"));
}
