//! Tests of streams of any request, and of streams that continue a page.

use futures::FutureExt;
use serde::Deserialize;
use spot_api::{
    AccessMode, ErrorKind, Position, Request,
    model::{Access, Artist, CursorPage, Method, Operation, Page, PlaylistItem, SavedTrack},
};
use spot_mock::{MockSpotify, Mode, RecordedRequest};

use crate::support;

async fn names<P>(mut items: spot_api::Items<SavedTrack, P>) -> Vec<String>
where
    P: spot_api::Paged<Item = SavedTrack>,
{
    let mut names = Vec::new();
    while let Some(saved) = items.try_next().await.unwrap() {
        names.push(saved.track.name);
    }
    names
}

fn queries(requests: &[RecordedRequest]) -> Vec<&str> {
    requests.iter().map(|request| request.query.as_str()).collect()
}

#[tokio::test]
async fn any_request_can_be_streamed() {
    let mock = MockSpotify::start().await.unwrap();
    let client = support::client(&mock);
    let all = names(client.library().tracks().stream()).await;
    mock.take_requests();

    let request = client.library().tracks().into_request();
    assert_eq!(names(client.stream::<Page<SavedTrack>>(request)).await, all);
    assert_eq!(queries(&mock.take_requests())[..2], ["limit=50&offset=0", "limit=50&offset=50"]);

    // The request determines the start and the page size.
    let request = client.library().tracks().offset(40).limit(25).into_request();
    assert_eq!(names(client.stream::<Page<SavedTrack>>(request)).await, all[40..]);
    assert_eq!(queries(&mock.take_requests())[..2], ["limit=25&offset=40", "limit=25&offset=65"]);

    // For a request without an operation, the stream uses the default page size of the API.
    let request = Request::get("/me/tracks?limit=50");
    assert_eq!(names(client.stream::<Page<SavedTrack>>(request)).await, all);
}

#[tokio::test]
async fn a_custom_request_can_be_streamed_into_a_custom_type() {
    #[derive(Clone, Debug, Deserialize)]
    struct Mine {
        track: Named,
    }
    #[derive(Clone, Debug, Deserialize)]
    struct Named {
        name: String,
    }
    let mock = MockSpotify::start().await.unwrap();
    let client = support::client(&mock);
    let all = names(client.library().tracks().stream()).await;
    let mut mine = client.stream::<Page<Mine>>(Request::get("/me/tracks"));
    let mut count = 0;
    while let Some(entry) = mine.try_next().await.unwrap() {
        assert_eq!(entry.track.name, all[count]);
        count += 1;
    }
    assert_eq!(count, all.len());
}

#[tokio::test]
async fn cursor_pages_inside_a_response_can_be_streamed() {
    let mock = MockSpotify::start().await.unwrap();
    let client = support::client(&mock);
    let mut expected = client.me().followed_artists().limit(3).stream();
    let mut own =
        client.stream::<CursorPage<Artist>>(Request::get("/me/following?type=artist&limit=3"));
    let mut count = 0;
    while let Some(artist) = expected.try_next().await.unwrap() {
        assert_eq!(own.try_next().await.unwrap().unwrap().id, artist.id);
        assert_eq!(own.resume_at(), expected.resume_at());
        count += 1;
    }
    assert!(own.try_next().await.unwrap().is_none());
    assert!(count > 3);
}

/// Returns the page sizes that streams request in an access mode.
async fn sizes(mode: Mode, access: AccessMode) -> [Option<String>; 3] {
    let mock = MockSpotify::builder().mode(mode).start().await.unwrap();
    let client = support::client(&mock).with_access_mode(access);
    let limit = || {
        let requests = mock.take_requests();
        let query = requests.first().map(|request| request.query.clone()).unwrap_or_default();
        query.split('&').find_map(|pair| pair.strip_prefix("limit=")).map(str::to_owned)
    };
    client.search("a").tracks().stream().next().await.unwrap().unwrap();
    let search = limit();
    client.artist("spotmockArtist00000001").albums().stream().next().await.unwrap().unwrap();
    let albums = limit();
    let playlist = client.legacy().playlist_tracks("spotmockPlaylist000001");
    let first = playlist.stream().next().await.unwrap();
    assert_eq!(first.is_ok(), access == AccessMode::Extended);
    [search, albums, limit()]
}

