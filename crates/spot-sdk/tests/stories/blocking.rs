//! Tests of programs without `async`.

use spot::{
    Client, ErrorKind,
    api::{Blocking, BlockingStream},
    auth::{AccessToken, App},
};
use spot_mock::MockSpotify;

/// Starts a server on its own runtime, as if it ran in another program.
fn server() -> (tokio::runtime::Runtime, MockSpotify) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mock = runtime.block_on(MockSpotify::start()).unwrap();
    (runtime, mock)
}

#[test]
fn wait_blocks_on_requests_and_iter_blocks_on_streams() {
    let (_runtime, mock) = server();
    let token = AccessToken::new(&mock.user_token_all()).unwrap();
    let client = Client::builder(token).base_url(mock.api_url()).build().unwrap();
    assert_eq!(client.me().wait().unwrap().id.to_string(), mock.world().user);
    let mut saved = client.library().tracks().stream().iter();
    let first = saved.next().unwrap().unwrap();
    let count = saved.map(Result::unwrap).count() + 1;
    let page = client.library().tracks().wait().unwrap();
    assert_eq!((page.total, &page.items[0]), (Some(count as u32), &first));
    let error = client.track("spotmockTrack099999999").wait().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    // `wait` also works for long lists, and for every future of the SDK.
    let uris: Vec<String> =
        (1..=120).map(|n| format!("spotify:track:spotmockTrack{n:09}")).collect();
    assert_eq!(client.library().contains(&uris).wait().unwrap().len(), 120);
    assert!(client.next_page(&page).wait().unwrap().is_some());
}

#[test]
fn blocking_calls_fetch_tokens_and_work_from_several_threads() {
    let (_runtime, mock) = server();
    let app = App::builder(mock.client_id())
        .secret(mock.client_secret().to_owned())
        .accounts_url(mock.accounts_url())
        .build()
        .unwrap();
    let client = Client::builder(app.client_credentials().unwrap()).base_url(mock.api_url());
    let client = client.build().unwrap();
    assert!(!client.artist("spotmockArtist00000001").wait().unwrap().name.is_empty());
    // Several threads may wait at the same time.
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| client.artist("spotmockArtist00000001").wait().unwrap());
        }
    });
}

#[tokio::test]
async fn wait_in_an_async_context_is_an_error() {
    is_an_error().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wait_in_a_task_of_a_multi_thread_runtime_is_an_error() {
    tokio::spawn(is_an_error()).await.unwrap();
}

/// Threads of `spawn_blocking` may block, on both kinds of runtimes.
#[test]
fn wait_works_in_spawn_blocking() {
    let (_server, mock) = server();
    let token = AccessToken::new(&mock.user_token_all()).unwrap();
    let client = Client::builder(token).base_url(mock.api_url()).build().unwrap();
    let mut current_thread = tokio::runtime::Builder::new_current_thread();
    let mut multi_thread = tokio::runtime::Builder::new_multi_thread();
    for builder in [&mut current_thread, &mut multi_thread] {
        let runtime = builder.enable_all().build().unwrap();
        let work = client.clone();
        let name = runtime.block_on(async {
            let waiting = tokio::task::spawn_blocking(move || {
                let saved = work.library().tracks().stream().iter().count();
                assert!(saved > 0);
                work.me().wait().map(|me| me.id.to_string())
            });
            waiting.await.unwrap().unwrap()
        });
        assert_eq!(name, mock.world().user);
        // Entering a runtime is not sufficient to create an async context.
        let _guard = runtime.enter();
        assert!(client.me().wait().is_ok());
    }
}

async fn is_an_error() {
    let mock = MockSpotify::start().await.unwrap();
    let token = AccessToken::new(&mock.user_token_all()).unwrap();
    let client = Client::builder(token).base_url(mock.api_url()).build().unwrap();
    let error = client.me().wait().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("`.await`"), "{error}");
    let mut tracks = client.library().tracks().stream().iter();
    assert_eq!(tracks.next().unwrap().unwrap_err().kind(), ErrorKind::Configuration);
    assert!(tracks.next().is_none());
    assert!(mock.requests().is_empty());
}
