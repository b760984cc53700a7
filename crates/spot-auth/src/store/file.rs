//! Records in files.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use async_trait::async_trait;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use spot_http::{
    Error, ErrorKind,
    failure::{jitter, random_number},
};
use tokio::time::{Instant, sleep};

use crate::store::{
    SET_ASIDE,
    private_file::{self, Unusable},
    record::TokenRecord,
    token_store::{SaveOutcome, StoreKey, StoreLock, Stored, TokenStore},
};

/// Stores each record in its own file, in one directory.
///
/// # Safety from other users
///
/// On Unix, the store creates files with mode 0600, and the directory with mode 0700. The store
/// refuses links, FIFOs, devices, and files that other users can read or write. The store refuses a
/// directory that all users can write to, unless the directory has the sticky bit, like `/tmp`. The
/// error message explains how to fix the problem. On other platforms, the files inherit the
/// permissions of the parent directory.
///
/// # Crashes, several processes and full disks
///
/// A file is replaced as a whole: after a crash, it contains either the old record or the new one.
/// Any number of processes on one machine may share a directory. On some network drives, locks have
/// no effect, so two processes may refresh at the same time, and one refresh may fail. If Spotify
/// refuses a refresh token, the session reads the store again, because another process may have
/// saved new tokens.
///
/// To save a record, the store writes a new file and renames it. If the disk has no space for a new
/// file, a store on Unix overwrites the old file. If the program crashes while it overwrites the
/// file, the token record is lost. If the disk is full, the first save of a session fails, because
/// the store has no file of this session that it can overwrite. On a copy-on-write file system,
/// every save fails if the disk is full. If the store cannot save the new tokens, the session keeps
/// the tokens in memory, notifies the observer, and retries. Before the program ends, call
/// [`Session::settled`](crate::Session::settled): it returns an error if the tokens are not saved.
/// Tokens that are not saved are lost when the program ends.
///
/// # Files that cannot be read
///
/// A broken file causes one error, and is renamed to `*.broken-*`. If a newer version of this
/// library wrote a file, reading it causes an error, and the file is not changed. A sign-out
/// removes the token record, the broken files that the store renamed, and the temporary files that
/// remain after a crash. A sign-out does not remove the lock files, which are empty.
#[derive(Clone, Debug)]
pub struct FileStore {
    directory: PathBuf,
}

/// How long to wait for another process that refreshes the session. A refresh may need several
/// attempts.
const REFRESH: Duration = Duration::from_secs(60);

/// How long to wait for another process that writes the record.
const WRITE: Duration = Duration::from_secs(8);

/// Version of the file format that this library writes.
const FORMAT: u32 = 1;

/// Age after which the store removes a temporary file as a remnant of a crash. If locks have no
/// effect, another process may still use a temporary file that has not reached this age.
const LEFT_OVER: Duration = Duration::from_secs(60);

impl FileStore {
    /// Creates a store in a directory. The first write creates the directory.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    /// Creates a store for the current user, in the usual location of the platform. The directory
    /// is `spot-sdk/tokens` below `$XDG_STATE_HOME` or `~/.local/state`. On macOS, the directory is
    /// below `~/Library/Application Support`, and on Windows, it is below `%LOCALAPPDATA%`.
    ///
    /// # Errors
    ///
    /// Returns a [`Configuration`](crate::ErrorKind::Configuration) error if the user has no home
    /// directory.
    pub fn in_default_directory() -> Result<Self, Error> {
        default_directory(
            std::env::consts::OS,
            |name| std::env::var_os(name).map(PathBuf::from),
            std::env::home_dir(),
        )
        .map(Self::new)
        .ok_or_else(|| {
            Error::configuration(
                "the user has no home directory: choose a directory with `FileStore::new`",
            )
        })
    }

    /// The directory of the files.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Returns the path of the file that contains the record of a key.
    pub fn path(&self, key: &StoreKey) -> PathBuf {
        self.files(key).record
    }

