//! Tests of streams: they return every entry once and in order, prefetch pages, and request nothing
//! beyond the end.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};
use spot_api::{
    Client, ErrorKind, Position,
    model::{CursorPage, Page, SavedTrack},
};
use spot_http::{AccessToken, Pipeline, Transport, TransportError};
use tokio::time::{Instant, sleep};

/// A list of saved tracks, page by page, without a network.
#[derive(Clone, Debug)]
struct List(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    answer: Answer,
    delay: Duration,
    asked: Mutex<Vec<String>>,
    under_way: AtomicUsize,
    most: AtomicUsize,
    finished: AtomicUsize,
}

/// Returns the response to a query.
#[derive(Clone)]
struct Answer(Arc<Answering>);

type Query = [(String, String)];
type Answering = dyn Fn(&Query) -> (u16, Value) + Send + Sync;

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Answer")
    }
}

impl List {
    fn new(answer: impl Fn(&Query) -> (u16, Value) + Send + Sync + 'static) -> Self {
        Self::slow(Duration::ZERO, answer)
    }

    fn slow(
        delay: Duration,
        answer: impl Fn(&Query) -> (u16, Value) + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Inner {
            answer: Answer(Arc::new(answer)),
            delay,
            asked: Mutex::default(),
            under_way: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            finished: AtomicUsize::new(0),
        }))
    }

    fn client(&self) -> Client {
        let token = AccessToken::new("token").unwrap();
        Pipeline::builder(token).transport(self.clone()).attempts(1).build().unwrap().into()
    }

    /// The values of a query parameter, in the order of the requests.
    fn asked(&self, name: &str) -> Vec<u32> {
        let asked = self.0.asked.lock().unwrap();
        asked.iter().map(|query| number(&pairs(query), name).unwrap_or(0)).collect()
    }
}

#[async_trait::async_trait]
impl Transport for List {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let query = request.uri().query().unwrap_or_default().to_owned();
        self.0.asked.lock().unwrap().push(query.clone());
        let under_way = self.0.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.most.fetch_max(under_way, Ordering::SeqCst);
        sleep(self.0.delay).await;
        self.0.under_way.fetch_sub(1, Ordering::SeqCst);
        self.0.finished.fetch_add(1, Ordering::SeqCst);
        let (status, body) = (self.0.answer.0)(&pairs(&query));
        let response = http::Response::builder().status(status);
        Ok(response.body(Bytes::from(body.to_string())).unwrap())
    }
}

fn pairs(query: &str) -> Vec<(String, String)> {
    let pair = |pair: &str| pair.split_once('=').map(|(a, b)| (a.to_owned(), b.to_owned()));
    query.split('&').filter_map(pair).collect()
}

fn number(query: &Query, name: &str) -> Option<u32> {
    query.iter().find(|(key, _)| key == name)?.1.parse().ok()
}

fn entry(at: u32) -> Value {
    json!({ "added_at": "2026-01-01T00:00:00Z",
            "track": { "type": "track", "id": format!("{at:022}"), "name": at.to_string() } })
}

/// Returns the status and the JSON of one page, in Spotify's format. The entries at the indexes in
/// `lost` are null.
fn page(query: &Query, length: u32, most: u32, lost: &[u32]) -> (u16, Value) {
    let offset = number(query, "offset").unwrap_or(0);
    let limit = number(query, "limit").unwrap_or(20).min(most);
    if offset >= length && offset > 0 {
        return (500, json!({ "error": { "status": 500, "message": "Server error" } }));
    }
    let end = (offset + limit).min(length);
    let items: Vec<Value> =
        (offset..end).map(|at| if lost.contains(&at) { Value::Null } else { entry(at) }).collect();
    let next = (end < length).then(|| format!("https://api.spotify.com/v1/me/tracks?offset={end}"));
    (
        200,
        json!({ "items": items, "total": length, "limit": limit, "offset": offset, "next": next }),
    )
}

