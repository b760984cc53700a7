//! Tests of the playback watch: it reports the actions of a listener, soon and with few calls.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::FutureExt as _;
use spot_api::{
    Client, ErrorKind, PlaybackChange, PlaybackEvent, PlaybackWatch,
    model::{PlayingKind, RepeatState},
};
use spot_http::{RateLimit, TokenSource, Transport, TransportError};
use spot_mock::{Corruption, Device, Fault, MockSpotify, RandomFaults, custom};
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};

use crate::support::client;

const STATE: &str = "get-information-about-the-users-current-playback";

/// An event that the script expects: the second at which the event happens, and its name.
type Expected = (u64, &'static str);

fn name(change: &PlaybackChange) -> &'static str {
    match change {
        PlaybackChange::Initial => "initial",
        PlaybackChange::Restored => "restored",
        PlaybackChange::Stopped => "stopped",
        PlaybackChange::DeviceChanged { .. } => "device",
        PlaybackChange::VolumeChanged { .. } => "volume",
        PlaybackChange::ShuffleChanged { .. } => "shuffle",
        PlaybackChange::RepeatChanged { .. } => "repeat",
        PlaybackChange::ContextChanged { .. } => "context",
        PlaybackChange::ItemChanged { to: None, .. } => "no item",
        PlaybackChange::ItemChanged { .. } => "item",
        PlaybackChange::ItemRepeated => "repeated",
        PlaybackChange::Sought { .. } => "sought",
        PlaybackChange::Started => "started",
        PlaybackChange::Paused => "paused",
        PlaybackChange::Resumed => "resumed",
        PlaybackChange::Throttled { .. } => "throttled",
        PlaybackChange::Interrupted { .. } => "interrupted",
        other => panic!("{other:?} is new to this test"),
    }
}

/// Starts a mock without playback. Its test data contain an album with 30 tracks of 200 s each.
async fn silence() -> MockSpotify {
    let mut album = custom::Album::new("Long Day", "Ada Quill").id("spotmockLongDay0000001");
    for number in 1..=30 {
        album = album.track(custom::Track::new(format!("Hour {number}")).duration_ms(200_000));
    }
    let world = custom::World::new().artist(custom::Artist::new("Ada Quill")).album(album);
    let builder = MockSpotify::builder().world(world).idle(true);
    builder.latency(Duration::from_millis(80)).start().await.unwrap()
}

const ALBUM: &str = "spotify:album:spotmockLongDay0000001";

/// Sends playback commands and causes failures during one simulated hour. Returns the events that
/// the watch must report.
async fn listen(mock: &MockSpotify, listener: &Client, start: Instant) -> Vec<Expected> {
    let at = |second| sleep_until(start + Duration::from_secs(second));
    let player = listener.player();
    let device = mock.world().device.clone();
    at(60).await;
    player.play().device(device.as_str()).context(ALBUM).await.unwrap();
    for skip in [293, 299, 304] {
        at(skip).await;
        player.next().await.unwrap();
    }
    at(560).await;
    player.pause().await.unwrap();
    at(620).await;
    player.play().await.unwrap();
    at(800).await;
    player.seek(Duration::from_secs(120)).await.unwrap();
    at(900).await;
    player.volume(20).await.unwrap();
    at(930).await;
    mock.add_device(Device::new("kitchen", "Kitchen"));
    player.transfer("kitchen").await.unwrap();
    at(960).await;
    player.shuffle(true).await.unwrap();
    at(990).await;
    player.repeat(RepeatState::Context).await.unwrap();
    at(1200).await;
    mock.play_advertisement(Duration::from_secs(30));
    at(1400).await;
    let outage = RandomFaults::new(1, 1.0).only([Fault::status(503), Fault::Reset]).on(STATE);
    mock.set_random_faults(Some(outage));
    at(1450).await;
    player.next().await.unwrap();
    at(1520).await;
    mock.set_random_faults(None);
    at(1700).await;
    mock.fail_next_on(STATE, Fault::rate_limited(40));
    at(1900).await;
    player.repeat(RepeatState::Track).await.unwrap();
    at(2100).await;
    player.repeat(RepeatState::Off).await.unwrap();
    at(2300).await;
    player.pause().await.unwrap();
    at(3300).await;
    let episode = format!("spotify:episode:{}", mock.world().episode);
    player.play().device(device.as_str()).uris([episode]).await.unwrap();
    at(3400).await;
    mock.remove_device(&device);
    at(3500).await;
    player.play().device("kitchen").context(ALBUM).await.unwrap();
    // The token expires after an hour, so the test ends ten seconds earlier.
    at(3590).await;
    vec![
        (0, "initial"),
        (60, "device"),
        (60, "context"),
        (60, "item"),
        (60, "started"),
        (260, "item"),
        (293, "item"),
        (299, "item"),
        (304, "item"),
        (504, "item"),
        (560, "paused"),
        (620, "resumed"),
        (764, "item"),
        (800, "sought"),
        (880, "item"),
        (900, "volume"),
        (930, "device"),
        (960, "shuffle"),
        (990, "repeat"),
        (1080, "item"),
        (1200, "no item"),
        (1230, "item"),
        (1310, "item"),
        (1400, "interrupted"),
        (1520, "restored"),
        (1520, "item"),
        (1650, "item"),
        (1700, "throttled"),
        (1740, "restored"),
        (1850, "item"),
        (1900, "repeat"),
        (2050, "repeated"),
        (2100, "repeat"),
        (2250, "item"),
        (2300, "paused"),
        (3200, "stopped"),
        (3300, "device"),
        (3300, "shuffle"),
        (3300, "item"),
        (3300, "started"),
        (3400, "stopped"),
        (3500, "device"),
        (3500, "shuffle"),
        (3500, "context"),
        (3500, "item"),
        (3500, "started"),
    ]
}

