//! Runs a mock of the Spotify Web API until it is stopped.

use std::{
    io::{self, IsTerminal},
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::{Parser, Subcommand, ValueEnum};
use spot_mock::{
    Consent, EarlyRetryPolicy, MockBuilder, MockSpotify, Mode, PlaylistFields, RandomFaults,
    RefreshPolicy, custom::World,
};
use tracing_subscriber::EnvFilter;

/// A mock server of the Spotify Web API with a generated catalogue.
///
/// The server listens on 127.0.0.1 until the process is interrupted or terminated. Each request is
/// logged to standard error.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Task>,
    /// Port to listen on; 0 chooses a free port.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Address to listen on; 0.0.0.0 accepts connections from other machines.
    #[arg(long, value_name = "ADDRESS", default_value_t = Ipv4Addr::LOCALHOST.into())]
    bind: IpAddr,
    /// Host name in the links of responses.
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
    /// Serves HTTPS with a certificate generated at the start, and writes the CA certificate to a
    /// file.
    #[arg(long)]
    tls: bool,
    /// File for the CA certificate [default: spot-mock-authority-PORT.pem in the temporary
    /// directory].
    #[arg(long, value_name = "FILE", requires = "tls")]
    authority: Option<PathBuf>,
    /// Whether to serve the control interface at /_mock [default: true on loopback addresses].
    #[arg(long, value_name = "BOOL")]
    control: Option<bool>,
    /// Access mode of the default application.
    #[arg(long, value_enum, default_value_t = ModeArgument::Development)]
    mode: ModeArgument,
    /// If true, the mock refuses all calls of the default application to operations that Spotify
    /// restricted in 2024 [default: true in Development Mode].
    #[arg(long, value_name = "BOOL")]
    closed_2024: Option<bool>,
    /// Field names in playlists: new (`items`), old (`tracks`), or both [default: new in
    /// Development Mode, both in Extended Quota Mode].
    #[arg(long, value_enum, value_name = "NAMES")]
    playlist_fields: Option<PlaylistFieldsArgument>,
    /// Seed of the generated test data.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// JSON file with custom test data: music, users and playlists.
    #[arg(long, value_name = "FILE")]
    world: Option<PathBuf>,
    /// File with a backup of a real library. The mock serves this library instead of the generated
    /// test data. Each line of the file is a JSON object with a saved track.
    #[arg(long, value_name = "FILE", conflicts_with = "world")]
    world_from_backup: Option<PathBuf>,
    /// Maximum number of calls in a rate limit window [default: no limit].
    #[arg(long, value_name = "CALLS")]
    limit: Option<usize>,
    /// Length of the rate limit window in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    window: u64,
    /// Maximum number of calls per day to one group of operations [default: no limit].
    #[arg(long, value_name = "CALLS")]
    quota: Option<usize>,
    /// Policy for calls that a client sends before the time in `Retry-After` has passed.
    #[arg(long, value_enum, default_value_t = EarlyRetryArgument::Forgive)]
    early_retries: EarlyRetryArgument,
    /// Share of requests that get a random fault, from 0 to 1.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    faults: f64,
    /// Delay before every response, in milliseconds.
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 0)]
    latency: u64,
    /// Shows a consent page instead of granting access immediately.
    #[arg(long)]
    ask: bool,
    /// The refresh token in the response to a refresh request.
    #[arg(long, value_enum, default_value_t = RefreshArgument::Omit)]
    refresh: RefreshArgument,
    /// Registers another redirect URI. This option can be repeated.
    #[arg(long, value_name = "URI")]
    redirect_uri: Vec<String>,
    /// Starts without playback.
    #[arg(long)]
    idle: bool,
    /// Gives the reason UNKNOWN for every refused player command, as some real players do.
    #[arg(long)]
    vague_player: bool,
    /// Adds null values to responses: hidden playlists are null, and one device has a null id and a
    /// null volume.
    #[arg(long)]
    null_values: bool,
    /// Prints the addresses and credentials as one line of JSON.
    #[arg(long)]
    json: bool,
    /// Does not log requests. This option has no effect if RUST_LOG is set.
    #[arg(long)]
    quiet: bool,
}

