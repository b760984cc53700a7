//! Tests sessions in Redis.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime},
};

use spot_auth::{
    App, Error, ErrorKind, ExposeSecret, SaveOutcome, Scope, Session, SessionEventKind, StoreKey,
    TokenRecord, TokenSource as _, TokenStore, test::check_store,
};
use spot_http::{ReqwestTransport, Transport as _};
use spot_mock::{MockSpotify, RefreshPolicy};
use spot_redis::{Redis, RedisStore, test::RedisServer};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

const DAY: Duration = Duration::from_secs(86_400);

fn key() -> StoreKey {
    StoreKey::new("the-client", "me@example.com", Scope::UserLibraryRead)
}

const KEY: &str = "spot:session:{the-client/me%40example.com/user-library-read}";

fn record(name: &str) -> TokenRecord {
    TokenRecord::from_refresh_token(format!("CANARY-{name}"))
        .with_granted_scopes(Scope::UserLibraryRead)
}

fn store(server: &RedisServer) -> RedisStore {
    RedisStore::new(&Redis::open(server.url()).unwrap())
}

/// Adds a simple encoding to the store in place of encryption. The decoder rejects values that are
/// not encoded or that have another secret.
fn sealed(store: RedisStore, secret: u8) -> RedisStore {
    let flip = move |bytes: &[u8]| bytes.iter().map(|byte| byte ^ secret).collect::<Vec<_>>();
    store.sealed(
        move |plain| Ok([b"seal:".as_slice(), &flip(plain)].concat()),
        move |bytes| {
            let plain = flip(bytes.strip_prefix(b"seal:").ok_or("not sealed")?);
            plain.starts_with(b"spot:").then_some(plain).ok_or_else(|| "another secret".into())
        },
    )
}

async fn saved(store: &RedisStore, key: &StoreKey, name: &str, expected: Option<u64>) -> u64 {
    match store.save(key, &record(name), expected).await.unwrap() {
        SaveOutcome::Saved(version) => version,
        outcome => panic!("{outcome:?}"),
    }
}

async fn loaded(store: &RedisStore, key: &StoreKey) -> Option<String> {
    let stored = store.load(key).await.unwrap()?;
    Some(stored.record().refresh_token().unwrap().expose_secret().to_owned())
}

/// Loads the record and returns the error. Checks that the error contains the key and no token.
async fn unreadable(store: &RedisStore) -> Error {
    let error = store.load(&key()).await.unwrap_err();
    assert!(error.message().contains(KEY), "{error}");
    assert!(!format!("{error:?}").contains("CANARY"), "{error:?}");
    error
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plain_and_encrypted_redis_stores_pass_check_store() {
    let Some(server) = crate::server() else { return };
    check_store(store(&server)).await.unwrap();
    let redis = Redis::builder(server.url()).prefix("spot:sealed:").build().unwrap();
    check_store(sealed(RedisStore::new(&redis), 7)).await.unwrap();
}

/// A server in cluster mode refuses a script whose keys are in several slots.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_a_session_share_a_single_cluster_slot() {
    let Some(server) = crate::server_with(&["--cluster-enabled", "yes"]) else { return };
    server.command::<()>(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]).unwrap();
    let start = Instant::now();
    while !server.command::<String>(&["CLUSTER", "INFO"]).unwrap().contains("cluster_state:ok") {
        assert!(start.elapsed() < Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server.command::<String>(&["EVAL", "return 1", "2", "a", "b"]).expect_err("two slots");
    let store = store(&server);
    check_store(store.clone()).await.unwrap();
    server.command::<()>(&["SET", KEY, "junk"]).unwrap();
    unreadable(&store).await;
    assert_eq!(loaded(&store, &key()).await, None);
    // The client for clusters sends each command to the node of its slot.
    let redis = Redis::builder(server.url()).cluster([server.url()]).prefix("cluster:");
    check_store(RedisStore::new(&redis.build().unwrap())).await.unwrap();
}

#[tokio::test]
async fn stores_with_different_prefixes_share_no_data() {
    let Some(server) = crate::server() else { return };
    let prefixed = |prefix: &str| {
        RedisStore::new(&Redis::builder(server.url()).prefix(prefix).build().unwrap())
    };
    let (one, other) = (prefixed("one:"), prefixed("other:"));
    saved(&one, &key(), "one", None).await;
    assert_eq!(loaded(&other, &key()).await, None);
    saved(&other, &key(), "other", None).await;
    one.remove(&key()).await.unwrap();
    assert_eq!(loaded(&other, &key()).await.unwrap(), "CANARY-other");
    let _lock = one.lock(&key()).await.unwrap();
    let _other = other.lock(&key()).await.unwrap();
}

#[tokio::test]
async fn save_recreates_a_record_that_the_server_lost() {
    let Some(server) = crate::server() else { return };
    let (store, key, two) = (store(&server), key(), record("two"));
    let first = saved(&store, &key, "one", None).await;
    server.restart().unwrap();
    let second = until_up(|| store.save(&key, &two, Some(first))).await;
    let SaveOutcome::Saved(second) = second else { panic!("{second:?}") };
    assert!(second > first);
    // A process that still expects the first version gets a conflict.
    let late = store.save(&key, &record("three"), Some(first)).await.unwrap();
    assert_eq!(late, SaveOutcome::Conflict);
    // A removed record is not written again.
    store.remove(&key).await.unwrap();
    let late = store.save(&key, &record("three"), Some(second)).await.unwrap();
    assert_eq!(late, SaveOutcome::Conflict);
    assert_eq!(loaded(&store, &key).await, None);
}

#[test]
fn a_prefix_with_a_brace_is_rejected() {
    let error = Redis::builder("redis://localhost").prefix("{app}:").build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.message().contains("brace"), "{error}");
}