    fn files(&self, key: &StoreKey) -> Files {
        let name = file_name(key);
        let path = |suffix: &str| self.directory.join(format!("{name}{suffix}"));
        Files {
            record: path(".json"),
            writing: path(".json.lock"),
            refreshing: path(".refresh.lock"),
        }
    }
}

#[async_trait]
impl TokenStore for FileStore {
    async fn load(&self, key: &StoreKey) -> Result<Option<Stored>, Error> {
        let (files, key) = (self.files(key), key.clone());
        match blocking({
            let files = files.clone();
            let key = key.clone();
            move || files.read(&key)
        })
        .await
        {
            // Another process may be renaming the file at this moment, or may have replaced it.
            Err(Unreadable::Broken(_)) => {
                let _lock = lock(files.clone(), Purpose::Write).await?;
                blocking(move || files.set_aside(&key)).await
            }
            Err(Unreadable::Other(error)) => Err(error),
            Ok(stored) => Ok(stored),
        }
    }

    async fn save(
        &self,
        key: &StoreKey,
        record: &TokenRecord,
        expected: Option<u64>,
    ) -> Result<SaveOutcome, Error> {
        let (files, key, record) = (self.files(key), key.clone(), record.clone());
        let lock = lock(files.clone(), Purpose::Write).await?;
        // The closure owns the lock, so that a cancelled caller does not release it during the
        // write.
        blocking(move || {
            let _lock = lock;
            files.write(&key, &record, expected)
        })
        .await
    }

    async fn remove(&self, key: &StoreKey) -> Result<(), Error> {
        let files = self.files(key);
        let lock = lock(files.clone(), Purpose::Write).await?;
        blocking(move || {
            let _lock = lock;
            files.remove()
        })
        .await
    }

    async fn lock(&self, key: &StoreKey) -> Result<StoreLock, Error> {
        let lock = lock(self.files(key), Purpose::Refresh).await?;
        Ok(lock.map_or_else(StoreLock::none, StoreLock::new))
    }
}

/// The paths of the files that belong to one key.
#[derive(Clone, Debug)]
struct Files {
    record: PathBuf,
    /// The lock file is separate from the record, because each save replaces the file of the
    /// record.
    writing: PathBuf,
    refreshing: PathBuf,
}

#[derive(Clone, Copy, Debug)]
enum Purpose {
    Write,
    Refresh,
}

/// Why a file contains no usable record.
enum Unreadable {
    /// The content is not a record.
    Broken(String),
    Other(Error),
}

/// The content of a file. The content includes the key, because two keys may have the same file
/// name.
#[derive(Serialize, Deserialize)]
struct Content {
    format: u32,
    version: u64,
    client_id: String,
    account: String,
    scopes: String,
    record: Box<RawValue>,
}

/// The field that every version of the file format contains.
#[derive(Deserialize)]
struct Format {
    format: u64,
}

impl Files {
    fn read(&self, key: &StoreKey) -> Result<Option<Stored>, Unreadable> {
        match private_file::read(&self.record) {
            Ok(Some(text)) => parse(&text, key, &self.record).map(Some),
            Ok(None) => Ok(None),
            Err(Unusable::TooLarge) => {
                Err(Unreadable::Broken("the file is larger than 1 MiB".to_owned()))
            }
            Err(error) => Err(Unreadable::Other(unusable("read", &self.record, error))),
        }
    }

    /// Reads the file again. If the file is still broken, renames it and returns an error.
    fn set_aside(&self, key: &StoreKey) -> Result<Option<Stored>, Error> {
        let why = match self.read(key) {
            Ok(stored) => return Ok(stored),
            Err(Unreadable::Other(error)) => return Err(error),
            Err(Unreadable::Broken(why)) => why,
        };
        let path = self.record.display();
        let aside = beside(&self.record, &format!("{BROKEN}{}", unix_micros()));
        Err(match fs::rename(&self.record, &aside) {
            Ok(()) => Error::store(format!(
                "the token file {path} cannot be used: {why}; it was renamed to {}",
                aside.display()
            ))
            .with_reason(SET_ASIDE),
            Err(error) => Error::store(format!(
                "the token file {path} cannot be used: {why}; renaming the file also failed"
            ))
            .with_source(error),
        })
    }

