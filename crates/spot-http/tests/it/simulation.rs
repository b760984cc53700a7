//! Simulates thousands of calls against servers with a rate limit, in virtual time. The tests
//! measure the delay that pacing adds, and the number of 429 responses that pacing avoids.
//!
//! The servers count the calls in a rolling window of 30 seconds. A server refuses further calls
//! with a 429. `Retry-After` is rounded up to whole seconds. The latency of a call has a lognormal
//! distribution. The server counts the call after half of the latency.
//!
//! `cargo test -p spot-http simulation -- --nocapture` prints the table of the README.
// The tests print a table.
#![allow(clippy::print_stdout)]

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use proptest::prelude::*;
use spot_http::{
    AccessToken, CallOptions, ErrorKind, Pipeline, Priority, RateLimit, Request, Transport,
    TransportError, TransportErrorKind,
};
use spot_model::Operation;
use tokio::time::{Instant, sleep};

const WINDOW: Duration = Duration::from_secs(30);

/// How a server treats rejected calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// Rejected calls are not counted.
    Plain,
    /// Rejected calls are also counted.
    RejectedCount,
    /// Each call during a block restarts the block with 1.5 times its length, up to an hour.
    Lengthens,
}

/// A server in virtual time.
#[derive(Clone, Debug)]
struct Server(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    rule: Rule,
    /// The limits. Each limit applies from the given time on.
    limits: Vec<(Duration, usize)>,
    start: Instant,
    latency: Duration,
    random: fastrand::Rng,
    counted: VecDeque<Instant>,
    block: Option<(Instant, Duration)>,
    accepted: Vec<Instant>,
    refused: usize,
    /// The amount by which `Retry-After` is too short.
    understates: Duration,
}

impl Server {
    fn new(rule: Rule, limit: usize, latency: Duration, seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            rule,
            limits: vec![(Duration::ZERO, limit)],
            start: Instant::now(),
            latency,
            random: fastrand::Rng::with_seed(seed),
            counted: VecDeque::new(),
            block: None,
            accepted: Vec::new(),
            refused: 0,
            understates: Duration::ZERO,
        })))
    }

    fn then(self, after: Duration, limit: usize) -> Self {
        self.0.lock().unwrap().limits.push((after, limit));
        self
    }

    fn refused(&self) -> usize {
        self.0.lock().unwrap().refused
    }

    fn accepted(&self) -> usize {
        self.0.lock().unwrap().accepted.len()
    }

    /// Returns the maximum number of calls that were accepted in any window.
    fn fullest(&self) -> usize {
        let accepted = &self.0.lock().unwrap().accepted;
        let in_window = |at: usize| {
            accepted[at..].iter().take_while(|time| **time < accepted[at] + WINDOW).count()
        };
        (0..accepted.len()).map(in_window).max().unwrap_or(0)
    }
}

impl State {
    fn latency(&mut self) -> Duration {
        // The sum of 12 uniform numbers approximates a normal distribution.
        let normal: f64 = (0..12).map(|_| self.random.f64()).sum::<f64>() - 6.0;
        self.latency.mul_f64((0.3 * normal).exp())
    }

    fn limit(&self, now: Instant) -> usize {
        let since = now - self.start;
        self.limits.iter().rev().find(|(from, _)| *from <= since).unwrap().1
    }

    /// Counts a call. Returns the time to wait if the call is refused.
    fn count(&mut self, now: Instant) -> Option<Duration> {
        while self.counted.front().is_some_and(|at| *at + WINDOW <= now) {
            self.counted.pop_front();
        }
        if let Some((until, length)) = self.block
            && self.rule == Rule::Lengthens
            && now < until
        {
            let length = length.mul_f64(1.5).min(Duration::from_secs(3600));
            self.block = Some((now + length, length));
            self.refused += 1;
            return Some(length.saturating_sub(self.understates));
        }
        let limit = self.limit(now);
        if self.counted.len() < limit {
            self.counted.push_back(now);
            self.accepted.push(now);
            return None;
        }
        self.refused += 1;
        if self.rule == Rule::RejectedCount {
            self.counted.push_back(now);
        }
        let free = self.counted[self.counted.len() - limit] + WINDOW;
        let wait = Duration::from_secs((free - now).as_secs_f64().ceil() as u64);
        self.block = Some((now + wait, wait));
        Some(wait.saturating_sub(self.understates))
    }
}

