//! What a call costs beyond the HTTP client under it.

use std::{
    error::Error,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures::future::join_all;
use spot_http::{AccessToken, Pipeline, RateLimit, Request, ReqwestTransport};
use spot_model::Operation;

use crate::{count, server::Server, table::Table};

const ROUNDS: usize = 40;
const CALLS: usize = 2000;

pub async fn run() -> Result<(), Box<dyn Error>> {
    let body = Bytes::from(format!("{{\"id\":\"a\",\"name\":\"{}\"}}", "x".repeat(2000)));
    let server = Server::start(Duration::ZERO, Arc::new(move |_| body.clone()))?;
    let bare = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(15)).build()?;
    let transport = ReqwestTransport::builder().no_proxy().build()?;
    let pipeline = Pipeline::builder(AccessToken::new("token")?)
        .transport(transport)
        .base_url(&server.url)
        .rate_limit(RateLimit::unpaced())
        .build()?;
    let mut table = Table::new(&[
        "calls at once",
        "client",
        "requests / s",
        "against bare reqwest",
        "allocations / call",
    ]);
    for at_once in [1, 32] {
        let (mut bare_best, mut ours_best) = (Duration::MAX, Duration::MAX);
        let (mut bare_allocations, mut ours_allocations) = (u64::MAX, u64::MAX);
        for _ in 0..ROUNDS {
            let before = count::so_far().calls;
            let start = Instant::now();
            let url = format!("{}/artists/spotmockArtist00000001", server.url);
            let one = || async {
                let request = bare
                    .get(&url)
                    .header("authorization", "Bearer token")
                    .header("accept", "application/json");
                request.send().await?.bytes().await
            };
            join_all((0..at_once).map(|_| async {
                for _ in 0..CALLS / at_once {
                    one().await?;
                }
                Ok::<_, reqwest::Error>(())
            }))
            .await
            .into_iter()
            .collect::<Result<(), _>>()?;
            bare_best = bare_best.min(start.elapsed());
            bare_allocations = bare_allocations.min(count::so_far().calls - before);
            let before = count::so_far().calls;
            let start = Instant::now();
            let one = || {
                let request = Request::new(Operation::GET_ARTIST);
                pipeline.call(request.path("id", "spotmockArtist00000001"))
            };
            join_all((0..at_once).map(|_| async {
                for _ in 0..CALLS / at_once {
                    one().await?;
                }
                Ok::<_, spot_http::Error>(())
            }))
            .await
            .into_iter()
            .collect::<Result<(), _>>()?;
            ours_best = ours_best.min(start.elapsed());
            ours_allocations = ours_allocations.min(count::so_far().calls - before);
        }
        for (name, time, allocations) in [
            ("bare reqwest", bare_best, bare_allocations),
            ("**spot-http**", ours_best, ours_allocations),
        ] {
            table.row([
                at_once.to_string(),
                name.to_owned(),
                format!("{:.0}", CALLS as f64 / time.as_secs_f64()),
                format!("{:.3}", time.as_secs_f64() / bare_best.as_secs_f64()),
                format!("{:.1}", allocations as f64 / CALLS as f64),
            ]);
        }
    }
    table.print("A call");
    println!("The server's own allocations, in the same process, are in both figures.\n");
    Ok(())
}
