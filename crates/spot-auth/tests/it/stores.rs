//! Tests all token stores, and sessions that use these stores.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use spot_auth::{
    App, CallbackStore, Error, ErrorKind, ExposeSecret, FileStore, MemoryStore, SaveOutcome, Scope,
    Session, SessionEventKind, StoreKey, StoreLock, Stored, TokenRecord, TokenSource, TokenStore,
    async_trait, test::check_store,
};
use tokio::task::JoinSet;

use crate::scripted_accounts::{Reply, Script, eventually};

pub(crate) fn key() -> StoreKey {
    StoreKey::new("the-client", "me", Scope::UserLibraryRead)
}

pub(crate) fn record(refresh: &str) -> TokenRecord {
    TokenRecord::from_refresh_token(refresh).with_granted_scopes(Scope::UserLibraryRead)
}

fn refresh_token(stored: &Stored) -> String {
    stored.record().refresh_token().unwrap().expose_secret().to_owned()
}

fn callbacks() -> CallbackStore {
    let rows = Arc::new(Mutex::new(HashMap::<String, String>::new()));
    let (load, save, remove) = (Arc::clone(&rows), Arc::clone(&rows), rows);
    CallbackStore::new(
        move |key| {
            let json = load.lock().unwrap().get(&key.to_string()).cloned();
            async move { Ok(json.map(|json| TokenRecord::from_json(&json)).transpose()?) }
        },
        move |key, record| {
            let json = record.to_json().expose_secret().to_owned();
            save.lock().unwrap().insert(key.to_string(), json);
            async { Ok(()) }
        },
        move |key| {
            remove.lock().unwrap().remove(&key.to_string());
            async { Ok(()) }
        },
    )
}