    fn write(
        &self,
        key: &StoreKey,
        record: &TokenRecord,
        expected: Option<u64>,
    ) -> Result<SaveOutcome, Error> {
        let there = match self.read(key) {
            Ok(stored) => stored.map(|stored| stored.version()),
            Err(Unreadable::Broken(_)) => self.set_aside(key).ok().flatten().map(|s| s.version()),
            Err(Unreadable::Other(error)) => return Err(error),
        };
        if there != expected {
            return Ok(SaveOutcome::Conflict);
        }
        // A new version is based on the clock, so that the version of a removed record is not used
        // again.
        let version = unix_micros().max(there.map_or(1, |there| there.wrapping_add(1)));
        let content = Content {
            format: FORMAT,
            version,
            client_id: key.client_id().to_owned(),
            account: key.account().to_owned(),
            scopes: key.scopes().to_string(),
            record: RawValue::from_string(record.to_json().expose_secret().to_owned())
                .map_err(|error| failed("write", &self.record, error.into()))?,
        };
        let text = serde_json::to_vec(&content)
            .map_err(|error| failed("write", &self.record, error.into()))?;
        self.put(&text, private_file::replace)
            .map_err(|error| failed("write", &self.record, error))?;
        self.remove_left_overs(|name, age| name == NEXT || age > LEFT_OVER && !is_broken(name));
        Ok(SaveOutcome::Saved(version))
    }

