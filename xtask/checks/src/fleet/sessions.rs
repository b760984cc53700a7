//! Tests a session with a rotating refresh token in eight processes, some of which are killed.
//!
//! The parent moves the clock of all processes, so that the access token expires in all of them at
//! the same time. Each process then gets a token and calls the API with it. One process must
//! refresh the token, and the other processes must find the new tokens in Redis.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

use futures::{StreamExt as _, TryStreamExt as _, stream};
use spot::{
    Client, ErrorKind,
    auth::{App, SaveOutcome, Scope, StoreKey, TokenRecord, TokenSource, TokenStore},
    shared::{Redis, RedisStore, test::RedisServer},
};
use spot_mock::{MockSpotify, RefreshPolicy};
use xtask::{Error, say};

use crate::fleet::Checks;

const PROCESSES: usize = 8;

/// Number of seconds by which a step moves the clock. This number is also the lifetime of an access
/// token.
const STEP: u64 = 3_600;

/// Percentage of the steps in which a process is killed.
const KILLS: u64 = 15;

/// A process is killed at a random moment within this time after the start of a step.
const KILL_WITHIN: Duration = Duration::from_millis(40);

/// Time limit of a step. The lock of a killed process expires after ten seconds.
const STEP_LIMIT: Duration = Duration::from_secs(120);

/// The number of sessions whose memory is measured.
const SESSIONS: u32 = 10_000;

const REDIS: &str = "SPOT_FLEET_REDIS";
const ACCOUNTS: &str = "SPOT_FLEET_ACCOUNTS";
const API: &str = "SPOT_FLEET_API";
const CLIENT: &str = "SPOT_FLEET_CLIENT";
const AHEAD: &str = "SPOT_FLEET_AHEAD";

/// A report of a process.
#[derive(Debug)]
enum Report {
    /// The process has loaded the session.
    Ready,
    /// The process has called the API.
    Done,
    /// The accounts service refuses the refresh token.
    Lost,
    Failed(String),
}

/// Index of a process, the number of its previous starts, and its report.
type Reported = (usize, u32, Report);

struct Worker {
    process: Child,
    input: ChildStdin,
    started: u32,
}

/// Totals of all steps.
#[derive(Debug, Default)]
struct Totals {
    refreshes: usize,
    kills: usize,
    /// Steps in which a process was killed after the service replaced the refresh token, and before
    /// the process saved the new token.
    lost_half_way: usize,
    lost: usize,
    not_once: usize,
    failures: Vec<String>,
    longest: Duration,
    /// Steps that waited for the lock of a killed process.
    waits: usize,
}

pub(super) async fn run(checks: &mut Checks, expiries: u32, seed: u64) -> Result<(), Error> {
    let server = RedisServer::start().map_err(text)?;
    // The latency makes refreshes slow, so that some processes are killed during a refresh.
    let mock = MockSpotify::builder()
        .refresh(RefreshPolicy::Rotate)
        .latency(Duration::from_millis(10))
        .start()
        .await
        .map_err(text)?;
    let store = RedisStore::new(&Redis::open(server.url()).map_err(text)?);
    sign_in(&mock, &store).await?;
    let totals = steps(&server, &mock, &store, expiries, seed).await?;
    report(checks, expiries, &totals);
    drop(server);
    memory(checks).await
}

/// Signs the user in, and replaces the record in the store.
async fn sign_in(mock: &MockSpotify, store: &RedisStore) -> Result<(), Error> {
    let key = StoreKey::new(mock.client_id(), "me", Scope::UserReadPrivate);
    let record = TokenRecord::from_refresh_token(mock.refresh_token(&["user-read-private"]))
        .with_granted_scopes(Scope::UserReadPrivate);
    let there = store.load(&key).await.map_err(text)?.map(|stored| stored.version());
    match store.save(&key, &record, there).await.map_err(text)? {
        SaveOutcome::Saved(_) => Ok(()),
        outcome => Err(format!("the session cannot be saved: {outcome:?}")),
    }
}