#[spot_http::async_trait]
impl Transport for Server {
    async fn send(&self, _: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        let half = self.0.lock().unwrap().latency() / 2;
        sleep(half).await;
        let refused = self.0.lock().unwrap().count(Instant::now());
        sleep(half).await;
        let response = http::Response::builder();
        Ok(match refused {
            None => response.status(200).body(Bytes::from_static(b"{}")).unwrap(),
            Some(wait) => response
                .status(429)
                .header("retry-after", wait.as_secs_f64().ceil() as u64)
                .body(Bytes::new())
                .unwrap(),
        })
    }
}

fn pipeline(server: &Server, limit: RateLimit) -> Pipeline {
    seeded(server, limit, 1)
}

fn seeded(server: &Server, limit: RateLimit, seed: u64) -> Pipeline {
    Pipeline::builder(AccessToken::new("token").unwrap())
        .transport(server.clone())
        .rate_limit(limit)
        .seed(seed)
        .retry_budget(None)
        .attempts(u32::MAX)
        .deadline(Duration::from_secs(40 * 3600))
        .max_wait(Duration::from_secs(2 * 3600))
        .build()
        .unwrap()
}

fn get() -> Request {
    Request::new(Operation::GET_MY_PROFILE)
}

/// Result of one simulation.
#[derive(Debug)]
struct Run {
    /// `None` if the calls were not finished within 20 hours.
    took: Option<Duration>,
    refused_per_1000: f64,
    done: usize,
}

impl Run {
    fn over(&self, ideal: f64) -> f64 {
        self.took.map_or(f64::INFINITY, |took| took.as_secs_f64() / ideal)
    }
}

/// Makes calls with one task for each pipeline.
async fn work(server: &Server, pipelines: Vec<Pipeline>, calls: usize) -> Run {
    work_in(pipelines.len(), server, pipelines, calls).await
}

/// Makes calls with `tasks` parallel tasks. Each task uses a different pipeline for each call.
async fn work_in(tasks: usize, server: &Server, pipelines: Vec<Pipeline>, calls: usize) -> Run {
    let pipelines = Arc::new(pipelines);
    let left = Arc::new(Mutex::new(calls));
    let start = Instant::now();
    let tasks: Vec<_> = (0..tasks)
        .map(|task| {
            let (left, pipelines) = (left.clone(), pipelines.clone());
            tokio::spawn(async move {
                for turn in 0.. {
                    let pipeline = &pipelines[(task + turn * tasks) % pipelines.len()];
                    {
                        let mut left = left.lock().unwrap();
                        if *left == 0 {
                            return;
                        }
                        *left -= 1;
                    }
                    // A call fails only if `Retry-After` exceeds the deadline. Only clients that
                    // send calls during a block receive such a long `Retry-After`.
                    if pipeline.call(get()).await.is_err() {
                        return sleep(Duration::from_secs(100 * 3600)).await;
                    }
                }
            })
        })
        .collect();
    let all = futures::future::join_all(tasks);
    let ended = tokio::time::timeout(Duration::from_secs(20 * 3600), all).await;
    let took = ended.is_ok().then(|| start.elapsed());
    if let Ok(ended) = ended {
        ended.into_iter().for_each(|task| task.unwrap());
    }
    let done = server.accepted();
    Run { took, refused_per_1000: server.refused() as f64 * 1000.0 / done as f64, done }
}

