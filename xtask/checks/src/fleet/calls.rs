//! Tests the calls of one application in several processes that share a rate limit through Redis.
//!
//! Each call has a unique id, so that the log of spot-mock shows which calls were lost or sent
//! twice.

use std::{
    collections::{BTreeMap, HashMap},
    env,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{self, Receiver},
    },
    thread,
    time::{Duration, Instant},
};

use futures::future::join_all;
use serde::{Deserialize, Serialize};
use spot::{
    model::Operation,
    net::{
        AccessToken, AttemptEnd, ErrorKind, Event, LocalLimiter, Observer, PermitRequest, Pipeline,
        RateLimit, RateLimiter, Request, ReqwestTransport,
    },
    shared::{Redis, RedisLimiter, test::RedisServer},
};
use spot_mock::MockSpotify;
use tokio::time::sleep;
use xtask::{Error, say};

use crate::fleet::Checks;

/// Environment variable that contains the `Plan` of a process as JSON.
const PLAN: &str = "SPOT_FLEET_CALLS";

/// Interval at which the log of the mock is read.
const LOOK: Duration = Duration::from_millis(50);

/// Maximum duration of an attempt. If a process is killed, its rate-limit slots become free after
/// the time `LONGEST_CALL` plus the length of the window.
const LONGEST_CALL: Duration = Duration::from_secs(2);

const DEADLINE: Duration = Duration::from_secs(60);

/// Maximum time by which a call may exceed its deadline. Calls end late if the machine is busy.
const LATE: Duration = Duration::from_secs(2);

/// Path at which Debian installs the library that shifts the clock of a process.
const FAKETIME: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Plan {
    /// URL of Redis. Without a URL, the process has its own limiter.
    redis: Option<String>,
    api: String,
    token: String,
    client_id: String,
    window: Duration,
    worker: u64,
    tasks: u64,
}

/// A report of a process. Each report is printed as one line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Report {
    /// Redis is unreachable.
    Alone,
    /// Redis is reachable again.
    Shared,
    Ended(Tally),
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Tally {
    /// The numbers of the calls that got a response.
    answered: Vec<u64>,
    failed: Vec<String>,
    /// Duration of the longest call.
    longest: Duration,
}

/// Runs as one of the tested processes.
pub(super) async fn work() -> Result<(), Error> {
    let plan = env::var(PLAN).map_err(|_| format!("{PLAN} is not set"))?;
    let plan: Plan = serde_json::from_str(&plan).map_err(text)?;
    let limiter: Arc<dyn RateLimiter> = match &plan.redis {
        Some(url) => {
            let redis = Redis::open(url).map_err(text)?;
            let limiter = RedisLimiter::builder(&redis, &plan.client_id)
                .window(plan.window)
                .longest_call(LONGEST_CALL)
                .observer(Reporter);
            Arc::new(limiter.build().map_err(text)?)
        }
        None => Arc::new(LocalLimiter::new(&RateLimit::learned().window(plan.window))),
    };
    let pipeline = Pipeline::builder(AccessToken::new(&plan.token).map_err(text)?)
        .base_url(&plan.api)
        .transport(ReqwestTransport::builder().no_proxy().build().map_err(text)?)
        .rate_limiter(limiter)
        .retry_budget(None)
        .attempts(u32::MAX)
        .deadline(DEADLINE)
        .build()
        .map_err(text)?;
    let over = Arc::new(AtomicBool::new(false));
    let ends = Arc::clone(&over);
    thread::spawn(move || {
        // The parent closes standard input to stop this process.
        _ = std::io::stdin().lines().next();
        ends.store(true, Ordering::Relaxed);
    });
    let (next, tally) = (AtomicU64::new(0), Mutex::new(Tally::default()));
    let task = || async {
        while !over.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let request = Request::new(Operation::GET_ARTIST).path("id", id(plan.worker, number));
            let start = Instant::now();
            let answer = pipeline.call(request).await;
            let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
            tally.longest = tally.longest.max(start.elapsed());
            match answer {
                Ok(_) => tally.answered.push(number),
                // The requested artists do not exist, so 404 is the expected response.
                Err(error) if error.kind() == ErrorKind::NotFound => tally.answered.push(number),
                Err(error) => tally.failed.push(error.to_string()),
            }
        }
    };
    join_all((0..plan.tasks).map(|_| task())).await;
    report(&Report::Ended(tally.into_inner().unwrap_or_else(PoisonError::into_inner)));
    Ok(())
}

