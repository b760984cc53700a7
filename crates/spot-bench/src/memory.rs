//! Measures the memory of streams and of decoded bodies, and counts the requests that are sent
//! after a stream was dropped.

use std::{error::Error, fmt, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use futures::TryStreamExt as _;
use rspotify::{AuthCodeSpotify, clients::OAuthClient as _};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use spot_api::Client;
use spot_http::{AccessToken, Pipeline, Transport, TransportError};
use spot_model::{Album, Page, PlaylistItem, SavedTrack, SearchResults};

use crate::{
    count::{self, Lived, lived},
    decode::{self, Kind},
    effort::Effort,
    library::{Library, PAGE, ours, theirs},
    pages::LATENCY,
    report::{Report, Table},
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

pub(crate) async fn run(effort: Effort, report: &mut Report) -> Result<()> {
    let library = Library::new(effort.pick(10_000, 2_000)).await?;
    most(&library, report).await?;
    long(&library, effort, report).await?;
    held(report).await?;
    dropped(&library, report).await
}

/// Measures the maximum number of live bytes of a stream. The consumer is slower than the server,
/// so that all prefetched pages are in memory.
async fn most(library: &Library, report: &mut Report) -> Result<()> {
    let server = library.serve(Duration::ZERO)?;
    let title = format!("Memory while {} saved tracks are read", library.items);
    let mut table =
        Table::new(title, &["reader", "maximum of live bytes", "maximum without network"]);
    let mut row = |name: &str, all: Lived, alone: Option<Lived>| {
        let megabytes = |lived: Lived| format!("{:.2} MB", lived.most as f64 / 1e6);
        let alone = alone.map_or_else(|| "—".to_owned(), megabytes);
        table.row([name.to_owned(), megabytes(all), alone]);
    };
    for prefetch in [1, 4, 8] {
        let (count, all) = alone(stream(ours(&server.url)?, prefetch)).await;
        library.check(count?)?;
        let (count, without) = alone(stream(unconnected(library)?, prefetch)).await;
        library.check(count?)?;
        row(&format!("**spot-api**, prefetch {prefetch}"), all, Some(without));
    }
    let (count, all) = alone(collect(ours(&server.url)?)).await;
    library.check(count?)?;
    let (count, without) = alone(collect(unconnected(library)?)).await;
    library.check(count?)?;
    row("**spot-api**, collected into a `Vec`", all, Some(without));
    let (count, all) = alone(stream_theirs(theirs(&server.url))).await;
    library.check(count?)?;
    row("rspotify, as a stream", all, None);
    report.add(table);
    report.note(format!(
        "The body of a page has {:.0} KB. The reader works 2 ms on each page, which is longer than \
         the server takes to send a page. Each connection has a read buffer of up to 0.4 MB. For the \
         last column, a transport copies each body from memory and uses no network.",
        library.page_bytes() as f64 / 1000.0
    ));
    Ok(())
}

/// Measures the live bytes of a future. First waits until the memory of earlier measurements is
/// free.
async fn alone<T>(work: impl Future<Output = T>) -> (T, Lived) {
    // During this pause, the tasks of unused connections end.
    tokio::time::sleep(Duration::from_millis(100)).await;
    lived(work).await
}

/// A transport that returns pages of the library without a network.
struct Unconnected(Library);

impl fmt::Debug for Unconnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unconnected")
    }
}

#[async_trait]
impl Transport for Unconnected {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> std::result::Result<http::Response<Bytes>, TransportError> {
        let page = self.0.page(request.uri().query().unwrap_or_default());
        Ok(http::Response::new(Bytes::copy_from_slice(&page)))
    }
}

fn unconnected(library: &Library) -> Result<Client> {
    client(Unconnected(library.clone()))
}

/// Creates a client with this transport and otherwise default settings.
fn client(transport: impl Transport + 'static) -> Result<Client> {
    Ok(Pipeline::builder(AccessToken::new("token")?).transport(transport).build()?.into())
}

/// A transport that returns the pages of a list of any length without a network. The pages differ
/// only in their position.
struct Endless {
    page: String,
    items: usize,
}

impl fmt::Debug for Endless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Endless")
    }
}

impl Endless {
    fn new(library: &Library, items: usize) -> Result<Self> {
        let mut page: Value = serde_json::from_slice(&library.page(""))?;
        for (field, value) in
            [("total", json!(items)), ("offset", json!("@")), ("next", json!("$"))]
        {
            page.as_object_mut()
                .ok_or("a page is not a JSON object")?
                .insert(field.to_owned(), value);
        }
        Ok(Self { page: page.to_string(), items })
    }
}

#[async_trait]
impl Transport for Endless {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> std::result::Result<http::Response<Bytes>, TransportError> {
        let query = request.uri().query().unwrap_or_default();
        let offset = query.split('&').find_map(|pair| pair.strip_prefix("offset="));
        let offset = offset.and_then(|offset| offset.parse::<usize>().ok()).unwrap_or(0);
        let next = match offset + PAGE {
            next if next < self.items => {
                format!("\"https://api.spotify.com/v1/me/tracks?offset={next}\"")
            }
            _ => "null".to_owned(),
        };
        let page = self.page.replacen("\"@\"", &offset.to_string(), 1);
        Ok(http::Response::new(page.replacen("\"$\"", &next, 1).into()))
    }
}

