//! Tests the rate limiter of several processes with a real server. Each limiter represents one
//! process.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use spot_http::{
    AttemptEnd, Error, ErrorKind, Event, Observer, PermitRequest, Priority, RateLimiter as _,
};
use spot_model::Operation;
use spot_redis::{Redis, RedisLimiter, RedisLimiterBuilder, test::RedisServer};
use tokio::time::{Instant, sleep, timeout};

const WINDOW: Duration = Duration::from_secs(1);

/// Tolerance for inexact clocks on a busy machine.
const SLACK: Duration = Duration::from_millis(1);

fn redis(server: &RedisServer) -> Redis {
    // The timeouts are long, because a server on a busy machine may respond late.
    Redis::builder(server.url())
        .connect_timeout(Duration::from_secs(10))
        .response_timeout(Duration::from_secs(10))
        .build()
        .unwrap()
}

fn builder(redis: &Redis, application: &str) -> RedisLimiterBuilder {
    RedisLimiter::builder(redis, application).window(WINDOW).longest_call(Duration::from_secs(2))
}

fn request() -> PermitRequest {
    request_of(Operation::GET_MY_PROFILE)
}

fn request_of(operation: &'static Operation) -> PermitRequest {
    PermitRequest::new(operation, Instant::now() + Duration::from_secs(60))
}

/// Makes a call that receives its response immediately.
async fn call(limiter: &RedisLimiter) {
    let mut permit = limiter.acquire(request()).await.unwrap();
    permit.sent(Instant::now());
    permit.finish(AttemptEnd::Answered);
}

fn quota(seconds: u64) -> (Error, Duration) {
    let wait = Duration::from_secs(seconds);
    (Error::new(ErrorKind::QuotaExceeded, "Quota").with_retry_after(wait), wait)
}

/// Counts the calls in a rolling window, as Spotify does.
#[derive(Clone, Debug)]
struct Spotify(Arc<Mutex<Counter>>);

#[derive(Debug)]
struct Counter {
    limit: usize,
    counted: VecDeque<Instant>,
    answered: usize,
    refused: usize,
}

impl Spotify {
    fn new(limit: usize) -> Self {
        let counter = Counter { limit, counted: VecDeque::new(), answered: 0, refused: 0 };
        Self(Arc::new(Mutex::new(counter)))
    }

    fn count(&self) -> Option<Duration> {
        let mut counter = self.0.lock().unwrap();
        let now = Instant::now();
        while counter.counted.front().is_some_and(|at| *at + WINDOW <= now) {
            counter.counted.pop_front();
        }
        if counter.counted.len() < counter.limit {
            counter.counted.push_back(now);
            counter.answered += 1;
            return None;
        }
        counter.refused += 1;
        Some(*counter.counted.front().unwrap() + WINDOW - now)
    }

    /// Makes a call and retries it until it succeeds. Returns the number of refusals.
    async fn call(&self, limiter: &RedisLimiter, latency: Duration) -> usize {
        for refused in 0.. {
            let mut permit = limiter.acquire(request()).await.unwrap();
            permit.sent(Instant::now());
            sleep(latency / 2).await;
            let answer = self.count();
            sleep(latency / 2).await;
            let Some(wait) = answer else {
                permit.finish(AttemptEnd::Answered);
                return refused;
            };
            let error = Error::new(ErrorKind::RateLimited, "").with_retry_after(wait);
            permit.finish(AttemptEnd::refused(&error, wait));
        }
        unreachable!()
    }
}

