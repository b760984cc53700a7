//! Records in files.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use async_trait::async_trait;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use spot_http::{Error, ErrorKind};
use tokio::time::{Instant, sleep};

use crate::store::{
    record::TokenRecord,
    token_store::{SaveOutcome, StoreKey, StoreLock, Stored, TokenStore},
};

/// Keeps each record in a file of its own, in one directory.
///
/// The files, and the directory if the store makes it, are readable by their owner only from the
/// moment they exist (on Unix; elsewhere the permissions are inherited). A file is replaced
/// as a whole: whenever the program or the machine stops, there is the old record or the new one.
/// Any number of processes on one machine may share a directory. On network drives that do not
/// implement locks two processes may refresh at once; the versions of the records then keep a stale
/// one from replacing a new one, most of the time.
///
/// A file that cannot be read is an error once, and set aside under another name.
#[derive(Clone, Debug)]
pub struct FileStore {
    directory: PathBuf,
}

/// How long to wait for another process that refreshes, which may need several attempts for it.
const REFRESH: Duration = Duration::from_secs(60);

/// How long to wait for another process that writes.
const WRITE: Duration = Duration::from_secs(10);

/// The form of the files that this version writes.
const FORMAT: u32 = 1;

impl FileStore {
    /// A store in a directory, which is made when something is written.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    /// The store of the user this program runs as, in the place that the platform has for it:
    /// `spot-sdk/tokens` below `$XDG_STATE_HOME` or `~/.local/state`, on macOS below
    /// `~/Library/Application Support`, on Windows below `%LOCALAPPDATA%`.
    ///
    /// # Errors
    ///
    /// [`Configuration`](crate::ErrorKind::Configuration) if the user has no home directory.
    pub fn in_default_directory() -> Result<Self, Error> {
        default_directory(
            std::env::consts::OS,
            |name| std::env::var_os(name).map(PathBuf::from),
            std::env::home_dir(),
        )
        .map(Self::new)
        .ok_or_else(|| {
            Error::configuration("there is no home directory to keep tokens in; name a directory")
        })
    }

    /// The directory the files are in.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The file that keeps the record under a key.
    pub fn path(&self, key: &StoreKey) -> PathBuf {
        self.files(key).record
    }

