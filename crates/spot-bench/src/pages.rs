//! Measures a stream of many saved tracks. The server has a latency of 50 ms per page.

use std::{
    error::Error,
    time::{Duration, Instant},
};

use futures::TryStreamExt as _;
use rspotify::clients::OAuthClient as _;

use crate::{
    effort::Effort,
    library::{Library, PAGE, ours, theirs},
    report::{Report, Table},
    server::Server,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Latency of the server.
pub(crate) const LATENCY: Duration = Duration::from_millis(50);

pub(crate) async fn run(effort: Effort, report: &mut Report) -> Result<()> {
    let library = Library::new(effort.pick(10_000, 2_000)).await?;
    let server = library.serve(LATENCY)?;
    let title = format!("{} saved tracks (server delay: 50 ms per page)", library.items);
    let mut table = Table::new(title, &["client", "seconds", "ideal", "time / ideal", "requests"]);
    let mut row = |name: &str, took: Duration, ideal: f64| {
        let seconds = took.as_secs_f64();
        table.row([
            name.to_owned(),
            format!("{seconds:.2}"),
            format!("{ideal:.2}"),
            format!("{:.2}", seconds / ideal),
            server.take_seen().to_string(),
        ]);
    };
    let one_by_one = LATENCY.as_secs_f64() * library.pages() as f64;
    for prefetch in [1, 2, 4, 8] {
        let mut best = Duration::MAX;
        // The time of a short run varies, so the result is the shortest time of three runs.
        for _ in 0..if prefetch > 1 { 3 } else { 1 } {
            server.take_seen();
            let start = Instant::now();
            let mut tracks = ours(&server.url)?.library().tracks().stream().prefetch(prefetch);
            let mut count = 0;
            while tracks.try_next().await?.is_some() {
                count += 1;
            }
            library.check(count)?;
            best = best.min(start.elapsed());
        }
        row(&format!("**spot-api**, prefetch {prefetch}"), best, one_by_one / prefetch as f64);
    }
    let start = Instant::now();
    bare(&server, &library).await?;
    row("bare reqwest in a loop, without decoding", start.elapsed(), one_by_one);
    let start = Instant::now();
    let client = theirs(&server.url);
    let mut tracks = client.current_user_saved_tracks(None);
    let mut count = 0;
    while tracks.try_next().await?.is_some() {
        count += 1;
    }
    library.check(count)?;
    row("rspotify, as a stream", start.elapsed(), one_by_one);
    // This consumer works on each page for 50 ms, which is also the latency of the server.
    let start = Instant::now();
    let mut pages = ours(&server.url)?.library().tracks().stream().pages();
    let mut count = 0;
    while let Some(page) = pages.try_next().await? {
        count += page.items.len();
        tokio::time::sleep(LATENCY).await;
    }
    library.check(count)?;
    let ideal = one_by_one + LATENCY.as_secs_f64();
    row("**spot-api**, 50 ms of work per page", start.elapsed(), ideal);
    report.add(table);
    report.note(
        "The rows with prefetch 2, 4 and 8 show the shortest time of three runs. The other rows \
         show the time of one run.",
    );
    Ok(())
}

async fn bare(server: &Server, library: &Library) -> Result<()> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    for offset in (0..library.items).step_by(PAGE) {
        let url = format!("{}/me/tracks?limit={PAGE}&offset={offset}", server.url);
        client.get(url).send().await?.bytes().await?;
    }
    Ok(())
}
