//! A Redis or Valkey server for tests and examples.
//!
//! Each server is a separate process with its own free port and folder. A server does not save its
//! keys to the disk, so a restart loses them. The server stops when the value is dropped, when the
//! test panics, or when the test process is killed.
//!
//! ```no_run
//! use spot_redis::test::RedisServer;
//!
//! # fn main() -> std::io::Result<()> {
//! let server = RedisServer::start()?;
//! let client = redis::Client::open(server.url());
//! server.freeze()?; // It accepts connections and answers nothing.
//! server.thaw()?;
//! server.restart()?; // On the same port, without any key.
//! # drop(client);
//! # Ok(()) }
//! ```

use std::{
    collections::BTreeMap,
    env, fmt, fs,
    io::{self, BufRead, BufReader, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use redis::FromRedisValue;

/// Time limit for the start of a server.
const START_LIMIT: Duration = Duration::from_secs(15);

/// Time limit for a command.
const COMMAND_LIMIT: Duration = Duration::from_secs(3);

/// Names of the programs to look for in `PATH`.
const PROGRAMS: [&str; 2] = ["redis-server", "valkey-server"];

/// A running `redis-server` or `valkey-server`.
pub struct RedisServer {
    program: PathBuf,
    folder: PathBuf,
    port: u16,
    arguments: Vec<String>,
    process: Mutex<Option<Process>>,
}

/// The process of a server.
struct Process {
    server: Child,
    /// A shell that kills the server if the test process ends without killing the server.
    guard: Child,
    /// Pipe to the standard input of `guard`. The operating system closes this pipe when the test
    /// process ends, and the shell then kills the server.
    pipe: ChildStdin,
}

/// The commands that a server has received, in the output format of `MONITOR`.
#[derive(Clone, Debug)]
pub struct CommandLog(Arc<Mutex<Vec<String>>>);

impl RedisServer {
    /// Returns the path of the server program. The environment variable `REDIS_SERVER` can set this
    /// path. If the variable is not set, the method looks for `redis-server` and `valkey-server` in
    /// `PATH`, and returns `None` if neither is installed.
    pub fn program() -> Option<PathBuf> {
        if let Some(program) = env::var_os("REDIS_SERVER").filter(|program| !program.is_empty()) {
            return Some(program.into());
        }
        let path = env::var_os("PATH").unwrap_or_default();
        PROGRAMS.iter().find_map(|program| {
            env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
        })
    }

    /// Starts a server.
    ///
    /// # Errors
    ///
    /// Fails if no program is found, or if the server does not start.
    pub fn start() -> io::Result<Self> {
        Self::start_with(&[])
    }

    /// Starts a server with additional command-line arguments, such as `["--appendonly", "yes"]`.
    ///
    /// # Errors
    ///
    /// Fails if no program is found, or if the server does not start.
    pub fn start_with(arguments: &[&str]) -> io::Result<Self> {
        static STARTED: AtomicU64 = AtomicU64::new(0);
        let program = Self::program().ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::NotFound,
                "neither redis-server nor valkey-server is on PATH: install one of them, or set \
                 REDIS_SERVER to the path of the program",
            )
        })?;
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let folder =
            env::temp_dir().join(format!("spot-redis-test-{}-{number}", std::process::id()));
        let arguments: Vec<_> = arguments.iter().map(|&argument| argument.to_owned()).collect();
        // Another process may take the port before the server does.
        let mut tried = 0;
        loop {
            let server = Self {
                program: program.clone(),
                folder: folder.clone(),
                port: TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port(),
                arguments: arguments.clone(),
                process: Mutex::new(None),
            };
            match server.restart() {
                Ok(()) => return Ok(server),
                Err(error) if tried == 2 => return Err(error),
                Err(_) => tried += 1,
            }
        }
    }

    /// The server's port on `127.0.0.1`.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server's URL, such as `redis://127.0.0.1:6379`.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Sends a command and returns the response.
    ///
    /// # Errors
    ///
    /// Fails if the server does not respond within three seconds, or responds with an error.
    pub fn command<T: FromRedisValue>(&self, command: &[&str]) -> io::Result<T> {
        let client = redis::Client::open(self.url()).map_err(io::Error::other)?;
        let mut connection =
            client.get_connection_with_timeout(COMMAND_LIMIT).map_err(io::Error::other)?;
        connection.set_read_timeout(Some(COMMAND_LIMIT)).map_err(io::Error::other)?;
        let mut parts = redis::Cmd::new();
        parts.arg(command);
        parts.query(&mut connection).map_err(io::Error::other)
    }

    /// Returns how often each command was run since the server started, or since the last `CONFIG
    /// RESETSTAT`. The keys are the command names in lower case. The counts include the commands
    /// inside scripts.
    ///
    /// # Errors
    ///
    /// Fails if the server does not respond.
    pub fn command_counts(&self) -> io::Result<BTreeMap<String, u64>> {
        let text: String = self.command(&["INFO", "commandstats"])?;
        let counts = text.lines().filter_map(|line| {
            let (name, numbers) = line.strip_prefix("cmdstat_")?.split_once(':')?;
            let calls = numbers.split(',').find_map(|number| number.strip_prefix("calls="))?;
            Some((name.to_owned(), calls.parse().ok()?))
        });
        Ok(counts.collect())
    }

    /// Records every command that the server receives from now on.
    ///
    /// # Errors
    ///
    /// Fails if the server cannot be reached.
    pub fn record_commands(&self) -> io::Result<CommandLog> {
        let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        connection.write_all(b"MONITOR\r\n")?;
        let mut lines = BufReader::new(connection).lines();
        // The first line is the response to `MONITOR` itself. All later lines are recorded.
        lines.next().transpose()?;
        let log = CommandLog(Arc::default());
        let written = log.clone();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                written.lines_mut().push(line);
            }
        });
        Ok(log)
    }

    /// Suspends the process (`SIGSTOP`): the server accepts connections but does not respond.
    ///
    /// # Errors
    ///
    /// Fails if the process is not running.
    pub fn freeze(&self) -> io::Result<()> {
        self.signal("STOP")
    }

    /// Resumes the process after [`freeze`](Self::freeze) (`SIGCONT`).
    ///
    /// # Errors
    ///
    /// Fails if the process is not running.
    pub fn thaw(&self) -> io::Result<()> {
        self.signal("CONT")
    }

    /// Kills the process (`SIGKILL`). New connections are refused until [`restart`](Self::restart)
    /// is called.
    pub fn kill(&self) {
        let process = self.process().take();
        drop(process);
    }

    /// Kills the process if it is running, and starts a new process on the same port. The server
    /// loses all keys, unless it was started with arguments that save the keys to the disk.
    ///
    /// # Errors
    ///
    /// Fails if the server does not start.
    pub fn restart(&self) -> io::Result<()> {
        self.kill();
        fs::create_dir_all(&self.folder)?;
        let log = self.folder.join("log");
        let mut server = Command::new(&self.program)
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .args(["--port", &self.port.to_string()])
            .arg("--dir")
            .arg(&self.folder)
            .arg("--logfile")
            .arg(&log)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| {
                io::Error::new(error.kind(), format!("{}: {error}", self.program.display()))
            })?;
        let (guard, pipe) = match guard(server.id(), &self.folder) {
            Ok(guard) => guard,
            Err(error) => {
                // Dropping `server` would not stop its process.
                let _ = server.kill();
                let _ = server.wait();
                return Err(error);
            }
        };
        let id = server.id().to_string();
        *self.process() = Some(Process { server, guard, pipe });
        let start = Instant::now();
        loop {
            // Another server may be listening on the port.
            let answer = self.command::<String>(&["INFO", "server"]).unwrap_or_default();
            let answers = answer.lines().any(|line| line.strip_prefix("process_id:") == Some(&id));
            if answers {
                return Ok(());
            }
            let ended = match self.process().as_mut() {
                Some(process) => process.server.try_wait()?.is_some(),
                None => true,
            };
            if ended || start.elapsed() > START_LIMIT {
                self.kill();
                let log = fs::read_to_string(&log).unwrap_or_default();
                let last = log.lines().last().unwrap_or_default();
                return Err(io::Error::other(format!(
                    "{} did not start on port {}: {last}",
                    self.program.display(),
                    self.port
                )));
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn process(&self) -> MutexGuard<'_, Option<Process>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn signal(&self, name: &str) -> io::Result<()> {
        let process = self.process();
        let process = process
            .as_ref()
            .ok_or_else(|| io::Error::other("the server is not running, because it was killed"))?;
        let id = process.server.id().to_string();
        let status = Command::new("kill").args(["-s", name, &id]).status()?;
        match status.success() {
            true => Ok(()),
            false => {
                Err(io::Error::other(format!("cannot send the signal {name} to process {id}")))
            }
        }
    }
}

/// Starts a shell that waits for a line from the returned pipe. If the pipe is closed before a line
/// arrives, the shell kills the server process and removes `folder`.
fn guard(process: u32, folder: &Path) -> io::Result<(Child, ChildStdin)> {
    let mut guard = Command::new("sh")
        .args(["-c", r#"read -r line || { kill -9 "$1"; rm -rf "$2"; }"#, "sh"])
        .arg(process.to_string())
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let pipe =
        guard.stdin.take().ok_or_else(|| io::Error::other("the shell has no standard input"))?;
    Ok((guard, pipe))
}

impl Drop for Process {
    fn drop(&mut self) {
        // Errors are ignored: they occur only if the process or the guard has already ended.
        let _ = self.server.kill();
        let _ = self.server.wait();
        let _ = self.pipe.write_all(b"\n");
        let _ = self.guard.wait();
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
        // A failure is harmless: some files remain in the folder for temporary files.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl fmt::Debug for RedisServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisServer")
            .field("program", &self.program)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

impl CommandLog {
    /// Returns the commands that the server has received so far, one per line. Each line starts
    /// with the time and the address of the client.
    pub fn lines(&self) -> Vec<String> {
        self.lines_mut().clone()
    }

    fn lines_mut(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
