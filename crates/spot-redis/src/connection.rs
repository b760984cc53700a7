//! The connection to the server.
//!
//! All I/O runs on a separate thread, so that several async runtimes can share the connection. The
//! connection still works if the application shuts down a runtime, or does not poll a runtime for
//! some time.

use std::{
    convert::Infallible,
    fmt, io,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak},
    time::Duration,
};

use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, ErrorKind, FromRedisValue,
    IntoConnectionInfo as _, RedisError, ServerErrorKind, Value,
    aio::{ConnectionLike as _, MultiplexedConnection},
};
use spot_http::Error;
use tokio::{
    runtime::{Builder, Handle},
    sync::{Notify, oneshot},
    time::{Instant, sleep, timeout_at},
};

use crate::script::ScriptCall;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const RESPONSE_TIMEOUT: Duration = Duration::from_millis(500);

/// Length of the wait after the first failed attempt to connect. The wait doubles after each
/// attempt, up to `LONGEST_PAUSE`.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A handle to a Redis or Valkey server, shared by limiters and stores.
///
/// Cloning is cheap, and clones share one connection. Creating a handle performs no I/O: the first
/// command opens the connection. A broken connection is re-established automatically. While the
/// server is unavailable, one task tries to reconnect, and every command fails immediately.
///
/// Any number of processes, applications and users can use one server. Handles with different
/// prefixes use different keys.
///
/// ```no_run
/// # async fn run() -> Result<(), spot_http::Error> {
/// use spot_redis::Redis;
///
/// let redis = Redis::open("redis://localhost:6379")?;
/// redis.ping().await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Redis {
    inner: Arc<Inner>,
}

/// Builder of a [`Redis`] handle.
#[must_use = "a builder does nothing until `build` is called"]
#[derive(Clone)]
pub struct RedisBuilder {
    url: String,
    #[cfg(feature = "cluster")]
    is_cluster: bool,
    #[cfg(feature = "cluster")]
    more_nodes: Vec<String>,
    prefix: String,
    connect_timeout: Duration,
    response_timeout: Duration,
    #[cfg(any(feature = "rustls", feature = "native-tls"))]
    root_certificate: Option<Vec<u8>>,
}

impl Redis {
    /// Creates a handle with default settings. The URL is
    /// `redis://[user:password@]host[:port][/database]`. A URL that starts with `rediss://` uses
    /// TLS, and needs the feature `rustls` or `native-tls`.
    ///
    /// # Errors
    ///
    /// Fails with [`Configuration`](spot_http::ErrorKind::Configuration) if the URL is malformed.
    pub fn open(url: impl Into<String>) -> Result<Self, Error> {
        Self::builder(url).build()
    }

    /// Creates a builder with the default settings. The format of the URL is described at
    /// [`open`](Self::open).
    pub fn builder(url: impl Into<String>) -> RedisBuilder {
        RedisBuilder {
            url: url.into(),
            #[cfg(feature = "cluster")]
            is_cluster: false,
            #[cfg(feature = "cluster")]
            more_nodes: Vec::new(),
            prefix: "spot:".to_owned(),
            connect_timeout: CONNECT_TIMEOUT,
            response_timeout: RESPONSE_TIMEOUT,
            #[cfg(any(feature = "rustls", feature = "native-tls"))]
            root_certificate: None,
        }
    }

    /// Sends a `PING` to the server, for health checks.
    ///
    /// # Errors
    ///
    /// Fails with [`Store`](spot_http::ErrorKind::Store) if the server is unavailable, responds too
    /// late, or refuses the connection.
    pub async fn ping(&self) -> Result<(), Error> {
        Ok(self.query::<()>(redis::cmd("PING")).await?)
    }

    /// Prefix of the keys.
    pub(crate) fn prefix(&self) -> &str {
        &self.inner.prefix
    }

    /// Maximum duration of a command or a script, including the time to connect.
    pub(crate) fn connect_timeout(&self) -> Duration {
        self.inner.connect_timeout
    }

    /// Waits until the server is available again.
    pub(crate) async fn until_back(&self) {
        loop {
            let changed = self.inner.changed.notified();
            if !matches!(&*self.inner.link(), Link::Away(_)) {
                return;
            }
            changed.await;
        }
    }