async fn names(client: &Client, prefetch: usize) -> Result<Vec<u32>, spot_api::Error> {
    let mut items = client.library().tracks().stream().prefetch(prefetch);
    let mut names = Vec::new();
    while let Some(saved) = items.try_next().await? {
        names.push(saved.track.name.parse().unwrap());
    }
    Ok(names)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The stream returns each existing entry once and in order, and requests no page at or beyond
    /// the end. The test varies the length of the list, the maximum page size, and the positions of
    /// null entries.
    #[test]
    fn a_stream_returns_every_entry_once_and_in_order(
        length in 0_u32..400,
        most in 1_u32..60,
        prefetch in 0_usize..9,
        lost in prop::collection::vec(0_u32..400, 0..20),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let gone = lost.clone();
            let list = List::slow(Duration::from_millis(50), move |query| {
                page(query, length, most, &gone)
            });
            let expected: Vec<u32> = (0..length).filter(|at| !lost.contains(at)).collect();
            assert_eq!(names(&list.client(), prefetch).await.unwrap(), expected);
            let asked = list.asked("offset");
            assert!(asked.iter().all(|at| *at < length.max(1)), "{asked:?} of {length}");
            assert_eq!(asked.len() as u32, length.div_ceil(most.min(50)).max(1));
        });
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_requests_up_to_four_pages_concurrently() {
    let list = List::slow(Duration::from_millis(50), |query| page(query, 1000, 50, &[]));
    let start = Instant::now();
    assert_eq!(names(&list.client(), 4).await.unwrap().len(), 1000);
    // The first page is requested alone. The other nineteen pages are requested in five groups of
    // up to four.
    assert_eq!(start.elapsed().as_millis(), 50 + 5 * 50);
    assert_eq!(list.0.most.load(Ordering::SeqCst), 4);
}

