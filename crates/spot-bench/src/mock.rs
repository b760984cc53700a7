//! How much of a load spot-mock bears, how soon it is there, and what it holds.

use std::{
    error::Error,
    time::{Duration, Instant},
};

use futures::future::join_all;
use spot_mock::{MockSpotify, Mode};

use crate::{count::lived, effort::Effort, library::get, table::Table};

const AT_ONCE: usize = 32;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

pub(crate) async fn run(effort: Effort) -> Result<()> {
    // The first one, in case that later ones share something with it.
    let (mock, first) = lived(MockSpotify::builder().mode(Mode::Extended).start()).await;
    let mock = mock?;
    let tracks = tracks(&mock).await?;
    let mut start_up = Duration::MAX;
    for _ in 0..effort.pick(20, 5) {
        let start = Instant::now();
        let mock = MockSpotify::builder().mode(Mode::Extended).start().await?;
        start_up = start_up.min(start.elapsed());
        mock.shutdown().await;
    }
    let requests = effort.pick(20_000, 2_000);
    let mut best = Duration::MAX;
    let (rounds, loaded) = lived(async {
        for _ in 0..effort.pick(3, 1) {
            best = best.min(load(&mock, requests).await?);
            // What was asked is kept, for tests to look at.
            mock.take_requests();
        }
        Ok::<_, Box<dyn Error>>(())
    })
    .await;
    rounds?;
    let megabytes = |bytes: i64| format!("{:.1} MB", bytes as f64 / 1e6);
    let mut table = Table::new(&["what", "figure"]);
    for (what, figure) in [
        ("tracks in the default world".to_owned(), tracks.to_string()),
        (
            "from nothing to listening, with that world".to_owned(),
            format!("{:.1} ms", start_up.as_secs_f64() * 1000.0),
        ),
        ("memory of one that listens".to_owned(), megabytes(first.left)),
        (
            format!(
                "memory on top of it at most under {AT_ONCE} requests at once, client included"
            ),
            megabytes(loaded.most),
        ),
        (
            format!("pages of 50 tracks, {AT_ONCE} at once, client and server on the same cores"),
            format!("{:.0} a second", requests as f64 / best.as_secs_f64()),
        ),
    ] {
        table.row([what, figure]);
    }
    table.print("spot-mock");
    Ok(())
}

async fn load(mock: &MockSpotify, requests: usize) -> Result<Duration> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let (url, token) = (format!("{}/me/tracks?limit=50", mock.api_url()), mock.user_token_all());
    let start = Instant::now();
    let tasks = (0..AT_ONCE).map(|_| {
        let (client, url, token) = (client.clone(), url.clone(), token.clone());
        tokio::spawn(async move {
            for _ in 0..requests / AT_ONCE {
                client.get(&url).bearer_auth(&token).send().await?.bytes().await?;
            }
            Ok::<_, reqwest::Error>(())
        })
    });
    for task in join_all(tasks).await {
        task??;
    }
    Ok(start.elapsed())
}

/// How many tracks there are: their ids are numbered from 1.
async fn tracks(mock: &MockSpotify) -> Result<u32> {
    let (mut there, mut behind) = (1, 1_000_000);
    while behind - there > 1 {
        let middle = there + (behind - there) / 2;
        match get(mock, &format!("/tracks/spotmockTrack{middle:09}")).await {
            Ok(_) => there = middle,
            Err(_) => behind = middle,
        }
    }
    Ok(there)
}