/// Checks the contents of some events of the script.
fn details(events: &[&PlaybackEvent]) {
    let mut devices = Vec::new();
    for event in events {
        let state = event.state.as_deref();
        match &event.change {
            PlaybackChange::DeviceChanged { to, .. } => {
                devices.push(to.as_ref().unwrap().name.clone())
            }
            PlaybackChange::VolumeChanged { from, to } => {
                assert_eq!((*from, *to), (Some(65), Some(20)));
            }
            PlaybackChange::Sought { from, to } => {
                assert!(to.abs_diff(Duration::from_secs(120)) < Duration::from_secs(6), "{to:?}");
                assert!(
                    from.abs_diff(Duration::from_secs(36)) < Duration::from_secs(6),
                    "{from:?}"
                );
            }
            PlaybackChange::ItemChanged { to: None, .. } => {
                assert_eq!(state.unwrap().currently_playing_type, Some(PlayingKind::Ad));
            }
            PlaybackChange::ItemChanged { to: Some(item), .. } => {
                assert_eq!(state.unwrap().item.as_ref(), Some(item));
            }
            PlaybackChange::Throttled { wait, quota } => {
                assert!(!quota && *wait >= Duration::from_secs(40), "{wait:?}");
            }
            PlaybackChange::Interrupted { error } => {
                assert!([ErrorKind::Server, ErrorKind::Transport].contains(&error.kind()));
            }
            PlaybackChange::Stopped => assert!(state.is_none()),
            _ => {}
        }
    }
    assert_eq!(devices, ["Desk", "Kitchen", "Desk", "Kitchen"]);
}

/// Collects events. The future of `next` is often dropped and created again, as in a `select!`.
async fn collect(
    mut watch: PlaybackWatch,
    start: Instant,
    until: Instant,
) -> Vec<(f64, PlaybackEvent)> {
    let mut events = Vec::new();
    while Instant::now() < until {
        if let Ok(event) = timeout(Duration::from_millis(370), watch.next()).await {
            events.push((start.elapsed().as_secs_f64(), event.unwrap().unwrap()));
        }
    }
    events
}

/// Returns the events of the hour, the events that the script expects, and the number of polls.
async fn hour(
    settings: fn(PlaybackWatch) -> PlaybackWatch,
) -> (Vec<(f64, PlaybackEvent)>, Vec<Expected>, usize) {
    let mock = silence().await;
    let (watched, listener) = (client(&mock), client(&mock));
    let start = Instant::now();
    let until = start + Duration::from_secs(3_590);
    let watching = tokio::spawn(collect(settings(watched.player().watch()), start, until));
    let expected = listen(&mock, &listener, start).await;
    let events = watching.await.unwrap();
    let calls = mock.requests().iter().filter(|r| r.operation == Some(STATE)).count();
    (events, expected, calls)
}

