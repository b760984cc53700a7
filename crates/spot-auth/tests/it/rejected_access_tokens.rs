//! Tests access tokens that the API rejects.

use std::time::Duration;

use spot_auth::{MemoryStore, TokenSource, TokenStore};

use crate::{
    scripted_accounts::{Reply, Script},
    stores::{key, record},
};

#[tokio::test(start_paused = true)]
async fn repeated_token_rejections_do_not_refresh_every_time() {
    let service = Script::new(|n, _| Reply::token(&format!("token-{n}"), ""));
    let session = service.app().build().unwrap().session(record("old"));
    for _ in 0..100 {
        if let Ok(token) = session.token().await {
            session.reject(&token).await;
        }
        tokio::time::advance(Duration::from_millis(100)).await;
    }
    assert!(service.count() <= 1, "{} refreshes in 10 s of refusals", service.count());
    for _ in 0..100 {
        let token = session.token().await.unwrap();
        session.reject(&token).await;
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    assert!(service.count() <= 6, "{} refreshes in 110 s of refusals", service.count());
}

#[tokio::test(start_paused = true)]
async fn a_token_rejected_after_30_seconds_is_refreshed() {
    let service = Script::new(|n, _| Reply::token(&format!("token-{n}"), ""));
    let session = service.app().build().unwrap().session(record("old"));
    let token = session.token().await.unwrap();
    tokio::time::advance(Duration::from_secs(31)).await;
    session.reject(&token).await;
    assert_eq!(session.token().await.unwrap().header(), "Bearer token-1");
}

#[tokio::test(start_paused = true)]
async fn sessions_loaded_per_request_do_not_refresh_per_request() {
    let service = Script::new(|n, _| Reply::token(&format!("token-{n}"), ""));
    let app = service.app().build().unwrap();
    let store = MemoryStore::new();
    store.save(&key(), &record("old"), None).await.unwrap();
    // The loop simulates a web server that loads the user's session at every request.
    for _ in 0..100 {
        let session = app.stored_session(store.clone(), "me", "user-library-read").await;
        let session = session.unwrap().unwrap();
        let token = session.token().await.unwrap();
        session.reject(&token).await;
        session.token().await.unwrap();
    }
    assert!(service.count() <= 1, "{} refreshes in 100 sessions", service.count());
}