#[tokio::test(start_paused = true)]
async fn a_slow_consumer_does_not_wait_for_the_network() {
    let list = List::slow(Duration::from_millis(50), |query| page(query, 1000, 50, &[]));
    let mut pages = list.client().library().tracks().stream().pages();
    let start = Instant::now();
    let mut count = 0;
    while let Some(page) = pages.try_next().await.unwrap() {
        count += page.items.len();
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(count, 1000);
    // The time is the wait for the first page, plus the work on twenty pages.
    assert_eq!(start.elapsed().as_millis(), 50 + 20 * 50);
}

#[tokio::test(start_paused = true)]
async fn a_stream_prefetches_no_more_pages_than_configured() {
    let list = List::new(|query| page(query, 5000, 50, &[]));
    let mut items = list.client().library().tracks().stream().prefetch(3);
    items.next().await.unwrap().unwrap();
    sleep(Duration::from_secs(60)).await;
    assert_eq!(list.asked("offset"), [0, 50, 100, 150]);
}

#[tokio::test(start_paused = true)]
async fn after_the_first_page_the_next_page_is_already_requested() {
    let list = List::slow(Duration::from_millis(50), |query| page(query, 200, 50, &[]));
    let mut pages = list.client().library().tracks().stream().prefetch(1).pages();
    let mut asked = Vec::new();
    while pages.try_next().await.unwrap().is_some() {
        asked.push(list.asked("offset").len());
    }
    // Before the first page arrives, the following pages are unknown. No page follows the last
    // page.
    assert_eq!(asked, [1, 3, 4, 4]);
    assert_eq!(list.0.most.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_stream_cancels_pending_requests() {
    let list = List::slow(Duration::from_secs(1), |query| page(query, 5000, 50, &[]));
    let mut items = list.client().library().tracks().stream();
    items.next().await.unwrap().unwrap();
    sleep(Duration::from_millis(10)).await;
    drop(items);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(list.asked("offset").len(), 5);
    assert_eq!(list.0.finished.load(Ordering::SeqCst), 1, "those under way were stopped");
}

#[tokio::test(start_paused = true)]
async fn a_list_without_a_total_is_read_by_following_next_links() {
    let list = List::new(|query| {
        let (status, mut body) = page(query, 170, 50, &[]);
        body["total"] = Value::Null;
        (status, body)
    });
    let mut items = list.client().library().tracks().stream();
    let mut count = 0;
    while items.try_next().await.unwrap().is_some() {
        count += 1;
    }
    assert_eq!((count, items.total()), (170, None));
    assert_eq!(list.asked("offset"), [0, 50, 100, 150]);
}

#[tokio::test(start_paused = true)]
async fn an_empty_page_ends_the_stream_despite_a_next_link() {
    let list = List::new(|query| {
        let offset = number(query, "offset").unwrap_or(0);
        let items: Vec<Value> = if offset == 0 { vec![entry(0)] } else { Vec::new() };
        let next = "https://api.spotify.com/v1/me/tracks?offset=1";
        (200, json!({ "items": items, "total": null, "limit": 1, "offset": offset, "next": next }))
    });
    assert_eq!(names(&list.client(), 4).await.unwrap(), [0]);
    assert_eq!(list.asked("offset"), [0, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_shrinking_list_is_not_requested_beyond_the_end() {
    let calls = AtomicUsize::new(0);
    let list = List::slow(Duration::from_millis(50), move |query| {
        let length = if calls.fetch_add(1, Ordering::SeqCst) == 0 { 800 } else { 230 };
        page(query, length, 50, &[])
    });
    let mut items = list.client().library().tracks().stream().prefetch(1);
    let mut count = 0;
    while items.try_next().await.unwrap().is_some() {
        count += 1;
    }
    assert_eq!((count, items.total(), items.drifted()), (230, Some(230), true));
    assert_eq!(list.asked("offset"), [0, 50, 100, 150, 200]);
}

#[tokio::test(start_paused = true)]
async fn an_error_ends_the_stream_and_sets_the_resume_position() {
    let list = List::new(|query| match number(query, "offset") {
        Some(100) => (403, json!({ "error": { "status": 403, "message": "No" } })),
        _ => page(query, 500, 50, &[]),
    });
    let mut items = list.client().library().tracks().stream();
    let mut count = 0;
    let error = loop {
        match items.next().await.unwrap() {
            Ok(_) => count += 1,
            Err(error) => break error,
        }
    };
    assert_eq!((count, error.kind()), (100, ErrorKind::Forbidden));
    assert_eq!(items.resume_at(), Position::Offset(100));
    assert!(items.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn resume_at_counts_skipped_entries() {
    let list = List::new(|query| page(query, 60, 50, &[0, 2, 3, 51]));
    let mut items = list.client().library().tracks().stream();
    let mut seen = Vec::new();
    for _ in 0..3 {
        let saved = items.try_next().await.unwrap().unwrap();
        seen.push((saved.track.name, items.resume_at()));
    }
    let at = |name: &str, offset| (name.to_owned(), Position::Offset(offset));
    assert_eq!(seen, [at("1", 4), at("4", 5), at("5", 6)]);
    let rest = list.client().library().tracks().offset(6).stream().collect_names().await;
    assert_eq!(rest.first().map(String::as_str), Some("6"));
}

trait CollectNames {
    async fn collect_names(self) -> Vec<String>;
}

impl CollectNames for spot_api::Items<spot_api::model::SavedTrack> {
    async fn collect_names(mut self) -> Vec<String> {
        let mut names = Vec::new();
        while let Some(saved) = self.try_next().await.unwrap() {
            names.push(saved.track.name);
        }
        names
    }
}

/// Returns a page of followed artists. If `stuck` is set, the cursor never advances.
fn artists(query: &Query, length: u32, stuck: bool) -> (u16, Value) {
    let after = number(query, "after").map_or(0, |after| after + 1);
    let end = (after + 50).min(length);
    let items: Vec<Value> = (after..end)
        .map(|at| json!({ "type": "artist", "id": format!("{at:022}"), "name": at.to_string() }))
        .collect();
    let last = if stuck { 49 } else { end.saturating_sub(1) };
    let next = (end < length || stuck).then_some("https://api.spotify.com/v1/me/following");
    let cursor = (end < length || stuck).then(|| format!("{last:022}"));
    let body = json!({ "items": items, "limit": 50, "total": length, "next": next,
                       "cursors": { "after": cursor } });
    (200, json!({ "artists": body }))
}

#[tokio::test(start_paused = true)]
async fn cursor_lists_prefetch_a_single_page() {
    let list = List::slow(Duration::from_millis(50), |query| artists(query, 170, false));
    let mut pages = list.client().me().followed_artists().stream().pages();
    let start = Instant::now();
    let mut count = 0;
    while let Some(page) = pages.try_next().await.unwrap() {
        count += page.items.len();
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(count, 170);
    assert_eq!(start.elapsed().as_millis(), 50 + 4 * 50);
    assert_eq!(list.asked("after"), [0, 49, 99, 149]);
}

#[tokio::test(start_paused = true)]
async fn a_repeated_cursor_ends_the_stream() {
    let list = List::new(|query| artists(query, 170, true));
    let mut items = list.client().me().followed_artists().stream();
    let mut count = 0;
    while items.try_next().await.unwrap().is_some() {
        count += 1;
    }
    assert_eq!((count, list.asked("after").len()), (100, 2));
}

#[tokio::test(start_paused = true)]
async fn a_search_stream_ends_at_1000_results() {
    let list = List::new(|query| {
        let offset = number(query, "offset").unwrap_or(0);
        assert!(offset + 10 <= 1000, "the API takes no offset and limit above 1000");
        let items: Vec<Value> = (offset..offset + 10)
            .map(|at| json!({ "type": "track", "id": format!("{at:022}"), "name": at.to_string() }))
            .collect();
        let next = "https://api.spotify.com/v1/search";
        (
            200,
            json!({ "tracks": { "items": items, "total": 90_000, "limit": 10,
                                  "offset": offset, "next": next } }),
        )
    });
    let mut tracks = list.client().search("night").tracks().stream();
    let mut count = 0;
    while tracks.try_next().await.unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, 1000);
}

#[tokio::test(start_paused = true)]
async fn a_next_link_to_a_foreign_host_is_not_followed() {
    let list = List::new(|query| page(query, 120, 50, &[]));
    let client = list.client();
    let first = client.library().tracks().limit(50).await.unwrap();
    let second = client.next_page(&first).await.unwrap().unwrap();
    assert_eq!(second.offset, 50);
    let mut foreign = first.clone();
    foreign.next = Some("https://api.spotify.com.example.org/v1/me/tracks?offset=50".to_owned());
    let error = client.next_page(&foreign).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadRequest);
    assert_eq!(list.0.asked.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn next_page_works_for_wrapped_pages_and_my_playlists() {
    let mock = spot_mock::MockSpotify::start().await.unwrap();
    let client = crate::support::client(&mock);
    let first = client.search("a").tracks().limit(3).await.unwrap();
    let second = client.next_page(&first).await.unwrap().unwrap();
    assert_eq!((second.offset, second.items.len()), (3, 3));
    let back = client.previous_page(&second).await.unwrap().unwrap();
    assert_eq!(back.items, first.items);
    let first = client.me().followed_artists().limit(5).await.unwrap();
    let second = client.next_page(&first).await.unwrap().unwrap();
    assert_eq!(second.items.len(), 5);
    assert_ne!(second.items, first.items);
    // Spotify's link contains the path `/users/{id}/playlists`, which is not available in
    // Development Mode.
    let first = client.me().playlists().limit(5).await.unwrap();
    assert!(first.next.as_ref().unwrap().contains("/me/playlists?"));
    let second = client.next_page(&first).await.unwrap().unwrap();
    assert_eq!(second.offset, 5);
}

/// Returns the number of pages that a stream reads from a list. The maximum is 1000.
async fn pages_until_the_end(list: &List, by_cursor: bool) -> usize {
    let client = list.client();
    let mut count = 0;
    if by_cursor {
        let mut pages = client.me().followed_artists().stream().pages();
        while count < 1000 && pages.try_next().await.unwrap().is_some() {
            count += 1;
        }
    } else {
        let mut pages = client.library().tracks().stream().pages();
        while count < 1000 && pages.try_next().await.unwrap().is_some() {
            count += 1;
        }
    }
    count
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_on_a_cycle_of_cursors() {
    for length in [1, 2, 3, 50] {
        let list = List::new(move |query| {
            let at = number(query, "after").unwrap_or(0);
            let next = format!("{:022}", (at + 1) % length);
            let link = format!("https://api.spotify.com/v1/me/following?after={next}");
            let items = [json!({ "type": "artist", "id": format!("{at:022}") })];
            (
                200,
                json!({ "artists": {
                "items": items, "next": link, "cursors": { "after": next }, "limit": 1,
            } }),
            )
        });
        let pages = pages_until_the_end(&list, true).await;
        assert!(pages <= usize::try_from(length).unwrap() + 1, "{pages} pages of {length}");
    }
}

#[tokio::test(start_paused = true)]
async fn following_a_cycle_of_page_links_ends_with_an_error() {
    for (start, length) in [(0, 1), (0, 2), (1, 2), (0, 3), (10, 50)] {
        // Cursors, and links whose query parameter is not an offset.
        for (path, parameter) in [("me/following", "after"), ("me/tracks", "token")] {
            let list = List::new(move |query| {
                let at = number(query, parameter).unwrap_or(0);
                let after = if at + 1 < start + length { at + 1 } else { start };
                let link = format!("https://api.spotify.com/v1/{path}?{parameter}={after}");
                (200, json!({ "items": [entry(1)], "next": link, "previous": link }))
            });
            let client = list.client();
            let first = format!("https://api.spotify.com/v1/{path}?{parameter}=0");
            let first = json!({ "items": [entry(1)], "next": first, "previous": first });
            let count = |error: spot_api::Error| {
                assert_eq!(error.kind(), ErrorKind::BadRequest, "{error}");
                let asked = list.0.asked.lock().unwrap().drain(..).count();
                assert!(asked <= 3 * (start + length) as usize, "{asked} of {start}, {length}");
                assert!(asked >= length as usize, "{asked} of {start}, {length}");
            };
            if parameter == "after" {
                let mut page: CursorPage<SavedTrack> = serde_json::from_value(first).unwrap();
                count(loop {
                    match client.next_page(&page).await {
                        Ok(next) => page = next.unwrap(),
                        Err(error) => break error,
                    }
                });
            } else {
                let first: Page<SavedTrack> = serde_json::from_value(first).unwrap();
                let mut page = first.clone();
                count(loop {
                    match client.next_page(&page).await {
                        Ok(next) => page = next.unwrap(),
                        Err(error) => break error,
                    }
                });
                let mut page = first;
                count(loop {
                    match client.previous_page(&page).await {
                        Ok(previous) => page = previous.unwrap(),
                        Err(error) => break error,
                    }
                });
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_offset_overflow_ends_the_stream() {
    for (limit, total) in [
        (u32::MAX, Some(u32::MAX)),
        (u32::MAX, None),
        (u32::MAX - 1, Some(u32::MAX)),
        (1 << 31, None),
    ] {
        let list = List::new(move |_| {
            let next = "https://api.spotify.com/v1/me/tracks?offset=1";
            (200, json!({ "items": [entry(1)], "limit": limit, "total": total, "next": next }))
        });
        let pages = pages_until_the_end(&list, false).await;
        assert!(pages < 10, "{pages} pages with a limit of {limit} and a total of {total:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_next_link_that_does_not_advance_is_not_followed() {
    let base = "https://api.spotify.com/v1/me/tracks";
    for (offset, next, follows) in [
        (50, "?offset=100", true),
        (50, "?offset=50", false),
        (50, "?offset=0", false),
        (0, "?offset=0", false),
        (0, "?offset=1", true),
    ] {
        let list = List::new(|_| (200, json!({ "items": [] })));
        let page =
            json!({ "items": [entry(1)], "offset": offset, "next": format!("{base}{next}") });
        let page: Page<SavedTrack> = serde_json::from_value(page).unwrap();
        let found = list.client().next_page(&page).await;
        assert_eq!(found.is_ok(), follows, "{offset} {next}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_link_outside_the_base_url_is_not_followed() {
    for (link, path) in [
        ("https://api.spotify.com/v1/me/tracks?offset=50", Some("/v1/me/tracks")),
        ("https://api.spotify.com/v1/x/../me/./tracks?offset=50", Some("/v1/me/tracks")),
        ("https://API.spotify.com:443/v1/me/tracks?offset=50", Some("/v1/me/tracks")),
        ("https://api.spotify.com/v1/../v2/me?offset=50", None),
        ("https://api.spotify.com/v1/%2e%2E/v2/me?offset=50", None),
        ("https://api.spotify.com/v1/me/.%2e/../../v2?offset=50", None),
        ("https://api.spotify.com/v1\\..\\v2?offset=50", None),
        ("https://api.spotify.com/v1..?offset=50", None),
        ("https://api.spotify.com/v1/..?offset=50", None),
        ("https://api.spotify.com/v10/me?offset=50", None),
        ("https://api.spotify.com/v1?offset=50", None),
        ("https://api.spotify.com.example.org/v1/me?offset=50", None),
        ("https://api.spotify.com@example.org/v1/me?offset=50", None),
        ("http://api.spotify.com/v1/me?offset=50", None),
        ("//api.spotify.com/v1/me?offset=50", None),
        ("https://api.spotify.com/v1/me%2f..%2f..%2fv2?offset=50", None),
        ("https://api.spotify.com/v1/me%5C%2e%2e%5C%2e%2e%5Cv2?offset=50", None),
        ("https://api.spotify.com:8443/v1/me?offset=50", None),
        ("https://api.spotify.com./v1/me?offset=50", None),
        ("https://api.spotify\u{ff0e}com.evil.example/v1/me?offset=50", None),
        ("https://api.spot\u{456}fy.com/v1/me?offset=50", None),
        ("https:\\\\evil.example\\v1\\me?offset=50", None),
        ("https://evil.example/https://api.spotify.com/v1/me?offset=50", None),
        ("https://[::1]/v1/me?offset=50", None),
        ("javascript:api.spotify.com/v1/me", None),
        // The link is accepted, because the client does not send the user name and the password in
        // the link.
        ("https://user:pw@api.spotify.com/v1/me/tracks?offset=50", Some("/v1/me/tracks")),
        (
            "https://api.spotify.com/v1/users/a%2Fb..c/playlists?offset=50",
            Some("/v1/users/a%2Fb..c/playlists"),
        ),
    ] {
        let list = List::new(|_| (200, json!({ "items": [] })));
        let page = json!({ "items": [entry(1)], "next": link });
        let page: Page<SavedTrack> = serde_json::from_value(page).unwrap();
        let found = list.client().next_page(&page).await;
        assert_eq!(found.is_ok(), path.is_some(), "{link}");
        assert_eq!(list.0.asked.lock().unwrap().len(), usize::from(path.is_some()), "{link}");
    }
}
