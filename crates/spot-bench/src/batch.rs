//! Measures calls with long lists, which the client splits into several requests.

use std::{
    error::Error,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use serde::Deserialize;
use spot_api::{AccessMode, Client};
use spot_mock::{MockSpotify, Mode};

use crate::{
    library::{get, ours},
    pages::LATENCY,
    report::{Report, Table},
    server::{Answers, Server},
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Maximum number of concurrent requests, if a request reads many objects. `SINGLE_READS` is the
/// maximum for requests that read one object.
const READS: usize = 4;
const SINGLE_READS: usize = 8;

#[derive(Deserialize)]
struct Saved {
    items: Vec<SavedItem>,
}

#[derive(Deserialize)]
struct SavedItem {
    track: Named,
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

pub(crate) async fn run(report: &mut Report) -> Result<()> {
    let mock = MockSpotify::builder().mode(Mode::Extended).start().await?;
    let saved: Saved = serde_json::from_slice(&get(&mock, "/me/tracks?limit=50").await?)?;
    let ids: Vec<String> = saved.items.into_iter().map(|item| item.track.id).collect();
    let server = serve(&mock, &ids).await?;
    let extended = ours(&server.url)?.with_access_mode(AccessMode::Extended);
    let development = ours(&server.url)?;
    let list = |count: usize| ids.iter().cycle().take(count).cloned();
    let uris = |count: usize| list(count).map(|id| format!("spotify:track:{id}"));
    let mut table = Table::new(
        "Lists that are split into several calls (server delay: 50 ms per call)",
        &["job", "calls", "concurrent calls", "seconds", "ideal", "time / ideal"],
    );
    let mut row = |name: &str, calls: usize, at_once: usize, took: Duration| {
        let seen = server.take_seen();
        if seen != calls {
            return Err(format!("{name}: the client made {seen} calls; expected {calls}"));
        }
        let ideal = LATENCY.as_secs_f64() * calls.div_ceil(at_once) as f64;
        let seconds = took.as_secs_f64();
        table.row([
            name.to_owned(),
            calls.to_string(),
            at_once.to_string(),
            format!("{seconds:.3}"),
            format!("{ideal:.3}"),
            format!("{:.2}", seconds / ideal),
        ]);
        Ok(())
    };
    for client in [&extended, &development] {
        warm(client, &ids).await?;
    }
    server.take_seen();
    let start = Instant::now();
    let tracks = extended.tracks(list(500)).await?;
    let took = start.elapsed();
    all(tracks.iter().flatten().count(), 500)?;
    row("read 500 tracks in Extended Quota Mode, 50 per call", 10, READS, took)?;
    let start = Instant::now();
    let tracks = development.tracks(list(500)).await?;
    let took = start.elapsed();
    all(tracks.iter().flatten().count(), 500)?;
    row("read 500 tracks in Development Mode, 1 per call", 500, SINGLE_READS, took)?;
    let start = Instant::now();
    development.playlist("spotmockPlaylist000001").add(uris(1000)).await?;
    row("add 1,000 tracks to a playlist, 100 per call", 10, 1, start.elapsed())?;
    let start = Instant::now();
    development.library().save(uris(400)).await?;
    row("save 400 tracks, 40 per call", 10, 1, start.elapsed())?;
    report.add(table);
    report.note(
        "Calls that read data run concurrently. Calls that write data run one after another. An error \
         can therefore report the number of entries that were written.",
    );
    Ok(())
}

/// Starts a server that replays responses of a spot-mock. The responses do not depend on the ids.
async fn serve(mock: &MockSpotify, ids: &[String]) -> Result<Server> {
    let many = get(mock, &format!("/tracks?ids={}", ids.join(","))).await?;
    let one = get(mock, &format!("/tracks/{}", mock.world().track)).await?;
    let answers: Answers = Arc::new(move |path| {
        if path.starts_with("/tracks?") {
            many.clone()
        } else if path.starts_with("/tracks/") {
            one.clone()
        } else if path.starts_with("/playlists/") {
            Bytes::from_static(b"{\"snapshot_id\":\"spotmockSnapshot\"}")
        } else {
            Bytes::new()
        }
    });
    Server::start(LATENCY, answers)
}

/// Establishes the connections, which are not part of the measurement.
async fn warm(client: &Client, ids: &[String]) -> Result<()> {
    client.tracks(ids.iter().cycle().take(400).cloned()).await?;
    Ok(())
}

fn all(count: usize, expected: usize) -> Result<()> {
    if count == expected {
        Ok(())
    } else {
        Err(format!("{count} objects were read; expected {expected}").into())
    }
}
