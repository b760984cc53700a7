//! Tests programs that share the rate limit state in a file. The programs run at the same time or
//! one after another.
//!
//! The file contains wall-clock times, so these tests cannot use virtual time.

use std::{path::Path, time::Duration};

use spot_http::{CallOptions, ErrorKind, FileLimiter, Pipeline, RateLimit, Request};
use spot_model::Operation;
use tokio::time::{Instant, sleep};

use crate::script::{Script, status, wait};

fn get() -> Request {
    Request::new(Operation::GET_MY_PROFILE)
        .with_options(CallOptions::new().max_wait(Duration::ZERO).attempts(1))
}

/// Creates a pipeline, as each run of a program does.
fn run(script: &Script, path: &Path, limit: RateLimit) -> Pipeline {
    script.pipeline().rate_limiter(FileLimiter::open(path, limit)).build().unwrap()
}

#[tokio::test]
async fn restarts_neither_lose_nor_lengthen_a_saved_block() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state").join("rate-limit.json");
    let script = Script::new([wait("2"), status(200)]);
    let start = Instant::now();
    run(&script, &path, RateLimit::learned()).call(get()).await.unwrap_err();
    let mut ended = None;
    for _ in 0..40 {
        let pipeline = run(&script, &path, RateLimit::learned());
        match pipeline.call(get()).await {
            Err(error) => assert_eq!(error.kind(), ErrorKind::RateLimited),
            Ok(_) => {
                ended = Some(start.elapsed());
                break;
            }
        }
        sleep(Duration::from_millis(100)).await;
    }
    let ended = ended.unwrap();
    // The block lasts two seconds. A random wait of up to half a second follows.
    assert!((2_000..2_900).contains(&ended.as_millis()), "{ended:?}");
    assert_eq!(script.count(), 2);
    // A program that starts after the end of the block does not load the block.
    assert_eq!(run(&script, &path, RateLimit::learned()).limits().blocked_for(), None);
}

#[tokio::test]
async fn calls_of_earlier_runs_count_against_the_limit() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rate-limit.json");
    let script = Script::new([status(200)]);
    let limit = || RateLimit::known(3).window(Duration::from_secs(1));
    for _ in 0..3 {
        run(&script, &path, limit()).call(get()).await.unwrap();
    }
    let fourth = run(&script, &path, limit());
    assert_eq!(fourth.limits().in_use(), 3);
    let error = fourth.call(get()).await.unwrap_err();
    assert!(error.retry_after().unwrap() <= Duration::from_millis(1_100), "{error:?}");
    sleep(Duration::from_millis(1_200)).await;
    fourth.call(get()).await.unwrap();
}

#[tokio::test]
async fn parallel_processes_share_a_block() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rate-limit.json");
    let refused = Script::new([wait("600")]);
    let fine = Script::new([status(200)]);
    let (first, second) =
        (run(&refused, &path, RateLimit::learned()), run(&fine, &path, RateLimit::learned()));
    second.call(get()).await.unwrap();
    first.call(get()).await.unwrap_err();
    let start = Instant::now();
    while second.call(get()).await.is_ok() {
        assert!(start.elapsed() < Duration::from_secs(5), "the second one never learns of it");
        sleep(Duration::from_millis(100)).await;
    }
    assert!(second.limits().blocked_for().unwrap() > Duration::from_secs(590));
}

#[tokio::test]
async fn a_corrupt_rate_limit_file_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("rate-limit.json");
    std::fs::write(&path, "{\"processes\": 7").unwrap();
    let script = Script::new([status(200)]);
    let pipeline = run(&script, &path, RateLimit::learned());
    pipeline.call(get()).await.unwrap();
    drop(pipeline);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("{\"processes\":{"), "{text}");
    // If the limiter cannot create the file, the calls still succeed.
    let nowhere = directory.path().join("rate-limit.json").join("below-a-file.json");
    run(&script, &nowhere, RateLimit::learned()).call(get()).await.unwrap();
}
