//! Tests a store whose locks have no effect, as on some network drives.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use spot_auth::{
    Error, ErrorKind, FileStore, SaveOutcome, StoreKey, StoreLock, Stored, TokenRecord,
    TokenSource, TokenStore, async_trait,
};
use tokio::task::JoinSet;

use crate::{
    scripted_accounts::Script,
    stores::{key, record},
};

#[derive(Clone, Debug)]
struct Unlocked(FileStore);

#[async_trait]
impl TokenStore for Unlocked {
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, Error> {
        self.0.load(key).await
    }

    async fn save(
        &self,
        key: &StoreKey,
        record: &TokenRecord,
        expected: Option<u64>,
    ) -> Result<SaveOutcome, Error> {
        // Simulates the latency of a network drive.
        tokio::time::sleep(Duration::from_millis(30)).await;
        self.0.save(key, record, expected).await
    }

    async fn remove(&self, key: &StoreKey) -> Result<(), Error> {
        self.0.remove(key).await
    }

    async fn lock(&self, _: &StoreKey) -> Result<StoreLock, Error> {
        Ok(StoreLock::none())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_without_store_locks_report_no_expired_consent() {
    const ROUNDS: usize = 12;
    const SESSIONS: usize = 12;
    let mut expired = 0;
    for _ in 0..ROUNDS {
        let directory = tempfile::tempdir().unwrap();
        let store = Unlocked(FileStore::new(directory.path().join("tokens")));
        let service = Script::rotating(Arc::new(Mutex::new("start".to_owned())))
            .takes(Duration::from_millis(5));
        store.save(&key(), &record("start"), None).await.unwrap();
        let app = service.app().build().unwrap();
        let mut tasks = JoinSet::new();
        for _ in 0..SESSIONS {
            let (app, store) = (app.clone(), store.clone());
            tasks.spawn(async move {
                let session = app.stored_session(store, "me", "user-library-read").await;
                session.unwrap().unwrap().token().await.map(drop).map_err(|error| error.kind())
            });
        }
        for ended in tasks.join_all().await {
            match ended {
                Ok(()) => {}
                Err(ErrorKind::ConsentExpired) => expired += 1,
                Err(kind) => panic!("{kind:?}"),
            }
        }
    }
    let sessions = ROUNDS * SESSIONS;
    assert_eq!(expired, 0, "of {sessions} sessions were told that the consent has expired");
}
