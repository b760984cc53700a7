//! Tests of convenience features: the client builder, setters that accept options, objects as ids,
//! and custom operations.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use serde::Deserialize;
use spot_api::{
    AccessMode, CallOptions, Client, Error, ErrorKind, Market, Request,
    model::{Country, DeviceId, Images, Method, Operation, Page, Paging, Scope, TrackId, Uri},
};
use spot_http::{AccessToken, CallbackTokens, Event, Observer, Transport, TransportError};
use spot_mock::MockSpotify;

use crate::support;

/// A transport that records the requested URLs, and uses no network.
#[derive(Clone, Debug, Default)]
struct Links(Arc<Mutex<Vec<String>>>);

#[async_trait::async_trait]
impl Transport for Links {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        assert!(!request.headers().contains_key("authorization"), "the token stays here");
        let address = request.uri().to_string();
        let target = match address.as_str() {
            "https://spotify.link/one" => "https://spotify.app.link/two?_p=c1",
            "https://spotify.app.link/two?_p=c1" => {
                "https://open.spotify.com/track/spotmockTrack000000001?si=abc"
            }
            "https://spotify.link/away" => "https://example.org/",
            _ => "",
        };
        self.0.lock().unwrap().push(address);
        let status = if target.is_empty() { 404 } else { 307 };
        let response = http::Response::builder().status(status).header("location", target);
        Ok(response.body(Bytes::new()).unwrap())
    }
}

fn token() -> AccessToken {
    AccessToken::new("token").unwrap()
}