/// Reports when Redis becomes unreachable, and when it is reachable again.
#[derive(Debug)]
struct Reporter;

impl Observer for Reporter {
    fn event(&self, event: &Event) {
        match event {
            Event::LimiterAlone { .. } => report(&Report::Alone),
            Event::LimiterShared { .. } => report(&Report::Shared),
            _ => {}
        }
    }
}

fn report(report: &Report) {
    if let Ok(line) = serde_json::to_string(report) {
        say(&line);
    }
}

/// Id of the artist that a call requests.
fn id(worker: u64, number: u64) -> String {
    format!("fleet{worker:05}x{number:011}")
}

/// Reads the worker and the number of a call from the path of the request.
fn marker(path: &str) -> Option<(u64, u64)> {
    let (worker, number) = path.rsplit('/').next()?.strip_prefix("fleet")?.split_once('x')?;
    Some((worker.parse().ok()?, number.parse().ok()?))
}

/// Settings of a fleet, which is a group of processes of the same application.
#[derive(Clone, Debug)]
struct Fleet {
    processes: u64,
    tasks: u64,
    limit: usize,
    window: Duration,
    /// Whether the processes share their limits.
    shared: bool,
}

/// A running fleet.
struct Running {
    fleet: Fleet,
    mock: MockSpotify,
    server: Option<RedisServer>,
    workers: Vec<Worker>,
    next_worker: u64,
    killed: Vec<u64>,
    start: Instant,
}

struct Worker {
    number: u64,
    process: Child,
    input: Option<ChildStdin>,
    reports: Receiver<Report>,
}

/// Results of a fleet.
#[derive(Debug, Default)]
struct Outcome {
    /// Time until the planned number of calls was accepted.
    took: Duration,
    accepted: usize,
    refused: usize,
    round_trips: u64,
    /// Commands that the Redis server ran, including the commands in scripts.
    commands: u64,
    shares: Vec<usize>,
    twice: usize,
    lost: usize,
    failed: Vec<String>,
    longest: Duration,
}

impl Outcome {
    fn refused_per_1000(&self) -> f64 {
        self.refused as f64 * 1000.0 / self.accepted.max(1) as f64
    }

    fn round_trips_per_call(&self) -> f64 {
        self.round_trips as f64 / self.accepted.max(1) as f64
    }

    fn is_intact(&self) -> bool {
        self.twice == 0 && self.lost == 0 && self.failed.is_empty()
    }
}

impl Fleet {
    async fn start(self) -> Result<Running, Error> {
        let mock = MockSpotify::builder().rate_limit(self.limit).window(self.window).start().await;
        let mut running = Running {
            mock: mock.map_err(text)?,
            server: if self.shared { Some(RedisServer::start().map_err(text)?) } else { None },
            workers: Vec::new(),
            next_worker: 0,
            killed: Vec::new(),
            start: Instant::now(),
            fleet: self,
        };
        for _ in 0..running.fleet.processes {
            running.add(&[])?;
        }
        // The measurement excludes the start of the processes.
        while running.mock.requests().is_empty() {
            sleep(Duration::from_millis(2)).await;
        }
        running.start = Instant::now();
        Ok(running)
    }

    /// Minimum time for `calls` calls. The first `limit` calls are sent immediately, and each
    /// further window allows `limit` more calls.
    fn ideal(&self, calls: usize) -> Duration {
        let windows = calls.saturating_sub(1) / self.limit.max(1);
        self.window * u32::try_from(windows).unwrap_or(u32::MAX)
    }
}