#[tokio::test]
async fn the_maximum_page_size_depends_on_the_access_mode() {
    let some = |sizes: [&str; 3]| sizes.map(|size| Some(size.to_owned()));
    let development = sizes(Mode::Development, AccessMode::Development).await;
    assert_eq!(development, some(["10", "10", "50"]));
    let extended = sizes(Mode::Extended, AccessMode::Extended).await;
    assert_eq!(extended, some(["50", "50", "100"]));
    // `max_limit` returns the page size of an operation in a mode.
    let max = |operation: &Operation, mode| operation.paging.max_limit(mode);
    assert_eq!(max(Operation::SEARCH, AccessMode::Development), Some(10));
    assert_eq!(max(Operation::SEARCH, AccessMode::Extended), Some(50));
    assert_eq!(max(Operation::GET_ARTIST, AccessMode::Extended), None);
}

#[tokio::test]
async fn stream_from_does_not_request_the_given_page_again() {
    let mock = MockSpotify::start().await.unwrap();
    let client = support::client(&mock);
    let all = names(client.library().tracks().stream()).await;
    let page = client.library().tracks().limit(30).offset(10).await.unwrap();
    mock.take_requests();
    let items = client.stream_from(page);
    assert_eq!(items.resume_at(), Position::Offset(10));
    assert_eq!(names(items).await, all[10..]);
    let requests = mock.take_requests();
    assert_eq!(queries(&requests)[..2], ["limit=30&offset=40", "limit=30&offset=70"]);
    assert!(requests.iter().all(|request| request.operation == Some("get-users-saved-tracks")));

    let page = client.me().followed_artists().limit(4).await.unwrap();
    let first = page.items[0].id;
    mock.take_requests();
    let mut artists = client.stream_from(page);
    let mut ids = Vec::new();
    while let Some(artist) = artists.try_next().await.unwrap() {
        ids.push(artist.id);
    }
    assert_eq!(ids[0], first);
    assert_eq!(Some(ids.len()), artists.total().map(|total| total as usize));
    assert_eq!(mock.take_requests().len(), ids.len().div_ceil(4) - 1);
}

#[tokio::test]
async fn stream_from_continues_a_page_inside_an_object() {
    for (mode, access) in
        [(Mode::Development, AccessMode::Development), (Mode::Extended, AccessMode::Extended)]
    {
        let mock = MockSpotify::builder().mode(mode).start().await.unwrap();
        let client = support::client(&mock).with_access_mode(access);
        let playlist = client.playlist("spotmockPlaylist000001").await.unwrap();
        mock.take_requests();
        let items = client.stream_from(playlist.items.unwrap());
        assert_eq!(count(items).await, 250);
        // The playlist contained 100 items. With 50 items per page, the remaining 150 items take
        // three requests. With 100 items per page, they take two requests.
        let requests = mock.take_requests().len();
        assert!(requests == 3 || requests == 2, "{requests}");

        let show = client.show("spotmockShow0000000001").await.unwrap();
        mock.take_requests();
        let (total, held) = (show.episodes.total.unwrap(), show.episodes.items.len());
        assert_eq!(count(client.stream_from(show.episodes)).await, total as usize);
        assert_eq!(mock.take_requests().len(), (total as usize - held).div_ceil(50));

        let album = client.album("spotmockAlbum000000001").await.unwrap();
        mock.take_requests();
        let total = album.tracks.total.unwrap();
        assert_eq!(count(client.stream_from(album.tracks)).await, total as usize);
    }
}

async fn count<P: spot_api::Paged>(mut items: spot_api::Items<P::Item, P>) -> usize {
    let mut count = 0;
    while items.try_next().await.unwrap().is_some() {
        count += 1;
    }
    count
}

