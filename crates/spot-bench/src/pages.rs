//! 10,000 saved tracks from a server that takes 50 ms a page.

use std::{
    error::Error,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures::TryStreamExt as _;
use rspotify::{AuthCodeSpotify, clients::OAuthClient as _};
use serde_json::{Value, json};
use spot_api::Client;
use spot_http::{AccessToken, Pipeline, RateLimit, ReqwestTransport};
use spot_mock::{MockSpotify, Mode};

use crate::{server::Server, table::Table};

const ITEMS: usize = 10_000;
const PAGE: usize = 50;
const LATENCY: Duration = Duration::from_millis(50);

pub async fn run() -> Result<(), Box<dyn Error>> {
    let server = Server::start(LATENCY, pages().await?)?;
    let mut table = Table::new(&["client", "seconds", "ideal", "against the ideal", "requests"]);
    let pages = ITEMS / PAGE;
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
    let one_by_one = LATENCY.as_secs_f64() * pages as f64;
    for prefetch in [1, 4, 8] {
        let client = client(&server)?;
        let start = Instant::now();
        let mut tracks = client.library().tracks().items().prefetch(prefetch);
        let mut count = 0;
        while tracks.try_next().await?.is_some() {
            count += 1;
        }
        check(count)?;
        let at_once = one_by_one / prefetch as f64;
        row(&format!("**spot-api**, prefetch {prefetch}"), start.elapsed(), at_once);
    }
    let start = Instant::now();
    check(bare(&server).await?)?;
    row("bare reqwest in a loop, nothing decoded", start.elapsed(), one_by_one);
    let start = Instant::now();
    let theirs = theirs(&server);
    let mut tracks = theirs.current_user_saved_tracks(None);
    let mut count = 0;
    while tracks.try_next().await?.is_some() {
        count += 1;
    }
    check(count)?;
    row("rspotify, its stream", start.elapsed(), one_by_one);
    // Somebody who works on each page for as long as the server does.
    let client = client(&server)?;
    let start = Instant::now();
    let mut pages = client.library().tracks().items().pages();
    let mut count = 0;
    while let Some(page) = pages.try_next().await? {
        count += page.items.len();
        tokio::time::sleep(LATENCY).await;
    }
    check(count)?;
    row("**spot-api**, 50 ms of work a page", start.elapsed(), one_by_one + 0.05);
    table.print("10,000 saved tracks, 50 ms a page");
    // Nobody reads on.
    let mut tracks = client.library().tracks().items();
    tracks.try_next().await?;
    drop(tracks);
    tokio::time::sleep(LATENCY * 10).await;
    println!(
        "After one item of a stream that was dropped the server had seen {} requests.\n",
        server.take_seen()
    );
    Ok(())
}

fn client(server: &Server) -> Result<Client, Box<dyn Error>> {
    let pipeline = Pipeline::builder(AccessToken::new("token")?)
        .transport(ReqwestTransport::builder().no_proxy().build()?)
        .base_url(&server.url)
        .rate_limit(RateLimit::unpaced())
        .build()?;
    Ok(pipeline.into())
}

fn theirs(server: &Server) -> AuthCodeSpotify {
    let token = rspotify::Token {
        access_token: "token".to_owned(),
        expires_in: chrono::Duration::hours(1),
        expires_at: None,
        refresh_token: None,
        scopes: Default::default(),
    };
    let config = rspotify::Config {
        api_base_url: format!("{}/", server.url),
        pagination_chunks: 50,
        token_refreshing: false,
        ..Default::default()
    };
    AuthCodeSpotify::from_token_with_config(token, Default::default(), Default::default(), config)
}

async fn bare(server: &Server) -> Result<usize, Box<dyn Error>> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    for offset in (0..ITEMS).step_by(PAGE) {
        let url = format!("{}/me/tracks?limit={PAGE}&offset={offset}", server.url);
        client.get(url).send().await?.bytes().await?;
    }
    Ok(ITEMS)
}

fn check(count: usize) -> Result<(), Box<dyn Error>> {
    if count == ITEMS { Ok(()) } else { Err(format!("{count} items, not {ITEMS}").into()) }
}

/// Pages as spot-mock makes them, as if there were 10,000 tracks.
async fn pages() -> Result<crate::server::Answers, Box<dyn Error>> {
    let mock = MockSpotify::builder().mode(Mode::Extended).start().await?;
    let client = reqwest::Client::builder().no_proxy().build()?;
    let request = client.get(format!("{}/me/tracks?limit={PAGE}", mock.api_url()));
    let body = request.bearer_auth(mock.user_token_all()).send().await?.bytes().await?;
    let page: Value = serde_json::from_slice(&body)?;
    let pages: Vec<Bytes> = (0..ITEMS / PAGE)
        .map(|at| {
            let mut page = page.clone();
            page["total"] = json!(ITEMS);
            page["offset"] = json!(at * PAGE);
            page["limit"] = json!(PAGE);
            let last = (at + 1) * PAGE >= ITEMS;
            let next = format!(
                "https://api.spotify.com/v1/me/tracks?offset={}&limit={PAGE}",
                (at + 1) * PAGE
            );
            page["next"] = if last { Value::Null } else { json!(next) };
            Bytes::from(page.to_string())
        })
        .collect();
    Ok(Arc::new(move |path| {
        let offset = path.split(['?', '&']).find_map(|pair| pair.strip_prefix("offset="));
        let offset = offset.and_then(|offset| offset.parse::<usize>().ok()).unwrap_or(0);
        pages.get(offset / PAGE).cloned().unwrap_or_default()
    }))
}