impl Running {
    fn server(&self) -> Result<&RedisServer, Error> {
        self.server.as_ref().ok_or_else(|| "the fleet has no Redis server".to_owned())
    }

    /// Starts another process.
    fn add(&mut self, environment: &[(&str, &str)]) -> Result<(), Error> {
        let plan = Plan {
            redis: self.server.as_ref().map(RedisServer::url),
            api: self.mock.api_url().to_owned(),
            token: self.mock.app_token(),
            client_id: self.mock.client_id().to_owned(),
            window: self.fleet.window,
            worker: self.next_worker,
            tasks: self.fleet.tasks,
        };
        self.next_worker += 1;
        let mut process = Command::new(env::current_exe().map_err(text)?)
            .args(["fleet", "--worker", "calls"])
            .env(PLAN, serde_json::to_string(&plan).map_err(text)?)
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(text)?;
        let input = process.stdin.take();
        let output = process.stdout.take().ok_or("a process has no standard output")?;
        let (sender, reports) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Ok(report) = serde_json::from_str(&line) {
                    _ = sender.send(report);
                }
            }
        });
        self.workers.push(Worker { number: plan.worker, process, input, reports });
        Ok(())
    }

    /// Kills a process while its calls are in flight, and starts another process.
    fn kill_one(&mut self) -> Result<(), Error> {
        let mut worker = self.workers.remove(0);
        worker.process.kill().map_err(text)?;
        worker.process.wait().map_err(text)?;
        self.killed.push(worker.number);
        self.add(&[])
    }

    /// Number of accepted calls of each process.
    fn accepted(&self) -> BTreeMap<u64, usize> {
        let mut accepted = BTreeMap::new();
        for request in self.mock.requests() {
            let marker = marker(&request.path).filter(|_| is_accepted(request.status));
            if let Some((worker, _)) = marker {
                *accepted.entry(worker).or_default() += 1;
            }
        }
        accepted
    }

    /// Waits until the mock has accepted `calls` calls, or until the fleet has run longer than
    /// `most`. Returns the time since the start of the fleet.
    async fn until(&self, calls: usize, most: Duration) -> Duration {
        loop {
            let took = self.start.elapsed();
            let accepted: usize = self.accepted().values().sum();
            if accepted >= calls || took > most {
                return took;
            }
            sleep(LOOK).await;
        }
    }

    /// Waits until every process has started and finished a new call. Returns the waiting time.
    async fn until_all_call(&self) -> Result<Duration, Error> {
        let (start, before) = (Instant::now(), self.accepted());
        loop {
            let now = self.accepted();
            // Calls that were in flight when the wait began are not counted.
            let tasks = usize::try_from(self.fleet.tasks).unwrap_or_default();
            let calls = |worker: &Worker| {
                let count = |of: &BTreeMap<u64, usize>| of.get(&worker.number).copied();
                count(&now).unwrap_or(0) > count(&before).unwrap_or(0) + tasks
            };
            if self.workers.iter().all(calls) {
                return Ok(start.elapsed());
            }
            if start.elapsed() > DEADLINE {
                return Err("a process stopped making calls".to_owned());
            }
            sleep(LOOK).await;
        }
    }

    /// Waits until every process has reported that Redis is reachable again. If `shared` is false,
    /// waits for the reports that Redis is unreachable.
    async fn until_all_report(&self, shared: bool) -> Result<Duration, Error> {
        let start = Instant::now();
        for worker in &self.workers {
            loop {
                match worker.reports.try_recv() {
                    Ok(Report::Shared) if shared => break,
                    Ok(Report::Alone) if !shared => break,
                    Ok(_) => {}
                    Err(_) if start.elapsed() > DEADLINE => {
                        let what = if shared { "available again" } else { "unavailable" };
                        return Err(format!("a process did not report that Redis is {what}"));
                    }
                    Err(_) => sleep(Duration::from_millis(5)).await,
                }
            }
        }
        Ok(start.elapsed())
    }

    /// Stops the processes and counts the results.
    async fn end(mut self, took: Duration) -> Result<Outcome, Error> {
        let mut outcome = Outcome { took, ..Outcome::default() };
        if let Some(server) = &self.server {
            let counts = server.command_counts().map_err(text)?;
            let count = |name| counts.get(name).copied().unwrap_or(0);
            outcome.round_trips = count("evalsha") + count("eval");
            let of_workers = counts.iter().filter(|(name, _)| *name != "info");
            outcome.commands = of_workers.map(|(_, count)| count).sum();
            outcome.accepted = self.accepted().values().sum();
        }
        let calls_so_far = outcome.accepted.max(1) as f64;
        for worker in &mut self.workers {
            drop(worker.input.take());
        }
        let mut said = HashMap::new();
        for worker in &mut self.workers {
            let tally = loop {
                match worker.reports.try_recv() {
                    Ok(Report::Ended(tally)) => break tally,
                    Ok(_) => {}
                    Err(mpsc::TryRecvError::Empty) => sleep(LOOK).await,
                    Err(mpsc::TryRecvError::Disconnected) => {
                        return Err(format!("process {} ended unexpectedly", worker.number));
                    }
                }
            };
            worker.process.wait().map_err(text)?;
            outcome.longest = outcome.longest.max(tally.longest);
            outcome.shares.push(tally.answered.len());
            outcome.failed.extend(tally.failed);
            said.insert(worker.number, tally.answered);
        }
        let mut times: HashMap<(u64, u64), usize> = HashMap::new();
        for request in self.mock.requests() {
            let Some(marker) = marker(&request.path) else { continue };
            if is_accepted(request.status) {
                *times.entry(marker).or_default() += 1;
            } else {
                outcome.refused += 1;
            }
        }
        outcome.accepted = times.values().sum();
        // The commands and round trips were counted before the last calls were accepted, so the
        // counts are scaled up to all accepted calls.
        let more = outcome.accepted as f64 / calls_so_far;
        outcome.round_trips = (outcome.round_trips as f64 * more) as u64;
        outcome.commands = (outcome.commands as f64 * more) as u64;
        outcome.twice = times.values().filter(|times| **times > 1).count();
        for (worker, numbers) in &said {
            let there = |number: &&u64| times.contains_key(&(*worker, **number));
            outcome.lost += numbers.len() - numbers.iter().filter(there).count();
        }
        // Every accepted call must be in the report of its process, except for the calls of killed
        // processes.
        let answered: usize = said.values().map(Vec::len).sum();
        let of_killed = times.keys().filter(|(worker, _)| self.killed.contains(worker)).count();
        outcome.lost += (times.len() - of_killed).abs_diff(answered);
        Ok(outcome)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for worker in &mut self.workers {
            _ = worker.process.kill();
            _ = worker.process.wait();
        }
    }
}

