//! Tests several processes that share one session in Redis.

use std::{
    env,
    io::{self, BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use spot_auth::{App, Scope, StoreKey, TokenRecord, TokenSource, TokenStore};
use spot_mock::{MockSpotify, RefreshPolicy};
use spot_redis::{Redis, RedisStore};
use tokio::time::sleep;

const SERVER: &str = "SPOT_REDIS_SHARED_SERVER";
const ACCOUNTS: &str = "SPOT_REDIS_SHARED_ACCOUNTS";
const CLIENT: &str = "SPOT_REDIS_SHARED_CLIENT";

const PROCESSES: usize = 4;
const REFRESHES: usize = 10;

fn key(client: &str) -> StoreKey {
    StoreKey::new(client, "me", Scope::UserLibraryRead)
}

fn store(url: String) -> RedisStore {
    RedisStore::new(&Redis::open(url).unwrap())
}

fn child(name: &str, url: String) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", name, "--nocapture"]).env(SERVER, url).stdout(Stdio::piped());
    command
}

/// The child process: refreshes the session several times. If the environment variables of the
/// parent process are not set, this test does nothing.
#[tokio::test]
async fn child_process_refreshes_the_shared_session() {
    let (Ok(url), Ok(accounts)) = (env::var(SERVER), env::var(ACCOUNTS)) else { return };
    let app = App::builder(env::var(CLIENT).unwrap()).accounts_url(&accounts).build().unwrap();
    let session = app.stored_session(store(url), "me", Scope::UserLibraryRead).await;
    let session = session.unwrap().expect("it was stored");
    for _ in 0..REFRESHES {
        session.refresh().await.expect("no program loses the user");
    }
    session.token().await.expect("no program loses the user");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_processes_share_a_session_with_token_rotation() {
    let Some(server) = crate::server() else { return };
    let mock = MockSpotify::builder().refresh(RefreshPolicy::Rotate).start().await.unwrap();
    let record = TokenRecord::from_refresh_token(mock.refresh_token(&["user-library-read"]))
        .with_granted_scopes(Scope::UserLibraryRead);
    store(server.url()).save(&key(mock.client_id()), &record, None).await.unwrap();
    let children: Vec<_> = (0..PROCESSES)
        .map(|_| {
            child("processes::child_process_refreshes_the_shared_session", server.url())
                .env(ACCOUNTS, mock.accounts_url())
                .env(CLIENT, mock.client_id())
                .spawn()
                .unwrap()
        })
        .collect();
    for child in children {
        let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap());
        assert!(output.await.unwrap().status.success());
    }
    let requests = mock.requests();
    assert!(requests.iter().all(|request| request.status == 200), "never an invalid_grant");
    assert!(requests.len() <= PROCESSES * (REFRESHES + 1), "{}", requests.len());
    assert!(requests.len() >= REFRESHES, "{}", requests.len());
}

/// The child process: takes the lock and keeps it. If the variable is not set, this test does
/// nothing.
#[tokio::test]
async fn child_process_holds_the_lock() {
    let Ok(url) = env::var(SERVER) else { return };
    let _lock = store(url).lock(&key("the-client")).await.unwrap();
    io::stdout().write_all(b"\nheld\n").unwrap();
    sleep(Duration::from_secs(60)).await;
}

/// Starts the child process and waits until it has the lock.
fn start_holder(url: String) -> Child {
    let mut holder = child("processes::child_process_holds_the_lock", url).spawn().unwrap();
    let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line == "held"));
    holder
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lock_of_a_killed_process_expires() {
    let Some(server) = crate::server() else { return };
    let (store, key) = (store(server.url()), key("the-client"));
    let mut holder = start_holder(server.url());
    let second = tokio::time::timeout(Duration::from_millis(300), store.lock(&key)).await;
    assert!(second.is_err(), "another program has the lock");
    holder.kill().unwrap();
    holder.wait().unwrap();
    let start = Instant::now();
    let _lock = store.lock(&key).await.unwrap();
    assert!(start.elapsed() < Duration::from_secs(11), "{:?}", start.elapsed());
}