    fn files(&self, key: &StoreKey) -> Files {
        let name = file_name(key);
        let path = |suffix: &str| self.directory.join(format!("{name}{suffix}"));
        Files {
            directory: self.directory.clone(),
            record: path(".json"),
            next: path(".json.new"),
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
            // Somebody else may be setting the file aside at this moment, or have replaced it.
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
        // The lock goes along, so that a caller who leaves does not open it under the writer.
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
        lock(self.files(key), Purpose::Refresh).await.map(StoreLock::new)
    }
}

/// The files of one key.
#[derive(Clone, Debug)]
struct Files {
    directory: PathBuf,
    record: PathBuf,
    /// The record that is being written. Only the holder of the lock for writing touches it.
    next: PathBuf,
    /// The lock is never on the record itself, which is another file after each save.
    writing: PathBuf,
    refreshing: PathBuf,
}

#[derive(Clone, Copy, Debug)]
enum Purpose {
    Write,
    Refresh,
}

/// Why there is no record.
enum Unreadable {
    /// The content is no record.
    Broken(String),
    Other(Error),
}

/// A file, as it is written. The key is in it, since the name only tells most keys apart.
#[derive(Serialize, Deserialize)]
struct Page {
    format: u32,
    version: u64,
    client_id: String,
    account: String,
    scopes: String,
    record: Box<RawValue>,
}

impl Files {
    fn read(&self, key: &StoreKey) -> Result<Option<Stored>, Unreadable> {
        let text = match fs::read(&self.record) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Unreadable::Other(failed("read", &self.record, error))),
        };
        if text.is_empty() {
            return Err(Unreadable::Broken("it is empty".to_owned()));
        }
        let page: Page = serde_json::from_slice(&text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            Unreadable::Broken(format!("it breaks off or is wrong at line {line}, column {column}"))
        })?;
        let wrong = |why: &str| {
            let path = self.record.display();
            Unreadable::Other(Error::new(ErrorKind::Store, format!("the token file {path} {why}")))
        };
        if page.format != FORMAT {
            return Err(wrong("was written by a newer version of this library"));
        }
        let theirs = StoreKey::new(page.client_id, page.account, &*page.scopes);
        if theirs != *key {
            return Err(wrong("belongs to another application, account or set of scopes"));
        }
        let record = TokenRecord::from_json(page.record.get())
            .map_err(|error| Unreadable::Broken(error.message().to_owned()))?;
        Ok(Some(Stored::new(record, page.version)))
    }

    /// Renames a file that is still broken, and says so.
    fn set_aside(&self, key: &StoreKey) -> Result<Option<Stored>, Error> {
        let why = match self.read(key) {
            Ok(stored) => return Ok(stored),
            Err(Unreadable::Other(error)) => return Err(error),
            Err(Unreadable::Broken(why)) => why,
        };
        let path = self.record.display();
        let mut aside = self.record.clone().into_os_string();
        aside.push(format!(".broken-{}", micros()));
        let aside = PathBuf::from(aside);
        Err(match fs::rename(&self.record, &aside) {
            Ok(()) => Error::new(
                ErrorKind::Store,
                format!(
                    "the token file {path} cannot be used: {why}; it is kept as {}",
                    aside.display()
                ),
            ),
            Err(error) => Error::new(
                ErrorKind::Store,
                format!("the token file {path} cannot be used: {why}; nor can it be set aside"),
            )
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
        // Versions grow with the clock, so that one that was removed does not come again.
        let version = micros().max(there.map_or(1, |there| there.wrapping_add(1)));
        let page = Page {
            format: FORMAT,
            version,
            client_id: key.client_id().to_owned(),
            account: key.account().to_owned(),
            scopes: key.scopes().to_string(),
            record: RawValue::from_string(record.to_json().expose_secret().to_owned())
                .map_err(|error| failed("write", &self.record, error.into()))?,
        };
        let text = serde_json::to_vec(&page)
            .map_err(|error| failed("write", &self.record, error.into()))?;
        self.replace(&text).map_err(|error| failed("write", &self.record, error))?;
        Ok(SaveOutcome::Saved(version))
    }

    /// Puts a new file in the place of the old one, all of it or nothing.
    fn replace(&self, text: &[u8]) -> io::Result<()> {
        // Left there by a process that was killed.
        match fs::remove_file(&self.next) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = private().write(true).create_new(true).open(&self.next)?;
        file.write_all(text)?;
        file.sync_all()?;
        drop(file);
        fs::rename(&self.next, &self.record)?;
        sync_directory(&self.directory)
    }

    fn remove(&self) -> Result<(), Error> {
        match fs::remove_file(&self.record) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(failed("remove", &self.record, error)),
            Ok(()) => sync_directory(&self.directory)
                .map_err(|error| failed("remove", &self.record, error)),
        }
    }

    fn open_lock(&self, purpose: Purpose) -> Result<File, Error> {
        let path = match purpose {
            Purpose::Write => &self.writing,
            Purpose::Refresh => &self.refreshing,
        };
        make_directory(&self.directory)
            .and_then(|()| private().write(true).create(true).truncate(false).open(path))
            .map_err(|error| failed("lock", path, error))
    }
}

/// Waits for a lock, which ends with its file handle, and so with the process.
async fn lock(files: Files, purpose: Purpose) -> Result<File, Error> {
    let record = files.record.clone();
    let mut file = blocking(move || files.open_lock(purpose)).await?;
    let limit = match purpose {
        Purpose::Write => WRITE,
        Purpose::Refresh => REFRESH,
    };
    let end = Instant::now() + limit;
    let mut pause = Duration::from_millis(2);
    loop {
        let (tried, back) = blocking(move || Ok::<_, Error>((file.try_lock(), file))).await?;
        match tried {
            Ok(()) => return Ok(back),
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
            Err(TryLockError::Error(error)) => return Err(failed("lock", &record, error)),
        }
        file = back;
        sleep(pause.mul_f64(0.5 + fastrand::f64())).await;
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// Microseconds since 1970.
fn micros() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_micros()).unwrap_or_default()
}

/// Runs on a thread that may block.
async fn blocking<T, E, F>(work: F) -> Result<T, E>
where
    F: FnOnce() -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        Err(Error::new(ErrorKind::Store, "the runtime ended while a token file was in use").into())
    })
}

impl From<Error> for Unreadable {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

fn failed(what: &str, path: &Path, error: io::Error) -> Error {
    Error::new(
        ErrorKind::Store,
        format!("cannot {what} the token file {}: {error}", path.display()),
    )
    .with_source(error)
}

/// A file that only its owner reads, from the beginning.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn make_directory(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// A rename lasts once its directory is written. Windows has no such call, and needs none.
#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> io::Result<()> {
    Ok(())
}

/// A name that a person recognises and that any file system takes. What is left out of it is in the
/// number at its end.
fn file_name(key: &StoreKey) -> String {
    let readable = |text: &str| -> String {
        text.chars()
            .map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' })
            .take(32)
            .collect()
    };
    // FNV-1a, which stays the same in every version, unlike the hashes of the standard library.
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
    // A relative path would make the place depend on where the program is started.
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

    #[test]
    fn names_are_readable_and_different() {
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
    fn the_default_directory_is_the_platforms() {
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