/// Repeats a call until the call succeeds. The first calls after a restart of the server can fail.
async fn until_up<T, F: Future<Output = Result<T, Error>>>(call: impl Fn() -> F) -> T {
    let start = Instant::now();
    loop {
        match call().await {
            Ok(value) => return value,
            Err(error) => assert!(start.elapsed() < Duration::from_secs(10), "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// If the response to a script is lost, the connection may send the script again.
#[tokio::test]
async fn a_repeated_save_returns_the_same_version() {
    let Some(server) = crate::server() else { return };
    let store = store(&server);
    let first = saved(&store, &key(), "one", None).await;
    let second = saved(&store, &key(), "two", Some(first)).await;
    assert_eq!(saved(&store, &key(), "two", Some(first)).await, second);
}

#[tokio::test]
async fn an_invalid_value_is_reported_and_moved_to_the_broken_key() {
    let Some(server) = crate::server() else { return };
    let store = store(&server);
    for junk in [
        "",
        "CANARY",
        "spot1",
        "spot1 x clear\n",
        "spot1 7 CANARY\n",
        "spot1 7 clear\n{\"refresh_token\":\"CANARY",
        "spot1 7 clear\n{}",
    ] {
        server.command::<()>(&["SET", KEY, junk]).unwrap();
        let error = unreadable(&store).await;
        assert_eq!(error.kind(), ErrorKind::Store);
        assert!(error.message().contains(&format!("{KEY}:broken")), "{error}");
        let kept = server.command::<String>(&["GET", &format!("{KEY}:broken")]).unwrap();
        assert_eq!(kept, junk, "nothing is lost");
        assert_eq!(loaded(&store, &key()).await, None, "its place is free");
        saved(&store, &key(), "new", None).await;
        store.remove(&key()).await.unwrap();
        let left: bool = server.command(&["EXISTS", &format!("{KEY}:broken")]).unwrap();
        assert!(!left, "signing out leaves no token");
    }
    // A session in use saves its record without loading the old value. The store moves the broken
    // value to another key.
    server.command::<()>(&["SET", KEY, "CANARY"]).unwrap();
    saved(&store, &key(), "new", Some(7)).await;
    assert_eq!(loaded(&store, &key()).await.unwrap(), "CANARY-new");
    let kept = server.command::<String>(&["GET", &format!("{KEY}:broken")]).unwrap();
    assert_eq!(kept, "CANARY");
}

#[tokio::test]
async fn values_of_newer_versions_and_other_types_are_not_changed() {
    let Some(server) = crate::server() else { return };
    let store = store(&server);
    let newer = "spot2 CANARY";
    server.command::<()>(&["SET", KEY, newer]).unwrap();
    assert!(unreadable(&store).await.message().contains("newer version"));
    assert_eq!(server.command::<String>(&["GET", KEY]).unwrap(), newer);
    server.command::<()>(&["SET", KEY, "spot2 7 clear\nCANARY"]).unwrap();
    let error = store.save(&key(), &record("x"), None).await.unwrap_err();
    assert!(error.message().contains(KEY) && error.message().contains("newer"), "{error}");

    server.command::<()>(&["DEL", KEY]).unwrap();
    server.command::<()>(&["LPUSH", KEY, "CANARY"]).unwrap();
    assert!(unreadable(&store).await.message().contains("WRONGTYPE"));
    store.save(&key(), &record("x"), None).await.unwrap_err();
    assert_eq!(server.command::<Vec<String>>(&["LRANGE", KEY, "0", "-1"]).unwrap(), ["CANARY"]);
}

#[tokio::test]
async fn an_encrypted_session_reveals_no_token_to_the_server() {
    let Some(server) = crate::server() else { return };
    let log = server.record_commands().unwrap();
    let store = sealed(store(&server), 7);
    let version = saved(&store, &key(), "one", None).await;
    saved(&store, &key(), "two", Some(version)).await;
    assert_eq!(loaded(&store, &key()).await.unwrap(), "CANARY-two");
    server.command::<()>(&["SET", "end", "1"]).unwrap();
    while !log.lines().iter().any(|line| line.contains("\"end\"")) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let lines = log.lines();
    assert!(lines.iter().any(|line| line.contains("seal:")), "{lines:?}");
    assert!(!lines.iter().any(|line| line.contains("CANARY")), "{lines:?}");
    assert!(!format!("{store:?}").contains("CANARY"));
}

#[tokio::test]
async fn an_encrypted_store_rejects_moved_and_unencrypted_sessions() {
    let Some(server) = crate::server() else { return };
    let store = sealed(store(&server), 7);
    let other = StoreKey::new("the-client", "you", Scope::UserLibraryRead);
    saved(&store, &other, "other", None).await;
    server.command::<()>(&["COPY", &store.key(&other), KEY]).unwrap();
    let error = unreadable(&store).await;
    assert!(error.message().contains("another Redis key"), "{error}");

    server.command::<()>(&["DEL", KEY]).unwrap();
    saved(&self::store(&server), &key(), "planted", None).await;
    let error = unreadable(&store).await;
    assert!(error.message().contains("not encrypted"), "{error}");
    assert_eq!(loaded(&store.clone().accept_unsealed(), &key()).await.unwrap(), "CANARY-planted");
}

#[tokio::test]
async fn failing_encryption_functions_are_errors_and_lose_no_data() {
    let Some(server) = crate::server() else { return };
    let redis = Redis::open(server.url()).unwrap();
    let plain = RedisStore::new(&redis);
    let good = sealed(plain.clone(), 7);
    saved(&good, &key(), "one", None).await;
    let before: Vec<u8> = server.command(&["GET", KEY]).unwrap();

    assert!(unreadable(&sealed(plain.clone(), 8)).await.message().contains("`open` failed"));
    assert!(unreadable(&plain).await.message().contains("RedisStore::sealed"));
    let panics = plain.clone().sealed(|_| panic!("CANARY"), |_| panic!("CANARY"));
    assert!(unreadable(&panics).await.message().contains("`open` panicked"));
    let error = panics.save(&key(), &record("two"), None).await.unwrap_err();
    assert!(error.message().contains("`seal` panicked"), "{error}");
    let odd = plain.sealed(|_| Err("no key today".into()), |_| Ok(vec![0xff]));
    assert!(unreadable(&odd).await.message().contains("not valid UTF-8"));
    let error = odd.save(&key(), &record("two"), None).await.unwrap_err();
    assert!(error.message().contains("`seal` failed"), "{error}");

    assert_eq!(server.command::<Vec<u8>>(&["GET", KEY]).unwrap(), before);
    assert_eq!(loaded(&good, &key()).await.unwrap(), "CANARY-one");
}

#[tokio::test]
async fn session_keys_expire_after_the_end_of_the_consent() {
    let Some(server) = crate::server() else { return };
    let store = store(&server);
    let days_left = |key: &str| {
        let millis: u64 = server.command(&["PTTL", key]).unwrap();
        Duration::from_millis(millis).as_secs_f64() / DAY.as_secs_f64()
    };
    let now = SystemTime::now();
    for (consented, days) in [
        (Some(now), 211.0),
        (Some(now - 100 * DAY), 111.0),
        (Some(now - 1_000 * DAY), 30.0),
        (Some(now + 1_000_000 * DAY), 392.0),
        (None, 211.0),
    ] {
        let record = match consented {
            Some(at) => record("one").with_consented_at(at),
            None => record("one"),
        };
        store.save(&key(), &record, None).await.unwrap();
        assert!((days_left(KEY) - days).abs() < 0.01, "{} instead of {days}", days_left(KEY));
        store.remove(&key()).await.unwrap();
        assert!((days_left(KEY) - 30.0).abs() < 0.01, "the marker of a removal");
    }
    server.command::<()>(&["SET", KEY, "junk"]).unwrap();
    unreadable(&store).await;
    assert!((days_left(&format!("{KEY}:broken")) - 30.0).abs() < 0.01);
    let _lock = store.lock(&key()).await.unwrap();
    assert!(days_left(&format!("{KEY}:lock")) * DAY.as_secs_f64() <= 10.0);
}

#[tokio::test]
async fn a_held_lock_is_renewed_until_release() {
    let Some(server) = crate::server() else { return };
    let store = store(&server);
    let lock = store.lock(&key()).await.unwrap();
    let name = format!("{KEY}:lock");
    let left = || server.command::<i64>(&["PTTL", &name]).unwrap();
    server.command::<()>(&["PEXPIRE", &name, "8000"]).unwrap();
    let start = Instant::now();
    while left() < 8_100 {
        assert!(start.elapsed() < Duration::from_secs(8), "{} ms left", left());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    drop(lock);
    let start = Instant::now();
    while left() != -2 {
        assert!(start.elapsed() < Duration::from_secs(2), "it is released");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// While a process is suspended, its lock can expire and another process can take the lock.
#[tokio::test]
async fn a_process_that_lost_the_lock_overwrites_nothing() {
    let Some(server) = crate::server() else { return };
    let store = store(&server);
    let version = saved(&store, &key(), "one", None).await;
    let lost = store.lock(&key()).await.unwrap();
    server.command::<()>(&["DEL", &format!("{KEY}:lock")]).unwrap();
    let taken = store.lock(&key()).await.unwrap();
    saved(&store, &key(), "two", Some(version)).await;
    let late = store.save(&key(), &record("three"), Some(version)).await.unwrap();
    assert_eq!(late, SaveOutcome::Conflict);
    drop(lost);
    tokio::time::sleep(Duration::from_millis(200)).await;
    let held: bool = server.command(&["EXISTS", &format!("{KEY}:lock")]).unwrap();
    assert!(held, "the lock of another process is not released");
    drop(taken);
}

#[tokio::test]
async fn server_errors_contain_no_token() {
    let Some(server) = crate::server_with(&["--rename-command", "EVALSHA", ""]) else { return };
    let store = store(&server);
    // The error message of the server quotes the command that was sent.
    let quoted = server.command::<()>(&["EVALSHA", "CANARY"]).unwrap_err().to_string();
    assert!(quoted.contains("CANARY"), "{quoted}");
    let error = store.save(&key(), &record("one"), None).await.unwrap_err();
    assert!(error.message().contains("unknown command"), "{error}");
    assert!(!format!("{error:?}").contains("CANARY"), "{error:?}");
}

/// Creates sessions with a rotating refresh token, and records the events of these sessions.
struct Sessions {
    mock: MockSpotify,
    app: App,
    told: Arc<Mutex<Vec<String>>>,
}

impl Sessions {
    async fn start() -> Self {
        let mock = MockSpotify::builder().refresh(RefreshPolicy::Rotate).start().await.unwrap();
        let told = Arc::new(Mutex::new(Vec::new()));
        let tell = Arc::clone(&told);
        let app = App::builder(mock.client_id())
            .accounts_url(mock.accounts_url())
            .observer(move |event| {
                if let SessionEventKind::StoreFailed { error, .. } = event.kind() {
                    tell.lock().unwrap().push(error.to_string());
                }
            })
            .build()
            .unwrap();
        Self { mock, app, told }
    }

    /// Creates a session and keeps it in a store.
    async fn keep(&self, store: &RedisStore, account: &str) -> Session {
        let record =
            TokenRecord::from_refresh_token(self.mock.refresh_token(&["user-library-read"]))
                .with_granted_scopes(Scope::UserLibraryRead)
                .with_consented_at(SystemTime::now());
        let session = self.app.session(record);
        session.keep_in(store.clone(), account).await.unwrap();
        session
    }

    async fn load(&self, store: &RedisStore, account: &str) -> Option<Session> {
        let stored = self.app.stored_session(store.clone(), account, Scope::UserLibraryRead);
        stored.await.unwrap()
    }
}

fn refresh_token(session: &Session) -> String {
    session.record().refresh_token().unwrap().expose_secret().to_owned()
}

/// Tests that a session in use still works while the server has a problem, and that the store
/// contains the record after the problem.
async fn check_session(trouble: impl Fn(&RedisServer), relief: impl Fn(&RedisServer)) {
    let Some(server) = crate::server() else { return };
    let (store, sessions) = (store(&server), Sessions::start().await);
    let session = sessions.keep(&store, "me").await;
    session.refresh().await.unwrap();
    trouble(&server);
    for _ in 0..2 {
        let start = Instant::now();
        session.refresh().await.unwrap();
        assert!(start.elapsed() < Duration::from_millis(2_500), "{:?}", start.elapsed());
    }
    relief(&server);
    until_up(|| session.settled()).await;
    let other =
        until_up(|| sessions.app.stored_session(store.clone(), "me", Scope::UserLibraryRead))
            .await
            .expect("the session in use has written its record");
    assert_eq!(refresh_token(&other), refresh_token(&session));
    other.refresh().await.unwrap();
    session.refresh().await.unwrap();
    assert_eq!(refresh_token(&other), refresh_token(&session), "one rotating token for both");
    assert!(sessions.mock.requests().iter().all(|request| request.status == 200));
    assert!(!sessions.told.lock().unwrap().iter().any(|error| error.contains("AQ")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_works_while_the_server_is_unreachable() {
    check_session(RedisServer::kill, |server| server.restart().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_works_while_the_server_hangs() {
    check_session(|server| server.freeze().unwrap(), |server| server.thaw().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_works_after_a_restart_without_data() {
    check_session(|server| server.restart().unwrap(), |_| ()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_works_after_a_script_flush() {
    check_session(|server| server.command(&["SCRIPT", "FLUSH"]).unwrap(), |_| ()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_out_is_not_undone_by_another_session() {
    let Some(server) = crate::server() else { return };
    let (store, sessions) = (store(&server), Sessions::start().await);
    let here = sessions.keep(&store, "me").await;
    let there = sessions.load(&store, "me").await.unwrap();
    here.sign_out().await.unwrap();
    there.refresh().await.unwrap();
    there.settled().await.unwrap();
    assert!(sessions.load(&store, "me").await.is_none());
}

/// Opens the consent page. Returns the query of the URL to which the page redirects the browser.
async fn consent(url: &str) -> String {
    let browser = ReqwestTransport::builder().no_proxy().build().unwrap();
    let request = http::Request::get(url).body(Default::default()).unwrap();
    let page = browser.send(request).await.unwrap();
    let address = page.headers()[http::header::LOCATION].to_str().unwrap().to_owned();
    address.split_once('?').unwrap().1.to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pending_sign_in_can_be_taken_once_by_another_machine() {
    let Some(server) = crate::server() else { return };
    let mock = MockSpotify::start().await.unwrap();
    let machine = || {
        App::builder(mock.client_id())
            .redirect_uri("http://127.0.0.1/callback")
            .accounts_url(mock.accounts_url())
            .build()
            .unwrap()
    };
    let plain = store(&server);
    let log = server.record_commands().unwrap();
    for store in [plain.clone(), sealed(plain.clone(), 7)] {
        let pending = machine().begin(Scope::UserLibraryRead).unwrap();
        let (url, state) = (pending.authorize_url().to_owned(), pending.state().to_owned());
        store.keep_sign_in(pending).await.unwrap();
        let query = consent(&url).await;
        let other = machine();
        assert!(store.take_sign_in(&other, "another state").await.unwrap().is_none());
        let key = format!("spot:sign-in:{{{state}}}");
        let left: u64 = server.command(&["PTTL", &key]).unwrap();
        assert!((590_000..=600_000).contains(&left), "{left}");
        let pending = store.take_sign_in(&other, &state).await.unwrap().expect("it is kept");
        let session = pending.finish(&query).await.unwrap();
        session.token().await.unwrap();
        assert!(store.take_sign_in(&other, &state).await.unwrap().is_none(), "once");
    }
    let verifiers = log.lines().iter().filter(|line| line.contains("verifier")).count();
    assert_eq!(
        verifiers, 2,
        "only of the sign-in that is not sealed: when it is kept, and when it is taken"
    );

    let sealed = sealed(plain.clone(), 7);
    let pending = machine().begin(Scope::UserLibraryRead).unwrap();
    let state = pending.state().to_owned();
    plain.keep_sign_in(pending).await.unwrap();
    let error = sealed.take_sign_in(&machine(), &state).await.unwrap_err();
    assert!(error.message().contains("not encrypted"), "{error}");
    server.command::<()>(&["SET", "spot:sign-in:{junk}", "CANARY"]).unwrap();
    let error = plain.take_sign_in(&machine(), "junk").await.unwrap_err();
    assert!(error.message().contains("sign-in"), "{error}");
    assert!(!format!("{error:?}").contains("CANARY"), "{error:?}");
}

/// Starts a relay to the server, and returns the URL of the relay. The relay closes the connection
/// instead of forwarding the first response that contains a sign-in.
async fn relay_that_loses_a_response(port: u16) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut is_lost = false;
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            let (mut from_client, mut to_client) = client.into_split();
            let (mut from_server, mut to_server) = server.into_split();
            let requests = tokio::spawn(async move {
                let _ = tokio::io::copy(&mut from_client, &mut to_server).await;
            });
            let mut response = vec![0; 1 << 16];
            while let Ok(length @ 1..) = from_server.read(&mut response).await {
                let response = &response[..length];
                if !is_lost && response.windows(8).any(|bytes| bytes == b"verifier") {
                    is_lost = true;
                    break;
                }
                if to_client.write_all(response).await.is_err() {
                    break;
                }
            }
            requests.abort();
        }
    });
    url
}

#[tokio::test]
async fn a_pending_sign_in_survives_a_lost_response() {
    let Some(server) = crate::server() else { return };
    let mock = MockSpotify::start().await.unwrap();
    let app = App::builder(mock.client_id())
        .redirect_uri("http://127.0.0.1/callback")
        .accounts_url(mock.accounts_url())
        .build()
        .unwrap();
    let pending = app.begin(Scope::UserLibraryRead).unwrap();
    let state = pending.state().to_owned();
    store(&server).keep_sign_in(pending).await.unwrap();
    let relayed = Redis::open(relay_that_loses_a_response(server.port()).await).unwrap();
    let relayed = RedisStore::new(&relayed);
    assert!(relayed.take_sign_in(&app, &state).await.unwrap().is_some());
    assert!(relayed.take_sign_in(&app, &state).await.unwrap().is_none(), "only once");
}