fn is_accepted(status: u16) -> bool {
    status != 429 && status != 0
}

/// Runs all measurements and all fault-injection tests. With `short`, the run takes less than half
/// a minute, which is too short for accurate measurements. In a short run, only lost, repeated and
/// late calls are failures.
pub(super) async fn run(checks: &mut Checks, short: bool) -> Result<(), Error> {
    if RedisServer::program().is_none() && env::var_os("CI").is_none() {
        say("skipped the checks of calls: neither redis-server nor valkey-server is on PATH");
        return Ok(());
    }
    overhead(checks, if short { 200 } else { 2000 }).await?;
    memory().await?;
    paces(checks, short).await?;
    faults(checks, short).await
}

/// Measures several groups of processes in parallel, without faults.
async fn paces(checks: &mut Checks, short: bool) -> Result<(), Error> {
    // `Retry-After` is rounded to whole seconds, which makes the run about one second longer. The
    // limiter tries a higher limit after a minute, even if the window is shorter. This attempt also
    // makes the run about one second longer. In a shorter run, two additional seconds would be
    // several percent of the total time.
    let (calls, limit, seconds) = if short { (700, 100, 2) } else { (5000, 600, 15) };
    let fleet = |processes: u64, shared| Fleet {
        processes,
        tasks: 32 / processes,
        limit,
        window: Duration::from_secs(seconds),
        shared,
    };
    let fleets = match short {
        true => vec![fleet(3, true), fleet(3, false)],
        false => vec![fleet(3, true), fleet(8, true), fleet(3, false), fleet(8, false)],
    };
    let ideal = fleet(1, true).ideal(calls);
    say(&format!(
        "{calls} calls with a limit of {limit} per {seconds} s take at least {} s",
        ideal.as_secs()
    ));
    say("processes | limiter      | time / ideal time | 429s per 1,000 calls \
         | round trips per call | share of the calls of each process");
    let outcomes = join_all(fleets.iter().cloned().map(|fleet| async move {
        let running = fleet.start().await?;
        let took = running.until(calls, ideal * 2).await;
        running.end(took).await
    }));
    for (fleet, outcome) in fleets.iter().zip(outcomes.await) {
        let outcome = outcome?;
        let over = outcome.took.as_secs_f64() / ideal.as_secs_f64();
        let processes = fleet.processes;
        let answered: usize = outcome.shares.iter().sum();
        let percent = |share: usize| format!("{:.0} %", share as f64 * 100.0 / answered as f64);
        let shares: Vec<_> = outcome.shares.iter().map(|share| percent(*share)).collect();
        let refused = outcome.refused_per_1000();
        let (limiter, round_trips) = match fleet.shared {
            true => ("RedisLimiter", format!("{:.2}", outcome.round_trips_per_call())),
            false => ("per process", "-".to_owned()),
        };
        say(&format!(
            "{processes:>9} | {limiter:<12} | {over:>17.3} | {refused:>20.1} | {round_trips:>20} \
             | {}",
            shares.join(", ")
        ));
        if !fleet.shared {
            continue;
        }
        let who = format!("{processes} processes");
        if !short {
            checks.check(over <= 1.03, &format!("{who}: at most 1.03 times the ideal time"));
            let what = format!("{who}: at most 3 responses with 429 per 1,000 calls");
            checks.check(refused <= 3.0, &what);
            let what = format!("{who}: at most 1.1 round trips per call");
            checks.check(outcome.round_trips_per_call() <= 1.1, &what);
        }
        intact(checks, &who, &outcome);
        say(&format!(
            "{who}: 100 calls per second need {:.0} scripts per second, which run {:.0} commands",
            outcome.round_trips_per_call() * 100.0,
            outcome.commands as f64 * 100.0 / outcome.accepted.max(1) as f64
        ));
    }
    Ok(())
}

