//! The tasks of the second package, `xtask/checks`, which uses the client and the mock.
//!
//! They are in a package of their own so that `cargo xtask codegen` builds while the generated code
//! does not compile.

use std::{path::PathBuf, process::Command};

use clap::{Subcommand, ValueEnum};

use crate::spec::Error;

/// A task that runs the client or the mock, or compares one of them with external data.
#[derive(Debug, Subcommand)]
#[expect(clippy::exhaustive_enums, reason = "the only crate that uses it matches every variant")]
pub enum Check {
    /// Records the response of every operation.
    Fixtures {
        /// Only compare the recorded responses with those of spot-mock.
        #[arg(long)]
        check: bool,
        /// Record the reading operations at Spotify instead, with the token in `SPOTIFY_TOKEN`.
        /// The recordings go below `target`.
        #[arg(long, conflicts_with = "check")]
        live: bool,
        /// Base URL for `--live`.
        #[arg(long, default_value = "https://api.spotify.com/v1")]
        base_url: String,
    },
    /// Decodes recorded responses of Spotify and lists the fields that the models drop.
    Payloads {
        /// Directory of the responses and their `index.json`.
        dir: PathBuf,
    },
    /// Validates spot-mock's responses in Extended Quota Mode against an official OpenAPI document.
    Conform {
        /// The document, as YAML or JSON.
        file: PathBuf,
    },
    /// Runs clients by other authors against spot-mock; needs Python.
    Peers {
        /// Use the `spot-mock` beside this program instead of building one.
        #[arg(long)]
        built: bool,
    },
    /// Compares the fields of spot-mock's responses with those of recorded ones.
    Shapes {
        /// Directory of the responses and their `index.json`.
        dir: PathBuf,
        /// Only compare with the reviewed differences.
        #[arg(long)]
        check: bool,
    },
    /// Calls every operation once, at a spot-mock. With a base URL, calls only reading operations.
    Smoke {
        /// Base URL of the API, for example `https://api.spotify.com/v1`. Only operations that read
        /// and are open to all applications are called. Starts a spot-mock if this is not given.
        #[arg(long)]
        base_url: Option<String>,
        /// Also call the operations that change something or are closed to most applications.
        #[arg(long, requires = "base_url")]
        all: bool,
        /// The access token.
        #[arg(long, requires = "base_url")]
        token: Option<String>,
    },
    /// Sends requests to a spot-mock from many tasks, over a connection with injected faults.
    Load {
        /// Number of requests.
        #[arg(long, default_value_t = 1_000_000)]
        requests: usize,
        /// Number of tasks.
        #[arg(long, default_value_t = 64)]
        tasks: usize,
        /// Seed of the injected faults.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Runs several processes of one application behind one Redis server, and kills some of them;
    /// needs redis-server or valkey-server.
    Fleet {
        /// Run only this part.
        part: Option<FleetPart>,
        /// Run a shorter test, of about half a minute. Its figures are not meaningful.
        #[arg(long)]
        short: bool,
        /// How often the access token of the shared session expires; 1,000 times by default, 40 in
        /// short.
        #[arg(long)]
        expiries: Option<u32>,
        /// Seed of the kills.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Run as one of the processes.
        #[arg(long, hide = true)]
        worker: Option<FleetWorker>,
    },
}

/// A part of `cargo xtask fleet`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(clippy::exhaustive_enums, reason = "the only crate that uses it matches every variant")]
pub enum FleetPart {
    /// The rate limit of several processes, with faults.
    Calls,
    /// One session in several processes.
    Sessions,
}

/// The role of a process of `cargo xtask fleet`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(clippy::exhaustive_enums, reason = "the only crate that uses it matches every variant")]
pub enum FleetWorker {
    /// Makes calls with a shared limit.
    Calls,
    /// Shares a session.
    Session,
}

/// Runs the second package with the arguments of this process.
pub(crate) fn run() -> Result<(), Error> {
    let status = Command::new("cargo")
        .args(["run", "--quiet", "--package", "xtask-checks", "--"])
        .args(std::env::args_os().skip(1))
        .status()
        .map_err(|error| format!("cargo: {error}"))?;
    // The other process printed its error.
    std::process::exit(status.code().unwrap_or(1))
}