#[tokio::test]
async fn the_client_builder_configures_client_and_pipeline() {
    let mock = MockSpotify::start().await.unwrap();
    let client = Client::builder(AccessToken::new(&mock.user_token_all()).unwrap())
        .base_url(mock.api_url())
        .access_mode(AccessMode::Extended)
        .market("SE")
        .accept_language("de")
        .deadline(Duration::from_secs(20))
        .attempts(2)
        .options(CallOptions::new().max_wait(Duration::ZERO))
        .pipeline(|pipeline| pipeline.seed(7))
        .build()
        .unwrap();
    assert_eq!(client.access_mode(), AccessMode::Extended);
    client.track("spotmockTrack000000001").await.unwrap();
    assert_eq!(mock.requests()[0].query, "market=SE");
    for (client, words) in [
        (Client::builder(token()).base_url("api.spotify.com/v1"), "base_url"),
        (Client::builder(token()).proxy("::"), "proxy"),
        (Client::builder(token()).proxy("http://localhost:1").transport(Links::default()), "proxy"),
    ] {
        let error = client.build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn optional_setters_take_options() {
    let client = Client::builder(token()).transport(Links::default()).build().unwrap();
    let path = |request: Request| request.path_and_query();
    let album = |market: Option<Market>| {
        path(client.album("spotmockAlbum000000001").market(market).into_request())
    };
    assert_eq!(album(None), "/albums/spotmockAlbum000000001");
    assert_eq!(album(Some("SE".into())), "/albums/spotmockAlbum000000001?market=SE");
    assert_eq!(album(Some(Market::FROM_TOKEN)), "/albums/spotmockAlbum000000001?market=from_token");
    let pause =
        |device: Option<DeviceId>| path(client.player().pause().device(device).into_request());
    assert_eq!(pause(None), "/me/player/pause");
    assert_eq!(pause(Some("d1".parse().unwrap())), "/me/player/pause?device_id=d1");
    let tracks = client.library().tracks().limit(None).offset(Some(5));
    assert_eq!(path(tracks.into_request()), "/me/tracks?offset=5");
}

/// Setters accept references to options of different types, such as `&Option<&str>` and
/// `&Option<DeviceId>`.
#[test]
fn optional_setters_take_references_to_options() {
    let client = Client::builder(token()).transport(Links::default()).build().unwrap();
    let path = |request: Request| request.path_and_query();
    let (text, none): (Option<&str>, Option<String>) = (Some("SE"), None);
    let country: Option<Country> = text.and_then(|text| text.parse().ok());
    let album = || client.album("spotmockAlbum000000001");
    for request in [album().market(&text), album().market(&country), album().market(&Some("SE"))] {
        assert!(path(request.into_request()).ends_with("?market=SE"));
    }
    assert_eq!(path(album().market(&none).into_request()), "/albums/spotmockAlbum000000001");
    let pause = || client.player().pause();
    let device: Option<DeviceId> = Some("SE".parse().unwrap());
    for request in [
        pause().device(&text),
        pause().device(&device),
        pause().device(&device.as_ref()),
        pause().device("SE"),
        pause().device(&Some("SE".to_owned())),
    ] {
        assert!(path(request.into_request()).ends_with("?device_id=SE"));
    }
    assert_eq!(path(pause().device(&none).into_request()), "/me/player/pause");
    let artists = client.me().followed_artists().limit(10).after(&text);
    assert_eq!(path(artists.into_request()), "/me/following?type=artist&after=SE&limit=10");
}

/// This test must compile: a bare `None` needs no type annotation in any kind of setter.
#[test]
fn a_bare_none_leaves_a_parameter_out() {
    let client = Client::builder(token()).market(None).transport(Links::default());
    let client = client.build().unwrap();
    let playlist = client.playlist("spotmockPlaylist000001");
    let player = client.player();
    let requests = [
        // A market, a filter of fields, numbers, a snapshot id.
        client.playlist("spotmockPlaylist000001").fields(None).market(None).into_request(),
        playlist.items().fields(None).market(None).limit(None).offset(None).into_request(),
        playlist.reorder(1, 2).range_length(None).snapshot_id(None).into_request(),
        // Text and booleans.
        playlist.change_details().name(None).public(None).description(None).into_request(),
        client.me().followed_artists().after(None).limit(None).into_request(),
        client.browse().categories().locale(None).into_request(),
        // A device, a context, an offset, a duration, a time, an enum.
        player.play().device(None).context(None).offset(None).position(None).into_request(),
        player.recently_played().before(None).after(None).into_request(),
        client.me().top_tracks().time_range(None).into_request(),
        client.search("x").market(None).limit(None).offset(None).into_request(),
    ];
    for request in requests {
        let path = request.path_and_query();
        assert!(!path.contains("None") && !path.contains("market"), "{path}");
    }
    let search = client.search("x").tracks().market(None).limit(None).offset(None);
    assert!(search.into_request().path_and_query().starts_with("/search?"));
    let _ = playlist.sync(["spotify:track:spotmockTrack000000001"]).snapshot_id(None);
    let _ = client.legacy().follows_playlist("spotmockPlaylist000001").user(None);
}

#[tokio::test]
async fn an_unassigned_country_code_is_refused() {
    let client = Client::builder(token()).transport(Links::default()).build().unwrap();
    let error = client.track("spotmockTrack000000001").market("UK").await.unwrap_err();
    assert!(error.to_string().contains(r#""UK"; expected"#), "{error}");
    assert!(error.to_string().contains(r#""GB""#), "{error}");
    assert!("XK".parse::<Country>().unwrap().is_assigned());
    assert!(!"ZZ".parse::<Country>().unwrap().is_assigned());
}

#[tokio::test]
async fn calls_accept_objects_in_place_of_ids() {
    let mock = MockSpotify::start().await.unwrap();
    let client = support::client(&mock);
    let album = client.album("spotmockAlbum000000001").await.unwrap();
    let playlist = client.me().create_playlist("Objects").await.unwrap();
    client.playlist(&playlist).add(&album.tracks.items).await.unwrap();
    let saved = client.library().tracks().limit(3).await.unwrap();
    client.playlist(&playlist).add(&saved.items).await.unwrap();
    let held = client.playlist(&playlist).items().limit(50).await.unwrap();
    assert_eq!(held.items.len(), album.tracks.items.len() + 3);
    client.playlist(&playlist).remove(&held.items).await.unwrap();
    let held = client.playlist(&playlist).items().limit(50).await.unwrap();
    assert!(held.items.is_empty());
    assert_eq!(client.library().contains([&album]).await.unwrap().len(), 1);
    let track = client.track("spotmockTrack000000001").await.unwrap();
    assert_eq!(track.uri().unwrap().to_string(), "spotify:track:spotmockTrack000000001");
    let artist = client.artist(&track.artists[0]).await.unwrap();
    let widest = artist.images.iter().filter_map(|image| image.width).max().unwrap();
    assert!(artist.images.at_least(1).unwrap().width.unwrap() < widest);
    assert_eq!(artist.images.at_least(widest).unwrap().width, Some(widest));
    assert_eq!(artist.images.at_least(100_000).unwrap().width, Some(widest));
}

fn parse(id: &str, country: &str) -> Result<(TrackId, Country), Error> {
    Ok((id.parse()?, country.parse()?))
}

#[test]
fn parse_errors_convert_into_client_errors() {
    assert!(parse("spotmockTrack000000001", "SE").is_ok());
    for error in [parse("?", "SE").unwrap_err(), parse("spotmockTrack000000001", "?").unwrap_err()]
    {
        assert_eq!(error.kind(), ErrorKind::BadRequest);
    }
}

/// An observer that stores the operation name of each `CallEnded` event.
#[derive(Clone, Debug, Default)]
struct Names(Arc<Mutex<Vec<&'static str>>>);

impl Observer for Names {
    fn event(&self, event: &Event) {
        if let Event::CallEnded { operation, .. } = event {
            self.0.lock().unwrap().push(operation.name);
        }
    }
}

#[tokio::test]
async fn custom_operations_support_paging_observers_and_errors() {
    const LIST: &Operation = &Operation::custom(Method::Get, "/me/tracks")
        .with_name("my_list")
        .with_scopes(&[Scope::UserLibraryRead])
        .with_paging(Paging::Offset { max: 20, extended_max: 40, last_offset: None });
    const MISSING: &Operation = &Operation::custom(Method::Get, "/tracks/{id}/lyrics");

    #[derive(Clone, Debug, Deserialize)]
    struct Entry {
        added_at: String,
    }

    let mock = MockSpotify::start().await.unwrap();
    let names = Names::default();
    let client = Client::builder(AccessToken::new(&mock.user_token_all()).unwrap())
        .base_url(mock.api_url())
        .observer(names.clone())
        .build()
        .unwrap();
    let page = client.request_json::<Page<Entry>>(Request::new(LIST)).await.unwrap();
    assert!(page.body().items[0].added_at.contains("T"));
    mock.take_requests();
    let mut entries = client.stream::<Page<Entry>>(Request::new(LIST));
    let mut count = 0;
    while entries.try_next().await.unwrap().is_some() {
        count += 1;
    }
    assert_eq!(Some(count), entries.total().map(|total| total as usize));
    assert_eq!(mock.take_requests()[1].query, "limit=20&offset=20");
    client.pipeline().settled().await;
    assert!(names.0.lock().unwrap().iter().all(|name| *name == "my_list"));
    assert!(!names.0.lock().unwrap().is_empty());

    let request = Request::new(MISSING).path("id", "x1").query("secret", "words");
    let error = client.request_json::<Entry>(request).await.unwrap_err();
    assert!(error.to_string().starts_with("GET /tracks/x1/lyrics: "), "{error}");
    assert_eq!(error.target(), Some("/tracks/x1/lyrics"));
    assert!(!error.is_transient());
    assert!(!format!("{error:?}").contains("words"), "{error:?}");

    // The options of a request override the options of the client.
    mock.fail_next(spot_mock::Fault::Status {
        status: 503,
        body: String::new(),
        content_type: None,
        retry_after: None,
    });
    let request = Request::new(LIST).with_options(CallOptions::new().attempts(1));
    let error = client.request_json::<Page<Entry>>(request).await.unwrap_err();
    assert_eq!((error.attempts(), error.is_transient()), (1, true));
}

#[tokio::test]
async fn callback_tokens_are_cached_and_renewed_after_a_401() {
    let mock = MockSpotify::start().await.unwrap();
    let calls = Arc::new(AtomicUsize::new(0));
    let (good, counted) = (mock.user_token_all(), Arc::clone(&calls));
    let tokens = CallbackTokens::new(move || {
        let call = counted.fetch_add(1, Ordering::SeqCst);
        let text = if call == 0 { "stale".to_owned() } else { format!("Bearer {good}") };
        async move { Ok((text, SystemTime::now() + Duration::from_secs(3600))) }
    });
    let client = Client::builder(tokens).base_url(mock.api_url()).build().unwrap();
    client.me().await.unwrap();
    client.me().await.unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_short_link_is_resolved_without_a_token() {
    let links = Links::default();
    // A `Box` and an `Arc` of a transport are also transports.
    let boxed: Box<dyn Transport> = Box::new(Arc::new(links.clone()));
    let client = Client::builder(token()).transport(boxed).build().unwrap();
    let expected: Uri = "spotify:track:spotmockTrack000000001".parse().unwrap();
    for link in ["https://spotify.link/one", "spotify.link/one"] {
        assert_eq!(client.resolve_link(link).await.unwrap(), expected);
    }
    assert_eq!(links.0.lock().unwrap().len(), 4);
    let direct = client.resolve_link("spotify:track:spotmockTrack000000001").await.unwrap();
    assert_eq!(direct, expected);
    assert_eq!(links.0.lock().unwrap().len(), 4);
    for (link, words) in [
        ("https://spotify.link/away", "example.org"),
        ("https://spotify.link/nothing", "does not redirect"),
        ("https://example.org/x", "example.org"),
    ] {
        let error = client.resolve_link(link).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadRequest);
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[tokio::test]
async fn requests_convert_into_futures_for_join_all_and_spawn() {
    let mock = MockSpotify::start().await.unwrap();
    let client = support::client(&mock);
    let requests = (1..=3).map(|number| client.track(format!("spotmockTrack{number:09}")));
    let tracks = futures::future::join_all(requests.map(IntoFuture::into_future)).await;
    assert!(tracks.iter().all(Result::is_ok));
    let task = tokio::spawn(client.me().into_future());
    task.await.unwrap().unwrap();
}
