//! Measures the throughput, startup time and memory of spot-mock.

use std::{
    error::Error,
    time::{Duration, Instant},
};

use futures::future::join_all;
use spot_mock::{MockSpotify, Mode};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    count::lived,
    effort::Effort,
    library::get,
    report::{Report, Table},
};

const AT_ONCE: usize = 32;
const PAGE: &str = "/me/tracks?limit=50";

type Result<T> = std::result::Result<T, Box<dyn Error>>;

pub(crate) async fn run(effort: Effort, report: &mut Report) -> Result<()> {
    // The memory of the first mock is measured, because later mocks can share data with the first
    // mock.
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
    let with_reqwest = best(effort, async || through_reqwest(&mock, requests).await).await?;
    let (watched, loaded) = lived(through_reqwest(&mock, 100 * AT_ONCE)).await;
    watched?;
    let extended = best(effort, async || through_sockets(&mock, requests).await).await?;
    let small = MockSpotify::builder().mode(Mode::Development).start().await?;
    let development = best(effort, async || through_sockets(&small, requests).await).await?;
    let megabytes = |bytes: i64| format!("{:.1} MB", bytes as f64 / 1e6);
    let a_second =
        |time: Duration| format!("{:.0} per second", requests as f64 / time.as_secs_f64());
    let mut table = Table::new(
        "spot-mock, with the client and the server on the same cores",
        &["measurement", "result"],
    );
    for (what, figure) in [
        ("tracks in the default test data".to_owned(), tracks.to_string()),
        (
            "time to start with the default test data".to_owned(),
            format!("{:.1} ms", start_up.as_secs_f64() * 1000.0),
        ),
        ("memory of a running mock".to_owned(), megabytes(first.left)),
        (
            format!(
                "maximum of additional memory with {AT_ONCE} concurrent requests, client included"
            ),
            megabytes(loaded.most),
        ),
        (
            format!("Development Mode: pages of 50 tracks, read over {AT_ONCE} sockets"),
            a_second(development),
        ),
        (
            format!("Extended Quota Mode: pages of 50 tracks, read over {AT_ONCE} sockets"),
            a_second(extended),
        ),
        (
            format!(
                "Extended Quota Mode: pages of 50 tracks, read with reqwest, {AT_ONCE} at a time"
            ),
            a_second(with_reqwest),
        ),
    ] {
        table.row([what, figure]);
    }
    report.add(table);
    Ok(())
}

/// Returns the minimum time of several rounds.
async fn best(effort: Effort, round: impl AsyncFn() -> Result<Duration>) -> Result<Duration> {
    let mut best = Duration::MAX;
    for _ in 0..effort.pick(5, 1) {
        best = best.min(round().await?);
    }
    Ok(best)
}

async fn through_reqwest(mock: &MockSpotify, requests: usize) -> Result<Duration> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let (url, token) = (format!("{}{PAGE}", mock.api_url()), mock.user_token_all());
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
    let took = start.elapsed();
    // The mock stores all requests until `take_requests` removes them.
    mock.take_requests();
    Ok(took)
}

/// Measures the throughput of the mock with a minimal client. The client parses only the length of
/// a response.
async fn through_sockets(mock: &MockSpotify, requests: usize) -> Result<Duration> {
    let host = mock.accounts_url().strip_prefix("http://").ok_or("no address")?.to_owned();
    let token = mock.user_token_all();
    let request =
        format!("GET /v1{PAGE} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n\r\n");
    let start = Instant::now();
    let tasks = (0..AT_ONCE).map(|_| {
        let (host, request) = (host.clone(), request.clone());
        tokio::spawn(async move {
            let mut socket = TcpStream::connect(&host).await?;
            socket.set_nodelay(true)?;
            let mut buffer = vec![0; 512 * 1024];
            for _ in 0..requests / AT_ONCE {
                socket.write_all(request.as_bytes()).await?;
                read_answer(&mut socket, &mut buffer).await?;
            }
            Ok::<_, std::io::Error>(())
        })
    });
    for task in join_all(tasks).await {
        task??;
    }
    let took = start.elapsed();
    // The mock stores all requests until `take_requests` removes them.
    mock.take_requests();
    Ok(took)
}

async fn read_answer(socket: &mut TcpStream, buffer: &mut [u8]) -> std::io::Result<()> {
    let (mut have, mut whole) = (0, None);
    while whole.is_none_or(|whole| have < whole) {
        let free = buffer.get_mut(have..).unwrap_or_default();
        let read = socket.read(free).await?;
        if read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        have += read;
        if whole.is_none() {
            whole = length(buffer.get(..have).unwrap_or_default());
        }
    }
    Ok(())
}

/// Returns the length of a response including the headers, or `None` until all headers have
/// arrived.
fn length(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let text = std::str::from_utf8(bytes.get(..head)?).ok()?;
    let length = text.split_once("content-length: ")?.1.lines().next()?;
    Some(head + 4 + length.parse::<usize>().ok()?)
}

/// Determines the number of tracks in the mock. The ids of the tracks contain consecutive numbers
/// from 1.
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
