//! Tests unusual files at the path of a token file, such as links, FIFOs and huge files. The tests
//! check that removing a record leaves no token on the disk.
#![cfg(unix)]

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use spot_auth::{ErrorKind, FileStore, TokenStore};
use tokio::time::timeout;

use crate::stores::{key, record};

async fn saved(directory: &Path) -> FileStore {
    let store = FileStore::new(directory.join("tokens"));
    store.save(&key(), &record("CANARY"), None).await.unwrap();
    store
}

fn beside(store: &FileStore, suffix: &str) -> PathBuf {
    let mut path = store.path(&key()).into_os_string();
    path.push(suffix);
    path.into()
}

#[tokio::test]
async fn removing_a_record_leaves_no_token_on_disk() {
    let directory = tempfile::tempdir().unwrap();
    let store = saved(directory.path()).await;
    let text = fs::read(store.path(&key())).unwrap();
    for suffix in [".new", ".new-123", ".broken-456"] {
        fs::write(beside(&store, suffix), &text).unwrap();
    }
    store.remove(&key()).await.unwrap();
    let mut left = Vec::new();
    for file in fs::read_dir(store.directory()).unwrap() {
        let file = file.unwrap();
        if String::from_utf8_lossy(&fs::read(file.path()).unwrap()).contains("CANARY") {
            left.push(file.file_name());
        }
    }
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn a_file_with_a_newer_format_is_rejected_and_not_changed() {
    let directory = tempfile::tempdir().unwrap();
    let store = saved(directory.path()).await;
    let path = store.path(&key());
    for newer in [
        r#"{"format":2}"#,
        r#"{"format":2,"version":"v7","client":{"id":"x"},"records":[]}"#,
        r#"{"records":[{"deep":[[]]}],"format":3}"#,
        r#"{"format":99999999999}"#,
    ] {
        fs::write(&path, newer).unwrap();
        let error = store.load(&key()).await.unwrap_err();
        assert!(error.message().contains("newer version"), "{newer}: {error}");
        store.save(&key(), &record("x"), None).await.unwrap_err();
        assert_eq!(fs::read_to_string(&path).unwrap(), newer, "it is still there");
    }
}

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn non_regular_files_are_rejected_immediately() {
    for kind in ["fifo", "directory", "link to a device", "link to a fifo", "dangling link"] {
        let directory = tempfile::tempdir().unwrap();
        let store = saved(directory.path()).await;
        let path = store.path(&key());
        fs::remove_file(&path).unwrap();
        match kind {
            "fifo" => fifo(&path),
            "directory" => fs::create_dir(&path).unwrap(),
            "link to a device" => symlink("/dev/zero", &path).unwrap(),
            "link to a fifo" => {
                fifo(&directory.path().join("fifo"));
                symlink(directory.path().join("fifo"), &path).unwrap();
            }
            _ => symlink(directory.path().join("nowhere"), &path).unwrap(),
        }
        let loaded = timeout(Duration::from_secs(5), store.load(&key())).await;
        if loaded.is_err() && kind.contains("fifo") {
            // Unblocks the reader, which would otherwise keep this test from ending.
            let _ = fs::OpenOptions::new().write(true).open(&path);
        }
        let error = loaded.unwrap_or_else(|_| panic!("{kind}: hangs")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Store, "{kind}");
        assert!(error.message().contains("regular file"), "{kind}: {error}");
        let saved = timeout(Duration::from_secs(5), store.save(&key(), &record("x"), None)).await;
        saved.unwrap_or_else(|_| panic!("{kind}: save hangs")).unwrap_err();
        assert!(!directory.path().join("nowhere").exists(), "{kind}");
    }
}

#[tokio::test]
async fn a_huge_token_file_is_rejected_without_reading() {
    let directory = tempfile::tempdir().unwrap();
    let store = saved(directory.path()).await;
    let file = fs::OpenOptions::new().write(true).open(store.path(&key())).unwrap();
    file.set_len(1 << 40).unwrap();
    let loaded = timeout(Duration::from_secs(5), store.load(&key())).await.expect("at once");
    assert_eq!(loaded.unwrap_err().kind(), ErrorKind::Store);
}

#[tokio::test]
async fn a_symlinked_lock_file_is_rejected_and_creates_no_target() {
    for suffix in [".lock", ""] {
        let directory = tempfile::tempdir().unwrap();
        let store = FileStore::new(directory.path().join("tokens"));
        store.save(&key(), &record("a"), None).await.unwrap();
        let record_path = store.path(&key());
        let lock = match suffix {
            "" => record_path.with_extension("refresh.lock"),
            _ => beside(&store, suffix),
        };
        let _ = fs::remove_file(&lock);
        let target = directory.path().join("target");
        symlink(&target, &lock).unwrap();
        let locked = match suffix {
            "" => store.lock(&key()).await.map(drop),
            _ => store.remove(&key()).await,
        };
        assert!(!target.exists(), "{suffix}: the target was created");
        assert!(locked.unwrap_err().message().contains("regular file"));
    }
}

#[tokio::test]
async fn insecure_permissions_are_rejected_with_a_chmod_hint() {
    let directory = tempfile::tempdir().unwrap();
    let store = saved(directory.path()).await;
    let path = store.path(&key());
    for mode in [0o666, 0o644, 0o620, 0o604] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let error = store.load(&key()).await.expect_err("accepted without a word");
        assert!(error.message().contains("chmod 600"), "{mode:o}: {error}");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    store.load(&key()).await.unwrap().unwrap();
    fs::set_permissions(store.directory(), fs::Permissions::from_mode(0o777)).unwrap();
    let error = store.load(&key()).await.expect_err("accepted without a word");
    assert!(error.message().contains("chmod"), "{error}");
    let error = store.save(&key(), &record("x"), None).await.expect_err("accepted without a word");
    assert!(error.message().contains("chmod"), "{error}");
    for mode in [0o755, 0o700, 0o1777] {
        fs::set_permissions(store.directory(), fs::Permissions::from_mode(mode)).unwrap();
        store.load(&key()).await.unwrap().unwrap();
    }
}