    /// Replaces the record, or overwrites it in place if the disk is full.
    fn put(
        &self,
        text: &[u8],
        replace: impl Fn(&Path, &Path, &[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        // If locks have no effect, two processes may write at the same time.
        let next = format!("{NEXT}-{}-{:08x}", std::process::id(), random_number() as u32);
        match replace(&self.record, &beside(&self.record, &next), text) {
            Err(error) if private_file::is_full(&error) => {
                private_file::overwrite(&self.record, text).map_err(|_| error)
            }
            replaced => replaced,
        }
    }

    fn remove(&self) -> Result<(), Error> {
        private_file::remove(&self.record)
            .and_then(|()| {
                self.remove_left_overs(|_, _| true);
                match self.record.parent() {
                    Some(directory) if directory.exists() => {
                        private_file::sync_directory(&self.record)
                    }
                    _ => Ok(()),
                }
            })
            .map_err(|error| failed("remove", &self.record, error))
    }

    /// Removes other files with tokens of this key: incomplete files from a crash, and renamed
    /// broken files. `which` selects files by file name suffix and age.
    fn remove_left_overs(&self, which: impl Fn(&str, Duration) -> bool) {
        let (Some(directory), Some(name)) = (self.record.parent(), self.record.file_name()) else {
            return;
        };
        let (Ok(files), Some(name)) = (fs::read_dir(directory), name.to_str()) else { return };
        for file in files.flatten() {
            let found = file.file_name();
            let end = found.to_str().and_then(|found| found.strip_prefix(name));
            let Some(end) = end.filter(|end| end.starts_with(NEXT) || is_broken(end)) else {
                continue;
            };
            let modified = file.metadata().and_then(|metadata| metadata.modified());
            let age = modified.ok().and_then(|at| at.elapsed().ok()).unwrap_or_default();
            if which(end, age) {
                // An error is ignored, because another process may have removed the file.
                let _ = fs::remove_file(file.path());
            }
        }
    }

    /// Opens a lock file. Returns `None` if the disk has no space for the file.
    fn open_lock(&self, purpose: Purpose) -> Result<Option<File>, Error> {
        let path = match purpose {
            Purpose::Write => &self.writing,
            Purpose::Refresh => &self.refreshing,
        };
        match private_file::open_lock(path) {
            Ok(file) => Ok(Some(file)),
            Err(Unusable::Io(error)) if private_file::is_full(&error) => Ok(None),
            Err(error) => Err(unusable("lock", path, error)),
        }
    }
}

/// Parses the content of a file.
fn parse(text: &[u8], key: &StoreKey, path: &Path) -> Result<Stored, Unreadable> {
    if text.is_empty() {
        return Err(Unreadable::Broken("the file is empty".to_owned()));
    }
    let wrong = |why: &str| {
        let path = path.display();
        Unreadable::Other(Error::configuration(format!("the token file {path} {why}")))
    };
    // The format is checked first, because a newer version of this library may have changed all
    // other fields.
    let format = serde_json::from_slice::<Format>(text).map(|format| format.format);
    if format.as_ref().is_ok_and(|format| *format > FORMAT.into()) {
        return Err(wrong(
            "was written by a newer version of this library: update the program, or remove the \
             file and sign in again",
        ));
    }
    let content: Content = serde_json::from_slice(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Unreadable::Broken(format!(
            "the JSON is malformed or truncated at line {line}, column {column}"
        ))
    })?;
    let found = StoreKey::new(content.client_id, content.account, &*content.scopes);
    if found != *key {
        return Err(wrong("belongs to another application, account or set of scopes"));
    }
    let record = TokenRecord::from_json(content.record.get())
        .map_err(|error| Unreadable::Broken(error.message().to_owned()))?;
    Ok(Stored::new(record, content.version))
}

/// Parses a file as [`FileStore`] does, for fuzzing. Returns `None` if the text contains no record.
#[cfg(feature = "fuzzing")]
pub(crate) fn parse_for_fuzzing(text: &[u8]) -> Option<TokenRecord> {
    let key = StoreKey::new("client", "account", "streaming");
    parse(text, &key, Path::new("file")).ok().map(Stored::into_record)
}

/// File name suffixes of incomplete files and of broken files.
const NEXT: &str = ".new";
const BROKEN: &str = ".broken-";

fn is_broken(end: &str) -> bool {
    end.starts_with(BROKEN)
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(end);
    path.into()
}

/// Waits for a lock. The lock is released when the file is closed, and therefore also when the
/// process ends. Returns `None` if the file system does not support locks. Without locks, only the
/// versions of the records prevent conflicts.
async fn lock(files: Files, purpose: Purpose) -> Result<Option<File>, Error> {
    let record = files.record.clone();
    let Some(mut file) = blocking(move || files.open_lock(purpose)).await? else {
        return Ok(None);
    };
    let limit = match purpose {
        Purpose::Write => WRITE,
        Purpose::Refresh => REFRESH,
    };
    let end = Instant::now() + limit;
    let mut pause = Duration::from_millis(2);
    loop {
        let (tried, back) = blocking(move || Ok::<_, Error>((file.try_lock(), file))).await?;
        match tried {
            Ok(()) => return Ok(Some(back)),
            Err(TryLockError::WouldBlock) if Instant::now() < end => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::new(
                    ErrorKind::Timeout,
                    format!(
                        "another process has held the lock of the token file {} for {limit:?}",
                        record.display()
                    ),
                ));
            }
            // The file system does not support locks.
            Err(TryLockError::Error(_)) => return Ok(None),
        }
        file = back;
        sleep(pause.mul_f64(0.5 + jitter())).await;
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// Microseconds since 1970.
fn unix_micros() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_micros()).unwrap_or_default()
}

/// Runs work on a thread that may block.
async fn blocking<T, E, F>(work: F) -> Result<T, E>
where
    F: FnOnce() -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        Err(Error::store("the tokio runtime shut down while a token file was in use").into())
    })
}

