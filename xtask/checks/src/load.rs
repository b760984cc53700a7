//! `cargo xtask load`: many tasks use the project's client against a spot-mock, over a faulty
//! connection.
//!
//! Each task adds every track once to its own playlist. Between these calls, the task reads other
//! objects. In the end, the playlist must contain each acknowledged track exactly once. A track
//! with an unknown outcome may be in the playlist at most once. The playlist must not contain other
//! tracks.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures::{TryStreamExt as _, future::join_all, lock::Mutex};
use spot::{
    AccessMode, Client, ErrorKind,
    model::{PlaylistId, TrackId},
    net::{AccessToken, Pipeline, RateLimit, ReqwestTransport, Transport, test::Faulty},
};
use spot_mock::{MockSpotify, Mode};
use xtask::{Error, say};

/// Counts the added tracks and the failed reads of a task.
#[derive(Debug, Default)]
struct Tally {
    acknowledged: usize,
    unknown: usize,
    refused: usize,
    reads_failed: usize,
}

/// Sends `requests` requests from `tasks` parallel tasks.
pub(crate) async fn run(requests: usize, tasks: usize, seed: u64) -> Result<(), Error> {
    let mock = MockSpotify::builder().mode(Mode::Extended).start().await.map_err(text)?;
    let mock = Arc::new(mock);
    let line = ReqwestTransport::builder().no_proxy().build().map_err(text)?;
    let quiet = client(&mock, line.clone())?;
    let faulty = Faulty::new(line, seed)
        .drop_before_send(0.01)
        .reset_after_send(0.01)
        .truncated_body(0.01)
        .server_error(0.01)
        .delay(0.01, Duration::from_millis(20));
    let saved: Vec<_> = quiet.library().tracks().stream().try_collect().await.map_err(text)?;
    let tracks: Vec<TrackId> = saved.iter().filter_map(|saved| saved.track.id).collect();
    let (tracks, seen, over) = (Arc::new(tracks), Arc::new(AtomicUsize::new(0)), Arc::default());
    // All tasks finish a playlist at about the same time. Reading all playlists at the same time
    // would take more memory than the rest of the load test. Therefore the tasks read their
    // playlists one after another.
    let checking = Arc::new(Mutex::new(()));
    let watch = tokio::spawn(watch(mock.clone(), seen.clone(), Arc::clone(&over), requests));
    let start = Instant::now();
    let workers = (0..tasks).map(|task| {
        let noisy = client(&mock, faulty.clone());
        let (quiet, tracks, over) = (quiet.clone(), tracks.clone(), Arc::clone(&over));
        let checking = Arc::clone(&checking);
        tokio::spawn(async move { work(task, noisy?, quiet, &tracks, &over, &checking).await })
    });
    let mut all = Tally::default();
    for worker in join_all(workers).await {
        let tally = worker.map_err(|error| format!("a task panicked: {error}"))??;
        all.acknowledged += tally.acknowledged;
        all.unknown += tally.unknown;
        all.refused += tally.refused;
        all.reads_failed += tally.reads_failed;
    }
    let memory = watch.await.map_err(text)?;
    let seconds = start.elapsed().as_secs_f64();
    let seen = seen.load(Ordering::Relaxed);
    say(&format!(
        "{seen} requests in {seconds:.0} s by {tasks} tasks: {:.0} per second",
        seen as f64 / seconds
    ));
    let Tally { acknowledged, unknown, refused, reads_failed } = all;
    say(&format!(
        "additions: {acknowledged} acknowledged and found in the playlists; {unknown} with an \
         unknown outcome; {refused} failed before they reached the server"
    ));
    say(&format!("reads: {reads_failed} failed after three attempts"));
    let memory: Vec<_> = memory.iter().map(|megabytes| format!("{megabytes:.0}")).collect();
    say(&format!(
        "memory of client and server after each tenth of the requests: {} MB",
        memory.join(", ")
    ));
    Ok(())
}