/// Tests that several processes together never exceed the limit in any window. The times of the
/// calls are random. Some calls are cancelled in the queue or in flight, some are never sent, and
/// some take a long time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_together_never_exceed_the_limit() {
    let Some(server) = crate::server() else { return };
    let redis = redis(&server);
    let cases = (0..8).map(|seed: u64| {
        let redis = redis.clone();
        tokio::spawn(async move {
            let mut random = fastrand::Rng::with_seed(seed);
            let (limit, processes) = (random.u32(1..40), random.usize(2..5));
            let arrived: Arc<Mutex<Vec<Instant>>> = Arc::default();
            let mut jobs = Vec::new();
            for process in 0..processes {
                let limiter = builder(&redis, &format!("case {seed}")).known(limit).build();
                let limiter = limiter.unwrap();
                for task in 0..10_u64 {
                    let (limiter, arrived) = (limiter.clone(), arrived.clone());
                    let seed = seed << 20 | (process as u64) << 10 | task;
                    jobs.push(tokio::spawn(async move {
                        let mut random = fastrand::Rng::with_seed(seed);
                        for _ in 0..6 {
                            let patience = Duration::from_millis(random.u64(1..3_000));
                            let latency = Duration::from_millis(random.u64(0..300));
                            let mut wanted = request();
                            if random.bool() {
                                wanted.priority = Priority::Bulk;
                            }
                            let once = async {
                                let mut permit = limiter.acquire(wanted).await.unwrap();
                                if random.u8(0..6) == 0 {
                                    permit.finish(AttemptEnd::NotSent);
                                    return;
                                }
                                permit.sent(Instant::now());
                                sleep(latency / 2).await;
                                arrived.lock().unwrap().push(Instant::now());
                                sleep(latency / 2).await;
                                permit.finish(AttemptEnd::Answered);
                            };
                            _ = timeout(patience, once).await;
                        }
                    }));
                }
            }
            futures_join(jobs).await;
            let mut arrived = arrived.lock().unwrap().clone();
            arrived.sort_unstable();
            assert!(arrived.len() > limit as usize / 2, "case {seed}: {} calls", arrived.len());
            for window in arrived.windows(limit as usize + 1) {
                let (first, last) = (window[0], window[limit as usize]);
                assert!(last + SLACK >= first + WINDOW, "case {seed}: {:?}", last - first);
            }
        })
    });
    futures_join(cases.collect()).await;
}

