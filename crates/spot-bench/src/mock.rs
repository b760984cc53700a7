//! How much of a load spot-mock bears, and how soon it is there.

use std::{
    error::Error,
    time::{Duration, Instant},
};

use futures::future::join_all;
use spot_mock::{MockSpotify, Mode};

use crate::table::Table;

const REQUESTS: usize = 20_000;
const AT_ONCE: usize = 32;

pub async fn run() -> Result<(), Box<dyn Error>> {
    let mut start_up = Duration::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        let mock = MockSpotify::builder().mode(Mode::Extended).start().await?;
        start_up = start_up.min(start.elapsed());
        drop(mock);
    }
    let mock = MockSpotify::builder().mode(Mode::Extended).start().await?;
    let client = reqwest::Client::builder().no_proxy().build()?;
    let (url, token) = (format!("{}/me/tracks?limit=50", mock.api_url()), mock.user_token_all());
    let mut best = Duration::MAX;
    for _ in 0..3 {
        let start = Instant::now();
        let tasks = (0..AT_ONCE).map(|_| {
            let (client, url, token) = (client.clone(), url.clone(), token.clone());
            tokio::spawn(async move {
                for _ in 0..REQUESTS / AT_ONCE {
                    client.get(&url).bearer_auth(&token).send().await?.bytes().await?;
                }
                Ok::<_, reqwest::Error>(())
            })
        });
        for task in join_all(tasks).await {
            task??;
        }
        best = best.min(start.elapsed());
        // What was asked is kept, for tests to look at.
        mock.take_requests();
    }
    let mut table = Table::new(&["what", "figure"]);
    table.row([
        "from nothing to listening".to_owned(),
        format!("{:.1} ms", start_up.as_secs_f64() * 1000.0),
    ]);
    table.row([
        "pages of 50 tracks, 32 at once, client and server on the same cores".to_owned(),
        format!("{:.0} a second", REQUESTS as f64 / best.as_secs_f64()),
    ]);
    table.print("spot-mock");
    Ok(())
}