async fn steps(
    server: &RedisServer,
    mock: &MockSpotify,
    store: &RedisStore,
    expiries: u32,
    seed: u64,
) -> Result<Totals, Error> {
    let (sender, reports) = mpsc::channel();
    let mut random = Random(seed);
    let mut ahead = 0;
    let mut workers = Vec::new();
    for number in 0..PROCESSES {
        workers.push(start(server, mock, ahead, number, 0, &sender)?);
    }
    let mut totals = Totals::default();
    all_ready(&reports, PROCESSES, &mut totals)?;
    let start_of_all = Instant::now();
    for step in 0..expiries {
        mock.take_requests();
        mock.advance(Duration::from_secs(STEP));
        ahead += STEP;
        let begun = Instant::now();
        for worker in &mut workers {
            writeln!(worker.input, "{ahead}").map_err(text)?;
        }
        let victim = (random.below(100) < KILLS).then(|| random.below(PROCESSES as u64) as usize);
        if let Some(victim) = victim.and_then(|victim| workers.get_mut(victim)) {
            thread::sleep(KILL_WITHIN.mul_f64(random.below(1_000) as f64 / 1_000.0));
            victim.process.kill().map_err(text)?;
            victim.process.wait().map_err(text)?;
            totals.kills += 1;
        }
        let lost = reports_of_step(&reports, &workers, victim, mock, store, &mut totals).await?;
        let took = begun.elapsed();
        totals.longest = totals.longest.max(took);
        totals.waits += usize::from(took > Duration::from_secs(5));
        let tokens = mock.take_requests().into_iter().filter(|r| r.operation == Some("token"));
        let refreshes = tokens.filter(|request| request.status == 200).count();
        totals.refreshes += refreshes;
        match (lost, victim) {
            (false, _) if refreshes == 1 => {}
            // The killed process made the first refresh. Then the user signed in again, and another
            // process made the second refresh.
            (true, Some(_)) if refreshes == 2 => totals.lost_half_way += 1,
            (true, _) => totals.lost += 1,
            (false, _) => {
                totals.not_once += 1;
                say(&format!("step {step}: {refreshes} refreshes, killed {victim:?}"));
            }
        }
        if let Some(number) = victim
            && let Some(worker) = workers.get_mut(number)
        {
            *worker = start(server, mock, ahead, number, worker.started + 1, &sender)?;
            all_ready(&reports, 1, &mut totals)?;
        }
        if (step + 1) % 100 == 0 {
            let seconds = start_of_all.elapsed().as_secs();
            say(&format!("{} expiries in {seconds} s, {} kills", step + 1, totals.kills));
        }
    }
    for mut worker in workers {
        drop(worker.input);
        worker.process.wait().map_err(text)?;
    }
    Ok(totals)
}

/// Waits until every process except the killed process has called the API. If the refresh token was
/// lost, the user signs in again. Returns whether the refresh token was lost.
async fn reports_of_step(
    reports: &Receiver<Reported>,
    workers: &[Worker],
    victim: Option<usize>,
    mock: &MockSpotify,
    store: &RedisStore,
    totals: &mut Totals,
) -> Result<bool, Error> {
    let mut missing = PROCESSES - usize::from(victim.is_some());
    let mut lost = false;
    while missing > 0 {
        let (number, started, report) = reports
            .recv_timeout(STEP_LIMIT)
            .map_err(|_| "a process did not get a token in time".to_owned())?;
        // Ignores reports that a process sent before it was killed.
        let is_current = workers.get(number).is_some_and(|worker| worker.started == started);
        if Some(number) == victim || !is_current {
            continue;
        }
        match report {
            Report::Done => missing -= 1,
            Report::Lost if lost => {}
            Report::Lost => {
                lost = true;
                sign_in(mock, store).await?;
            }
            Report::Failed(why) => {
                missing -= 1;
                totals.failures.push(why);
            }
            Report::Ready => {}
        }
    }
    Ok(lost)
}

fn all_ready(
    reports: &Receiver<Reported>,
    mut missing: usize,
    totals: &mut Totals,
) -> Result<(), Error> {
    while missing > 0 {
        let report = reports.recv_timeout(STEP_LIMIT);
        match report.map_err(|_| "a process did not start in time".to_owned())?.2 {
            Report::Ready => missing -= 1,
            Report::Failed(why) => totals.failures.push(why),
            Report::Done | Report::Lost => {}
        }
    }
    Ok(())
}

fn start(
    server: &RedisServer,
    mock: &MockSpotify,
    ahead: u64,
    number: usize,
    started: u32,
    reports: &Sender<Reported>,
) -> Result<Worker, Error> {
    let mut process = Command::new(env::current_exe().map_err(text)?)
        .args(["fleet", "--worker", "session"])
        .env(REDIS, server.url())
        .env(ACCOUNTS, mock.accounts_url())
        .env(API, mock.api_url())
        .env(CLIENT, mock.client_id())
        .env(AHEAD, ahead.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(text)?;
    let input = process.stdin.take().ok_or("a process has no standard input")?;
    let output = process.stdout.take().ok_or("a process has no standard output")?;
    let reports = reports.clone();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let report = match line.as_str() {
                "ready" => Report::Ready,
                "done" => Report::Done,
                "lost" => Report::Lost,
                other => Report::Failed(other.to_owned()),
            };
            if reports.send((number, started, report)).is_err() {
                return;
            }
        }
    });
    Ok(Worker { process, input, started })
}

