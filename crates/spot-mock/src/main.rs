//! Runs a mock of the Spotify Web API until it is interrupted.

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use spot_mock::{Consent, MockSpotify, Mode, RefreshPolicy};
use tracing_subscriber::EnvFilter;

/// A Spotify Web API to run: made-up music, real rules.
///
/// Answers on 127.0.0.1 until it is interrupted. Set RUST_LOG=spot_mock=info to see each request.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The port; 0 takes one that is free.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// The access mode of the registered application.
    #[arg(long, value_enum, default_value_t = ModeArgument::Development)]
    mode: ModeArgument,
    /// What the world is made from.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// How many calls are let through in any 30 seconds; any number if left out.
    #[arg(long)]
    limit: Option<usize>,
    /// How many milliseconds every answer takes.
    #[arg(long, default_value_t = 0)]
    latency: u64,
    /// Shows a page that asks for consent instead of agreeing at once.
    #[arg(long)]
    ask: bool,
    /// What a refresh answers about the refresh token.
    #[arg(long, value_enum, default_value_t = RefreshArgument::Omit)]
    refresh: RefreshArgument,
    /// Registers another redirect URI; may be given several times.
    #[arg(long, value_name = "URI")]
    redirect_uri: Vec<String>,
    /// Starts with nothing playing.
    #[arg(long)]
    idle: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ModeArgument {
    Development,
    Extended,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RefreshArgument {
    Omit,
    Empty,
    Rotate,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::from_default_env())
        .with_writer(io::stderr)
        .init();
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> io::Result<()> {
    let mut builder = MockSpotify::builder()
        .port(arguments.port)
        .seed(arguments.seed)
        .latency(Duration::from_millis(arguments.latency))
        .idle(arguments.idle)
        .consent(if arguments.ask { Consent::Ask } else { Consent::Grant })
        .mode(match arguments.mode {
            ModeArgument::Development => Mode::Development,
            ModeArgument::Extended => Mode::Extended,
        })
        .refresh(match arguments.refresh {
            RefreshArgument::Omit => RefreshPolicy::Omit,
            RefreshArgument::Empty => RefreshPolicy::Empty,
            RefreshArgument::Rotate => RefreshPolicy::Rotate,
        });
    if let Some(limit) = arguments.limit {
        builder = builder.rate_limit(limit);
    }
    for uri in arguments.redirect_uri {
        builder = builder.redirect_uri(uri);
    }
    let mock = builder.start().await?;
    announce(&mock);
    tokio::signal::ctrl_c().await?;
    mock.shutdown().await;
    Ok(())
}

/// Prints what a client has to be told. The secret is one of a made-up application.
#[expect(clippy::print_stdout, reason = "what the program prints is what it is started for")]
fn announce(mock: &MockSpotify) {
    println!("api            {}", mock.api_url());
    println!("accounts       {}", mock.accounts_url());
    println!("client id      {}", mock.client_id());
    println!("client secret  {}", mock.client_secret());
    println!("user token     {}", mock.user_token_all());
    println!("an artist      {}/artists/{}", mock.api_url(), mock.world().artist);
}

#[expect(clippy::print_stderr, reason = "a program says why it gives up")]
fn complain(error: &io::Error) {
    eprintln!("spot-mock: {error}");
}