    /// Creates a failure with this message.
    pub(crate) fn failure(&self, message: impl fmt::Display) -> Failure {
        self.inner.failure(message)
    }

    /// Runs a script. The script may run twice if the connection breaks, so it must be safe to
    /// repeat.
    ///
    /// Dropping the future does not stop the script.
    pub(crate) async fn run<T: FromRedisValue>(&self, call: ScriptCall) -> Result<T, Failure> {
        let value = self.background(|inner| async move { inner.run(&call).await }).await?;
        self.inner.convert(value)
    }

    /// Runs a command. The command may run twice if the connection breaks.
    pub(crate) async fn query<T: FromRedisValue>(&self, command: Cmd) -> Result<T, Failure> {
        let value = self.background(|inner| async move { inner.query(&command).await }).await?;
        self.inner.convert(value)
    }

    /// Spawns a future on the thread of the connection. The thread ends when the last handle is
    /// dropped, so the future should own a handle.
    pub(crate) fn spawn(
        &self,
        future: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Failure> {
        self.inner.runtime()?.spawn(future);
        Ok(())
    }

    async fn background<F>(&self, work: impl FnOnce(Arc<Inner>) -> F) -> Result<Value, Failure>
    where
        F: Future<Output = Result<Value, Failure>> + Send + 'static,
    {
        let future = work(Arc::clone(&self.inner));
        let task = self.inner.runtime()?.spawn(future);
        task.await.unwrap_or_else(|_| {
            Err(self.inner.failure("the connection task ended before the response arrived"))
        })
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { address, prefix, .. } = &*self.inner;
        f.debug_struct("Redis")
            .field("address", address)
            .field("prefix", prefix)
            .finish_non_exhaustive()
    }
}

impl RedisBuilder {
    /// Sets the prefix of the keys; `spot:` by default. The prefix must not contain a brace, since
    /// braces determine the hash slot of a key in a cluster.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets the time limit for connecting; 1 s by default. If a command opens the connection, this
    /// time limit includes the wait for the response to the command.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets the time limit for a response of the server; 500 ms by default. If this time limit is
    /// longer than the connect timeout, the connect timeout is used instead. A server that does not
    /// respond in time is treated as unavailable.
    pub fn response_timeout(mut self, timeout: Duration) -> Self {
        self.response_timeout = timeout;
        self
    }

    /// Trusts this certificate authority instead of the certificate authorities of the platform.
    /// `pem` is the CA certificate in PEM format. The URL must begin with `rediss://`.
    #[cfg(any(feature = "rustls", feature = "native-tls"))]
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificate = Some(pem.into());
        self
    }

    /// Enables cluster mode, for a Redis Cluster. `more_nodes` are the URLs of further nodes of the
    /// cluster. If the first node is unavailable, the client asks the other nodes for the layout of
    /// the cluster.
    #[cfg(feature = "cluster")]
    pub fn cluster(mut self, more_nodes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.is_cluster = true;
        self.more_nodes = more_nodes.into_iter().map(Into::into).collect();
        self
    }

    /// Builds the handle.
    ///
    /// # Errors
    ///
    /// Fails with [`Configuration`](spot_http::ErrorKind::Configuration) if a URL is malformed, or
    /// if the prefix contains a brace.
    pub fn build(self) -> Result<Redis, Error> {
        if self.prefix.contains(['{', '}']) {
            let message =
                format!("`prefix` is {:?}; expected a key prefix without braces", self.prefix);
            return Err(Error::configuration(message));
        }
        let info = self.url.as_str().into_connection_info().map_err(|error| malformed(&error))?;
        let address = info.addr().to_string();
        let password = info.redis_settings().password().map(str::to_owned);
        #[cfg(feature = "rustls")]
        if matches!(info.addr(), redis::ConnectionAddr::TcpTls { .. }) {
            install_tls_provider();
        }
        #[cfg(feature = "cluster")]
        let cluster = self.cluster_server()?;
        #[cfg(not(feature = "cluster"))]
        let cluster = None;
        let server = match cluster {
            Some(server) => server,
            None => Server::Single(Box::new(self.client(info).map_err(|error| malformed(&error))?)),
        };
        // A timeout of many years could overflow the deadline, which is an `Instant`.
        let connect_timeout = self.connect_timeout.min(Duration::from_secs(86_400));
        let inner = Inner {
            server,
            address,
            password: password.filter(|password| !password.is_empty()),
            prefix: self.prefix,
            connect_timeout,
            response_timeout: self.response_timeout.min(connect_timeout),
            link: Mutex::new(Link::Idle),
            changed: Notify::new(),
            background: OnceLock::new(),
        };
        Ok(Redis { inner: Arc::new(inner) })
    }