fn report(checks: &mut Checks, expiries: u32, totals: &Totals) {
    let Totals { refreshes, kills, lost_half_way, lost, not_once, failures, longest, waits } =
        totals;
    say(&format!(
        "the token of {PROCESSES} processes expired {expiries} times and was refreshed {refreshes} \
         times; {kills} processes were killed, {waits} of them had the lock; the longest step took \
         {:.1} s",
        longest.as_secs_f64()
    ));
    checks.check(
        *lost == 0,
        &format!(
            "a refresh token is lost only if a process is killed between the response and the save \
             ({lost_half_way} were lost in this way, {lost} in other ways)"
        ),
    );
    let what =
        format!("every expiry causes exactly one refresh ({not_once} caused none or several)");
    checks.check(*not_once == 0, &what);
    checks.check(failures.is_empty(), &format!("every process gets a token ({failures:?})"));
}

/// Measures the memory that many sessions need in Redis.
async fn memory(checks: &mut Checks) -> Result<(), Error> {
    let server = RedisServer::start().map_err(text)?;
    let store = RedisStore::new(&Redis::open(server.url()).map_err(text)?);
    let used = || -> Result<f64, Error> {
        let info: String = server.command(&["INFO", "memory"]).map_err(text)?;
        let line = info.lines().find_map(|line| line.strip_prefix("used_memory:"));
        let missing = "`INFO memory` has no `used_memory`";
        line.and_then(|bytes| bytes.trim().parse().ok()).ok_or(missing.to_owned())
    };
    let key = |user: u32| {
        StoreKey::new(
            "5fe01282e44241328a84e7c5cc169165",
            format!("user-{user}"),
            [Scope::UserLibraryRead, Scope::PlaylistModifyPrivate, Scope::UserReadPrivate],
        )
    };
    store.load(&key(0)).await.map_err(text)?;
    let before = used()?;
    stream::iter(0..SESSIONS)
        .map(|user| {
            let (store, key) = (store.clone(), key(user));
            // The token has the length of Spotify's tokens.
            let record = TokenRecord::from_refresh_token(format!("{user:0>131}"))
                .with_access_token(
                    format!("{user:0>260}"),
                    SystemTime::now() + Duration::from_secs(STEP),
                )
                .with_granted_scopes(key.scopes().clone())
                .with_consented_at(SystemTime::now());
            async move { store.save(&key, &record, None).await }
        })
        .buffer_unordered(64)
        .try_for_each(|_| async { Ok(()) })
        .await
        .map_err(text)?;
    let after = used()?;
    let one: u64 = server.command(&["MEMORY", "USAGE", &store.key(&key(1))]).map_err(text)?;
    let each = (after - before) / f64::from(SESSIONS);
    say(&format!(
        "{SESSIONS} sessions take {:.1} MB on the server, {each:.0} bytes each (MEMORY USAGE of one: \
         {one})",
        (after - before) / 1e6
    ));
    checks.check(each < 2_000.0, "a session takes less than 2,000 bytes on the server");
    Ok(())
}

/// Runs as one of the tested processes. The process calls the API each time the parent moves the
/// clock.
pub(super) async fn work() -> Result<(), Error> {
    let variable = |name: &str| env::var(name).map_err(|_| format!("{name} is not set"));
    let ahead = Arc::new(AtomicU64::new(variable(AHEAD)?.parse().map_err(text)?));
    let clock = Arc::clone(&ahead);
    let app = App::builder(variable(CLIENT)?)
        .accounts_url(&variable(ACCOUNTS)?)
        .wall_clock(move || SystemTime::now() + Duration::from_secs(clock.load(Ordering::Relaxed)))
        .build()
        .map_err(text)?;
    let store = RedisStore::new(&Redis::open(variable(REDIS)?).map_err(text)?);
    let session = app.stored_session(store, "me", Scope::UserReadPrivate).await.map_err(text)?;
    let session = session.ok_or("the store has no session")?;
    let client =
        Client::builder(session.clone()).base_url(&variable(API)?).build().map_err(text)?;
    say("ready");
    loop {
        let line = tokio::task::spawn_blocking(|| {
            let mut line = String::new();
            std::io::stdin().read_line(&mut line).map(|_| line)
        });
        let line = line.await.map_err(text)?.map_err(text)?;
        if line.is_empty() {
            return Ok(());
        }
        ahead.store(line.trim().parse().map_err(text)?, Ordering::Relaxed);
        let (begun, mut is_lost) = (Instant::now(), false);
        let outcome = loop {
            match session.token().await {
                Ok(_) => break client.me().await.map(drop),
                Err(error) if begun.elapsed() > STEP_LIMIT / 2 => break Err(error),
                Err(error) if error.kind() == ErrorKind::ConsentExpired => {
                    if !std::mem::replace(&mut is_lost, true) {
                        say("lost");
                    }
                }
                Err(_) => {}
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        match outcome {
            Ok(()) => say("done"),
            Err(error) => say(&error.to_string()),
        }
    }
}

/// A seeded random number generator.
struct Random(u64);

impl Random {
    /// A random number below `end`.
    fn below(&mut self, end: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}

fn text(error: impl std::fmt::Display) -> Error {
    error.to_string()
}
