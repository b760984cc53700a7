//! Tests user-supplied stores, observers and clocks that hang or panic.

use std::{
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, channel},
    },
    time::Duration,
};

use spot_auth::{
    App, Error, ErrorKind, ExposeSecret, MemoryStore, SaveOutcome, Session, StoreKey, StoreLock,
    Stored, TokenRecord, TokenSource, TokenStore, async_trait,
};
use tokio::time::{Instant, timeout};

use crate::{
    scripted_accounts::{Reply, Script},
    stores::{key, record},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trouble {
    Hang,
    Panic,
    Fail,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Load,
    Save,
    Remove,
    Lock,
}

/// A store in which one method misbehaves. Only the calls `from..to` of this method misbehave.
#[derive(Clone, Debug)]
struct Hostile {
    inner: MemoryStore,
    method: Method,
    trouble: Trouble,
    calls: Arc<AtomicUsize>,
    from: usize,
    to: usize,
}

impl Hostile {
    fn new(method: Method, trouble: Trouble) -> Self {
        Self {
            inner: MemoryStore::new(),
            method,
            trouble,
            calls: Arc::default(),
            from: 0,
            to: usize::MAX,
        }
    }

    fn calls_in_trouble(mut self, from: usize, to: usize) -> Self {
        (self.from, self.to) = (from, to);
        self
    }

    async fn pass(&self, method: Method) -> Result<(), Error> {
        if method != self.method {
            return Ok(());
        }
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        if call < self.from || call >= self.to {
            return Ok(());
        }
        match self.trouble {
            Trouble::Hang => pending().await,
            Trouble::Panic => panic!("the program's store panics, as the test wants"),
            Trouble::Fail => Err(Error::configuration("the disk is full")),
        }
    }
}

#[async_trait]
impl TokenStore for Hostile {
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, Error> {
        self.pass(Method::Load).await?;
        self.inner.load(key).await
    }

    async fn save(
        &self,
        key: &StoreKey,
        record: &TokenRecord,
        expected: Option<u64>,
    ) -> Result<SaveOutcome, Error> {
        self.pass(Method::Save).await?;
        self.inner.save(key, record, expected).await
    }

    async fn remove(&self, key: &StoreKey) -> Result<(), Error> {
        self.pass(Method::Remove).await?;
        self.inner.remove(key).await
    }

    async fn lock(&self, key: &StoreKey) -> Result<StoreLock, Error> {
        self.pass(Method::Lock).await?;
        self.inner.lock(key).await
    }
}

fn numbered() -> Script {
    Script::new(|n, _| Reply::token(&format!("token-{n}"), &format!("refresh-{n}")))
}

/// Creates a session from a record that the store already contains.
async fn session(app: &App, store: &Hostile) -> Session {
    store.inner.save(&key(), &record("old"), None).await.unwrap();
    let good = app.stored_session(store.inner.clone(), "me", "user-library-read").await;
    drop(good);
    let stored = store.inner.load(&key()).await.unwrap().unwrap();
    let session = app.session(stored.record().clone());
    // The session works even if `keep_in` fails.
    let _ = session.keep_in(store.clone(), "me").await;
    session
}

/// Calls `token()` ten times. Returns the duration of the longest call, the number of token
/// requests and the number of failed calls.
async fn ten_calls(session: &Session, service: &Script) -> (Duration, usize, usize) {
    let (mut longest, mut failed) = (Duration::ZERO, 0);
    for _ in 0..10 {
        let start = Instant::now();
        failed += usize::from(session.token().await.is_err());
        longest = longest.max(start.elapsed());
    }
    (longest, service.count(), failed)
}

#[tokio::test(start_paused = true)]
async fn a_fetched_token_is_used_even_if_the_store_fails() {
    let mut table = Vec::new();
    for method in [Method::Load, Method::Save, Method::Lock] {
        for trouble in [Trouble::Hang, Trouble::Panic, Trouble::Fail] {
            let service = numbered();
            let app = service.app().build().unwrap();
            let store = Hostile::new(method, trouble);
            let moved = timeout(Duration::from_secs(600), session(&app, &store)).await;
            let Ok(session) = moved else {
                table.push((method, trouble, Duration::MAX, 0, 10));
                continue;
            };
            let (longest, requests, failed) = ten_calls(&session, &service).await;
            table.push((method, trouble, longest, requests, failed));
        }
    }
    for (method, trouble, longest, requests, failed) in &table {
        let case = format!("{method:?} {trouble:?}: {longest:?}, {requests} requests: {table:#?}");
        assert!(*longest <= Duration::from_secs(90), "{case}");
        assert_eq!((*requests, *failed), (1, 0), "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unsaved_record_is_saved_when_the_store_recovers() {
    for trouble in [Trouble::Hang, Trouble::Panic, Trouble::Fail] {
        let service = numbered();
        let app = service.app().build().unwrap();
        // The calls 1 to 4 of `save` misbehave: the first call after the refresh, and its three
        // retries.
        let store = Hostile::new(Method::Save, trouble).calls_in_trouble(1, 5);
        let session = session(&app, &store).await;
        session.token().await.unwrap();
        let mut waited = 0;
        loop {
            let stored = store.inner.load(&key()).await.unwrap().unwrap();
            if stored.record().refresh_token().unwrap().expose_secret() == "refresh-0" {
                break;
            }
            assert!(waited < 600, "{trouble:?}: not saved after {waited} s");
            tokio::time::sleep(Duration::from_secs(1)).await;
            waited += 1;
            let _ = timeout(Duration::from_secs(1), session.token()).await;
        }
        assert_eq!(service.count(), 1, "{trouble:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn sign_out_and_keep_in_return_even_if_the_store_misbehaves() {
    for method in [Method::Load, Method::Save, Method::Remove, Method::Lock] {
        for trouble in [Trouble::Hang, Trouble::Panic] {
            let service = numbered();
            let app = service.app().build().unwrap();
            let store = Hostile::new(method, trouble);
            let case = format!("{method:?} {trouble:?}");
            let end = tokio::spawn(async move {
                let session = session(&app, &store).await;
                let _ = session.sign_out().await;
                let _ = app.stored_session(store, "me", "user-library-read").await;
            });
            let end = timeout(Duration::from_secs(300), end).await;
            end.expect(&case).expect(&case);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_panicking_transport_is_not_called_for_every_token_call() {
    let service = Script::new(|_, _| panic!("the program's transport panics, as the test wants"));
    let app = service.app().build().unwrap();
    let session = app.session(record("old"));
    let mut failed = 0;
    for _ in 0..10 {
        failed += usize::from(session.token().await.is_err());
    }
    assert_eq!(failed, 10);
    assert!(service.count() <= 1, "{} requests for 10 calls", service.count());
}

#[tokio::test(start_paused = true)]
async fn refreshes_pause_after_a_failure_even_without_a_valid_token() {
    for reply in [Reply::json(503, ""), Reply::Never, Reply::ok("{}")] {
        let service = Script::of([reply.clone()]);
        let session = service.app().build().unwrap().session(record("old"));
        for _ in 0..100 {
            session.token().await.unwrap_err();
        }
        let count = service.count();
        assert!(count <= 3, "{reply:?}: {count} requests for 100 calls");
    }
}

#[tokio::test(start_paused = true)]
async fn panicking_observers_and_clocks_do_not_fail_calls() {
    let service = numbered();
    let app = service
        .app()
        .observer(|_| panic!("the program's observer panics, as the test wants"))
        .build()
        .unwrap();
    let session = app.session(record("old"));
    let (longest, requests, failed) = ten_calls(&session, &service).await;
    assert_eq!((requests, failed), (1, 0), "observer, {longest:?}");

    let service = numbered();
    let app = service.app().wall_clock(|| panic!("so does its clock")).build().unwrap();
    let asked = tokio::spawn(async move {
        let session = app.session(record("old"));
        ten_calls(&session, &service).await
    });
    let (longest, requests, failed) = asked.await.expect("the panic does not get through");
    assert_eq!((requests, failed), (1, 0), "clock, {longest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hanging_observer_delays_a_session_only_briefly() {
    let service = numbered().takes(Duration::ZERO);
    let app =
        service.app().observer(|_| std::thread::sleep(Duration::from_secs(5))).build().unwrap();
    let session = app.session(record("old"));
    let start = std::time::Instant::now();
    session.token().await.unwrap();
    for _ in 0..5 {
        session.refresh().await.unwrap();
    }
    let took = start.elapsed();
    assert!(took < Duration::from_secs(3), "6 refreshes took {took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_sign_in_ends_in_time_even_if_the_store_misbehaves() {
    for method in [Method::Load, Method::Lock] {
        for trouble in [Trouble::Hang, Trouble::Panic] {
            let service = numbered();
            let app = service.app().redirect_uri("https://example.org/back").build().unwrap();
            let store = Hostile::new(method, trouble);
            store.inner.save(&key(), &record("old"), None).await.unwrap();
            let limit = Duration::from_secs(60);
            let sign_in = app
                .sign_in("user-library-read")
                .store(store)
                .account("me")
                .show(|_| {})
                .browser(|_| {})
                .prompt(|| Err(std::io::Error::other("nobody is there")))
                .timeout(limit);
            let start = Instant::now();
            let ended = tokio::spawn(timeout(limit * 10, sign_in.into_future())).await;
            let took = start.elapsed();
            let case = format!("{method:?} {trouble:?} took {took:?}");
            let ended = ended.expect(&case).expect(&case);
            assert!(took <= limit * 2, "{case}: {:?}", ended.err().map(|error| error.kind()));
        }
    }
}

#[tokio::test]
async fn panics_of_show_browser_and_prompt_are_errors() {
    let service = numbered().takes(Duration::ZERO);
    let app = service.app().redirect_uri("https://example.org/back").build().unwrap();
    let sign_in = app
        .sign_in("")
        .show(|_| panic!("show panics, as the test wants"))
        .browser(|_| panic!("and so does the browser"))
        .prompt(|| panic!("and the prompt"));
    let ended = tokio::spawn(sign_in.into_future()).await.expect("no panic gets through");
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::Configuration);
}

#[tokio::test(start_paused = true)]
async fn settled_saves_an_unsaved_record_or_returns_the_error() {
    for (last, saved) in [(2, true), (usize::MAX, false)] {
        let service = numbered();
        let app = service.app().build().unwrap();
        // `keep_in` causes call 0 of `save`, and the refresh causes call 1.
        let store = Hostile::new(Method::Save, Trouble::Fail).calls_in_trouble(1, last);
        let session = session(&app, &store).await;
        session.token().await.unwrap();
        let settled = session.settled().await;
        assert_eq!(settled.is_ok(), saved, "{settled:?}");
        let stored = store.inner.load(&key()).await.unwrap().unwrap();
        let kept = stored.record().refresh_token().unwrap().expose_secret();
        assert_eq!(kept == "refresh-0", saved);
        if let Err(error) = settled {
            assert!(error.message().contains("the disk is full"), "{error}");
        }
    }
}

/// A lock that panics when it is released.
struct Mine;

impl Drop for Mine {
    fn drop(&mut self) {
        panic!("the program's lock panics, as the test wants");
    }
}

/// A store that reports a conflict at every save. Its lock panics when it is released.
#[derive(Clone, Debug, Default)]
struct Liar {
    inner: MemoryStore,
}

#[async_trait]
impl TokenStore for Liar {
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, Error> {
        self.inner.load(key).await
    }

    async fn save(
        &self,
        _: &StoreKey,
        _: &TokenRecord,
        _: Option<u64>,
    ) -> Result<SaveOutcome, Error> {
        Ok(SaveOutcome::Conflict)
    }

    async fn remove(&self, key: &StoreKey) -> Result<(), Error> {
        self.inner.remove(key).await
    }

    async fn lock(&self, _: &StoreKey) -> Result<StoreLock, Error> {
        Ok(StoreLock::new(Mine))
    }
}

#[tokio::test(start_paused = true)]
async fn permanent_store_conflicts_do_not_lose_the_new_tokens() {
    let service = numbered();
    let app = service.app().build().unwrap();
    let store = Liar::default();
    store.inner.save(&key(), &record("old"), None).await.unwrap();
    let session = app.stored_session(store.clone(), "me", "user-library-read").await;
    let session = session.unwrap().unwrap();
    assert_eq!(session.token().await.unwrap().header(), "Bearer token-0");
    session.settled().await.unwrap_err();
    let kept = session.record();
    assert_eq!(kept.refresh_token().unwrap().expose_secret(), "refresh-0");
    assert_eq!(session.token().await.unwrap().header(), "Bearer token-0");
    assert_eq!(service.count(), 1);
}

/// A store whose `save` blocks its thread until the test drops the sender.
#[derive(Clone, Debug)]
struct Blocks {
    inner: MemoryStore,
    until: Arc<Mutex<Receiver<()>>>,
}

#[async_trait]
impl TokenStore for Blocks {
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, Error> {
        self.inner.load(key).await
    }

    async fn save(
        &self,
        key: &StoreKey,
        record: &TokenRecord,
        expected: Option<u64>,
    ) -> Result<SaveOutcome, Error> {
        // An error means that the test dropped the sender. The timeout ends the wait if the test
        // fails.
        let _ = self.until.lock().unwrap().recv_timeout(Duration::from_secs(40));
        self.inner.save(key, record, expected).await
    }

    async fn remove(&self, key: &StoreKey) -> Result<(), Error> {
        self.inner.remove(key).await
    }

    async fn lock(&self, key: &StoreKey) -> Result<StoreLock, Error> {
        self.inner.lock(key).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_blocking_store_delays_a_single_session_until_the_timeout() {
    let (release, until) = channel();
    let store = Blocks { inner: MemoryStore::new(), until: Arc::new(Mutex::new(until)) };
    store.inner.save(&key(), &record("old"), None).await.unwrap();
    let service = numbered().takes(Duration::ZERO);
    let app = service.app().build().unwrap();
    let session = app.stored_session(store, "me", "user-library-read").await.unwrap().unwrap();
    let start = std::time::Instant::now();
    let token = tokio::spawn(async move { session.token().await });

    let other = app.session(record("other"));
    let other = tokio::spawn(async move { other.token().await });
    let other = timeout(Duration::from_secs(8), other).await.expect("other sessions go on");
    other.unwrap().unwrap();
    assert!(!token.is_finished(), "it waits for the store");

    // The timeout of `save` is 10 s.
    let token = timeout(Duration::from_secs(30), token).await.expect("the limit holds");
    token.unwrap().expect("the token was fetched");
    let took = start.elapsed().as_secs();
    assert!((9..30).contains(&took), "{took} s");
    drop(release);
}