    fn client(&self, info: ConnectionInfo) -> Result<Client, RedisError> {
        #[cfg(any(feature = "rustls", feature = "native-tls"))]
        if let Some(certificates) = self.certificates() {
            return Client::build_with_tls(info, certificates);
        }
        Client::open(info)
    }

    #[cfg(any(feature = "rustls", feature = "native-tls"))]
    fn certificates(&self) -> Option<redis::TlsCertificates> {
        let root_cert = self.root_certificate.clone()?;
        Some(redis::TlsCertificates { client_tls: None, root_cert: Some(root_cert) })
    }

    #[cfg(feature = "cluster")]
    fn cluster_server(&self) -> Result<Option<Server>, Error> {
        if !self.is_cluster {
            return Ok(None);
        }
        let nodes = std::iter::once(&self.url).chain(&self.more_nodes).map(String::as_str);
        let client = redis::cluster::ClusterClient::builder(nodes)
            .connection_timeout(self.connect_timeout)
            .response_timeout(self.response_timeout)
            .retries(3);
        #[cfg(any(feature = "rustls", feature = "native-tls"))]
        let client = match self.certificates() {
            Some(certificates) => client.certs(certificates),
            None => client,
        };
        let client = client.build().map_err(|error| malformed(&error))?;
        Ok(Some(Server::Cluster(Box::new(client))))
    }
}

impl fmt::Debug for RedisBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may contain a password.
        f.debug_struct("RedisBuilder")
            .field("prefix", &self.prefix)
            .field("connect_timeout", &self.connect_timeout)
            .field("response_timeout", &self.response_timeout)
            .finish_non_exhaustive()
    }
}

/// The message never contains the URL, because the URL may contain a password.
fn malformed(error: &RedisError) -> Error {
    let detail = error.detail().map(|detail| format!(" ({detail})")).unwrap_or_default();
    Error::configuration(format!(
        "the URL of the Redis server is not valid{detail}; expected \
         redis://[user:password@]host[:port][/database], or rediss:// with the feature `rustls` \
         or `native-tls`"
    ))
}

/// Installs the process-wide crypto provider that rustls needs, unless the program has installed
/// one.
#[cfg(feature = "rustls")]
fn install_tls_provider() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        _ = rustls::crypto::ring::default_provider().install_default();
    }
}

/// The reason why a command to the server failed.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

#[doc(hidden)]
impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::store(failure.message)
    }
}

struct Inner {
    server: Server,
    /// Address of the server for error messages, without the user name and the password.
    address: String,
    /// The password, which must not appear in messages.
    password: Option<String>,
    prefix: String,
    connect_timeout: Duration,
    response_timeout: Duration,
    link: Mutex<Link>,
    /// Notifies tasks that wait for a change of `link`.
    changed: Notify,
    background: OnceLock<Result<Background, Failure>>,
}

enum Server {
    Single(Box<Client>),
    #[cfg(feature = "cluster")]
    Cluster(Box<redis::cluster::ClusterClient>),
}

/// The state of the connection.
enum Link {
    /// Not connected. The next command opens a connection.
    Idle,
    /// A task is opening a connection. Commands wait for the connection.
    Connecting,
    Up(Connection),
    /// The server is unavailable. The value contains the reason. A task tries to reconnect, and all
    /// commands fail immediately.
    Away(Failure),
}

/// A connection that all commands share.
#[derive(Clone)]
struct Connection {
    channel: Channel,
    /// Identifies the connection: each connection has a different `Arc`.
    id: Arc<()>,
}

