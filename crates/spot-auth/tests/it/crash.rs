//! Kills a program while it refreshes its token and writes the token file.

use std::{
    env, fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use spot_auth::{ExposeSecret, FileStore, Scope, StoreKey, TokenRecord, TokenStore};

use crate::scripted_accounts::{Reply, Script};

/// Environment variable that passes the directory to the child process. The child process runs this
/// test binary.
const DIRECTORY: &str = "SPOT_AUTH_CRASH_DIRECTORY";

const KILLS: usize = 200;

fn key() -> StoreKey {
    StoreKey::new("the-client", "me", Scope::UserLibraryRead)
}

/// The child process: refreshes the session until it is killed. If the variable is not set, this
/// test does nothing.
#[tokio::test]
async fn child_process_refreshes_until_killed() {
    let Some(directory) = env::var_os(DIRECTORY) else { return };
    // The service answers refresh token n with refresh token n + 1 and access token n + 1. The
    // parent process can thus check that both tokens of a stored record come from the same refresh.
    let service = Script::new(|_, asked| {
        let number: u64 = asked.get("refresh_token").unwrap().parse().unwrap();
        Reply::token(&format!("access-{}", number + 1), &(number + 1).to_string())
    })
    .takes(Duration::ZERO);
    let store = FileStore::new(directory);
    let app = service.app().build().unwrap();
    let session = app.stored_session(store, "me", Scope::UserLibraryRead).await;
    let session = session.unwrap().unwrap();
    loop {
        session.refresh().await.unwrap();
    }
}

fn start(directory: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "crash::child_process_refreshes_until_killed", "--nocapture"])
        .env(DIRECTORY, directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn a_killed_process_leaves_a_complete_token_record() {
    let directory = tempfile::tempdir().unwrap();
    let store = FileStore::new(directory.path().join("tokens"));
    let first = TokenRecord::from_refresh_token("0").with_granted_scopes(Scope::UserLibraryRead);
    store.save(&key(), &first, None).await.unwrap();
    let path = store.path(&key());
    let mut last = 0;
    for kill in 0..KILLS {
        let before = fs::read(&path).unwrap();
        let mut child = start(store.directory());
        // The child process has started to write when the content of the file changes.
        let begun = Instant::now();
        while fs::read(&path).unwrap() == before {
            assert!(begun.elapsed() < Duration::from_secs(60), "the child does not write");
            thread::sleep(Duration::from_micros(200));
        }
        thread::sleep(Duration::from_micros(fastrand::u64(..6_000)));
        child.kill().unwrap();
        child.wait().unwrap();

        let stored = store.load(&key()).await.expect("the file parses").expect("it is there");
        let record = stored.record();
        let number: u64 = record.refresh_token().unwrap().expose_secret().parse().unwrap();
        assert!(number > last, "kill {kill}: {last} became {number}");
        let access = record.access_token().unwrap().expose_secret();
        assert_eq!(access, format!("access-{number}"), "kill {kill}: one record, not two");
        last = number;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "kill {kill}");
        }
    }
}