#[derive(Clone, Copy, Debug, Subcommand)]
enum Task {
    /// Prints the JSON Schema for files with custom test data.
    Schema,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ModeArgument {
    Development,
    Extended,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PlaylistFieldsArgument {
    New,
    Old,
    Both,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum EarlyRetryArgument {
    Forgive,
    Count,
    Lengthen,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RefreshArgument {
    Omit,
    Empty,
    Rotate,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    log(arguments.quiet);
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

/// Initializes logging. `RUST_LOG` sets the log levels. Without `RUST_LOG`, warnings and requests
/// are logged. If `quiet` is true, only warnings are logged.
fn log(quiet: bool) {
    let usual = if quiet { "warn" } else { "warn,spot_mock::access=info" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .with_level(false)
        .init();
}

async fn run(arguments: Arguments) -> io::Result<()> {
    if let Some(Task::Schema) = arguments.command {
        print(&World::json_schema());
        return Ok(());
    }
    let authority = arguments.authority.clone();
    let json = arguments.json;
    let mock = builder(arguments)?.start().await?;
    let authority = write_authority(&mock, authority)?;
    let stopped = stopped()?;
    match json {
        true => print(&description(&mock, authority.as_deref())),
        false => announce(&mock, authority.as_deref()),
    }
    stopped.await?;
    mock.shutdown().await;
    Ok(())
}

fn builder(arguments: Arguments) -> io::Result<MockBuilder> {
    let mut builder = MockSpotify::builder()
        .bind(arguments.bind)
        .port(arguments.port)
        .seed(arguments.seed)
        .latency(Duration::from_millis(arguments.latency))
        .window(Duration::from_secs(arguments.window))
        .idle(arguments.idle)
        .vague_player(arguments.vague_player)
        .null_values(arguments.null_values)
        .consent(if arguments.ask { Consent::Ask } else { Consent::Grant })
        .mode(match arguments.mode {
            ModeArgument::Development => Mode::Development,
            ModeArgument::Extended => Mode::Extended,
        })
        .early_retries(match arguments.early_retries {
            EarlyRetryArgument::Forgive => EarlyRetryPolicy::Forgive,
            EarlyRetryArgument::Count => EarlyRetryPolicy::Count,
            EarlyRetryArgument::Lengthen => EarlyRetryPolicy::Lengthen,
        })
        .refresh(match arguments.refresh {
            RefreshArgument::Omit => RefreshPolicy::Omit,
            RefreshArgument::Empty => RefreshPolicy::Empty,
            RefreshArgument::Rotate => RefreshPolicy::Rotate,
        });
    if arguments.tls {
        builder = builder.tls();
    }
    if let Some(control) = arguments.control {
        builder = builder.control(control);
    }
    if let Some(host) = arguments.host {
        builder = builder.host(host);
    }
    if let Some(closed) = arguments.closed_2024 {
        builder = builder.closed_2024(closed);
    }
    if let Some(fields) = arguments.playlist_fields {
        builder = builder.playlist_fields(match fields {
            PlaylistFieldsArgument::New => PlaylistFields::New,
            PlaylistFieldsArgument::Old => PlaylistFields::Old,
            PlaylistFieldsArgument::Both => PlaylistFields::Both,
        });
    }
    if let Some(file) = &arguments.world {
        builder = builder.world(World::read(file)?);
    }
    if let Some(file) = &arguments.world_from_backup {
        builder = builder.world(World::read_backup(file)?);
    }
    if let Some(limit) = arguments.limit {
        builder = builder.rate_limit(limit);
    }
    if let Some(quota) = arguments.quota {
        builder = builder.quota(quota);
    }
    if !(0.0..=1.0).contains(&arguments.faults) {
        let message = format!("--faults {}: the value must be from 0 to 1", arguments.faults);
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    if arguments.faults > 0.0 {
        builder = builder.random_faults(RandomFaults::new(arguments.seed, arguments.faults));
    }
    for uri in arguments.redirect_uri {
        builder = builder.redirect_uri(uri);
    }
    Ok(builder)
}

/// Starts to listen for SIGINT and SIGTERM.
///
/// The returned future completes when one of these signals arrives.
#[cfg(unix)]
fn stopped() -> io::Result<impl Future<Output = io::Result<()>>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
        Ok(())
    })
}

/// Returns a future that completes when the program is interrupted.
#[cfg(not(unix))]
fn stopped() -> io::Result<impl Future<Output = io::Result<()>>> {
    Ok(tokio::signal::ctrl_c())
}

/// Writes the CA certificate to a file, and returns the path of the file.
fn write_authority(mock: &MockSpotify, file: Option<PathBuf>) -> io::Result<Option<PathBuf>> {
    let Some(pem) = mock.authority_pem() else { return Ok(None) };
    let port = mock.accounts_url().rsplit(':').next().unwrap_or_default();
    let usual = || std::env::temp_dir().join(format!("spot-mock-authority-{port}.pem"));
    let file = file.unwrap_or_else(usual);
    let written = std::fs::write(&file, pem);
    written
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", file.display())))?;
    Ok(Some(file))
}

/// Addresses and credentials for clients, as one line of JSON.
fn description(mock: &MockSpotify, authority: Option<&Path>) -> String {
    let control = mock.has_control().then(|| format!("{}/_mock", mock.accounts_url()));
    serde_json::json!({
        "api_url": mock.api_url(),
        "accounts_url": mock.accounts_url(),
        "control_url": control,
        "client_id": mock.client_id(),
        "client_secret": mock.client_secret(),
        "user_token": mock.user_token_all(),
        "authority": authority,
    })
    .to_string()
}

#[expect(clippy::print_stdout, reason = "the program prints its output to stdout")]
fn print(text: &str) {
    println!("{text}");
}

/// Prints the addresses and credentials. The client secret is not confidential, since only the mock
/// accepts this secret.
#[expect(clippy::print_stdout, reason = "the program prints the addresses to stdout")]
fn announce(mock: &MockSpotify, authority: Option<&Path>) {
    println!("api            {}", mock.api_url());
    println!("accounts       {}", mock.accounts_url());
    println!("client id      {}", mock.client_id());
    println!("client secret  {}", mock.client_secret());
    println!("user token     {}", mock.user_token_all());
    println!("example call   {}/artists/{}", mock.api_url(), mock.world().artist);
    println!("home page      {}/", mock.accounts_url());
    if mock.has_control() {
        println!("control        {}/_mock", mock.accounts_url());
    }
    if let Some(authority) = authority {
        println!("authority      {}", authority.display());
    }
}

#[expect(clippy::print_stderr, reason = "the program prints its error to stderr")]
fn complain(error: &io::Error) {
    eprintln!("spot-mock: {error}");
}
