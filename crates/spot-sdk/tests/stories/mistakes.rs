//! Tests of the error messages for common mistakes. Review the snapshot when it changes: every line
//! must say what failed, and what to do about it.

use std::time::Duration;

use bytes::Bytes;
use spot::{
    Client, Error, Request,
    auth::{App, FileStore, Scope, TokenRecord},
    model::{Artist, Country, CursorPage, Method, Operation, Page, SavedTrack, TrackId},
    net::{
        AccessToken, CallbackTokens, Pipeline, Transport, TransportError, TransportErrorKind,
        async_trait,
    },
};
use spot_mock::{Device, Fault, MockSpotify, Mode};

/// A transport that always returns the same response, or an error.
#[derive(Debug)]
struct Canned {
    status: u16,
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
}

#[async_trait]
impl Transport for Canned {
    async fn send(&self, _: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        if self.status == 0 {
            return Err(TransportError::new(TransportErrorKind::Reset, self.body));
        }
        let mut response = http::Response::builder().status(self.status);
        for (name, value) in self.headers {
            response = response.header(*name, *value);
        }
        Ok(response.body(Bytes::from_static(self.body.as_bytes())).unwrap())
    }
}

fn token() -> AccessToken {
    AccessToken::new("token").unwrap()
}

/// Returns a client whose transport rejects the certificate of the server.
fn refused_certificate(reason: &'static str) -> Client {
    #[derive(Debug)]
    struct Refusing(&'static str);

    #[async_trait]
    impl Transport for Refusing {
        async fn send(
            &self,
            _: http::Request<Bytes>,
        ) -> Result<http::Response<Bytes>, TransportError> {
            Err(TransportError::new(TransportErrorKind::NotSent, self.0))
        }
    }

    Client::builder(token()).transport(Refusing(reason)).attempts(1).build().unwrap()
}

fn canned(status: u16, body: &'static str) -> Client {
    canned_with(status, &[], body)
}

fn canned_with(
    status: u16,
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
) -> Client {
    let client = Client::builder(token()).transport(Canned { status, headers, body });
    client.attempts(1).max_wait(Duration::ZERO).build().unwrap()
}

/// The printed errors, one line per mistake.
#[derive(Default)]
struct Printed(Vec<String>);

impl Printed {
    fn add<T>(&mut self, mistake: &str, outcome: Result<T, Error>) {
        let Err(error) = outcome else { panic!("{mistake}: no error") };
        let text = error.to_string();
        assert!(!text.contains('\n'), "{mistake}: {text}");
        // Prints the error and its sources, in the form of anyhow's `{:#}`.
        let mut chain = Vec::new();
        let mut source = std::error::Error::source(&error);
        while let Some(error) = source {
            chain.push(error.to_string());
            source = error.source();
        }
        for cause in &chain {
            assert!(!text.contains(cause.as_str()), "{mistake}: {text:?} repeats {cause:?}");
        }
        self.0.push(format!("{mistake}\n    {text}"));
    }
}

async fn client(mock: &MockSpotify) -> Client {
    let token = AccessToken::new(&mock.user_token_all()).unwrap();
    Client::builder(token).base_url(mock.api_url()).build().unwrap()
}

#[tokio::test]
async fn error_messages_of_common_mistakes_match_the_snapshot() {
    let mut printed = Printed::default();
    wrong_arguments(&mut printed).await;
    wrong_setup(&mut printed).await;
    refusals(&mut printed).await;
    odd_responses(&mut printed).await;
    network(&mut printed).await;
    signing_in(&mut printed).await;
    assert!(printed.0.len() >= 60, "{}", printed.0.len());
    insta::with_settings!({ filters => vec![
        (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
        (r"[^ ]*/\.tmp\w+/", "DIRECTORY/"),
        (r"os error \d+", "os error N"),
        (r"2[89]\d\d s|3[56]\d\d s", "3600 s"),
        (r"-[0-9a-f]{16}\.json", "-HASH.json"),
        (r"broken-\d+", "broken-TIME"),
        // The two TLS libraries use different messages.
        (r"\((error:0A000086[^;]*|invalid peer certificate: UnknownIssuer);", "(NOT TRUSTED;"),
    ] }, {
        insta::assert_snapshot!(printed.0.join("\n"));
    });
}

async fn wrong_arguments(printed: &mut Printed) {
    let client = canned(500, "nothing is sent");
    let track = "spotify:track:spotmockTrack000000001";
    printed.add("an id with a wrong character", client.artist("not-an-id!").await);
    printed
        .add("a URI of another kind", client.artist("spotify:album:spotmockAlbum000000001").await);
    printed.add("an empty id", client.artist("").await);
    printed.add(
        "an id that is too long",
        client.track("4uLU6hMCjMI75M1A2tKUQC4uLU6hMCjMI75M1A2").await,
    );
    printed.add("a short link as an id", client.artist("https://spotify.link/abc").await);
    printed.add("a URL of another site", client.artist("https://example.org/x").await);
    printed.add("an object without an id", client.track(None::<TrackId>).await);
    printed.add(
        "a bare id where the kind is needed",
        client.library().save(["4uLU6hMCjMI75M1A2tKUQC"]).await,
    );
    printed.add(
        "a context as a bare id",
        client.player().play().context("4uLU6hMCjMI75M1A2tKUQC").await,
    );
    printed.add(
        "a list with a wrong URI",
        client.playlist("spotmockPlaylist000001").add([track, "spotify:banana:1"]).await,
    );
    printed.add(
        "an album added to a playlist",
        client
            .playlist("spotmockPlaylist000001")
            .add(["spotify:album:spotmockAlbum000000001"])
            .await,
    );
    printed.add("a market that is a name", client.track(track).market("Germany").await);
    printed.add("a market that is not assigned", client.track(track).market("UK").await);
    printed.add("a country that does not parse", "Germany".parse::<Country>().map_err(Error::from));
    printed.add("a limit of 0", client.library().tracks().limit(0).await);
    printed.add("a volume above 100", client.player().volume(120).await);
    printed.add("an empty search", client.search("  ").tracks().await);
    printed.add(
        "fields that do not close",
        client.playlist("spotmockPlaylist000001").fields("items(").await,
    );
    printed.add("no fields", client.playlist("spotmockPlaylist000001").fields("").await);
    printed.add(
        "a cover that is not a JPEG",
        client.playlist("spotmockPlaylist000001").upload_cover("PNG").await,
    );
    let large = [&[0xFF, 0xD8, 0xFF][..], &[0; 300_000]].concat();
    printed.add(
        "a cover that is too large",
        client.playlist("spotmockPlaylist000001").upload_cover(large).await,
    );
    const OWN: &Operation = &Operation::custom(Method::Get, "/tracks/{id}/lyrics");
    printed.add("a path parameter that is missing", client.request(Request::new(OWN)).await);
    printed.add("an empty path parameter", client.request(Request::new(OWN).path("id", "")).await);
    let followed = client.me().followed_artists().into_request();
    printed.add(
        "a stream of the wrong kind of page",
        client.stream::<Page<Artist>>(followed).next().await.unwrap(),
    );
    let saved = client.library().tracks().into_request();
    printed.add(
        "a stream by cursor of pages by offset",
        client.stream::<CursorPage<SavedTrack>>(saved).next().await.unwrap(),
    );
    let page: Page<SavedTrack> = serde_json::from_str(
        r#"{"items": [{"track": {"name": "x"}}], "next": "https://example.org/v1/me/tracks"}"#,
    )
    .unwrap();
    printed.add("a page whose link leads away", client.next_page(&page).await);
    printed.add("a link that is not Spotify's", client.resolve_link("https://example.org/x").await);
}

async fn wrong_setup(printed: &mut Printed) {
    printed.add(
        "a base URL without a scheme",
        Client::builder(token()).base_url("api.spotify.com/v1").build(),
    );
    printed.add(
        "a base URL of another scheme",
        Client::builder(token()).base_url("ftp://api.spotify.com").build(),
    );
    printed.add("a proxy that is not a URL", Client::builder(token()).proxy("::").build());
    printed.add(
        "a language that is not a header",
        Client::builder(token()).accept_language("a\nb").build(),
    );
    printed.add("an empty token", AccessToken::new(" "));
    printed.add("a token with a line break", AccessToken::new("a\nb"));
    let tokens = CallbackTokens::new(|| async { Err(Error::authentication("my server is away")) });
    printed.add(
        "a token callback that fails",
        Pipeline::builder(tokens).build().unwrap().call(Request::get("/me")).await,
    );
    let stream = std::thread::spawn(|| {
        let mut stream = canned(200, "{}").library().tracks().stream();
        futures::FutureExt::now_or_never(stream.next()).unwrap().unwrap()
    });
    printed.add("a stream outside of a runtime", stream.join().unwrap());
    printed.add(
        "a blocking call inside an async context",
        spot::api::Blocking::wait(canned(200, "{}").me()),
    );
}

async fn refusals(printed: &mut Printed) {
    let mock = MockSpotify::start().await.unwrap();
    let client = client(&mock).await;
    let wrong = Client::builder(token()).base_url(mock.api_url()).build().unwrap();
    printed.add("a token that is wrong", wrong.me().await);
    printed.add("a limit that is too large", client.library().tracks().limit(51).await);
    printed
        .add("a limit for the other access mode", client.search("moth").tracks().limit(50).await);
    printed.add("an offset that is too large", client.search("moth").tracks().offset(1001).await);
    let app = AccessToken::new(&mock.app_token()).unwrap();
    let app = Client::builder(app).base_url(mock.api_url()).build().unwrap();
    printed.add("an application's token for a user's data", app.me().await);
    printed.add("an application's token for the player", app.player().devices().await);
    let narrow = AccessToken::new(&mock.user_token(&[])).unwrap();
    let narrow = Client::builder(narrow).base_url(mock.api_url()).build().unwrap();
    printed.add("a scope that is missing", narrow.library().tracks().await);
    let foreign = &mock.world().other_playlist;
    printed.add("the items of somebody else's playlist", client.playlist(foreign).items().await);
    printed.add(
        "a change of somebody else's playlist",
        client.playlist(foreign).add(["spotify:track:spotmockTrack000000001"]).await,
    );
    printed.add("an editorial playlist", client.playlist("37i9dQZF1DXcBWIGoYBM5M").await);
    printed.add("a track that does not exist", client.track("spotmockTrack099999999").await);
    printed.add(
        "an operation that Spotify restricted in 2024",
        client.artist("spotmockArtist00000001").related_artists().await,
    );
    printed.add(
        "an operation that is not available in Development Mode",
        client.legacy().save_tracks(["spotmockTrack000000001"]).await,
    );
    printed.add(
        "a position behind the end",
        client
            .playlist(&mock.world().own_playlist)
            .add(["spotify:track:spotmockTrack000000001"])
            .position(100_000)
            .await,
    );
    let idle = MockSpotify::builder().mode(Mode::Development).idle(true).start().await.unwrap();
    let idle = self::client(&idle).await;
    printed.add("no device", idle.player().pause().await);
    printed.add("a device that does not exist", client.player().pause().device("nowhere").await);
    let free = MockSpotify::builder().premium(false).start().await.unwrap();
    printed.add("a user without Premium", self::client(&free).await.player().pause().await);
    mock.add_device(Device::new("locked", "Locked").restricted());
    printed.add("a device that takes no commands", client.player().pause().device("locked").await);
    mock.fail_next(Fault::Status {
        status: 500,
        body: String::new(),
        content_type: None,
        retry_after: None,
    });
    printed.add("a command whose outcome is unknown", client.player().next().await);
}

async fn odd_responses(printed: &mut Printed) {
    let error = r#"{"error": {"status": 429, "message": "Too many requests"}}"#;
    printed.add("a short rate limit", canned_with(429, &[("retry-after", "7")], error).me().await);
    printed
        .add("a long rate limit", canned_with(429, &[("retry-after", "3500")], error).me().await);
    let quota = r#"{"error": {"status": 429, "message": "Quota", "reason": "QUOTA_EXCEEDED"}}"#;
    printed.add(
        "a quota that is used up",
        canned_with(429, &[("retry-after", "86000")], quota).me().await,
    );
    let blocked = canned_with(429, &[("retry-after", "7200")], error);
    let _ = blocked.me().await;
    printed.add("a call during a rate limit", blocked.me().await);
    printed.add("an empty 403", canned(403, "").me().await);
    printed.add("an empty 404", canned(404, "").artist("spotmockArtist00000001").await);
    printed.add("an empty 405", canned(405, "").me().await);
    printed.add(
        "a 410 without a message",
        canned(410, r#"{"error": {"status": 410, "message": ""}}"#).me().await,
    );
    printed.add("a server error", canned(502, "").me().await);
    printed.add(
        "a server error in HTML",
        canned(503, "<html><title>Service unavailable</title></html>").me().await,
    );
    printed
        .add("a redirect", canned_with(302, &[("location", "https://example.org")], "").me().await);
    printed.add(
        "a user who is not on the list",
        canned(403, "User not registered in the Developer Dashboard").me().await,
    );
    printed.add(
        "a page of HTML",
        canned(200, "<html><head><title>Log in</title></head></html>").me().await,
    );
    printed.add("text instead of JSON", canned(200, "Hello").me().await);
    printed.add("an empty body", canned(200, "").me().await);
    printed.add("a body that ends early", canned(200, r#"{"id": "mockuser", "display"#).me().await);
    printed.add("a field of the wrong type", canned(200, r#"{"id": 7}"#).me().await);
    printed.add(
        "a field that is missing",
        canned(200, r#"{"name": "x"}"#).artist("spotmockArtist00000001").await,
    );
    printed.add(
        "a page that is missing",
        canned(200, r#"{"message": "x"}"#).browse().categories().await,
    );
}

async fn network(printed: &mut Printed) {
    let to = |url: &str| Client::builder(token()).base_url(url).attempts(1).build().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    printed
        .add("a server that is not there", to(&format!("http://127.0.0.1:{port}/v1")).me().await);
    printed.add("a connection that breaks", canned(0, "connection reset by peer").me().await);
    printed.add(
        "a certificate that has expired",
        refused_certificate("invalid peer certificate: Expired").me().await,
    );
    printed.add(
        "a certificate that is not yet valid",
        refused_certificate("invalid peer certificate: NotValidYet").me().await,
    );
    let secure = MockSpotify::builder().tls().start().await.unwrap();
    printed.add("a certificate that nobody knows", to(secure.api_url()).me().await);
    let slow = MockSpotify::builder().latency(Duration::from_secs(5)).start().await.unwrap();
    let hurried = Client::builder(AccessToken::new(&slow.user_token_all()).unwrap());
    let hurried = hurried.base_url(slow.api_url()).deadline(Duration::from_millis(200)).attempts(1);
    printed.add("a deadline that is too short", hurried.build().unwrap().me().await);
}

async fn signing_in(printed: &mut Printed) {
    let mock = MockSpotify::start().await.unwrap();
    let app = |secret: &'static str| {
        let app = App::builder(mock.client_id()).accounts_url(mock.accounts_url());
        app.secret(secret).build().unwrap()
    };
    let wrong = app("wrong").client_credentials().unwrap();
    let client = Client::builder(wrong).base_url(mock.api_url()).build().unwrap();
    printed.add("a wrong client secret", client.artist("spotmockArtist00000001").await);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let unreachable = App::builder("id").secret("s").accounts_url(&format!("http://{nobody}"));
    let unreachable = unreachable.build().unwrap().client_credentials().unwrap();
    let client = Client::builder(unreachable).base_url(mock.api_url()).build().unwrap();
    printed.add("a URL of the accounts service without a server", client.artist("x").await);
    let public = App::builder("someone").accounts_url(mock.accounts_url()).build().unwrap();
    printed.add("client credentials without a secret", public.client_credentials());
    let session = public.session(TokenRecord::from_refresh_token("of another application"));
    let client = Client::builder(session).base_url(mock.api_url()).build().unwrap();
    printed.add("an application that does not exist", client.me().await);
    let app = App::builder(mock.client_id()).accounts_url(mock.accounts_url()).build().unwrap();
    let session = app.session(TokenRecord::from_refresh_token("of another application"));
    let client = Client::builder(session).base_url(mock.api_url()).build().unwrap();
    printed.add("a refresh token of another application", client.me().await);
    let session = app.session(TokenRecord::from_refresh_token(mock.refresh_token(&[])));
    mock.revoke_consents();
    let client = Client::builder(session).base_url(mock.api_url()).build().unwrap();
    printed.add("a consent that was revoked", client.me().await);
    printed.add(
        "a redirect URI with localhost",
        App::builder("id").redirect_uri("http://localhost:8888/callback").build(),
    );
    printed.add(
        "a redirect URI without a scheme",
        App::builder("id").redirect_uri("127.0.0.1/callback").build(),
    );
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let busy = App::builder(mock.client_id()).accounts_url(mock.accounts_url());
    let busy = busy.redirect_uri(format!("http://127.0.0.1:{port}/callback")).build().unwrap();
    printed.add(
        "a port that is in use",
        busy.sign_in(Scope::UserTopRead).browser(|_| {}).show(|_| {}).await,
    );
    let pending = busy.begin(Scope::UserTopRead).unwrap();
    printed.add(
        "a callback of another sign-in",
        pending.finish("http://127.0.0.1/callback?code=x&state=y").await,
    );
    let directory = tempfile::tempdir().unwrap();
    let store = || FileStore::new(directory.path().join("tokens"));
    printed.add(
        "no stored session",
        busy.sign_in(Scope::UserTopRead).store(store()).store_only().await,
    );
    std::fs::write(directory.path().join("file"), "").unwrap();
    let nowhere = FileStore::new(directory.path().join("file").join("tokens"));
    printed.add(
        "a store that cannot be written",
        busy.stored_session(nowhere, "me", Scope::UserTopRead).await,
    );
    printed.add("a record that is not one", TokenRecord::from_json("{}"));
    printed.add(
        "a cache of rspotify that is not there",
        TokenRecord::from_rspotify_cache(directory.path().join("cache.json")),
    );
}