async fn futures_join(jobs: Vec<tokio::task::JoinHandle<()>>) {
    for job in jobs {
        job.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_share_the_learned_limit() {
    let Some(server) = crate::server() else { return };
    let (redis, spotify) = (redis(&server), Spotify::new(40));
    let limiters: Vec<_> = (0..3).map(|_| builder(&redis, "learned").build().unwrap()).collect();
    let jobs = limiters.iter().flat_map(|limiter| {
        (0..6).map(|_| {
            let (limiter, spotify) = (limiter.clone(), spotify.clone());
            tokio::spawn(async move {
                for _ in 0..16 {
                    spotify.call(&limiter, Duration::from_millis(10)).await;
                }
            })
        })
    });
    futures_join(jobs.collect()).await;
    let (answered, refused) = {
        let counter = spotify.0.lock().unwrap();
        (counter.answered, counter.refused)
    };
    // Calls that are in flight when the limit is reached are refused.
    assert!(answered == 3 * 6 * 16 && refused <= 12, "{answered} and {refused}");
    for limiter in &limiters {
        call(limiter).await;
        let limit = limiter.limits().limit().unwrap();
        assert!((30..=40).contains(&limit), "{limit}");
    }
    // A process that starts later also knows the limit.
    let late = builder(&redis, "learned").build().unwrap();
    call(&late).await;
    assert_eq!(late.limits().limit(), limiters[0].limits().limit());
    // The limit of one application does not affect another application.
    let other = builder(&redis, "other").build().unwrap();
    call(&other).await;
    assert_eq!((other.limits().limit(), other.limits().in_use()), (None, 1));
}

#[tokio::test]
async fn a_quota_block_is_shared_and_probed_by_a_single_call() {
    let Some(server) = crate::server() else { return };
    let redis = redis(&server);
    let limiters: Vec<_> = (0..3).map(|_| builder(&redis, "quota").build().unwrap()).collect();
    for limiter in &limiters {
        call(limiter).await;
    }
    let albums = Operation::GET_ARTIST_ALBUMS;
    let mut permit = limiters[0].acquire(request_of(albums)).await.unwrap();
    permit.sent(Instant::now());
    let (error, wait) = quota(2);
    permit.finish(AttemptEnd::refused(&error, wait));
    limiters[0].flush().await;
    for limiter in &limiters {
        // The block of `albums` does not affect this call. The server sends the block together with
        // the slot for this call.
        call(limiter).await;
        let mut hurried = request_of(albums);
        hurried.max_wait = Duration::from_millis(100);
        let error = limiter.acquire(hurried).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::QuotaExceeded);
        assert_eq!(limiter.limits().closed().count(), 1);
    }
    // All calls wait for the end of the block. One call is sent first, and the other calls follow
    // after its response.
    let (started, answered) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let jobs = limiters.iter().map(|limiter| {
        let (limiter, started) = (limiter.clone(), started.clone());
        let answered = answered.clone();
        tokio::spawn(async move {
            let mut permit = limiter.acquire(request_of(albums)).await.unwrap();
            permit.sent(Instant::now());
            if started.fetch_add(1, Ordering::SeqCst) == 0 {
                sleep(Duration::from_millis(500)).await;
                assert_eq!(started.load(Ordering::SeqCst), 1, "one call is the probe");
            } else {
                assert!(answered.load(Ordering::SeqCst) > 0, "the probe is not answered yet");
            }
            answered.fetch_add(1, Ordering::SeqCst);
            permit.finish(AttemptEnd::Answered);
        })
    });
    let start = Instant::now();
    futures_join(jobs.collect()).await;
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    assert_eq!(limiters[2].limits().closed().count(), 0);
}

/// A failover to a replica that lags behind can lose a block. The script also removes old blocks.
#[tokio::test]
async fn a_block_lost_by_the_server_still_ends() {
    let Some(server) = crate::server() else { return };
    let limiter = builder(&redis(&server), "lost").build().unwrap();
    call(&limiter).await;
    let albums = Operation::GET_ARTIST_ALBUMS;
    let mut permit = limiter.acquire(request_of(albums)).await.unwrap();
    permit.sent(Instant::now());
    let (error, wait) = quota(1);
    permit.finish(AttemptEnd::refused(&error, wait));
    limiter.flush().await;
    call(&limiter).await;
    assert_eq!(limiter.limits().closed().count(), 1);
    server.command::<()>(&["HSET", "spot:limits:{lost}:state", "blocks", "{}"]).unwrap();

    sleep(wait).await;
    let acquired = timeout(Duration::from_secs(5), limiter.acquire(request_of(albums))).await;
    let mut permit = acquired.expect("the call does not wait for the lost block").unwrap();
    permit.sent(Instant::now());
    permit.finish(AttemptEnd::Answered);
    call(&limiter).await;
    assert_eq!(limiter.limits().closed().count(), 0);
}

#[tokio::test]
async fn a_block_applies_to_all_processes() {
    let Some(server) = crate::server() else { return };
    let redis = redis(&server);
    let limiters: Vec<_> = (0..3).map(|_| builder(&redis, "pause").build().unwrap()).collect();
    for limiter in &limiters {
        call(limiter).await;
    }
    let mut permit = limiters[0].acquire(request()).await.unwrap();
    permit.sent(Instant::now());
    let wait = Duration::from_millis(1500);
    let error = Error::new(ErrorKind::RateLimited, "Slow down").with_retry_after(wait);
    let start = Instant::now();
    permit.finish(AttemptEnd::refused(&error, wait));
    limiters[0].flush().await;
    let jobs = limiters.iter().map(|limiter| {
        let limiter = limiter.clone();
        tokio::spawn(async move {
            let mut hurried = request();
            hurried.max_wait = Duration::from_millis(100);
            let error = limiter.acquire(hurried).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::RateLimited, "{error}");
            call(&limiter).await;
            assert!(start.elapsed() >= wait, "{:?}", start.elapsed());
        })
    });
    futures_join(jobs.collect()).await;
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[tokio::test]
async fn slots_of_a_crashed_process_become_free() {
    let Some(server) = crate::server() else { return };
    let redis = redis(&server);
    let dead = builder(&redis, "dead").known(4).build().unwrap();
    for _ in 0..4 {
        let mut permit = dead.acquire(request()).await.unwrap();
        permit.sent(Instant::now());
        // A crashed process does not report the end of its calls.
        std::mem::forget(permit);
    }
    let start = Instant::now();
    let other = builder(&redis, "dead").known(4).build().unwrap();
    let mut hurried = request();
    hurried.max_wait = Duration::from_millis(500);
    let error = other.acquire(hurried).await.unwrap_err();
    assert!(error.retry_after().is_some_and(|wait| wait > WINDOW / 2), "{error:?}");
    call(&other).await;
    // The slots become free after one window plus the maximum duration of a call.
    let took = start.elapsed();
    assert!(took > Duration::from_secs(2) && took < Duration::from_secs(6), "{took:?}");
}

#[tokio::test]
async fn an_acquire_future_that_is_not_polled_blocks_no_other_call() {
    let Some(server) = crate::server() else { return };
    let redis = redis(&server);
    let limiter = builder(&redis, "held").known(2).build().unwrap();
    call(&limiter).await;
    call(&limiter).await;
    let mut held: Vec<_> = (0..5).map(|_| Box::pin(limiter.acquire(request()))).collect();
    for held in &mut held {
        assert!(timeout(Duration::ZERO, held).await.is_err());
    }
    let start = Instant::now();
    call(&limiter).await;
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    // The calls in `held` can still get a slot. Calls that are dropped occupy no slot.
    held.truncate(1);
    drop(held.pop().unwrap().await.unwrap());
    call(&limiter).await;
}

#[tokio::test]
async fn a_call_that_cannot_meet_the_deadline_fails_immediately() {
    let Some(server) = crate::server() else { return };
    let redis = redis(&server);
    let limiters = [(); 2].map(|()| builder(&redis, "patience").known(2).build().unwrap());
    call(&limiters[0]).await;
    call(&limiters[0]).await;
    let start = Instant::now();
    let mut hurried = request();
    hurried.deadline = Instant::now() + Duration::from_millis(300);
    let error = limiters[1].acquire(hurried).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited, "{error}");
    assert!(start.elapsed() < Duration::from_millis(300), "{:?}", start.elapsed());
}