/// Makes 5,000 calls with 32 tasks that share one client.
async fn ours(server: &Server) -> Run {
    let pipeline = pipeline(server, RateLimit::learned());
    work(server, vec![pipeline; 32], 5000).await
}

/// Minimum number of seconds for 5,000 calls: 27 full windows of 30 s. After the 27 windows, the
/// server accepts the remaining 140 calls immediately.
const IDEAL: f64 = 810.0;

const LATENCY: Duration = Duration::from_millis(100);

#[tokio::test(start_paused = true)]
async fn pacing_bounds_the_extra_time_and_the_429s() {
    let mut table = vec![
        "server      | client                      | time / ideal time | 429s per 1,000 calls"
            .to_owned(),
    ];
    let mut ran = Vec::new();
    for rule in [Rule::Plain, Rule::RejectedCount, Rule::Lengthens] {
        let mut row = |client: &str, run: &Run| {
            let time = match run.took {
                Some(_) => format!("{:.3}", run.over(IDEAL)),
                None => format!("{} done in 20 h", run.done),
            };
            let rule = format!("{rule:?}");
            let refused = run.refused_per_1000;
            table.push(format!("{rule:<13} | {client:<27} | {time:<17} | {refused:.1}"));
        };
        let server = Server::new(rule, 180, LATENCY, 1);
        let alone = (0..32).map(|task| seeded(&server, RateLimit::unpaced(), task)).collect();
        row("a Retry-After a task", &work(&server, alone, 5000).await);
        let server = Server::new(rule, 180, LATENCY, 1);
        let shared = vec![pipeline(&server, RateLimit::unpaced()); 32];
        row("a shared pause", &work(&server, shared, 5000).await);
        let server = Server::new(rule, 180, LATENCY, 1);
        let known = vec![pipeline(&server, RateLimit::known(180)); 32];
        row("the limit given", &work(&server, known, 5000).await);
        for seed in 1..4 {
            let server = Server::new(rule, 180, LATENCY, seed);
            let run = ours(&server).await;
            row(&format!("the learned window, seed {seed}"), &run);
            ran.push((rule, run));
        }
    }
    println!("{}", table.join("\n"));
    for (rule, run) in ran {
        // Eight calls are in flight when the limit is reached. The seven calls that are refused
        // after the first refusal extend the block.
        let most = if rule == Rule::Lengthens { 1.60 } else { 1.015 };
        assert!(run.over(IDEAL) <= most, "{rule:?}: {run:?}");
        assert!(run.refused_per_1000 <= 3.0, "{rule:?}: {run:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn fifty_users_get_as_few_429s_as_a_single_user() {
    const USERS: usize = 50;
    for (users, rule) in [(1, Rule::Plain), (USERS, Rule::Plain), (USERS, Rule::RejectedCount)] {
        for seed in 1..4 {
            let server = Server::new(rule, 180, LATENCY, seed);
            let base = seeded(&server, RateLimit::learned(), seed);
            let users: Vec<_> = (0..users)
                .map(|user| base.with_tokens(AccessToken::new(&format!("user-{user}")).unwrap()))
                .collect();
            let first = work_in(32, &server, users.clone(), 5000).await;
            println!(
                "{} users, {rule:?}, seed {seed}: {:.3}, {:.1}",
                users.len(),
                first.over(IDEAL),
                first.refused_per_1000
            );
            assert!(first.over(IDEAL) <= 1.015, "{first:?}");
            assert!(first.refused_per_1000 <= 3.0, "{first:?}");
            let before = server.refused();
            work_in(32, &server, users, 5000).await;
            let later = (server.refused() - before) as f64 / 5.0;
            println!("  the next 5,000: {later:.1}");
            assert!(later <= 1.0, "{later} 429s per 1,000 calls after the first 5,000 calls");
        }
    }
}

/// A server with a rate limit for the application and a daily quota that two operations share.
#[derive(Clone, Debug)]
struct Quotas {
    window: Server,
    left: Arc<Mutex<usize>>,
    start: Instant,
    refused: Arc<Mutex<usize>>,
}

const DAY: Duration = Duration::from_secs(86_400);

#[spot_http::async_trait]
impl Transport for Quotas {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let path = request.uri().path().to_owned();
        let response = self.window.send(request).await?;
        let in_bucket = path.ends_with("/albums") || path.ends_with("/episodes");
        if response.status() != 200 || !in_bucket {
            return Ok(response);
        }
        let mut left = self.left.lock().unwrap();
        if *left > 0 && self.start.elapsed() < DAY {
            *left -= 1;
            return Ok(response);
        }
        let wait = DAY.saturating_sub(self.start.elapsed());
        if wait.is_zero() {
            return Ok(response);
        }
        *self.refused.lock().unwrap() += 1;
        let body = r#"{"error":{"status":429,"message":"Quota","reason":"QUOTA_EXCEEDED"}}"#;
        let response = http::Response::builder().status(429);
        let response = response.header("retry-after", wait.as_secs_f64().ceil() as u64);
        Ok(response.body(Bytes::from_static(body.as_bytes())).unwrap())
    }
}

#[tokio::test(start_paused = true)]
async fn an_exceeded_quota_costs_a_single_429_per_operation() {
    let quotas = Quotas {
        window: Server::new(Rule::Plain, 180, LATENCY, 1),
        left: Arc::new(Mutex::new(100)),
        start: Instant::now(),
        refused: Arc::default(),
    };
    let pipeline = Pipeline::builder(AccessToken::new("token").unwrap())
        .transport(quotas.clone())
        .seed(1)
        .build()
        .unwrap();
    let request = |operation: &'static Operation| {
        Request::new(operation).path("id", "spotmockArtist00000001")
    };
    let (albums, episodes) = (Operation::GET_ARTIST_ALBUMS, Operation::GET_SHOW_EPISODES);
    let (mut first, mut second, mut others) = (0, 0, 0);
    // Makes one call of each kind per minute, for 25 hours.
    for _ in 0..25 * 60 {
        first += u32::from(pipeline.call(request(albums)).await.is_ok());
        second += u32::from(pipeline.call(request(episodes)).await.is_ok());
        others += u32::from(pipeline.call(get()).await.is_ok());
        sleep(Duration::from_secs(60)).await;
    }
    // On the first day, the two operations share a quota of 100 calls. All calls of the two
    // operations during the 25th hour succeed.
    assert_eq!(others, 25 * 60);
    assert!((200..230).contains(&(first + second)), "{first} and {second}");
    // Each of the two operations is refused once, because the client does not know that they share
    // a quota.
    assert_eq!(*quotas.refused.lock().unwrap(), 2);
    assert_eq!(quotas.window.refused(), 0);
}