#[derive(Clone)]
enum Channel {
    Single(MultiplexedConnection),
    #[cfg(feature = "cluster")]
    Cluster(redis::cluster_async::ClusterConnection),
}

impl Channel {
    async fn send(&mut self, command: &Cmd) -> Result<Value, RedisError> {
        let value = match self {
            Self::Single(connection) => connection.req_packed_command(command).await,
            #[cfg(feature = "cluster")]
            Self::Cluster(connection) => connection.req_packed_command(command).await,
        };
        value.and_then(Value::extract_error)
    }

    async fn run(&mut self, call: &ScriptCall) -> Result<Value, RedisError> {
        let value = self.send(&call.by_hash()).await;
        match value {
            // The server restarted, or its scripts were flushed.
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                self.send(&call.with_text()).await
            }
            value => value,
        }
    }
}

/// The content of a request.
enum Use<'a> {
    Command(&'a Cmd),
    Script(&'a ScriptCall),
}

impl Inner {
    fn link(&self) -> MutexGuard<'_, Link> {
        // A panic while the lock is held cannot leave the state inconsistent, so poisoning is
        // ignored.
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_link(&self, link: Link) {
        *self.link() = link;
        self.changed.notify_waiters();
    }

    fn runtime(&self) -> Result<&Handle, Failure> {
        let background = self.background.get_or_init(|| {
            Background::start().map_err(|error| {
                self.failure(format!("cannot start the connection thread: {error}"))
            })
        });
        background.as_ref().map(|background| &background.runtime).map_err(Clone::clone)
    }

    async fn run(self: Arc<Self>, call: &ScriptCall) -> Result<Value, Failure> {
        self.send(Use::Script(call)).await
    }

    async fn query(self: Arc<Self>, command: &Cmd) -> Result<Value, Failure> {
        self.send(Use::Command(command)).await
    }

    async fn send(self: Arc<Self>, what: Use<'_>) -> Result<Value, Failure> {
        let latest = Instant::now() + self.connect_timeout;
        let mut is_first = true;
        loop {
            let mut connection = self.connection(latest).await?;
            let channel = &mut connection.channel;
            let response = async {
                match what {
                    Use::Command(command) => channel.send(command).await,
                    Use::Script(call) => channel.run(call).await,
                }
            };
            let until = latest.min(Instant::now() + self.response_timeout);
            let error = match timeout_at(until, response).await {
                Ok(Ok(value)) => return Ok(value),
                Ok(Err(error)) => error,
                Err(_) => {
                    let failure = self.failure(format!(
                        "no response within {} ms",
                        self.response_timeout.as_millis()
                    ));
                    self.lose(&connection, Link::Away(failure.clone()));
                    return Err(failure);
                }
            };
            let failure = self.failure(describe(&error));
            if is_not_ready(&error) {
                self.lose(&connection, Link::Away(failure.clone()));
                return Err(failure);
            }
            if !error.is_unrecoverable_error() {
                return Err(failure);
            }
            // The connection broke. Usually the server or a proxy has closed an idle connection.
            self.lose(&connection, Link::Idle);
            if !std::mem::replace(&mut is_first, false) {
                return Err(failure);
            }
        }
    }

    /// Returns the connection, and opens it first if necessary.
    async fn connection(self: &Arc<Self>, latest: Instant) -> Result<Connection, Failure> {
        loop {
            let changed = self.changed.notified();
            match &mut *self.link() {
                Link::Up(connection) => return Ok(connection.clone()),
                Link::Away(failure) => return Err(failure.clone()),
                Link::Connecting => {}
                link @ Link::Idle => {
                    *link = Link::Connecting;
                    self.start_connecting();
                }
            }
            if timeout_at(latest, changed).await.is_err() {
                return Err(self.failure(self.no_connection()));
            }
        }
    }

    /// Drops a connection, unless a newer connection has already replaced it.
    fn lose(self: &Arc<Self>, lost: &Connection, next: Link) {
        let mut link = self.link();
        let is_current =
            matches!(&*link, Link::Up(connection) if Arc::ptr_eq(&connection.id, &lost.id));
        if !is_current {
            return;
        }
        let is_away = matches!(next, Link::Away(_));
        if let Link::Away(failure) = &next {
            tracing::warn!(%failure, "the Redis server is unavailable");
        }
        *link = next;
        drop(link);
        if is_away {
            self.start_connecting();
        }
    }

    /// Starts a task that tries to connect until it succeeds.
    fn start_connecting(self: &Arc<Self>) {
        Handle::current().spawn(connect(Arc::downgrade(self)));
    }

    async fn connect(&self) -> Result<Connection, Failure> {
        let attempt = async {
            let mut channel = match &self.server {
                Server::Single(client) => {
                    let config = AsyncConnectionConfig::new()
                        .set_connection_timeout(Some(self.connect_timeout))
                        .set_response_timeout(None);
                    let connection =
                        client.get_multiplexed_async_connection_with_config(&config).await?;
                    Channel::Single(connection)
                }
                #[cfg(feature = "cluster")]
                Server::Cluster(client) => Channel::Cluster(client.get_async_connection().await?),
            };
            // A server accepts connections even if it hangs or is still loading its data.
            channel.send(&redis::cmd("PING")).await?;
            Ok::<_, RedisError>(channel)
        };
        match timeout_at(Instant::now() + self.connect_timeout, attempt).await {
            Ok(Ok(channel)) => Ok(Connection { channel, id: Arc::new(()) }),
            Ok(Err(error)) => Err(self.failure(describe(&error))),
            Err(_) => Err(self.failure(self.no_connection())),
        }
    }

    fn no_connection(&self) -> String {
        format!("no connection within {} ms", self.connect_timeout.as_millis())
    }

    fn convert<T: FromRedisValue>(&self, value: Value) -> Result<T, Failure> {
        T::from_redis_value(value)
            .map_err(|error| self.failure(format!("unexpected response: {error}")))
    }

    fn failure(&self, message: impl fmt::Display) -> Failure {
        let message = format!("Redis at {}: {message}", self.address);
        let message = match &self.password {
            Some(password) => message.replace(password, "<redacted>"),
            None => message,
        };
        Failure { message }
    }
}

/// Tries to connect, with pauses between the attempts. Stops when an attempt succeeds or the last
/// handle is dropped.
async fn connect(inner: Weak<Inner>) {
    let mut pause = FIRST_PAUSE;
    loop {
        let Some(inner) = inner.upgrade() else { return };
        match inner.connect().await {
            Ok(connection) => {
                let was_away = matches!(&*inner.link(), Link::Away(_));
                inner.set_link(Link::Up(connection));
                if was_away {
                    tracing::info!(address = %inner.address, "the Redis server is available again");
                }
                return;
            }
            Err(failure) => {
                let was_away = matches!(&*inner.link(), Link::Away(_));
                if !was_away {
                    tracing::warn!(%failure, "the Redis server is unavailable");
                }
                inner.set_link(Link::Away(failure));
            }
        }
        drop(inner);
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Whether the server responds but cannot run commands now, for example because it is loading its
/// data or has become a replica.
fn is_not_ready(error: &RedisError) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Server(
            ServerErrorKind::BusyLoading
                | ServerErrorKind::MasterDown
                | ServerErrorKind::ClusterDown
                | ServerErrorKind::ReadOnly
        )
    )
}

/// Formats the error on one line, without the request.
fn describe(error: &RedisError) -> String {
    match (error.code(), error.detail()) {
        // If the server rejects a command, the error can contain the arguments of the command. The
        // arguments may contain a token record.
        (Some(code), Some(detail)) => {
            let detail = detail.split(", with args").next().unwrap_or_default();
            format!("{code} {detail}")
        }
        _ => error.to_string(),
    }
}

/// The thread that runs the connection and the tasks of limiters.
struct Background {
    runtime: Handle,
    /// Dropping this sender ends the thread.
    _stop: oneshot::Sender<Infallible>,
}

impl Background {
    fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let handle = runtime.handle().clone();
        std::thread::Builder::new().name("spot-redis".to_owned()).spawn(move || {
            _ = runtime.block_on(stopped);
            // This call does not wait for a name resolution that is in progress.
            runtime.shutdown_background();
        })?;
        Ok(Self { runtime: handle, _stop: stop })
    }
}
