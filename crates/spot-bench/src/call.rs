//! Measures the overhead of a call, compared with bare reqwest.

use std::{
    error::Error,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures::future::try_join_all;
use spot_http::{AccessToken, Pipeline, Request, ReqwestTransport};
use spot_model::Operation;

use crate::{
    count,
    effort::Effort,
    report::{Report, Table},
    server::{Answers, Server},
};

/// Number of calls per round. A round is short, so that both clients run under the same load.
const CALLS: usize = 512;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The two clients that are compared, each with its own connections to the same server.
struct Pair {
    server: Server,
    bare: reqwest::Client,
    ours: Pipeline,
}

/// Results of one client in all rounds.
struct Rounds {
    times: Vec<Duration>,
    allocations: u64,
    connections: usize,
}

pub(crate) async fn run(effort: Effort, report: &mut Report) -> Result<()> {
    let body = Bytes::from(format!("{{\"id\":\"a\",\"name\":\"{}\"}}", "x".repeat(2000)));
    let answers: Answers = Arc::new(move |_| body.clone());
    let plain = Server::start(Duration::ZERO, answers.clone())?;
    let http2 = Server::start_http2(Duration::ZERO, answers)?;
    let mut table = Table::new(
        "Overhead of a call",
        &[
            "protocol",
            "concurrent calls",
            "client",
            "requests / s",
            "time / bare reqwest",
            "allocations / call",
            "connections",
            "connections, if the first calls are concurrent",
        ],
    );
    for (line, server, at_once) in [
        ("HTTP/1.1", &plain, 1),
        ("HTTP/1.1", &plain, 32),
        ("HTTP/2 over TLS", &http2, 1),
        ("HTTP/2 over TLS", &http2, 32),
    ] {
        let cold = Pair::new(server)?.connections(at_once).await?;
        let (bare, ours) = Pair::new(server)?.rounds(at_once, effort.pick(240, 40)).await?;
        // The speed of thread wake-ups varies during the run, equally for both clients. The result
        // is therefore the median of the ratios of paired rounds.
        let pairs = ours.times.iter().zip(&bare.times);
        let mut ratios: Vec<f64> =
            pairs.map(|(ours, bare)| ours.as_secs_f64() / bare.as_secs_f64()).collect();
        ratios.sort_by(f64::total_cmp);
        let ratio = ratios.get(ratios.len() / 2).copied().unwrap_or_default();
        for (name, rounds, ratio, cold) in
            [("bare reqwest", bare, 1.0, cold.0), ("**spot-http**", ours, ratio, cold.1)]
        {
            let best = rounds.times.iter().min().copied().unwrap_or_default();
            table.row([
                line.to_owned(),
                at_once.to_string(),
                name.to_owned(),
                format!("{:.0}", CALLS as f64 / best.as_secs_f64()),
                format!("{ratio:.3}"),
                format!("{:.1}", rounds.allocations as f64 / CALLS as f64),
                rounds.connections.to_string(),
                cold.to_string(),
            ]);
        }
    }
    report.add(table);
    report.note(
        "The requests per second are from the best round. Each round of spot-http forms a pair \
         with a round of bare reqwest. For each pair, the time of spot-http is divided by the time \
         of bare reqwest. The column `time / bare reqwest` shows the median of these ratios. Bare \
         reqwest has the same timeout and the same HTTP/2 keep-alive pings as our transport. Only \
         the client's allocations are counted. The last two columns show how many connections the \
         server accepted. In the first of these columns, the client made a single call before the \
         rounds. In the last column, a new client made all of its first calls at the same time.",
    );
    Ok(())
}

impl Pair {
    fn new(server: &Server) -> Result<Self> {
        // The settings of bare reqwest are the settings of our transport, because keep-alive pings
        // and timeouts cost time in each call.
        let mut bare = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(15))
            .http2_keep_alive_interval(Duration::from_secs(20))
            .http2_keep_alive_timeout(Duration::from_secs(10));
        let mut transport = ReqwestTransport::builder().no_proxy();
        if let Some(pem) = &server.certificate {
            let pem = pem.as_bytes();
            bare = bare.tls_certs_merge([reqwest::Certificate::from_pem(pem)?]);
            transport = transport.root_certificate(pem);
        }
        let ours = Pipeline::builder(AccessToken::new("token")?)
            .transport(transport.build()?)
            .base_url(&server.url)
            .build()?;
        Ok(Self { server: server.clone(), bare: bare.build()?, ours })
    }

    /// Number of connections that each client opens if the first calls run concurrently.
    async fn connections(&self, at_once: usize) -> Result<(usize, usize)> {
        self.call_bare(at_once, 1).await?;
        let bare = self.take_connections().await;
        self.call_ours(at_once, 1).await?;
        Ok((bare, self.take_connections().await))
    }

    /// Number of new connections. The method first waits for connections that are still being
    /// opened.
    async fn take_connections(&self) -> usize {
        tokio::time::sleep(Duration::from_millis(50)).await;
        self.server.take_connections()
    }

    /// Runs all rounds of both clients. The order of the clients changes with each round.
    async fn rounds(&self, at_once: usize, rounds: usize) -> Result<(Rounds, Rounds)> {
        self.call_bare(1, 1).await?;
        let mut bare = Rounds::new(self.take_connections().await);
        self.call_ours(1, 1).await?;
        let mut ours = Rounds::new(self.take_connections().await);
        for round in 0..rounds {
            if round % 2 == 0 {
                bare.take(&self.server, self.call_bare(at_once, CALLS / at_once)).await?;
                ours.take(&self.server, self.call_ours(at_once, CALLS / at_once)).await?;
            } else {
                ours.take(&self.server, self.call_ours(at_once, CALLS / at_once)).await?;
                bare.take(&self.server, self.call_bare(at_once, CALLS / at_once)).await?;
            }
        }
        Ok((bare, ours))
    }

    async fn call_bare(&self, at_once: usize, each: usize) -> Result<()> {
        let url = format!("{}/artists/spotmockArtist00000001", self.server.url);
        let calls = (0..at_once).map(|_| async {
            for _ in 0..each {
                let request = self
                    .bare
                    .get(&url)
                    .header("authorization", "Bearer token")
                    .header("accept", "application/json");
                request.send().await?.bytes().await?;
            }
            Ok::<_, reqwest::Error>(())
        });
        try_join_all(calls).await?;
        Ok(())
    }

    async fn call_ours(&self, at_once: usize, each: usize) -> Result<()> {
        let calls = (0..at_once).map(|_| async {
            for _ in 0..each {
                let request = Request::new(Operation::GET_ARTIST);
                self.ours.call(request.path("id", "spotmockArtist00000001")).await?;
            }
            Ok::<_, spot_http::Error>(())
        });
        try_join_all(calls).await?;
        Ok(())
    }
}

impl Rounds {
    fn new(connections: usize) -> Self {
        Self { times: Vec::new(), allocations: u64::MAX, connections }
    }

    async fn take(
        &mut self,
        server: &Server,
        round: impl Future<Output = Result<()>>,
    ) -> Result<()> {
        let (before, start) = (count::so_far().calls, Instant::now());
        round.await?;
        self.times.push(start.elapsed());
        self.allocations = self.allocations.min(count::so_far().calls - before);
        self.connections += server.take_connections();
        Ok(())
    }
}