#[tokio::test(start_paused = true)]
#[expect(clippy::print_stdout, reason = "the purpose of the test is to print the figures")]
async fn watch_reports_every_change_of_an_hour_in_order() {
    let (events, expected, calls) = hour(|watch| watch).await;
    let seen: Vec<&str> = events.iter().map(|(_, event)| name(&event.change)).collect();
    let script: Vec<&str> = expected.iter().map(|(_, name)| *name).collect();
    assert_eq!(
        seen,
        script,
        "{:#?}",
        events.iter().map(|(at, e)| (at, name(&e.change))).collect::<Vec<_>>()
    );

    details(&events.iter().map(|(_, event)| event).collect::<Vec<_>>());

    let delays: Vec<f64> =
        events.iter().zip(&expected).map(|((at, _), (second, _))| at - *second as f64).collect();
    // Excludes events during failures, because polls fail at these times.
    let healthy = |index: &usize| {
        !["interrupted", "restored", "throttled"].contains(&script[*index])
            && !(1_400..=1_520).contains(&expected[*index].0)
    };
    let healthy: Vec<f64> = (0..delays.len()).filter(healthy).map(|index| delays[index]).collect();
    for (index, delay) in delays.iter().enumerate() {
        let most =
            if script[index] == "restored" || expected[index].0 == 1520 { 31.0 } else { 20.5 };
        assert!(
            (0.0..most).contains(delay),
            "{} at {} s: {delay} s",
            script[index],
            expected[index].0
        );
    }
    let ends = [260, 504, 764, 880, 1080, 1310, 1650, 1850, 2050, 2250];
    let ends: Vec<f64> = (0..delays.len())
        .filter(|index| ends.contains(&expected[*index].0))
        .map(|index| delays[index])
        .collect();
    let worst = |delays: &[f64]| delays.iter().copied().fold(0.0, f64::max);
    let mean = |delays: &[f64]| delays.iter().sum::<f64>() / delays.len() as f64;
    assert!(worst(&ends) < 1.2, "ends of tracks: {ends:?}");
    println!("an hour: {} events", events.len());
    println!(
        "  watch: {calls} calls, worst delay {:.1} s, mean {:.1} s, at ends of tracks {:.1} s",
        worst(&healthy),
        mean(&healthy),
        worst(&ends)
    );
    // Compares the delays with the delays of a program that polls every N seconds. The delays of
    // this program depend on the time of its first poll, so the mean over many start times is
    // calculated.
    for every in [1.0, 5.0] {
        let phases = (0..100).map(|phase| f64::from(phase) / 100.0 * every);
        let delays: Vec<f64> = phases
            .flat_map(|phase| {
                expected.iter().map(move |(second, _)| {
                    let since = *second as f64 - phase;
                    (since / every).ceil() * every - since
                })
            })
            .collect();
        println!(
            "  every {every} s: {} calls, worst delay {:.1} s, mean {:.1} s",
            3_600.0 / every,
            worst(&delays),
            mean(&delays)
        );
    }
    let calm = |watch: PlaybackWatch| {
        let seconds = Duration::from_secs;
        let watch = watch.playing_interval(seconds(10)).paused_interval(seconds(20));
        watch.idle_interval(seconds(60))
    };
    let (seldom, _, fewer) = hour(calm).await;
    println!("  watch, at most every 10, 20 and 60 s: {fewer} calls, {} events", seldom.len());
    assert!(fewer < calls && calls < 3_600 / 5, "fewer calls than polling every 5 s: {calls}");
}

#[tokio::test(start_paused = true)]
async fn an_unpolled_watch_sends_no_requests_and_catches_up_later() {
    let mock = silence().await;
    let (watched, listener) = (client(&mock), client(&mock));
    let player = listener.player();
    player.play().device(mock.world().device.as_str()).context(ALBUM).await.unwrap();
    let mut watch = watched.player().watch();
    assert_eq!(name(&watch.next().await.unwrap().unwrap().change), "initial");
    // A poll is in flight when the program stops polling.
    assert!(timeout(Duration::from_millis(1_040), watch.next()).await.is_err());
    let before = mock.requests().len();
    sleep(Duration::from_secs(500)).await;
    player.pause().await.unwrap();
    sleep(Duration::from_secs(500)).await;
    let after = mock.requests().len();
    assert_eq!(after, before + 1, "nothing is sent while nobody polls");

    let first = watch.next().await.unwrap().unwrap();
    let second = watch.next().await.unwrap().unwrap();
    assert_eq!((name(&first.change), name(&second.change)), ("item", "paused"));
    let (first, second) = (first.state.unwrap(), second.state.unwrap());
    assert!(Arc::ptr_eq(&first, &second), "all events of one poll have one state");
    assert_eq!(first.item.as_ref().unwrap().name(), "Hour 3");
    assert!(timeout(Duration::from_secs(60), watch.next()).await.is_err(), "and nothing more");
}

