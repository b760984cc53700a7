//! The rate limiter for short-lived programs on one machine. The programs share a file.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::{runtime::Handle, time::Instant};

use crate::{
    Error, Limits, LocalLimiter, RateLimit,
    failure::random_number,
    rate_limit::{
        limiter::{AttemptEnd, Feedback, Permit, PermitRequest, RateLimiter},
        local::Absorb,
    },
    task::Work,
};

/// A [`LocalLimiter`] that stores its state in a file, for programs that run often and briefly.
///
/// Use this limiter, for example, if a timer starts your program every minute. Each run of the
/// program loads the state that earlier runs saved in the file. The saved state contains the rate
/// limit, the pauses after a 429, and the number of calls that still count against the rate limit.
/// Several processes may share a file. Each process updates the file at most once a second: it
/// loads the state of the other processes and writes its own state.
///
/// The file is replaced as a whole, so that a crash leaves either the old or the new content. The
/// file contains no secrets. If the file cannot be read or written, no call fails: the limiter
/// continues without the file and logs a warning.
///
/// ```no_run
/// # fn main() -> Result<(), spot_http::Error> {
/// use spot_http::{AccessToken, FileLimiter, Pipeline, RateLimit};
///
/// let limiter = FileLimiter::open("rate-limit.json", RateLimit::learned());
/// let pipeline = Pipeline::builder(AccessToken::new("a token")?).rate_limiter(limiter).build()?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct FileLimiter {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    local: LocalLimiter,
    path: PathBuf,
    /// The name of this process in the file.
    process: String,
    writing: Mutex<Writing>,
}

#[derive(Debug, Default)]
struct Writing {
    last: Option<Instant>,
    /// Whether a write is running or scheduled.
    is_scheduled: bool,
}

/// Minimum time between two writes.
const EVERY: Duration = Duration::from_secs(1);

/// How long to wait for another process that is writing.
const LOCK: Duration = Duration::from_secs(1);

/// The content of the file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Content {
    /// The state of each process. The key is the name of the process.
    processes: BTreeMap<String, Limits>,
}

impl FileLimiter {
    /// Creates a limiter with this pacing, and loads its state from a file. The first write creates
    /// the file and its directory.
    ///
    /// The file is read before the function returns.
    pub fn open(path: impl Into<PathBuf>, limit: RateLimit) -> Self {
        let path = path.into();
        let local = LocalLimiter::new(&limit);
        let content = read(&path).unwrap_or_else(|error| {
            warn(&path, "read", &error);
            Content::default()
        });
        local.absorb(content.processes.values(), Absorb::AtStart);
        let process = format!("{}-{:016x}", std::process::id(), random_number());
        let writing = Mutex::default();
        Self { shared: Arc::new(Shared { local, path, process, writing }) }
    }
}

#[async_trait]
impl RateLimiter for FileLimiter {
    async fn acquire(&self, request: PermitRequest) -> Result<Box<dyn Permit>, Error> {
        let inner = self.shared.local.acquire(request).await?;
        Ok(Box::new(FilePermit { inner: Some(inner), shared: Arc::clone(&self.shared) }))
    }

    fn limits(&self) -> Limits {
        self.shared.local.limits()
    }
}

impl Shared {
    /// Schedules a write in a task.
    fn schedule(self: &Arc<Self>) {
        let mut writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        if writing.is_scheduled {
            return;
        }
        // Without a runtime, the file is written when the limiter is dropped.
        let Ok(runtime) = Handle::try_current() else { return };
        writing.is_scheduled = true;
        let at = writing.last.map_or_else(Instant::now, |last| last + EVERY);
        drop(writing);
        let weak = Arc::downgrade(self);
        runtime.spawn::<Work>(Box::pin(async move {
            tokio::time::sleep_until(at).await;
            let Some(shared) = weak.upgrade() else { return };
            {
                let mut writing = shared.writing.lock().unwrap_or_else(PoisonError::into_inner);
                *writing = Writing { last: Some(Instant::now()), is_scheduled: false };
            }
            // The write runs in the background, and nothing waits for it.
            drop(tokio::task::spawn_blocking(move || shared.write()));
        }));
    }

    fn write(&self) {
        if let Err(error) = self.exchange() {
            warn(&self.path, "written", &error);
        }
    }

    /// Loads the state of the other processes, and writes the state of this process to the file.
    fn exchange(&self) -> io::Result<()> {
        if let Some(directory) = self.path.parent().filter(|path| !path.as_os_str().is_empty()) {
            fs::create_dir_all(directory)?;
        }
        let _lock = lock(&sibling(&self.path, ".lock"))?;
        // If the file is broken, it is replaced.
        let mut content = read(&self.path).unwrap_or_default();
        content.processes.remove(&self.process);
        self.local.absorb(content.processes.values(), Absorb::WhileRunning);
        // This process has now loaded the limits and blocks of the other processes. An entry of
        // another process stays in the file only while calls of that process use slots.
        let wall = SystemTime::now();
        content.processes.retain(|_, limits| limits.has_slots(wall));
        content.processes.insert(self.process.clone(), self.local.own_limits());
        let text = serde_json::to_vec(&content).map_err(io::Error::other)?;
        // The data is not flushed to the disk, because the limiter also works with an old or broken
        // file.
        let next = sibling(&self.path, ".new");
        fs::write(&next, text)?;
        fs::rename(&next, &self.path)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // A short-lived program drops the limiter when the program exits. The next run needs the
        // latest state.
        self.write();
    }
}

/// Wraps the permit of the local limiter. Schedules a write when the attempt ends.
#[derive(Debug)]
struct FilePermit {
    inner: Option<Box<dyn Permit>>,
    shared: Arc<Shared>,
}

impl Permit for FilePermit {
    fn sent(&mut self, now: Instant) {
        if let Some(inner) = &mut self.inner {
            inner.sent(now);
        }
    }

    fn finish(mut self: Box<Self>, end: AttemptEnd<'_>) -> Feedback {
        let feedback = self.inner.take().map(|inner| inner.finish(end)).unwrap_or_default();
        self.shared.schedule();
        feedback
    }
}

impl Drop for FilePermit {
    fn drop(&mut self) {
        // The permit was dropped before `finish`. `take` drops the inner permit, so that the local
        // limiter records the drop before the write is scheduled.
        if self.inner.take().is_some() {
            self.shared.schedule();
        }
    }
}

fn read(path: &Path) -> io::Result<Content> {
    match fs::read(path) {
        Ok(text) => serde_json::from_slice(&text).map_err(io::Error::other),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Content::default()),
        Err(error) => Err(error),
    }
}

/// Takes the lock of the file. The lock is released when the handle is closed or the process exits.
fn lock(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
    let start = std::time::Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(fs::TryLockError::WouldBlock) if start.elapsed() < LOCK => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(fs::TryLockError::WouldBlock) => {
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "another process holds the lock of the file",
                ));
            }
            Err(fs::TryLockError::Error(error)) => return Err(error),
        }
    }
}

fn sibling(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn warn(path: &Path, verb: &str, error: &io::Error) {
    tracing::warn!(path = %path.display(), %error, "the rate limit file cannot be {verb}");
}
