//! Tests several processes that share one session.

use std::{
    env,
    process::{Command, Stdio},
};

use spot_auth::{App, FileStore, Scope, StoreKey, TokenRecord, TokenSource, TokenStore};
use spot_mock::{MockSpotify, RefreshPolicy};

const DIRECTORY: &str = "SPOT_AUTH_SHARED_DIRECTORY";
const ACCOUNTS: &str = "SPOT_AUTH_SHARED_ACCOUNTS";
const CLIENT: &str = "SPOT_AUTH_SHARED_CLIENT";

const PROCESSES: usize = 8;
const REFRESHES: usize = 10;

/// The child process: refreshes the session several times. If `DIRECTORY` is not set, this test
/// does nothing.
#[tokio::test]
async fn child_process_refreshes_the_shared_session() {
    let Some(directory) = env::var_os(DIRECTORY) else { return };
    let app = App::builder(env::var(CLIENT).unwrap())
        .accounts_url(&env::var(ACCOUNTS).unwrap())
        .build()
        .unwrap();
    let store = FileStore::new(directory);
    let session = app.stored_session(store, "me", Scope::UserLibraryRead).await;
    let session = session.unwrap().expect("it was stored");
    for _ in 0..REFRESHES {
        session.refresh().await.expect("no program loses the user");
    }
    session.token().await.expect("no program loses the user");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_processes_share_a_session_with_token_rotation() {
    let mock = MockSpotify::builder().refresh(RefreshPolicy::Rotate).start().await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let store = FileStore::new(directory.path());
    let key = StoreKey::new(mock.client_id(), "me", Scope::UserLibraryRead);
    let record = TokenRecord::from_refresh_token(mock.refresh_token(&["user-library-read"]))
        .with_granted_scopes(Scope::UserLibraryRead);
    store.save(&key, &record, None).await.unwrap();
    let children: Vec<_> = (0..PROCESSES)
        .map(|_| {
            Command::new(env::current_exe().unwrap())
                .args([
                    "--exact",
                    "processes::child_process_refreshes_the_shared_session",
                    "--nocapture",
                ])
                .env(DIRECTORY, directory.path())
                .env(ACCOUNTS, mock.accounts_url())
                .env(CLIENT, mock.client_id())
                .stdout(Stdio::null())
                .spawn()
                .unwrap()
        })
        .collect();
    for mut child in children {
        let status = tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap();
        assert!(status.success());
    }
    let requests = mock.requests();
    assert!(requests.iter().all(|request| request.status == 200), "never an invalid_grant");
    assert!(requests.len() <= PROCESSES * (REFRESHES + 1), "{}", requests.len());
    assert!(requests.len() >= REFRESHES, "{}", requests.len());
}