#[tokio::test(start_paused = true)]
async fn the_position_is_extrapolated_without_a_request() {
    let mock = silence().await;
    let client = client(&mock);
    client.player().play().device(mock.world().device.as_str()).context(ALBUM).await.unwrap();
    let mut watch = client.player().watch();
    assert!(watch.now().is_none());
    watch.next().await.unwrap().unwrap();
    let handle = watch.handle();
    let calls = mock.requests().len();
    sleep(Duration::from_secs(30)).await;
    let position = watch.now().unwrap().progress.unwrap();
    let off = position.abs_diff(Duration::from_secs(30));
    assert!(off < Duration::from_millis(300), "{position:?}");
    assert_eq!(handle.position(), Some(position));
    sleep(Duration::from_secs(500)).await;
    assert_eq!(handle.position(), Some(Duration::from_secs(200)), "not beyond the end");
    assert_eq!(mock.requests().len(), calls);
}

#[tokio::test(start_paused = true)]
async fn refresh_now_triggers_an_immediate_poll() {
    let mock = silence().await;
    let client = client(&mock);
    let mut watch = client.player().watch().idle_interval(Duration::from_secs(60));
    watch.next().await.unwrap().unwrap();
    let handle = watch.handle();
    let command = client.clone();
    let device = mock.world().device.clone();
    tokio::spawn(async move {
        sleep(Duration::from_secs(300)).await;
        command.player().play().device(device.as_str()).context(ALBUM).await.unwrap();
        handle.refresh_now();
    });
    let start = Instant::now();
    watch.next().await.unwrap().unwrap();
    let late = start.elapsed() - Duration::from_secs(300);
    assert!(late < Duration::from_millis(500), "{late:?}");
}

#[tokio::test(start_paused = true)]
async fn an_exhausted_quota_is_reported_and_waited_for() {
    let mock = silence().await;
    let mut watch = client(&mock).player().watch();
    watch.next().await.unwrap().unwrap();
    mock.fail_next_on(STATE, Fault::quota_exceeded(1_800));
    let start = Instant::now();
    let said = watch.next().await.unwrap().unwrap();
    let PlaybackChange::Throttled { wait, quota } = said.change else { panic!("{said:?}") };
    assert!(quota && wait >= Duration::from_secs(1_800), "{wait:?}");
    let calls = mock.requests().len();
    assert_eq!(name(&watch.next().await.unwrap().unwrap().change), "restored");
    assert!(start.elapsed() >= Duration::from_secs(1_800));
    assert_eq!(mock.requests().len(), calls + 1);
}

#[tokio::test(start_paused = true)]
async fn unexpected_responses_do_not_end_the_watch() {
    let mock = silence().await;
    let client = client(&mock);
    client.player().play().device(mock.world().device.as_str()).context(ALBUM).await.unwrap();
    let mut watch = client.player().watch();
    watch.next().await.unwrap().unwrap();
    let unknown_kind = r#"{"is_playing":true,"progress_ms":1,"currently_playing_type":"hologram",
        "item":{"type":"hologram","uri":"spotify:hologram:1","name":"Moth"},"device":null}"#;
    let odd = Corruption::ALL.map(Fault::Corrupted).into_iter().chain([
        Fault::status(200).body("application/json", unknown_kind),
        Fault::status(200).body("text/html", "<h1>Try later</h1>"),
        Fault::status(403),
        Fault::status(401),
        Fault::TruncatedBody,
    ]);
    for fault in odd {
        mock.fail_next_on(STATE, fault.clone());
        watch.refresh_now();
        let end = Instant::now() + Duration::from_secs(40);
        while let Ok(event) = timeout_at(end, watch.next()).await {
            let event = event.unwrap_or_else(|| panic!("{fault:?} ended it"));
            event.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        }
        let state = watch.now().unwrap();
        assert!(state.item.is_some_and(|item| item.name().starts_with("Hour")), "after {fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_scope_ends_the_watch() {
    let mock = silence().await;
    let token = spot_http::AccessToken::new(&mock.user_token(&["user-library-read"])).unwrap();
    let pipeline = spot_http::Pipeline::builder(token).base_url(mock.api_url()).build().unwrap();
    let mut watch = Client::from(pipeline).player().watch();
    let error = watch.try_next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingScope);
    assert!(watch.next().await.is_none());
}

#[test]
fn without_a_runtime_the_watch_ends_with_an_error() {
    let token = spot_http::AccessToken::new("token").unwrap();
    let mut watch = Client::new(token).unwrap().player().watch();
    let error = watch.try_next().now_or_never().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
}

/// Counts the requests in flight. After 700 ms, responds with 204: no player is active.
#[derive(Clone, Debug, Default)]
struct Counter {
    under_way: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    times: Arc<Mutex<Vec<Instant>>>,
    paths: Arc<Mutex<Vec<String>>>,
}

