//! The tasks of the package `xtask/checks`, which uses the client and the mock.
//!
//! These tasks are in a separate package, so that `cargo xtask codegen` can be built even if the
//! generated code does not compile.

use std::{path::PathBuf, process::Command};

use clap::{Subcommand, ValueEnum};

use crate::spec::Error;

/// A task that runs the client or the mock, or compares one of them with external data.
#[derive(Debug, Subcommand)]
#[expect(
    clippy::exhaustive_enums,
    reason = "only `xtask-checks` uses this enum, and it matches every variant"
)]
pub enum Check {
    /// Records the response of every operation.
    Fixtures {
        /// Compare the recorded responses with the responses of spot-mock, and write nothing.
        #[arg(long)]
        check: bool,
        /// Record responses of Spotify instead of responses of spot-mock. Only operations that read
        /// data are called. The access token must be in `SPOTIFY_TOKEN`. The recordings are written
        /// below `target`.
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
    /// Runs third-party clients against spot-mock; needs Python.
    Peers {
        /// Use the `spot-mock` in the directory of this program instead of building it.
        #[arg(long)]
        built: bool,
    },
    /// Compares the fields of spot-mock's responses with the fields of recorded responses.
    Shapes {
        /// Directory of the responses and their `index.json`.
        dir: PathBuf,
        /// Only check that the file of reviewed differences is up to date.
        #[arg(long)]
        check: bool,
    },
    /// Calls every operation of a spot-mock once. With a base URL and without `--all`, calls only
    /// operations that read data.
    Smoke {
        /// Base URL of the API, for example `https://api.spotify.com/v1`. Only operations that read
        /// data and are available to all applications are called. Without a base URL, the task
        /// starts a spot-mock.
        #[arg(long)]
        base_url: Option<String>,
        /// Also call operations that change data, and operations that are not available to all
        /// applications.
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
    /// Tests several processes of one application that share a Redis server; needs redis-server or
    /// valkey-server. Some of the processes are killed during the test.
    Fleet {
        /// Run only this part.
        part: Option<FleetPart>,
        /// Run a shorter test, which takes about half a minute. The test is too short for accurate
        /// measurements.
        #[arg(long)]
        short: bool,
        /// Number of times that the access token of the shared session expires. The default is
        /// 1,000, or 40 with `--short`.
        #[arg(long)]
        expiries: Option<u32>,
        /// Seed for the random choice of the killed processes.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Run as one of the tested processes.
        #[arg(long, hide = true)]
        worker: Option<FleetWorker>,
    },
}

/// A part of `cargo xtask fleet`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(
    clippy::exhaustive_enums,
    reason = "only `xtask-checks` uses this enum, and it matches every variant"
)]
pub enum FleetPart {
    /// Tests a rate limit that several processes share, with injected faults.
    Calls,
    /// Tests a session that several processes share.
    Sessions,
}

/// The role of a process of `cargo xtask fleet`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(
    clippy::exhaustive_enums,
    reason = "only `xtask-checks` uses this enum, and it matches every variant"
)]
pub enum FleetWorker {
    /// Makes calls with a shared limit.
    Calls,
    /// Uses a shared session.
    Session,
}

/// Runs the package `xtask-checks` with the arguments of this process.
pub(crate) fn run() -> Result<(), Error> {
    let status = Command::new("cargo")
        .args(["run", "--quiet", "--package", "xtask-checks", "--"])
        .args(std::env::args_os().skip(1))
        .status()
        .map_err(|error| format!("cargo: {error}"))?;
    // The program `xtask-checks` has already printed its error.
    std::process::exit(status.code().unwrap_or(1))
}