#[tokio::test(start_paused = true)]
async fn pacing_works_with_low_and_high_latency() {
    for (latency, most) in [(Duration::from_millis(20), 1.02), (Duration::from_secs(2), 1.20)] {
        let server = Server::new(Rule::Plain, 180, latency, 1);
        let run = ours(&server).await;
        println!("latency {latency:?}: {:.3}, {:.1}", run.over(IDEAL), run.refused_per_1000);
        assert!(run.over(IDEAL) <= most, "{latency:?}: {run:?}");
        assert!(run.refused_per_1000 <= 3.0, "{latency:?}: {run:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn pacing_adapts_when_the_limit_is_halved_and_restored() {
    let server = Server::new(Rule::Plain, 180, LATENCY, 1)
        .then(Duration::from_secs(270), 90)
        .then(Duration::from_secs(570), 180);
    let run = ours(&server).await;
    // The limit allows 1,620 calls in the first 270 s, 900 calls in the next 300 s, and then 180
    // calls per window.
    let ideal = 570.0 + (5000.0 - 1620.0 - 900.0) / 180.0 * 30.0;
    println!("halved and restored: {:.3}, {:.1}", run.over(ideal), run.refused_per_1000);
    assert!(run.over(ideal) <= 1.25, "{run:?}");
    assert!(run.refused_per_1000 <= 12.0, "{run:?}");
}

#[tokio::test(start_paused = true)]
async fn an_understated_retry_after_at_most_doubles_the_time() {
    let server = Server::new(Rule::Lengthens, 180, LATENCY, 1);
    server.0.lock().unwrap().understates = Duration::from_secs(1);
    let run = ours(&server).await;
    println!("understated: {:.3}, {:.1}", run.over(IDEAL), run.refused_per_1000);
    assert!(run.over(IDEAL) <= 2.0, "{run:?}");
}

#[tokio::test(start_paused = true)]
async fn calls_during_a_block_of_a_day_fail_without_request_or_sleep() {
    #[derive(Clone, Debug, Default)]
    struct Blocked(Arc<Mutex<u32>>);

    #[spot_http::async_trait]
    impl Transport for Blocked {
        async fn send(
            &self,
            _: http::Request<Bytes>,
        ) -> Result<http::Response<Bytes>, TransportError> {
            *self.0.lock().unwrap() += 1;
            let response = http::Response::builder().status(429).header("retry-after", "86400");
            Ok(response.body(Bytes::new()).unwrap())
        }
    }

    let transport = Blocked::default();
    let build = |limit| {
        Pipeline::builder(AccessToken::new("token").unwrap())
            .transport(transport.clone())
            .rate_limit(limit)
            .build()
            .unwrap()
    };
    let pipeline = build(RateLimit::learned());
    let start = Instant::now();
    for _ in 0..1000 {
        let error = pipeline.call(get()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::QuotaExceeded);
        assert!(error.retry_after().unwrap() > Duration::from_secs(86_000));
    }
    // A new run loads the saved limits, including the block.
    let kept = serde_json::to_string(&pipeline.limits()).unwrap();
    let again = build(RateLimit::learned().resume(serde_json::from_str(&kept).unwrap()));
    assert_eq!(again.call(get()).await.unwrap_err().kind(), ErrorKind::QuotaExceeded);
    assert_eq!(again.limits().closed().count(), 1);
    assert_eq!((*transport.0.lock().unwrap(), start.elapsed()), (1, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn resuming_saved_limits_causes_no_further_429s() {
    let server = Server::new(Rule::Plain, 60, LATENCY, 1);
    let first = pipeline(&server, RateLimit::learned());
    work(&server, vec![first.clone(); 8], 300).await;
    assert_eq!(first.limits().limit(), Some(60));
    let refused = server.refused();
    // The next run knows the limit and the number of calls that the first run has made.
    let second = pipeline(&server, RateLimit::learned().resume(first.limits()));
    drop(first);
    work(&server, vec![second; 8], 60).await;
    assert_eq!(server.refused(), refused);
}

#[tokio::test(start_paused = true)]
async fn independent_programs_share_the_limit_with_few_429s() {
    // After a block, the programs send their calls in a random order, so the test averages many
    // runs.
    const RUNS: u32 = 20;
    let mut refused = 0.0;
    for run in 0..RUNS {
        let server = Server::new(Rule::Plain, 180, LATENCY, u64::from(run));
        let mut pipelines = Vec::new();
        for program in 0..3 {
            let program = seeded(&server, RateLimit::learned(), u64::from(run * 3 + program));
            pipelines.extend(vec![program; 10]);
        }
        let run = work(&server, pipelines, 5000).await;
        println!("three programs: {:.3}, {:.1}", run.over(IDEAL), run.refused_per_1000);
        assert!(run.over(IDEAL) <= 1.3, "{run:?}");
        assert!(run.refused_per_1000 <= 40.0, "{run:?}");
        refused += run.refused_per_1000;
    }
    assert!(refused / f64::from(RUNS) <= 25.0, "{refused} in {RUNS} runs");
}

#[tokio::test(start_paused = true)]
async fn interactive_calls_overtake_bulk_calls() {
    let server = Server::new(Rule::Plain, 100, LATENCY, 1);
    let pipeline = pipeline(&server, RateLimit::known(100));
    let bulk = Request::new(Operation::GET_MY_PROFILE).with_options(
        CallOptions::new().priority(Priority::Bulk).deadline(Duration::from_secs(36_000)),
    );
    let jobs: Vec<_> = (0..2000)
        .map(|_| {
            let (pipeline, bulk) = (pipeline.clone(), bulk.clone());
            tokio::spawn(async move { pipeline.call(bulk).await.unwrap().waited() })
        })
        .collect();
    // The job uses up the first window. Every 13 s, a user clicks, and the click makes one call.
    let mut longest = Duration::ZERO;
    for click in 0..20 {
        sleep(Duration::from_secs(13)).await;
        let waited = pipeline.call(get()).await.unwrap().waited();
        // At the first click, the window is full, because no slot was reserved for interactive
        // calls.
        if click > 2 {
            longest = longest.max(waited);
        }
    }
    let left = jobs.iter().filter(|job| !job.is_finished()).count();
    println!("the longest wait of a click: {longest:?}; {left} of the job are left");
    assert!(longest < Duration::from_secs(1), "{longest:?}");
    assert!((800..1400).contains(&left), "the job goes on: {left}");
}

#[tokio::test(start_paused = true)]
async fn interactive_calls_do_not_starve_bulk_calls() {
    let server = Server::new(Rule::Plain, 100, LATENCY, 1);
    let pipeline = pipeline(&server, RateLimit::known(100));
    let clicks: Vec<_> = (0..50)
        .map(|_| {
            let pipeline = pipeline.clone();
            tokio::spawn(async move {
                loop {
                    pipeline.call(get()).await.unwrap();
                }
            })
        })
        .collect();
    sleep(Duration::from_secs(1)).await;
    let bulk = CallOptions::new().priority(Priority::Bulk);
    for _ in 0..20 {
        pipeline.call(get().with_options(bulk.clone())).await.unwrap();
    }
    clicks.iter().for_each(tokio::task::JoinHandle::abort);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn calls_in_a_window_never_exceed_the_limit(
        limit in 1_usize..60,
        latency in 1_u64..8_000,
        tasks in 1_usize..40,
        patience in 1_u64..20_000,
        seed: u64,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let (fullest, refused) = runtime.block_on(async {
            let latency = Duration::from_millis(latency);
            let server = Server::new(Rule::Plain, limit, latency, seed);
            let given = RateLimit::known(u32::try_from(limit).unwrap());
            let pipeline = pipeline(&server, given);
            let jobs = (0..tasks).map(|task| {
                let pipeline = pipeline.clone();
                let mut random = fastrand::Rng::with_seed(seed ^ task as u64);
                async move {
                    for _ in 0..8 {
                        // Some callers cancel a call while it is queued or in flight.
                        let patience = Duration::from_millis(random.u64(0..patience) * 4);
                        let call = pipeline.call(get());
                        let _ = tokio::time::timeout(patience, call).await;
                    }
                }
            });
            futures::future::join_all(jobs).await;
            (server.fullest(), server.refused())
        });
        prop_assert!(fullest <= limit, "{fullest} of {limit}");
        prop_assert_eq!(refused, 0);
    }
}

/// A transport without a rate limit, which responds or fails after a random latency. The transport
/// counts the calls in flight.
#[derive(Clone, Debug)]
struct Unlimited(Arc<Mutex<Flights>>);

#[derive(Debug)]
struct Flights {
    random: fastrand::Rng,
    /// Maximum latency in milliseconds.
    slowest: u64,
    in_flight: usize,
    outstanding: usize,
    /// `Some` if a call waits although fewer than eight calls are in flight. The value is the time
    /// of the last change of `in_flight` or `outstanding`.
    held_since: Option<Instant>,
    longest_hold: Duration,
}

/// Counts a call as outstanding or in flight until this value is dropped.
struct Counted {
    flights: Arc<Mutex<Flights>>,
    in_flight: bool,
}

impl Flights {
    fn change(&mut self, by: isize, in_flight: bool) {
        // While no limit is known, this number of calls may always be in flight.
        const ROOM: usize = 8;
        let count = if in_flight { &mut self.in_flight } else { &mut self.outstanding };
        *count = count.checked_add_signed(by).unwrap();
        let now = Instant::now();
        if let Some(since) = self.held_since.take() {
            self.longest_hold = self.longest_hold.max(now - since);
        }
        if self.in_flight < ROOM.min(self.outstanding) {
            self.held_since = Some(now);
        }
    }
}

impl Counted {
    fn new(flights: &Arc<Mutex<Flights>>, in_flight: bool) -> Self {
        flights.lock().unwrap().change(1, in_flight);
        Self { flights: flights.clone(), in_flight }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.flights.lock().unwrap().change(-1, self.in_flight);
    }
}

#[spot_http::async_trait]
impl Transport for Unlimited {
    async fn send(&self, _: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        let _counted = Counted::new(&self.0, true);
        let (latency, fate) = {
            let mut flights = self.0.lock().unwrap();
            let slowest = flights.slowest;
            (flights.random.u64(1..=slowest), flights.random.u8(0..10))
        };
        sleep(Duration::from_millis(latency)).await;
        match fate {
            0 => Err(TransportError::new(TransportErrorKind::Reset, "by the test")),
            1 => Err(TransportError::new(TransportErrorKind::NotSent, "by the test")),
            2 => Ok(http::Response::builder().status(503).body(Bytes::new()).unwrap()),
            _ => Ok(http::Response::new(Bytes::from_static(b"{}"))),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// A call waits only while eight other calls are in flight, so it waits only for their
    /// responses. A cancelled or failed call does not delay later calls.
    #[test]
    fn calls_wait_only_for_responses_while_no_limit_is_known(
        slowest in 1_u64..8_000,
        tasks in 1_usize..40,
        patience in 1_u64..20_000,
        seed: u64,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let longest = runtime.block_on(async {
            let flights = Arc::new(Mutex::new(Flights {
                random: fastrand::Rng::with_seed(seed),
                slowest,
                in_flight: 0,
                outstanding: 0,
                held_since: None,
                longest_hold: Duration::ZERO,
            }));
            let pipeline = Pipeline::builder(AccessToken::new("token").unwrap())
                .transport(Unlimited(flights.clone()))
                .deadline(Duration::from_secs(3600))
                .build()
                .unwrap();
            let jobs = (0..tasks).map(|task| {
                let (pipeline, flights) = (pipeline.clone(), flights.clone());
                let mut random = fastrand::Rng::with_seed(seed ^ task as u64);
                async move {
                    for _ in 0..8 {
                        sleep(Duration::from_millis(random.u64(0..2_000))).await;
                        let patience = Duration::from_millis(random.u64(1..=patience) * 4);
                        let priority = if random.bool() { Priority::Bulk } else { Priority::Interactive };
                        let options = CallOptions::new().attempts(1).priority(priority);
                        let _wanted = Counted::new(&flights, false);
                        let call = pipeline.call(get().with_options(options));
                        let _ = tokio::time::timeout(patience, call).await;
                    }
                }
            });
            futures::future::join_all(jobs).await;
            let flights = flights.lock().unwrap();
            assert_eq!((flights.in_flight, flights.outstanding), (0, 0));
            flights.longest_hold
        });
        // A timer may fire up to a millisecond late.
        prop_assert!(longest <= Duration::from_millis(1), "{longest:?}");
    }
}