fn intact(checks: &mut Checks, who: &str, outcome: &Outcome) {
    let Outcome { twice, lost, failed, longest, .. } = outcome;
    let first = failed.first().map(|error| format!(": {error}")).unwrap_or_default();
    checks.check(
        outcome.is_intact(),
        &format!("{who}: {lost} calls lost, {twice} sent twice, {} failed{first}", failed.len()),
    );
    checks.check(
        *longest <= DEADLINE + LATE,
        &format!(
            "{who}: no call takes longer than its deadline; the longest took {:.1} s",
            longest.as_secs_f64()
        ),
    );
}

/// Tests all faults in parallel. Each fault is tested with its own group of processes.
async fn faults(checks: &mut Checks, short: bool) -> Result<(), Error> {
    let faults = match short {
        true => vec![Fault::Kill, Fault::Freeze, Fault::Restart, Fault::Cut, Fault::Flush],
        false => {
            vec![Fault::Kill, Fault::Freeze, Fault::Restart, Fault::Cut, Fault::Flush, Fault::Clock]
        }
    };
    let outcomes = join_all(faults.iter().map(|fault| fault.run(short))).await;
    for (fault, outcome) in faults.iter().zip(outcomes) {
        let name = fault.name();
        let Some((outcome, recovery)) = outcome? else { continue };
        let refused = outcome.refused_per_1000();
        say(&format!(
            "{name}: {} calls, {refused:.1} 429s per 1,000 calls, {recovery}",
            outcome.accepted
        ));
        intact(checks, name, &outcome);
        // While Redis is unreachable, the processes cannot share their limits, so some calls are
        // refused.
        if !short {
            let what = format!("{name}: at most 40 responses with 429 per 1,000 calls");
            checks.check(refused <= 40.0, &what);
        }
    }
    Ok(())
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    Kill,
    Freeze,
    Restart,
    Cut,
    Flush,
    Clock,
}