/// Measures the maximum memory of a stream for three lengths of the list.
async fn long(library: &Library, effort: Effort, report: &mut Report) -> Result<()> {
    let mut table = Table::new(
        "Memory of a stream with the default settings, without network",
        &["entries", "maximum of live bytes", "live bytes at the end", "target"],
    );
    let mut before = None;
    for items in [10_000, 100_000, effort.pick(1_000_000, 200_000)] {
        let client = client(Endless::new(library, items)?)?;
        let (count, lived) = alone(async {
            let mut tracks = client.library().tracks().stream();
            let mut count = 0;
            while tracks.try_next().await?.is_some() {
                count += 1;
            }
            Ok::<usize, spot_http::Error>(count)
        })
        .await;
        let count = count?;
        if count != items {
            return Err(format!("{count} entries were read; expected {items}").into());
        }
        let target = match before.replace(lived.most) {
            Some(before) if items > 100_000 => {
                if lived.most as f64 <= 1.1 * before as f64 {
                    "met"
                } else {
                    "missed"
                }
            }
            _ => "",
        };
        table.row([
            items.to_string(),
            format!("{:.2} MB", lived.most as f64 / 1e6),
            format!("{:.2} MB", lived.left as f64 / 1e6),
            target.to_owned(),
        ]);
    }
    report.add(table);
    report.note(
        "The transport returns every page at once. Target: the longest list takes at most 1.1 \
         times the memory of the list before it.",
    );
    Ok(())
}

/// Measures the memory that decoded bodies occupy with spot-model and with rspotify.
async fn held(report: &mut Report) -> Result<()> {
    use rspotify::model;
    let mut table = Table::new(
        "Memory of decoded bodies",
        &["body", "entries", "bytes per entry", "rspotify, bytes per entry", "ratio"],
    );
    for sample in decode::samples(None).await? {
        let body = sample.body.as_slice();
        let (own, theirs) = match sample.kind {
            Kind::Saved => (
                ours_holds::<Page<SavedTrack>>(body),
                holds::<model::Page<model::SavedTrack>>(body),
            ),
            Kind::PlaylistItems => (
                ours_holds::<Page<PlaylistItem>>(body),
                holds::<model::Page<model::PlaylistItem>>(body),
            ),
            Kind::Search => {
                (ours_holds::<SearchResults>(body), holds::<model::SearchMultipleResult>(body))
            }
            Kind::Album => (ours_holds::<Album>(body), holds::<model::FullAlbum>(body)),
        };
        let an_entry = |bytes: Option<i64>| Some(bytes? as f64 / sample.items as f64);
        let (own, theirs) = (an_entry(own), an_entry(theirs));
        let bytes = |bytes: Option<f64>| match bytes {
            Some(bytes) => format!("{bytes:.0}"),
            None => "cannot read it".to_owned(),
        };
        let ratio = own.zip(theirs).map(|(own, theirs)| format!("{:.2}", own / theirs));
        table.row([
            sample.name.clone(),
            sample.items.to_string(),
            bytes(own),
            bytes(theirs),
            ratio.unwrap_or_else(|| "—".to_owned()),
        ]);
    }
    report.add(table);
    Ok(())
}

/// Returns the number of bytes that a decoded body occupies.
fn ours_holds<T: DeserializeOwned>(body: &[u8]) -> Option<i64> {
    median(|| spot_model::from_slice::<T>(body).ok())
}

fn holds<T: DeserializeOwned>(body: &[u8]) -> Option<i64> {
    median(|| serde_json::from_slice::<T>(body).ok())
}

/// Returns the median of several counts. A single count can be wrong, because a connection that
/// closes during the count frees memory too.
fn median<T>(decode: impl Fn() -> Option<T>) -> Option<i64> {
    let mut counts = Vec::new();
    for _ in 0..9 {
        let (value, bytes) = count::held(&decode);
        value?;
        counts.push(bytes);
    }
    counts.sort_unstable();
    counts.get(counts.len() / 2).copied()
}

async fn collect(client: Client) -> Result<usize> {
    Ok(client.library().tracks().stream().try_collect::<Vec<_>>().await?.len())
}

async fn stream_theirs(client: AuthCodeSpotify) -> Result<usize> {
    let mut tracks = client.current_user_saved_tracks(None);
    let mut count = 0;
    while tracks.try_next().await?.is_some() {
        count = step(count).await;
    }
    Ok(count)
}

async fn stream(client: Client, prefetch: usize) -> Result<usize> {
    let mut tracks = client.library().tracks().stream().prefetch(prefetch);
    let mut count = 0;
    while tracks.try_next().await?.is_some() {
        count = step(count).await;
    }
    Ok(count)
}

/// Counts an item. After each page, waits 2 ms to simulate work.
async fn step(count: usize) -> usize {
    let count = count + 1;
    if count.is_multiple_of(PAGE) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    count
}

/// Drops a stream before the end of the list, and counts the requests that the server receives
/// afterwards.
async fn dropped(library: &Library, report: &mut Report) -> Result<()> {
    const PREFETCH: usize = 4;
    const PAGES: usize = 10;
    let server = library.serve(LATENCY)?;
    let mut tracks = ours(&server.url)?.library().tracks().stream().prefetch(PREFETCH);
    for _ in 0..PAGES * PAGE {
        tracks.try_next().await?;
    }
    let before = server.seen();
    drop(tracks);
    tokio::time::sleep(LATENCY * 10).await;
    let after = server.seen();
    report.note(format!(
        "A stream that prefetches {PREFETCH} pages was dropped after {PAGES} of {} pages. At that \
         time, the server had received {before} requests. Half a second later, it had received \
         {after} requests.",
        library.pages()
    ));
    // Requests in flight can arrive after the stream was dropped.
    if after > before + PREFETCH || after > PAGES + PREFETCH {
        return Err("a dropped stream still requests pages".into());
    }
    Ok(())
}