impl From<Error> for Unreadable {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

fn failed(what: &str, path: &Path, error: io::Error) -> Error {
    Error::store(format!("cannot {what} the token file {}: {error}", path.display()))
        .with_source(error)
}

fn unusable(what: &str, path: &Path, error: Unusable) -> Error {
    let display = path.display();
    match error {
        Unusable::Io(error) => failed(what, path, error),
        Unusable::Unsafe(why) => Error::store(format!("the token file {display} {why}")),
        Unusable::TooLarge => {
            Error::store(format!("the token file {display} is larger than 1 MiB"))
        }
    }
}

/// Returns a readable file name that every file system accepts. The name ends with a hash of the
/// whole key.
fn file_name(key: &StoreKey) -> String {
    let readable = |text: &str| -> String {
        text.chars()
            .map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' })
            .take(32)
            .collect()
    };
    // FNV-1a never changes, unlike the hashes of the standard library.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in format!("{}\0{}\0{}", key.client_id(), key.account(), key.scopes()).bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!("{}-{}-{hash:016x}", readable(key.client_id()), readable(key.account()))
}

fn default_directory(
    os: &str,
    variable: impl Fn(&str) -> Option<PathBuf>,
    home: Option<PathBuf>,
) -> Option<PathBuf> {
    // A relative path would depend on the directory in which the program is started.
    let absolute = |name: &str| variable(name).filter(|path| path.is_absolute());
    let base = match os {
        "windows" => absolute("LOCALAPPDATA")?,
        "macos" | "ios" => home?.join("Library").join("Application Support"),
        _ => absolute("XDG_STATE_HOME").or_else(|| Some(home?.join(".local").join("state")))?,
    };
    Some(base.join("spot-sdk").join("tokens"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_record_is_overwritten_in_place_if_the_disk_is_full() {
        let directory = tempfile::tempdir().unwrap();
        let store = FileStore::new(directory.path());
        let key = StoreKey::new("abc123", "me", "streaming");
        let files = store.files(&key);
        let full = |_: &Path, _: &Path, _: &[u8]| Err(io::ErrorKind::StorageFull.into());
        let error = files.put(b"first", full).unwrap_err();
        assert!(private_file::is_full(&error), "the error must say that the disk is full");
        files.put(b"first", private_file::replace).unwrap();
        files.put(b"second", full).unwrap();
        assert_eq!(fs::read(&files.record).unwrap(), b"second");
        let broken = |_: &Path, _: &Path, _: &[u8]| Err(io::ErrorKind::PermissionDenied.into());
        files.put(b"third", broken).unwrap_err();
        assert_eq!(
            fs::read(&files.record).unwrap(),
            b"second",
            "a write without permission must not change the record"
        );
    }

    #[test]
    fn file_names_are_readable_and_unique() {
        let name = |client: &str, account: &str, scopes: &str| {
            file_name(&StoreKey::new(client, account, scopes))
        };
        let plain = name("abc123", "default", "streaming");
        assert!(plain.starts_with("abc123-default-"), "{plain}");
        assert_eq!(plain, name("abc123", "default", "streaming"), "it stays the same");
        let others = [
            name("abc123", "default", ""),
            name("abc123", "default/../x", "streaming"),
            name("abc123", "d\u{e9}fault", "streaming"),
            name("abc123", &"x".repeat(1_000), "streaming"),
            name("abc12", "3default", "streaming"),
        ];
        for other in others {
            assert_ne!(other, plain);
            assert!(other.len() < 100 && !other.contains(['/', '.', '\\']), "{other}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_default_directory_follows_the_platform_convention() {
        let at = |os: &str, name: &'static str, value: &'static str| {
            let variable = move |asked: &str| (asked == name).then(|| PathBuf::from(value));
            default_directory(os, variable, Some("/home/me".into())).unwrap().display().to_string()
        };
        assert_eq!(at("linux", "-", ""), "/home/me/.local/state/spot-sdk/tokens");
        assert_eq!(at("linux", "XDG_STATE_HOME", "/state"), "/state/spot-sdk/tokens");
        let relative = at("linux", "XDG_STATE_HOME", "here");
        assert_eq!(relative, "/home/me/.local/state/spot-sdk/tokens", "never relative");
        assert_eq!(at("macos", "-", ""), "/home/me/Library/Application Support/spot-sdk/tokens");
        assert_eq!(at("windows", "LOCALAPPDATA", "/c"), "/c/spot-sdk/tokens");
        assert_eq!(default_directory("linux", |_| None, None), None);
    }
}