fn client(mock: &MockSpotify, transport: impl Transport) -> Result<Client, Error> {
    let pipeline = Pipeline::builder(AccessToken::new(&mock.user_token_all()).map_err(text)?)
        .base_url(mock.api_url())
        .transport(transport)
        .backoff(Duration::from_millis(1), Duration::from_millis(5))
        .rate_limit(RateLimit::unpaced())
        .retry_budget(None)
        .build()
        .map_err(text)?;
    Ok(Client::from(pipeline).with_access_mode(AccessMode::Extended))
}

async fn work(
    task: usize,
    noisy: Client,
    quiet: Client,
    tracks: &[TrackId],
    over: &AtomicBool,
    checking: &Mutex<()>,
) -> Result<Tally, Error> {
    let mut tally = Tally::default();
    while !over.load(Ordering::Relaxed) {
        let created = quiet.me().create_playlist(format!("Load {task}")).await.map_err(text)?;
        let playlist = created.id.ok_or("the created playlist has no id")?;
        let mut fates = HashMap::new();
        for track in tracks {
            if over.load(Ordering::Relaxed) {
                break;
            }
            let fate = match noisy.playlist(playlist).add([*track]).await {
                Ok(_) => Fate::Acknowledged,
                Err(error) if error.kind() == ErrorKind::OutcomeUnknown => Fate::Unknown,
                Err(error) if error.kind() == ErrorKind::Transport => Fate::Refused,
                Err(error) => return Err(error.to_string()),
            };
            match fate {
                Fate::Acknowledged => tally.acknowledged += 1,
                Fate::Unknown => tally.unknown += 1,
                Fate::Refused => tally.refused += 1,
            }
            fates.insert(*track, fate);
            let reads = [
                noisy.track(*track).await.is_err(),
                noisy.library().tracks().limit(20).await.is_err(),
                noisy.playlist(playlist).items().limit(20).await.is_err(),
                noisy.me().await.is_err(),
            ];
            tally.reads_failed += reads.iter().filter(|failed| **failed).count();
        }
        let turn = checking.lock().await;
        check(&quiet, playlist, &fates).await?;
        drop(turn);
        // Empties the playlist, so that the memory for its entries does not hide other memory
        // growth.
        quiet.playlist(playlist).replace([] as [TrackId; 0]).await.map_err(text)?;
    }
    Ok(tally)
}

/// Outcome of a call that adds a track, as the client reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Acknowledged,
    Unknown,
    Refused,
}

async fn check(
    client: &Client,
    playlist: PlaylistId,
    fates: &HashMap<TrackId, Fate>,
) -> Result<(), Error> {
    let mut found: HashMap<TrackId, usize> = HashMap::new();
    let mut items = client.playlist(playlist).items().stream();
    while let Some(item) = items.try_next().await.map_err(text)? {
        let track = item.item.as_ref().and_then(|item| item.as_track()?.id);
        *found
            .entry(track.ok_or("an item of the playlist is not a track with an id")?)
            .or_default() += 1;
    }
    for (track, fate) in fates {
        let times = found.remove(track).unwrap_or(0);
        let right = match fate {
            Fate::Acknowledged => times == 1,
            Fate::Unknown => times <= 1,
            Fate::Refused => times == 0,
        };
        if !right {
            return Err(format!(
                "the addition of {track} is {fate:?}, but {playlist} has the track {times} times"
            ));
        }
    }
    if found.is_empty() {
        Ok(())
    } else {
        Err(format!("{playlist} has tracks that were never added: {found:?}"))
    }
}

/// Counts the requests, and stops the load after the planned number of requests. Returns the used
/// memory in MB after each tenth of the requests.
async fn watch(
    mock: Arc<MockSpotify>,
    seen: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
    requests: usize,
) -> Vec<f64> {
    let mut memory = Vec::new();
    while !over.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(100)).await;
        // The mock stores all requests until `take_requests` removes them.
        let seen = seen.fetch_add(mock.take_requests().len(), Ordering::Relaxed);
        if seen * 10 / requests.max(10) > memory.len() {
            memory.push(resident());
        }
        over.store(seen >= requests, Ordering::Relaxed);
    }
    memory
}

/// Memory of this process in MB; 0 on systems without Linux's `/proc`.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) / 1000.0
}

fn text(error: impl std::fmt::Display) -> Error {
    error.to_string()
}