#[async_trait::async_trait]
impl Transport for Counter {
    async fn send(
        &self,
        request: http::Request<bytes::Bytes>,
    ) -> Result<http::Response<bytes::Bytes>, TransportError> {
        self.paths.lock().unwrap().push(request.uri().path().to_owned());
        self.times.lock().unwrap().push(Instant::now());
        let under_way = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(under_way, Ordering::SeqCst);
        sleep(Duration::from_millis(700)).await;
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        Ok(http::Response::builder().status(204).body(bytes::Bytes::new()).unwrap())
    }
}

#[tokio::test(start_paused = true)]
async fn repeated_refreshes_respect_max_calls_and_never_overlap() {
    let counter = Counter::default();
    let token = spot_http::AccessToken::new("token").unwrap();
    let pipeline = spot_http::Pipeline::builder(token).transport(counter.clone()).build().unwrap();
    let mut watch = Client::from(pipeline).player().watch().max_calls(7);
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(300) {
        watch.refresh_now();
        if let Ok(event) = timeout(Duration::from_millis(90), watch.next()).await {
            assert_eq!(name(&event.unwrap().unwrap().change), "initial");
        }
    }
    assert_eq!(counter.most.load(Ordering::SeqCst), 1);
    let times = counter.times.lock().unwrap();
    let windows = times.windows(8).map(|calls| calls[7] - calls[0]);
    assert!(windows.min().unwrap() >= Duration::from_secs(30));
    assert!(times.len() >= 70, "and it is used: {}", times.len());
}

#[tokio::test(start_paused = true)]
async fn an_interactive_call_overtakes_a_rate_limited_poll() {
    let counter = Counter::default();
    let token = spot_http::AccessToken::new("token").unwrap();
    let limit = RateLimit::known(6).window(Duration::from_secs(10));
    let builder = spot_http::Pipeline::builder(token).transport(counter.clone()).rate_limit(limit);
    let client = Client::from(builder.build().unwrap());
    let mut watch = client.player().watch().max_calls(1_000);
    let handle = watch.handle();
    tokio::spawn(async move { while watch.next().await.is_some() {} });
    // Requests a poll 80 times. After 6 polls, the rate limit makes the next poll wait.
    for _ in 0..80 {
        handle.refresh_now();
        sleep(Duration::from_millis(100)).await;
    }
    let sent = counter.paths.lock().unwrap().len();
    assert_eq!(sent, 6);
    client.player().pause().await.unwrap();
    let paths = counter.paths.lock().unwrap();
    assert!(paths[sent].ends_with("/me/player/pause"), "{paths:?}");
}

/// Returns one valid token, and then an error: the consent has expired.
#[derive(Debug, Default)]
struct Expiring(AtomicUsize);

#[async_trait::async_trait]
impl TokenSource for Expiring {
    async fn token(&self) -> Result<spot_http::AccessToken, spot_api::Error> {
        match self.0.fetch_add(1, Ordering::SeqCst) {
            0 => spot_http::AccessToken::new("token"),
            _ => Err(spot_api::Error::consent_expired("six months are over")),
        }
    }

    async fn reject(&self, _: &spot_http::AccessToken) {}
}

#[tokio::test(start_paused = true)]
async fn expired_consent_ends_the_watch() {
    let builder = spot_http::Pipeline::builder(Expiring::default());
    let pipeline = builder.transport(Counter::default()).build().unwrap();
    let mut watch = Client::from(pipeline).player().watch();
    assert_eq!(name(&watch.try_next().await.unwrap().unwrap().change), "initial");
    let error = watch.try_next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConsentExpired);
    assert!(watch.try_next().await.unwrap().is_none());
}

/// A transport whose second request panics.
#[derive(Debug, Default)]
struct Flawed(Counter, AtomicUsize);

#[async_trait::async_trait]
impl Transport for Flawed {
    async fn send(
        &self,
        request: http::Request<bytes::Bytes>,
    ) -> Result<http::Response<bytes::Bytes>, TransportError> {
        assert_ne!(self.1.fetch_add(1, Ordering::SeqCst), 1, "a mistake in a transport");
        self.0.send(request).await
    }
}

#[tokio::test(start_paused = true)]
async fn the_watch_recovers_from_a_panic_in_the_transport() {
    let token = spot_http::AccessToken::new("token").unwrap();
    let builder = spot_http::Pipeline::builder(token).transport(Flawed::default());
    let mut watch = Client::from(builder.build().unwrap()).player().watch();
    for expected in ["initial", "interrupted", "restored"] {
        assert_eq!(name(&watch.try_next().await.unwrap().unwrap().change), expected);
    }
}