#[derive(Clone, Debug, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Observer for Told {
    fn event(&self, event: &Event) {
        let told = match event {
            Event::LimiterAlone { limit, error, .. } => {
                assert_eq!(error.kind(), ErrorKind::Transport);
                format!("alone with {limit:?}")
            }
            Event::LimiterShared { .. } => "shared".to_owned(),
            _ => return,
        };
        self.0.lock().unwrap().push(told);
    }
}

impl Told {
    /// Waits for the next event.
    async fn next(&self) -> String {
        let start = Instant::now();
        loop {
            if !self.0.lock().unwrap().is_empty() {
                return self.0.lock().unwrap().remove(0);
            }
            assert!(start.elapsed() < Duration::from_secs(15), "no event");
            sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test]
async fn processes_split_the_limit_while_the_server_is_unreachable() {
    let Some(server) = crate::server() else { return };
    let (told, quick) = (Told::default(), Duration::from_millis(500));
    let redis = Redis::builder(server.url()).connect_timeout(quick).build().unwrap();
    let limiters: Vec<_> = (0..3)
        .map(|_| builder(&redis, "away").known(9).observer(told.clone()).build().unwrap())
        .collect();
    for limiter in limiters.iter().chain(&limiters) {
        call(limiter).await;
    }
    sleep(2 * WINDOW).await;
    server.freeze().unwrap();
    for limiter in &limiters {
        let start = Instant::now();
        let mut now = request();
        now.max_wait = Duration::from_millis(300);
        // Each process may make 3 calls per window. These calls succeed, although the server is
        // unreachable.
        for _ in 0..3 {
            let mut permit = limiter.acquire(now).await.unwrap();
            permit.sent(Instant::now());
            permit.finish(AttemptEnd::Answered);
        }
        assert!(start.elapsed() < quick + Duration::from_millis(400), "{:?}", start.elapsed());
        assert_eq!(told.next().await, "alone with Some(3)");
        assert_eq!(limiter.acquire(now).await.unwrap_err().kind(), ErrorKind::RateLimited);
    }
    server.thaw().unwrap();
    for _ in &limiters {
        assert_eq!(told.next().await, "shared");
    }
    // The calls that the processes made during the outage are counted.
    let slots: usize = limiters[0].limits().in_use();
    assert!(slots <= 9, "{slots}");
    for limiter in &limiters {
        call(limiter).await;
    }
}

#[tokio::test]
async fn an_unreachable_server_delays_calls_by_a_single_timeout() {
    let Some(server) = crate::server() else { return };
    server.kill();
    let told = Told::default();
    let quick = Duration::from_millis(500);
    let redis = Redis::builder(server.url()).connect_timeout(quick).build().unwrap();
    let limiter = builder(&redis, "never").observer(told.clone()).build().unwrap();
    let start = Instant::now();
    for _ in 0..50 {
        call(&limiter).await;
    }
    assert!(start.elapsed() < quick + Duration::from_millis(400), "{:?}", start.elapsed());
    assert_eq!(told.next().await, "alone with None");
    server.restart().unwrap();
    assert_eq!(told.next().await, "shared");
    call(&limiter).await;
    let counts = server.command_counts().unwrap();
    assert!(counts.get("evalsha").is_some_and(|count| *count > 0), "{counts:?}");
}

#[tokio::test]
async fn the_limit_and_blocks_survive_a_restart_without_data() {
    let Some(server) = crate::server() else { return };
    let (redis, spotify) = (redis(&server), Spotify::new(30));
    let limiters = [(); 2].map(|()| builder(&redis, "restart").build().unwrap());
    for _ in 0..50 {
        spotify.call(&limiters[0], Duration::from_millis(2)).await;
    }
    call(&limiters[1]).await;
    let albums = Operation::GET_ARTIST_ALBUMS;
    let mut permit = limiters[1].acquire(request_of(albums)).await.unwrap();
    permit.sent(Instant::now());
    let (error, wait) = quota(3600);
    permit.finish(AttemptEnd::refused(&error, wait));
    limiters[1].flush().await;
    let limit = limiters[0].limits().limit().unwrap();
    server.restart().unwrap();
    for limiter in &limiters {
        call(limiter).await;
        limiter.flush().await;
    }
    // A process that starts now gets the limit and the block from the server.
    let late = builder(&redis, "restart").build().unwrap();
    call(&late).await;
    assert_eq!(late.limits().limit(), Some(limit));
    assert_eq!(
        late.acquire(request_of(albums)).await.unwrap_err().kind(),
        ErrorKind::QuotaExceeded
    );
}

#[tokio::test]
async fn script_flushes_and_connection_losses_do_not_fail_calls() {
    let Some(server) = crate::server() else { return };
    let told = Told::default();
    let redis = redis(&server);
    let limiter = builder(&redis, "cut").observer(told.clone()).build().unwrap();
    call(&limiter).await;
    for _ in 0..5 {
        let _: String = server.command(&["SCRIPT", "FLUSH"]).unwrap();
        call(&limiter).await;
        let _: i64 = server.command(&["CLIENT", "KILL", "TYPE", "normal"]).unwrap();
        call(&limiter).await;
    }
    assert!(told.0.lock().unwrap().is_empty());
}

#[test]
fn the_limiter_does_not_depend_on_the_callers_runtime() {
    let Some(server) = crate::server() else { return };
    let redis = redis(&server);
    let limiter = builder(&redis, "runtimes").known(3).build().unwrap();
    for _ in 0..4 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { timeout(Duration::from_secs(10), call(&limiter)).await }).unwrap();
        drop(runtime);
    }
    // When the last handle is dropped, the limiter reports the finished calls to the server. The
    // program has no runtime at this time.
    let state = |name: &str| format!("spot:limits:{{runtimes}}:{name}");
    drop(limiter);
    let start = std::time::Instant::now();
    while server.command::<i64>(&["ZCARD", &state("open")]).unwrap() > 0 {
        assert!(start.elapsed() < Duration::from_secs(5));
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(server.command::<i64>(&["ZCARD", &state("slots")]).unwrap() <= 3);
}

#[tokio::test]
async fn bulk_calls_do_not_delay_interactive_calls_across_processes() {
    let Some(server) = crate::server() else { return };
    let redis = redis(&server);
    let limiters = [(); 2].map(|()| builder(&redis, "priorities").known(40).build().unwrap());
    call(&limiters[1]).await;
    let jobs: Vec<_> = (0..200)
        .map(|_| {
            let limiter = limiters[0].clone();
            tokio::spawn(async move {
                let mut bulk = request();
                bulk.priority = Priority::Bulk;
                let mut permit = limiter.acquire(bulk).await.unwrap();
                permit.sent(Instant::now());
                permit.finish(AttemptEnd::Answered);
            })
        })
        .collect();
    sleep(WINDOW / 2).await;
    for _ in 0..8 {
        let start = Instant::now();
        call(&limiters[1]).await;
        assert!(start.elapsed() < WINDOW / 2, "{:?}", start.elapsed());
        sleep(WINDOW / 3).await;
    }
    jobs.iter().for_each(tokio::task::JoinHandle::abort);
}

#[test]
fn an_invalid_client_id_is_rejected() {
    let redis = Redis::open("redis://localhost").unwrap();
    for client_id in ["", "a}b"] {
        let error = RedisLimiter::new(&redis, client_id).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
    }
}