impl Fault {
    fn name(self) -> &'static str {
        match self {
            Self::Kill => "processes killed",
            Self::Freeze => "server frozen",
            Self::Restart => "server restarted without data",
            Self::Cut => "connections cut",
            Self::Flush => "scripts flushed",
            Self::Clock => "wrong clock in one process",
        }
    }

    /// Starts a group of processes, and injects this fault. Returns `None` if the machine does not
    /// support the fault.
    async fn run(self, short: bool) -> Result<Option<(Outcome, String)>, Error> {
        let fleet = Fleet {
            processes: 3,
            tasks: 6,
            limit: 100,
            window: Duration::from_secs(2),
            shared: true,
        };
        let mut running = fleet.start().await?;
        let (rounds, frozen) = if short { (2, 3) } else { (5, 10) };
        running.until(150, DEADLINE).await;
        let recovery = match self {
            Self::Kill => {
                let mut longest = Duration::ZERO;
                for _ in 0..rounds {
                    running.kill_one()?;
                    longest = longest.max(running.until_all_call().await?);
                }
                format!(
                    "after each kill, every process made a call again within {}",
                    seconds(longest)
                )
            }
            Self::Freeze => {
                let frozen = Duration::from_secs(frozen);
                let start = Instant::now();
                running.server()?.freeze().map_err(text)?;
                let alone = running.until_all_report(false).await?;
                let calls = running.until_all_call().await?;
                sleep(frozen.saturating_sub(start.elapsed())).await;
                running.server()?.thaw().map_err(text)?;
                let back = running.until_all_report(true).await?;
                running.until_all_call().await?;
                format!(
                    "every process noticed the outage within {}, and then made a call within {}; \
                     after the outage, every process shared the limit again within {}",
                    seconds(alone),
                    seconds(calls),
                    seconds(back)
                )
            }
            Self::Restart => {
                let mut longest = Duration::ZERO;
                for _ in 0..rounds.min(2) {
                    running.server()?.restart().map_err(text)?;
                    let start = Instant::now();
                    let workers = format!("spot:limits:{{{}}}:workers", running.mock.client_id());
                    loop {
                        let known: u64 =
                            running.server()?.command(&["ZCARD", &workers]).map_err(text)?;
                        if known >= running.fleet.processes {
                            break;
                        }
                        if start.elapsed() > DEADLINE {
                            return Err(
                                "after the restart, a process did not resume sharing the limit"
                                    .to_owned(),
                            );
                        }
                        sleep(Duration::from_millis(5)).await;
                    }
                    longest = longest.max(start.elapsed());
                    running.until_all_call().await?;
                }
                format!(
                    "all processes shared the limit again within {} of the restart",
                    seconds(longest)
                )
            }
            Self::Cut => {
                let mut longest = Duration::ZERO;
                for _ in 0..rounds {
                    let kill = ["CLIENT", "KILL", "TYPE", "normal"];
                    let _: u64 = running.server()?.command(&kill).map_err(text)?;
                    longest = longest.max(running.until_all_call().await?);
                }
                format!(
                    "after each break of the Redis connections, every process made a call again \
                     within {}",
                    seconds(longest)
                )
            }
            Self::Flush => {
                for _ in 0..rounds * 10 {
                    let flush = ["SCRIPT", "FLUSH"];
                    let _: String = running.server()?.command(&flush).map_err(text)?;
                    sleep(Duration::from_millis(200)).await;
                }
                format!("{} flushes", rounds * 10)
            }
            Self::Clock => {
                if !Path::new(FAKETIME).is_file() {
                    say(
                        "skipped the check of a wrong clock: the package `faketime` is not installed",
                    );
                    return Ok(None);
                }
                let wrong = [
                    ("LD_PRELOAD", FAKETIME),
                    ("FAKETIME", "+1h"),
                    // The two variables below exclude the monotonic clock from the shift, because
                    // timers use this clock.
                    ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
                    ("DONT_FAKE_MONOTONIC", "1"),
                ];
                running.add(&wrong)?;
                for _ in 0..rounds {
                    running.until_all_call().await?;
                }
                "the clock of one of four processes is one hour fast".to_owned()
            }
        };
        let took = running.start.elapsed();
        Ok(Some((running.end(took).await?, recovery)))
    }
}