/// Returns all stores. The files of a store exist until its temporary directory is dropped.
fn stores() -> Vec<(Arc<dyn TokenStore>, Option<tempfile::TempDir>)> {
    let directory = tempfile::tempdir().unwrap();
    let file = FileStore::new(directory.path().join("deep/down"));
    vec![
        (Arc::new(MemoryStore::new()), None),
        (Arc::new(file), Some(directory)),
        (Arc::new(callbacks()), None),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_store_passes_check_store() {
    for (store, _alive) in stores() {
        check_store(Arc::clone(&store)).await.unwrap_or_else(|error| panic!("{store:?}: {error}"));
    }
}

/// A store that ignores the expected version and always writes.
#[derive(Debug)]
struct Careless(MemoryStore);

#[async_trait]
impl TokenStore for Careless {
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, Error> {
        self.0.load(key).await
    }

    async fn save(
        &self,
        key: &StoreKey,
        record: &TokenRecord,
        _expected: Option<u64>,
    ) -> Result<SaveOutcome, Error> {
        let there = self.0.load(key).await?.map(|stored| stored.version());
        self.0.save(key, record, there).await
    }

    async fn remove(&self, key: &StoreKey) -> Result<(), Error> {
        self.0.remove(key).await
    }

    async fn lock(&self, key: &StoreKey) -> Result<StoreLock, Error> {
        self.0.lock(key).await
    }
}

#[tokio::test]
async fn check_store_names_the_violated_requirement() {
    let error = check_store(Careless(MemoryStore::new())).await.unwrap_err();
    assert!(error.message().contains("if a record exists, `save` without"), "{error}");
}

/// Several sessions refresh the same record, as if each session belonged to its own program. The
/// service rotates the refresh token.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sessions_that_share_a_store_refresh_a_rotating_token() {
    for (store, _alive) in stores() {
        let service = Script::rotating(Arc::new(Mutex::new("token-start".to_owned())))
            .takes(Duration::from_millis(2));
        let app = service.app().build().unwrap();
        store.save(&key(), &record("token-start"), None).await.unwrap();
        let mut tasks = JoinSet::new();
        for _ in 0..8 {
            let (app, store) = (app.clone(), Arc::clone(&store));
            tasks.spawn(async move {
                let session = app.stored_session(store, "me", Scope::UserLibraryRead).await;
                let session = session.unwrap().unwrap();
                for _ in 0..5 {
                    session.refresh().await.unwrap();
                }
            });
        }
        tasks.join_all().await;
        assert!(service.count() <= 40, "{}", service.count());
    }
}

async fn keep(app: &App, store: &(impl TokenStore + Clone), record: TokenRecord) -> Session {
    store.save(&key(), &record, None).await.unwrap();
    app.stored_session(store.clone(), "me", Scope::UserLibraryRead).await.unwrap().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_new_token_is_saved_before_use() {
    let service = Script::of([Reply::token("new", "rotated")]);
    let store = MemoryStore::new();
    let session = keep(&service.app().build().unwrap(), &store, record("old")).await;
    session.token().await.unwrap();
    let stored = store.load(&key()).await.unwrap().unwrap();
    assert_eq!(refresh_token(&stored), "rotated");
    assert_eq!(stored.record().access_token().unwrap().expose_secret(), "new");
}

#[tokio::test(start_paused = true)]
async fn a_missing_scope_fails_without_a_token_request() {
    let service = Script::of([Reply::Never]);
    let app = service.app().build().unwrap();
    let store = MemoryStore::new();
    let asked = [Scope::UserLibraryRead, Scope::UserTopRead];
    store
        .save(&StoreKey::new("the-client", "me", asked.clone()), &record("r"), None)
        .await
        .unwrap();
    let error = app.stored_session(store.clone(), "me", asked.clone()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingScope);
    assert!(error.message().contains("user-top-read"), "{error}");
    let error = app.sign_in(asked).store(store).account("me").store_only().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingScope);
    assert_eq!(service.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_expired_session_recovers_after_a_new_sign_in() {
    let service = Script::new(|_, asked| match asked.get("refresh_token") {
        Some("dead") => Reply::invalid_grant(),
        _ => Reply::token("alive", ""),
    });
    let store = MemoryStore::new();
    let session = keep(&service.app().build().unwrap(), &store, record("dead")).await;
    for _ in 0..3 {
        assert_eq!(session.token().await.unwrap_err().kind(), ErrorKind::ConsentExpired);
        tokio::time::advance(Duration::from_secs(60)).await;
    }
    assert_eq!(service.count(), 1);
    let stored = store.load(&key()).await.unwrap().unwrap();
    assert_eq!(refresh_token(&stored), "dead", "the record is kept");
    store.save(&key(), &record("signed-in-again"), Some(stored.version())).await.unwrap();
    assert_eq!(session.token().await.unwrap().header(), "Bearer alive");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_signed_out_elsewhere_is_not_saved_again() {
    let service = Script::of([Reply::token("new", "rotated")]);
    let store = MemoryStore::new();
    let app = service.app().build().unwrap();
    let session = keep(&app, &store, record("old")).await;
    let elsewhere = app.stored_session(store.clone(), "me", Scope::UserLibraryRead).await;
    elsewhere.unwrap().unwrap().sign_out().await.unwrap();
    session.refresh().await.unwrap();
    assert!(store.load(&key()).await.unwrap().is_none());
}

/// A store can return to an earlier state: a failover can lose the last writes, and a backup can be
/// older than the session.
#[tokio::test(start_paused = true)]
async fn a_session_continues_after_a_store_rollback() {
    let service = Script::rotating(Arc::new(Mutex::new("token-start".to_owned())));
    let app = service.app().build().unwrap();
    let store = MemoryStore::new();
    let session = keep(&app, &store, record("token-start")).await;
    let backup = store.load(&key()).await.unwrap().unwrap().into_record();
    session.refresh().await.unwrap();
    session.refresh().await.unwrap();
    let current = store.load(&key()).await.unwrap().unwrap().version();
    store.save(&key(), &backup, Some(current)).await.unwrap();

    session.refresh().await.unwrap();
    let stored = store.load(&key()).await.unwrap().unwrap();
    let record = session.record();
    assert_eq!(refresh_token(&stored), record.refresh_token().unwrap().expose_secret());
    let other = app.stored_session(store.clone(), "me", Scope::UserLibraryRead).await;
    other.unwrap().unwrap().refresh().await.unwrap();
}

/// A store whose operations fail while `broken` is set.
#[derive(Clone, Debug, Default)]
struct Shaky {
    inner: MemoryStore,
    broken: Arc<AtomicBool>,
}

impl Shaky {
    fn check(&self) -> Result<(), Error> {
        match self.broken.load(Ordering::SeqCst) {
            true => Err(Error::configuration("the disk is full")),
            false => Ok(()),
        }
    }
}

#[async_trait]
impl TokenStore for Shaky {
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, Error> {
        self.check()?;
        self.inner.load(key).await
    }

    async fn save(
        &self,
        key: &StoreKey,
        record: &TokenRecord,
        expected: Option<u64>,
    ) -> Result<SaveOutcome, Error> {
        self.check()?;
        self.inner.save(key, record, expected).await
    }

    async fn remove(&self, key: &StoreKey) -> Result<(), Error> {
        self.check()?;
        self.inner.remove(key).await
    }

    async fn lock(&self, key: &StoreKey) -> Result<StoreLock, Error> {
        self.check()?;
        self.inner.lock(key).await
    }
}

#[tokio::test(start_paused = true)]
async fn an_unsaved_record_does_not_undo_a_sign_out() {
    let service = Script::of([Reply::token("new", "rotated")]);
    let store = Shaky::default();
    let app = service.app().build().unwrap();
    let session = keep(&app, &store, record("old")).await;
    let elsewhere = app.stored_session(store.clone(), "me", Scope::UserLibraryRead).await;
    let elsewhere = elsewhere.unwrap().unwrap();

    store.broken.store(true, Ordering::SeqCst);
    session.refresh().await.unwrap();
    store.broken.store(false, Ordering::SeqCst);
    elsewhere.sign_out().await.unwrap();
    session.settled().await.unwrap();
    assert!(store.load(&key()).await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_sign_out_that_failed_can_be_repeated() {
    let service = Script::of([]);
    let store = Shaky::default();
    let app = service.app().build().unwrap();
    let session = keep(&app, &store, record("old")).await;

    store.broken.store(true, Ordering::SeqCst);
    session.clone().sign_out().await.unwrap_err();
    store.broken.store(false, Ordering::SeqCst);
    session.clone().sign_out().await.unwrap();
    assert!(store.load(&key()).await.unwrap().is_none());
    session.sign_out().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn keep_in_during_a_refresh_saves_the_new_tokens() {
    let service = Script::of([Reply::token("new", "rotated")]);
    let store = MemoryStore::new();
    let session = service.app().build().unwrap().session(record("old"));
    let (token, kept) = tokio::join!(session.token(), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        session.keep_in(store.clone(), "me").await
    });
    token.unwrap();
    kept.unwrap();
    let stored = store.load(&key()).await.unwrap().unwrap();
    assert_eq!(refresh_token(&stored), "rotated");
}

#[tokio::test(start_paused = true)]
async fn a_new_sign_in_replaces_the_old_record_after_a_store_failure() {
    let service = Script::of([Reply::token("new", "")]);
    let app = service.app().build().unwrap();
    let store = Shaky::default();
    store.save(&key(), &record("old"), None).await.unwrap();
    let session = app.session(record("new"));
    store.broken.store(true, Ordering::SeqCst);
    session.keep_in(store.clone(), "me").await.unwrap_err();
    store.broken.store(false, Ordering::SeqCst);
    session.token().await.unwrap();
    assert_eq!(service.asked()[0].get("refresh_token"), Some("new"));
    let stored = store.load(&key()).await.unwrap().unwrap();
    assert_eq!(refresh_token(&stored), "new");
}

#[tokio::test(start_paused = true)]
async fn a_failed_save_is_reported_and_retried_later() {
    let service = Script::of([Reply::token("new", "rotated")]);
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&told);
    let app = service
        .app()
        .observer(move |event| {
            assert_eq!(event.account(), Some("me"));
            if let SessionEventKind::StoreFailed { error, .. } = event.kind() {
                tell.lock().unwrap().push(error.to_string());
            }
        })
        .build()
        .unwrap();
    let store = Shaky::default();
    store.save(&key(), &record("old"), None).await.unwrap();
    let session =
        app.stored_session(store.clone(), "me", Scope::UserLibraryRead).await.unwrap().unwrap();
    store.broken.store(true, Ordering::SeqCst);
    assert_eq!(session.token().await.unwrap().header(), "Bearer new", "the user goes on");
    let is_told = || told.lock().unwrap().iter().any(|error| error.contains("disk is full"));
    assert!(eventually(is_told));
    let stored = store.inner.load(&key()).await.unwrap().unwrap();
    assert_eq!(refresh_token(&stored), "old");

    store.broken.store(false, Ordering::SeqCst);
    session.token().await.unwrap();
    tokio::time::sleep(Duration::from_secs(31)).await;
    session.token().await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let stored = store.inner.load(&key()).await.unwrap().unwrap();
    assert_eq!(refresh_token(&stored), "rotated");
    assert_eq!(service.count(), 1);
}
