//! Runs every sign-in and many calls with the most detailed logs of all crates, and checks that the
//! logs contain no secret.

use std::{
    collections::BTreeSet,
    io,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use spot::{
    Client, ErrorKind,
    auth::{AccessToken, App, AppBuilder, Scopes, TokenRecord, TokenSource},
    net::{
        Cache, Event, Observer, Pipeline, ReqwestTransport, Transport, TransportError, async_trait,
    },
};
use spot_mock::{Fault, MockSpotify};

/// The log of all crates, including the level `TRACE`.
#[derive(Clone, Debug, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Observer for Log {
    fn event(&self, event: &Event) {
        self.say(event);
    }
}

impl Log {
    fn say(&self, thing: impl std::fmt::Debug) {
        self.0.lock().unwrap().extend(format!("{thing:?}\n{thing:#?}\n").bytes());
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// A transport that records every body unchanged. These tests cannot use the `Recorder` of the SDK,
/// because the `Recorder` removes secrets.
#[derive(Clone)]
struct Wire {
    transport: ReqwestTransport,
    exchanges: Arc<Mutex<Vec<Exchange>>>,
}

struct Exchange {
    sent: Bytes,
    body: Bytes,
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wire")
    }
}

#[async_trait]
impl Transport for Wire {
    async fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let sent = request.body().clone();
        let response = self.transport.send(request).await?;
        let body = response.body().clone();
        self.exchanges.lock().unwrap().push(Exchange { sent, body });
        Ok(response)
    }
}

fn app(mock: &MockSpotify, wire: &Wire, log: &Log) -> AppBuilder {
    let log = log.clone();
    App::builder(mock.client_id())
        .redirect_uri("http://127.0.0.1/callback")
        .accounts_url(mock.accounts_url())
        .transport(wire.clone())
        .observer(move |event| log.say(event))
}

fn client(mock: &MockSpotify, wire: &Wire, log: &Log, tokens: impl TokenSource) -> Client {
    let pipeline = Pipeline::builder(tokens)
        .base_url(mock.api_url())
        .transport(wire.clone())
        .observer(log.clone())
        .cache(Cache::new(1 << 20))
        .build()
        .unwrap();
    log.say(&pipeline);
    pipeline.into()
}

/// Opens the URL as a browser would, and returns the address of the redirect.
async fn consent(wire: &Wire, url: &str) -> String {
    let page = wire.send(http::Request::get(url).body(Bytes::new()).unwrap()).await.unwrap();
    page.headers()[http::header::LOCATION].to_str().unwrap().to_owned()
}

/// Returns all secrets in the recorded exchanges: tokens, codes, verifiers, client secrets.
fn secrets(exchanges: &[Exchange]) -> BTreeSet<String> {
    const SECRET: [&str; 5] =
        ["access_token", "refresh_token", "code", "code_verifier", "client_secret"];
    let mut secrets = BTreeSet::new();
    for exchange in exchanges {
        for (name, value) in url::form_urlencoded::parse(&exchange.sent) {
            if SECRET.contains(&name.as_ref()) {
                secrets.insert(value.into_owned());
            }
        }
        if let Ok(answer) = serde_json::from_slice::<serde_json::Value>(&exchange.body) {
            let text = |name: &&str| answer.get(name)?.as_str().map(str::to_owned);
            secrets.extend(SECRET.iter().filter_map(text));
        }
    }
    secrets
}

#[tokio::test]
async fn logs_debug_output_and_errors_contain_no_secrets() {
    let log = Log::default();
    // The log also includes the messages of crates that use `log`.
    tracing_log::LogTracer::init().unwrap();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::FULL)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    // The subscriber is set for this thread only. The whole test runs on this thread.
    let _told = tracing::subscriber::set_default(subscriber);

    let mock = MockSpotify::builder().start().await.unwrap();
    let transport = ReqwestTransport::builder().no_proxy().build().unwrap();
    let wire = Wire { transport, exchanges: Arc::default() };

    // Client credentials.
    let with_secret = app(&mock, &wire, &log).secret(mock.client_secret()).build().unwrap();
    let credentials = with_secret.client_credentials().unwrap();
    log.say(&credentials);
    client(&mock, &wire, &log, credentials).album("spotmockAlbum000000001").await.unwrap();

    // Authorization code with a secret, and PKCE. The callback contains the code.
    let pkce = app(&mock, &wire, &log).build().unwrap();
    for app in [&with_secret, &pkce] {
        let pending = app.begin(Scopes::all()).unwrap();
        log.say(&pending);
        let back = consent(&wire, pending.authorize_url()).await;
        let session = pending.finish(&back).await.unwrap();
        log.say(&session);
        let client = client(&mock, &wire, &log, session.clone());
        client.me().await.unwrap();
        client.me().await.unwrap();
        client.library().tracks().stream().try_next().await.unwrap();
        // The next calls test a refusal, an HTML page, a lost connection, and a rejected token.
        client.album("spotmockAlbum999999999").await.map_err(|error| log.say(error)).unwrap_err();
        mock.fail_next(Fault::status(502));
        client.player().devices().await.unwrap();
        mock.fail_next(Fault::Reset);
        client.player().devices().await.unwrap();
        mock.fail_next(Fault::LostAnswer);
        let error = client.player().next().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OutcomeUnknown);
        log.say(error);
        let token = session.token().await.unwrap();
        session.reject(&token).await;
        client.player().devices().await.unwrap();
        client.pipeline().settled().await;
        log.say((client, session));
    }

    // Wrong secrets are refused, and the error does not quote them.
    let wrong = app(&mock, &wire, &log).secret("CANARY-secret").build().unwrap();
    let error = wrong.client_credentials().unwrap().token().await.unwrap_err();
    log.say(error);
    let session = pkce.session(TokenRecord::from_refresh_token("CANARY-refresh"));
    let error = session.token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConsentExpired);
    log.say(error);
    let pending = pkce.begin(Scopes::all()).unwrap();
    let back = format!("http://127.0.0.1/callback?code=CANARY-code&state={}", pending.state());
    log.say(pending.finish(&back).await.unwrap_err());
    let bare = client(&mock, &wire, &log, AccessToken::new("CANARY-token").unwrap());
    log.say(bare.me().await.unwrap_err());
    bare.pipeline().settled().await;

    let secrets = secrets(&wire.exchanges.lock().unwrap());
    assert!(secrets.len() > 10, "tokens, codes, verifiers: {}", secrets.len());
    let text = log.text();
    assert!(text.contains("spotify.attempt") && text.contains("reqwest"), "they did tell");
    assert!(text.contains("AttemptEnded {"), "the observer received events");
    for secret in secrets.iter().map(String::as_str).chain(["CANARY", mock.client_secret()]) {
        let line = text.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "{secret}: {line:?}");
    }
}
