//! Tests sessions that are used on several runtimes. Some of these runtimes are dropped or no
//! longer driven.

use std::{
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use spot_auth::{ErrorKind, MemoryStore, TokenSource, TokenStore};

use crate::{
    scripted_accounts::{Reply, Script},
    stores::{key, record},
};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn a_stalled_refresh_is_taken_over_by_another_runtime() {
    for store in [None, Some(MemoryStore::new())] {
        let service = Script::new(|n, _| match n {
            0 => Reply::Never,
            _ => Reply::token("new", "rotated"),
        })
        .takes(Duration::ZERO);
        let app = service.app().build().unwrap();
        let still = runtime();
        let session = still.block_on(async {
            let session = match &store {
                Some(store) => {
                    store.save(&key(), &record("old"), None).await.unwrap();
                    let stored = app.stored_session(store.clone(), "me", "user-library-read");
                    stored.await.unwrap().unwrap()
                }
                None => app.session(record("old")),
            };
            let token = session.token();
            tokio::time::timeout(Duration::from_millis(50), token).await.unwrap_err();
            session
        });
        let (sender, receiver) = mpsc::channel();
        let start = Instant::now();
        thread::spawn({
            let session = session.clone();
            move || {
                let token = runtime().block_on(session.token());
                let _ = sender.send(token.map(|token| token.header().clone()));
            }
        });
        let token = receiver.recv_timeout(Duration::from_secs(30));
        let took = start.elapsed();
        let token = token.unwrap_or_else(|_| panic!("no token after {took:?}")).unwrap();
        assert_eq!(token, "Bearer new");
        assert!(took < Duration::from_secs(10), "{took:?}");
        // The first runtime is driven again. The session now has the token of the second refresh.
        let token = still.block_on(session.token()).unwrap();
        assert_eq!(token.header(), "Bearer new");
    }
}

#[test]
fn a_stalled_runtime_does_not_cause_a_consent_expired_error() {
    // The service rotates the refresh token at the first refresh, but nobody reads the response.
    let service = Script::new(|n, _| match n {
        0 => Reply::token("first", "rotated"),
        _ => Reply::invalid_grant(),
    })
    .takes(Duration::from_millis(200));
    let session = service.app().build().unwrap().session(record("old"));
    let still = runtime();
    still.block_on(async {
        tokio::time::timeout(Duration::from_millis(50), session.token()).await.unwrap_err();
    });
    let other = runtime();
    let error = other.block_on(session.token()).unwrap_err();
    assert_ne!(error.kind(), ErrorKind::ConsentExpired, "{error}");
    let token = still.block_on(async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        session.token().await
    });
    assert_eq!(token.unwrap().header(), "Bearer first");
}
