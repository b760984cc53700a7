//! Tests programs that exit soon after they use a session.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use spot_auth::{ExposeSecret, MemoryStore, Session, TokenRecord, TokenSource, TokenStore};

use crate::{scripted_accounts::Script, stores::key};

const USERS: u64 = 20;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

/// Saves a session whose access token expires after `valid`, and loads it as a program does.
async fn stored_session(service: &Script, store: &MemoryStore, valid: Duration) -> Session {
    let record = TokenRecord::from_refresh_token("the-refresh")
        .with_granted_scopes("user-library-read")
        .with_access_token("old", SystemTime::now() + valid);
    store.save(&key(), &record, None).await.unwrap();
    let app = service.app().build().unwrap();
    let session = app.stored_session(store.clone(), "me", "user-library-read").await;
    session.unwrap().unwrap()
}

fn stored_refresh_token(store: &MemoryStore) -> String {
    let stored = runtime().block_on(store.load(&key())).unwrap().unwrap();
    stored.record().refresh_token().unwrap().expose_secret().to_owned()
}

/// Each program has a token that is valid for 200 s. The program calls `token()` once, works for up
/// to 285 ms and exits.
#[test]
fn a_short_program_saves_the_rotated_refresh_token() {
    let mut lost = 0;
    for user in 0..USERS {
        let current = Arc::new(Mutex::new("the-refresh".to_owned()));
        let service = Script::rotating(Arc::clone(&current)).takes(Duration::from_millis(120));
        let store = MemoryStore::new();
        let program = runtime();
        program.block_on(async {
            let session = stored_session(&service, &store, Duration::from_secs(200)).await;
            session.token().await.unwrap();
            tokio::time::sleep(Duration::from_millis(15 * user)).await;
        });
        drop(program);
        let kept = stored_refresh_token(&store);
        lost += usize::from(kept != *current.lock().unwrap());
    }
    assert_eq!(lost, 0, "of {USERS} users have to sign in again");
}

/// Shortly before the token expires, `token()` starts a refresh in the background. `settled` waits
/// for this refresh.
#[test]
fn settled_waits_for_a_refresh_in_the_background() {
    let current = Arc::new(Mutex::new("the-refresh".to_owned()));
    let service = Script::rotating(Arc::clone(&current)).takes(Duration::from_millis(120));
    let store = MemoryStore::new();
    let program = runtime();
    program.block_on(async {
        let session = stored_session(&service, &store, Duration::from_secs(3_600)).await;
        tokio::time::sleep(Duration::from_secs(3_400)).await;
        assert_eq!(session.token().await.unwrap().header(), "Bearer old", "nobody waits");
        session.settled().await.unwrap();
    });
    drop(program);
    let kept = stored_refresh_token(&store);
    assert_eq!(kept, *current.lock().unwrap());
    assert_eq!(kept, "rotated-0");
}
