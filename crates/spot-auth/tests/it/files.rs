//! Tests the files that `FileStore` writes.

use std::{fs, path::Path};

use spot_auth::{ErrorKind, ExposeSecret, FileStore, Scope, StoreKey, TokenRecord, TokenStore};

use crate::scripted_accounts::{Reply, Script};

fn key() -> StoreKey {
    StoreKey::new("the-client", "me", Scope::Streaming)
}

async fn saved(directory: &Path) -> FileStore {
    let store = FileStore::new(directory.join("tokens"));
    store.save(&key(), &TokenRecord::from_refresh_token("the-refresh"), None).await.unwrap();
    store
}

fn names(store: &FileStore) -> Vec<String> {
    let entries = fs::read_dir(store.directory()).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[cfg(unix)]
#[tokio::test]
async fn token_files_and_directory_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let store = saved(directory.path()).await;
    let _lock = store.lock(&key()).await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(store.directory()), 0o700);
    for name in names(&store) {
        assert_eq!(mode(&store.directory().join(&name)), 0o600, "{name}");
    }
    assert_eq!(mode(&store.path(&key())), 0o600);
}

/// Makes a new file private. The store may refuse a file with the default permissions.
fn private(path: &std::path::Path) {
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
}

#[tokio::test]
async fn a_corrupt_token_file_is_reported_once_and_renamed() {
    let directory = tempfile::tempdir().unwrap();
    let store = saved(directory.path()).await;
    let path = store.path(&key());
    let whole = fs::read_to_string(&path).unwrap();
    for broken in ["", "{", "not json", "[]", "{}", &whole[..whole.len() / 2]] {
        fs::write(&path, broken).unwrap();
        private(&path);
        let error = store.load(&key()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Store);
        assert!(error.message().contains(path.to_str().unwrap()), "{error}");
        let (_, aside) = error.message().split_once("it was renamed to ").expect("it is set aside");
        assert_eq!(fs::read_to_string(aside).unwrap(), broken);
        fs::remove_file(aside).unwrap();
        assert!(store.load(&key()).await.unwrap().is_none(), "the way is free");
    }
    let no_token = whole.replace("\"the-refresh\"", "null");
    fs::write(&path, no_token).unwrap();
    private(&path);
    let error = store.load(&key()).await.unwrap_err();
    assert!(error.message().contains("contains no token"), "{error}");
}

#[tokio::test]
async fn a_running_session_replaces_a_corrupt_token_file() {
    let directory = tempfile::tempdir().unwrap();
    let store = saved(directory.path()).await;
    let service = Script::new(|n, _| Reply::token(&format!("access-{n}"), "rotated"));
    let app = service.app().build().unwrap();
    let session = app.stored_session(store.clone(), "me", Scope::Streaming).await;
    let session = session.unwrap().unwrap();
    fs::write(store.path(&key()), "broken").unwrap();
    session.refresh().await.unwrap();
    let stored = store.load(&key()).await.unwrap().unwrap();
    assert_eq!(stored.record().refresh_token().unwrap().expose_secret(), "rotated");
}

#[tokio::test]
async fn a_file_with_another_key_or_newer_format_is_not_changed() {
    let directory = tempfile::tempdir().unwrap();
    let store = saved(directory.path()).await;
    let path = store.path(&key());
    let whole = fs::read_to_string(&path).unwrap();
    for (from, to, why) in [
        ("\"format\":1", "\"format\":2", "newer version"),
        ("\"account\":\"me\"", "\"account\":\"you\"", "belongs to another"),
    ] {
        fs::write(&path, whole.replace(from, to)).unwrap();
        let error = store.load(&key()).await.unwrap_err();
        assert!(error.message().contains(why), "{error}");
        let record = TokenRecord::from_refresh_token("x");
        store.save(&key(), &record, None).await.unwrap_err();
        assert_eq!(fs::read_to_string(&path).unwrap(), whole.replace(from, to));
    }
}

#[tokio::test]
async fn temporary_files_of_a_killed_writer_are_removed() {
    let directory = tempfile::tempdir().unwrap();
    let store = saved(directory.path()).await;
    let next = store.path(&key()).with_extension("json.new");
    fs::write(&next, "half a rec").unwrap();
    let stored = store.load(&key()).await.unwrap().unwrap();
    let record = TokenRecord::from_refresh_token("next");
    store.save(&key(), &record, Some(stored.version())).await.unwrap();
    assert!(!next.exists());
    assert!(store.load(&key()).await.unwrap().unwrap().version() > stored.version());
}

#[tokio::test]
async fn a_store_write_error_names_the_path() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let store = FileStore::new(file.join("tokens"));
    let record = TokenRecord::from_refresh_token("CANARY");
    let error = store.save(&key(), &record, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Store);
    assert!(error.message().contains(file.to_str().unwrap()), "{error}");
    assert!(!format!("{error:?}").contains("CANARY"));
}
