//! Tests the blocks that follow a 429. Calls wait for the end of short blocks and fail at once
//! during long blocks. A block stops only the calls that it applies to.

use std::time::Duration;

use futures::FutureExt as _;
use spot_http::{AccessToken, CallOptions, ErrorKind, RateLimit, Request};
use spot_model::Operation;
use tokio::time::{Instant, sleep};

use crate::script::{Script, Turn, status, wait};

fn get() -> Request {
    Request::new(Operation::GET_MY_PROFILE)
}

#[tokio::test(start_paused = true)]
async fn calls_wait_for_the_end_of_a_short_block() {
    let script = Script::new([wait("5"), status(200)]);
    let start = Instant::now();
    let answer = script.pipeline().build().unwrap().call(get()).await.unwrap();
    assert_eq!(answer.attempts(), 2);
    assert!((5..6).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    assert!(answer.waited() >= Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn a_command_is_retried_after_a_429() {
    let script = Script::new([wait("1"), status(204)]);
    let next = Request::new(Operation::SKIP_TO_NEXT);
    script.pipeline().build().unwrap().call_empty(next).await.unwrap();
    assert_eq!(script.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_block_delays_the_calls_of_all_clones() {
    let script = Script::new([wait("10"), status(200)]);
    let pipeline = script.pipeline().build().unwrap();
    let start = Instant::now();
    let first = tokio::spawn({
        let pipeline = pipeline.clone();
        async move { pipeline.call(get()).await }
    });
    sleep(Duration::from_millis(10)).await;
    let others: Vec<_> = (0..20)
        .map(|_| {
            let pipeline = pipeline.clone();
            tokio::spawn(async move { pipeline.call(get()).await })
        })
        .collect();
    first.await.unwrap().unwrap();
    for other in others {
        other.await.unwrap().unwrap();
    }
    let early =
        script.times().into_iter().skip(1).filter(|at| *at < start + Duration::from_secs(10));
    assert_eq!((early.count(), script.count()), (0, 22));
}

#[tokio::test(start_paused = true)]
async fn calls_fail_immediately_during_a_block_of_a_day() {
    let script = Script::new([wait("86400"), status(200)]);
    let pipeline = script.pipeline().build().unwrap();
    let start = Instant::now();
    for _ in 0..50 {
        let error = pipeline.call(get()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::QuotaExceeded);
        assert!(error.retry_after().unwrap() > Duration::from_secs(86_390));
        assert!(error.to_string().contains("blocked for 1 d (Spotify says: "), "{error}");
    }
    assert_eq!((script.count(), start.elapsed().as_secs()), (1, 0));
    sleep(Duration::from_secs(86_401)).await;
    pipeline.call(get()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_block_longer_than_the_deadline_fails_the_call_immediately() {
    let script = Script::new([wait("30"), status(200)]);
    let pipeline = script.pipeline().deadline(Duration::from_secs(10)).build().unwrap();
    let start = Instant::now();
    let error = pipeline.call(get()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert_eq!(start.elapsed().as_secs(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_exceeded_quota_has_a_separate_error_kind() {
    let script = Script::new([Turn::Answer {
        status: 429,
        headers: vec![("retry-after", "7200".to_owned())],
        body: r#"{"error":{"status":429,"message":"Quota","reason":"QUOTA_EXCEEDED"}}"#.to_owned(),
    }]);
    let pipeline = script.pipeline().build().unwrap();
    for _ in 0..3 {
        let error = pipeline.call(get()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::QuotaExceeded);
        assert!(error.retry_after().unwrap() > Duration::from_secs(7_000));
    }
    assert_eq!(script.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_429_with_an_invalid_retry_after_is_retried() {
    for told in ["soon", "-1", ""] {
        let script = Script::new([wait(told), wait(told), status(200)]);
        let answer = script.pipeline().build().unwrap().call(get()).await.unwrap();
        assert_eq!(answer.attempts(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_separate_operation_limit_does_not_block_other_operations() {
    let script = Script::new([wait("600"), status(200)]);
    let pipeline = script.pipeline().build().unwrap();
    let cover = || {
        Request::new(Operation::UPLOAD_PLAYLIST_COVER)
            .path("playlist_id", "spotmockPlaylist000001")
            .with_body("image/jpeg", "AA==")
    };
    for _ in 0..3 {
        let error = pipeline.call(cover()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RateLimited);
    }
    assert_eq!(script.count(), 1);
    pipeline.call(get()).await.unwrap();
    assert_eq!(pipeline.limits().blocked_until(), None);
    let closed: Vec<_> = pipeline.limits().closed().map(|closed| closed.to_string()).collect();
    assert_eq!(
        closed,
        ["upload_playlist_cover is blocked for 10 min 1 s, because its rate limit is reached"]
    );
    sleep(Duration::from_secs(601)).await;
    pipeline.call(cover()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_call_can_override_max_wait() {
    let script = Script::new([wait("30"), status(200)]);
    let pipeline = script.pipeline().build().unwrap();
    let hurried = get().with_options(CallOptions::new().max_wait(Duration::from_secs(5)));
    let start = Instant::now();
    for _ in 0..2 {
        let error = pipeline.call(hurried.clone()).await.unwrap_err();
        assert_eq!((error.kind(), start.elapsed().as_secs()), (ErrorKind::RateLimited, 0));
    }
    pipeline.call(get()).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(30));
}

#[tokio::test(start_paused = true)]
async fn cancelled_waiting_calls_do_not_delay_other_calls() {
    let script = Script::new([wait("10"), status(200)]);
    let pipeline = script.pipeline().build().unwrap();
    let hurried = get().with_options(CallOptions::new().attempts(1));
    pipeline.call(hurried).await.unwrap_err();
    let waiters: Vec<_> = (0..20)
        .map(|_| {
            let pipeline = pipeline.clone();
            tokio::spawn(async move { pipeline.call(get()).await })
        })
        .collect();
    sleep(Duration::from_secs(1)).await;
    // The cancelled calls include the first call in the queue.
    for waiter in waiters.iter().step_by(2) {
        waiter.abort();
    }
    for waiter in waiters.into_iter().skip(1).step_by(2) {
        waiter.await.unwrap().unwrap();
    }
    assert_eq!(script.count(), 11);
}

#[tokio::test(start_paused = true)]
async fn a_single_probe_call_is_sent_first_after_a_block() {
    let script = Script::new([wait("10"), Turn::Late(Duration::from_secs(2)), status(200)]);
    let pipeline = script.pipeline().build().unwrap();
    let calls = (0..10).map(|_| pipeline.call(get()));
    futures::future::join_all(calls).await.into_iter().for_each(|answer| _ = answer.unwrap());
    let times = script.times();
    // The first call is refused while up to three other calls are in flight. Only the calls after
    // the block are checked.
    let after: Vec<_> =
        times.iter().filter(|at| **at > times[0] + Duration::from_secs(5)).collect();
    assert!(*after[1] >= *after[0] + Duration::from_secs(2), "{after:?}");
}

#[tokio::test(start_paused = true)]
async fn huge_retry_after_and_duration_settings_do_not_overflow() {
    let script = Script::new([wait("99999999999999"), status(200)]);
    let pipeline = script
        .pipeline()
        .deadline(Duration::MAX)
        .max_wait(Duration::MAX)
        .attempt_timeout(Duration::MAX)
        .build()
        .unwrap();
    pipeline.call(get()).await.unwrap();
    assert_eq!(script.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn calls_waiting_for_a_probe_respect_the_deadline() {
    let script = Script::new([wait("10"), Turn::Late(Duration::from_secs(60)), status(200)]);
    let pipeline = script.pipeline().build().unwrap();
    let once = get().with_options(CallOptions::new().attempts(1));
    pipeline.call(once).await.unwrap_err();
    let first = tokio::spawn({
        let pipeline = pipeline.clone();
        async move { pipeline.call(get()).await }
    });
    // The first call is in flight and has no response yet.
    sleep(Duration::from_secs(11)).await;
    let start = Instant::now();
    let hurried = get().with_options(CallOptions::new().deadline(Duration::from_secs(1)));
    let error = pipeline.call(hurried).await.unwrap_err();
    assert_eq!((error.kind(), start.elapsed().as_secs()), (ErrorKind::Timeout, 1));
    // A call with the default deadline waits less than 6 s.
    pipeline.call(get()).await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
    first.abort();
}

fn quota(retry_after: Option<&str>) -> Turn {
    Turn::Answer {
        status: 429,
        headers: retry_after.map(|wait| ("retry-after", wait.to_owned())).into_iter().collect(),
        body: r#"{"error":{"status":429,"message":"Quota","reason":"QUOTA_EXCEEDED"}}"#.to_owned(),
    }
}

fn albums() -> Request {
    Request::new(Operation::GET_ARTIST_ALBUMS).path("id", "spotmockArtist00000001")
}

#[tokio::test(start_paused = true)]
async fn an_exceeded_quota_blocks_only_the_refused_operations() {
    let script = Script::new([quota(Some("7800")), status(200), quota(Some("7800")), status(200)]);
    let pipeline = script.pipeline().build().unwrap();
    pipeline.call(albums()).await.unwrap_err();
    let error = pipeline.call(albums()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "GET /artists/spotmockArtist00000001/albums: the quota is used up: this operation is blocked for 2 h 10 min \
         (Spotify says: Quota)"
    );
    // Other operations, such as player commands, still work.
    pipeline.call_empty(Request::new(Operation::PAUSE_PLAYBACK)).await.unwrap();
    // Another operation with the same quota is blocked only after it has been refused itself.
    let episodes =
        || Request::new(Operation::GET_SHOW_EPISODES).path("id", "spotmockShow0000000001");
    for _ in 0..3 {
        let error = pipeline.call(episodes()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::QuotaExceeded);
    }
    assert_eq!(script.count(), 3);
    let limits = pipeline.limits();
    let closed: Vec<_> = limits.closed().map(|closed| closed.operation).collect();
    assert_eq!(closed, ["get_artist_albums", "get_show_episodes"]);
    assert_eq!(limits.blocked_for(), None);
    sleep(Duration::from_secs(7802)).await;
    pipeline.call(albums()).await.unwrap();
    assert_eq!(pipeline.limits().closed().count(), 0, "{:?}", pipeline.limits());
}

#[tokio::test(start_paused = true)]
async fn a_quota_without_retry_after_is_probed_by_a_single_call() {
    let script =
        Script::new([quota(None), quota(None), Turn::Late(Duration::from_secs(1)), status(200)]);
    let pipeline = script.pipeline().build().unwrap();
    let error = pipeline.call(albums()).await.unwrap_err();
    assert!(error.to_string().contains("blocked for 15 min (Spotify says: "), "{error}");
    sleep(Duration::from_secs(800)).await;
    pipeline.call(albums()).await.unwrap_err();
    assert_eq!(script.count(), 1);
    sleep(Duration::from_secs(101)).await;
    // Ten calls start at once. One call is sent as the probe, and the other nine calls fail without
    // being sent.
    let calls = (0..10).map(|_| pipeline.call(albums()));
    let ended = futures::future::join_all(calls).await;
    assert!(ended.iter().all(Result::is_err));
    assert_eq!(script.count(), 2);
    assert!(pipeline.limits().closed().next().unwrap().wait > Duration::from_secs(1_700));
    sleep(Duration::from_secs(1801)).await;
    let calls = (0..10).map(|_| pipeline.call(albums()));
    futures::future::join_all(calls).await.into_iter().for_each(|ended| _ = ended.unwrap());
    // The first call was sent alone. The other calls were sent after the response to the first
    // call.
    let times = script.times();
    assert_eq!(times[3] - times[2], Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn clients_of_all_users_share_a_rate_limit_block() {
    let script = Script::new([wait("10"), status(200)]);
    let base = script.pipeline().build().unwrap();
    let once = || get().with_options(CallOptions::new().attempts(1));
    base.call(once()).await.unwrap_err();
    for user in 0..20 {
        let user = base.with_tokens(AccessToken::new(&format!("user-{user}")).unwrap());
        let hurried = CallOptions::new().max_wait(Duration::from_secs(1));
        let error = user.call(get().with_options(hurried)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RateLimited);
        assert!(
            error.to_string().contains("all calls are paused for 11 s (Spotify says: "),
            "{error}"
        );
    }
    assert_eq!(script.count(), 1);
    let user = base.with_tokens(AccessToken::new("another").unwrap());
    user.call(get()).await.unwrap();
    let sent = script.requests();
    assert_eq!(sent[1].headers()["authorization"], "Bearer another");
}

#[test]
fn a_pipeline_handle_is_at_most_32_bytes() {
    assert!(size_of::<spot_http::Pipeline>() <= 32);
}

#[tokio::test(start_paused = true)]
async fn a_waiting_call_that_is_not_polled_does_not_delay_other_calls() {
    let script = Script::new([status(200)]);
    let limit = RateLimit::known(1).window(Duration::from_secs(1));
    let pipeline = script.pipeline().rate_limit(limit).build().unwrap();
    pipeline.call(get()).await.unwrap();
    // The future is polled once, as in a `select!` that continues with another branch.
    let mut held = Box::pin(pipeline.call(get()));
    assert!(held.as_mut().now_or_never().is_none());
    let start = Instant::now();
    for _ in 0..3 {
        pipeline.call(get()).await.unwrap();
    }
    let waited = start.elapsed();
    assert!(waited < Duration::from_millis(3500), "{waited:?}");
    // The call that was not polled still succeeds.
    held.await.unwrap();
}

#[test]
fn a_stalled_runtime_does_not_delay_calls_on_other_runtimes() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let script = Script::new([status(200)]);
    let limit = RateLimit::known(1).window(Duration::from_millis(200));
    let pipeline = script.pipeline().rate_limit(limit).build().unwrap();
    let (first, second) = (runtime(), runtime());
    // A call waits on the first runtime. The task that wakes waiting calls also runs on this
    // runtime.
    let mut held = Box::pin(pipeline.call(get()));
    first.block_on(async {
        pipeline.call(get()).await.unwrap();
        assert!(held.as_mut().now_or_never().is_none());
    });
    let start = std::time::Instant::now();
    second.block_on(async { pipeline.call(get()).await.unwrap() });
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
}