/// Measures the time that Redis adds to a call that does not wait.
async fn overhead(checks: &mut Checks, calls: usize) -> Result<(), Error> {
    let server = RedisServer::start().map_err(text)?;
    let redis = Redis::open(server.url()).map_err(text)?;
    let limiter = RedisLimiter::new(&redis, "overhead").map_err(text)?;
    let (shared_median, shared_p99) = admission(&limiter, calls).await?;
    let local = LocalLimiter::new(&RateLimit::learned());
    let (median, p99) = admission(&local, calls).await?;
    let added = |shared: Duration, local| shared.saturating_sub(local).as_secs_f64() * 1e6;
    let (added_median, added_p99) = (added(shared_median, median), added(shared_p99, p99));
    say(&format!(
        "Redis adds {added_median:.0} µs at the median and {added_p99:.0} µs at p99 to a call that \
         does not wait"
    ));
    checks
        .check(added_median < 20_000.0, "Redis adds less than 20 ms to a call that does not wait");
    Ok(())
}

/// Median and 99th percentile of the time until a call may be sent.
async fn admission(
    limiter: &impl RateLimiter,
    calls: usize,
) -> Result<(Duration, Duration), Error> {
    let mut times = Vec::new();
    for _ in 0..calls {
        let start = Instant::now();
        let mut permit = limiter.acquire(request()).await.map_err(text)?;
        times.push(start.elapsed());
        permit.sent(tokio::time::Instant::now());
        permit.finish(AttemptEnd::Answered);
    }
    times.sort_unstable();
    let at = |part: usize| times.get(calls * part / 100).copied().ok_or("no calls".to_owned());
    Ok((at(50)?, at(99)?))
}

fn request() -> PermitRequest {
    PermitRequest::new(Operation::GET_MY_PROFILE, tokio::time::Instant::now() + DEADLINE)
}

/// Measures the memory that Redis needs for an application that uses its whole limit of 1,000
/// calls.
async fn memory() -> Result<(), Error> {
    let server = RedisServer::start().map_err(text)?;
    let redis = Redis::open(server.url()).map_err(text)?;
    let limiter = RedisLimiter::builder(&redis, "5fe01282e44241328a84e7c5cc169165").known(1000);
    let limiter = limiter.build().map_err(text)?;
    for _ in 0..1000 {
        let mut permit = limiter.acquire(request()).await.map_err(text)?;
        permit.sent(tokio::time::Instant::now());
        permit.finish(AttemptEnd::Answered);
    }
    limiter.flush().await;
    let keys: Vec<String> = server.command(&["KEYS", "spot:limits:*"]).map_err(text)?;
    let mut bytes = 0;
    for key in &keys {
        bytes += server.command::<u64>(&["MEMORY", "USAGE", key, "SAMPLES", "0"]).map_err(text)?;
    }
    say(&format!(
        "an application with a limit of 1,000 calls uses {} keys and {} KB in Redis",
        keys.len(),
        bytes / 1000
    ));
    Ok(())
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

fn text(error: impl std::fmt::Display) -> Error {
    error.to_string()
}