#[tokio::test]
async fn stream_from_yields_entries_then_an_error_for_a_bad_link() {
    let mock = MockSpotify::start().await.unwrap();
    let client = support::client(&mock);
    let page = client.library().tracks().limit(3).await.unwrap();
    mock.take_requests();
    for (next, words) in [
        (
            Some("https://api.spotify.com.example.org/v1/me/tracks?offset=3"),
            "leads outside the base URL",
        ),
        (None, "neither `next` nor `href`"),
    ] {
        let mut page = page.clone();
        page.next = next.map(str::to_owned);
        page.href = None;
        let mut items = client.stream_from(page);
        for _ in 0..3 {
            items.try_next().await.unwrap().unwrap();
        }
        let error = items.try_next().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadRequest);
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(items.resume_at(), Position::Offset(3));
        assert!(items.next().await.is_none());
    }
    assert!(mock.requests().is_empty());
}

#[test]
fn streaming_from_a_last_page_needs_no_runtime() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mock = runtime.block_on(MockSpotify::start()).unwrap();
    let client = support::client(&mock);
    let album = client.album("spotmockAlbum000000001").into_future();
    let tracks = runtime.block_on(album).unwrap().tracks;
    assert!(tracks.is_last() && !tracks.items.is_empty());
    let held = tracks.items.len();
    let mut items = client.stream_from(tracks);
    for _ in 0..held {
        items.next().now_or_never().unwrap().unwrap().unwrap();
    }
    assert!(items.next().now_or_never().unwrap().is_none());
}

#[tokio::test]
async fn further_playlist_pages_use_the_path_of_the_first_page() {
    let mock = MockSpotify::builder().mode(Mode::Extended).start().await.unwrap();
    let client = support::client(&mock).with_access_mode(AccessMode::Extended);
    let me = client.me().await.unwrap().id;
    for path in ["/me/playlists".to_owned(), format!("/users/{me}/playlists")] {
        mock.take_requests();
        let own = path.starts_with("/me");
        let first = match own {
            true => client.me().playlists().limit(2).await.unwrap(),
            false => client.user(me.clone()).playlists().limit(2).await.unwrap(),
        };
        assert!(first.href.as_ref().unwrap().contains(&path), "{:?}", first.href);
        let second = client.next_page(&first).await.unwrap().unwrap();
        client.previous_page(&second).await.unwrap().unwrap();
        let mut rest = client.stream_from(second);
        while rest.try_next().await.unwrap().is_some() {}
        let paths: Vec<_> = mock.take_requests().into_iter().map(|request| request.path).collect();
        assert!(paths.len() > 3);
        assert!(paths.iter().all(|called| called.ends_with(&path)), "{path}: {paths:?}");
    }
}

#[tokio::test]
async fn streaming_with_the_wrong_page_type_is_an_error() {
    let mock = MockSpotify::start().await.unwrap();
    let client = support::client(&mock);
    let request = client.me().followed_artists().into_request();
    let error = client.stream::<Page<Artist>>(request).next().await.unwrap().unwrap_err();
    assert!(error.to_string().contains("CursorPage"), "{error}");
    let request = client.playlist("spotmockPlaylist000001").items().into_request();
    let mut items = client.stream::<CursorPage<PlaylistItem>>(request);
    let error = items.next().await.unwrap().unwrap_err();
    assert!(error.to_string().contains("`Page`"), "{error}");
    assert!(mock.requests().is_empty());
}

#[test]
fn paged_operations_have_valid_maximum_page_sizes() {
    let paged = Operation::ALL
        .iter()
        .filter(|operation| operation.paging.max_limit(AccessMode::Development).is_some());
    for operation in paged {
        assert_eq!(operation.method, Method::Get, "{operation}");
        let [small, large] = [AccessMode::Development, AccessMode::Extended]
            .map(|mode| operation.paging.max_limit(mode).unwrap());
        assert!(small <= large && large <= 100, "{operation}");
        assert!(operation.access == Access::Any || large >= 50, "{operation}");
    }
}
