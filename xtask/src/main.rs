//! The project's own tasks: `cargo xtask --help` lists them.

mod bench;
mod ci;
mod codegen;
mod conform;
mod contract;
mod deviations;
mod drift;
#[cfg(feature = "client")]
mod fixtures;
#[cfg(feature = "client")]
mod generated;
#[cfg(feature = "client")]
mod load;
mod openapi;
#[cfg(feature = "client")]
mod payloads;
mod peers;
mod shapes;
#[cfg(feature = "client")]
mod smoke;
mod spec;
mod tidy;
mod ty;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};

use crate::spec::Error;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The project's own tasks")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Writes the generated files from the spec.
    Codegen {
        /// Only say whether they are as the spec makes them.
        #[arg(long)]
        check: bool,
    },
    /// Records what every operation answers.
    Fixtures {
        /// Only say whether they are as spot-mock answers.
        #[arg(long)]
        check: bool,
        /// Record the reading operations at Spotify instead, with the token in `SPOTIFY_TOKEN`.
        /// The recordings go below `target`.
        #[arg(long, conflicts_with = "check")]
        live: bool,
        /// Where `--live` sends its calls.
        #[arg(long, default_value = "https://api.spotify.com/v1")]
        base_url: String,
    },
    /// Decodes recorded answers of Spotify and says what the models do not keep.
    Payloads {
        /// The directory with the answers and their `index.json`.
        dir: PathBuf,
    },
    /// Holds the spec against an official OpenAPI document.
    Drift {
        /// The document, as YAML or JSON.
        file: PathBuf,
    },
    /// Validates the answers of spot-mock in Extended Quota Mode against an official OpenAPI
    /// document.
    Conform {
        /// The document, as YAML or JSON.
        file: PathBuf,
    },
    /// Prints the spec as an OpenAPI document.
    Openapi,
    /// Runs clients that others wrote against spot-mock; needs Python.
    Peers,
    /// Compares the fields of spot-mock's answers with those of recorded ones.
    Shapes {
        /// The directory with the answers and their `index.json`.
        dir: PathBuf,
        /// Only say whether the reviewed differences are those of today.
        #[arg(long)]
        check: bool,
    },
    /// Calls every operation once, at a spot-mock or elsewhere.
    Smoke {
        /// Where the calls go; a spot-mock of its own if this is not given.
        #[arg(long)]
        base_url: Option<String>,
        /// The access token.
        #[arg(long, requires = "base_url")]
        token: Option<String>,
    },
    /// Measures the crates beside their peers and writes `crates/spot-bench/RESULTS.md`.
    Bench {
        /// Only these parts, which are printed: decode, pages, call, mock, weight.
        parts: Vec<String>,
        /// Everything but weight, in less than two minutes, with less work for each figure: to see
        /// whether something broke. It is only printed.
        #[arg(long)]
        quick: bool,
    },
    /// Loads a spot-mock with many tasks of the client, over a line that fails.
    Load {
        /// How many requests to make.
        #[arg(long, default_value_t = 1_000_000)]
        requests: usize,
        /// How many tasks make them.
        #[arg(long, default_value_t = 64)]
        tasks: usize,
        /// Of the chance by which the line fails.
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Checks what no lint checks: arrows between crates, stale files, coverage.
    Tidy,
    /// Runs everything that has to hold before a change lands.
    Ci,
}

fn main() -> ExitCode {
    let root = root();
    let done = match Arguments::parse().task {
        Task::Bench { parts, quick } => bench::run(&root, &parts, quick),
        Task::Codegen { check } => codegen::run(&root, check),
        Task::Conform { file } => conform::run(&root, &file),
        Task::Drift { file } => drift::run(&root, &file),
        Task::Openapi => openapi::run(&root),
        Task::Peers => peers::run(&root),
        Task::Shapes { dir, check } => shapes::run(&root, &dir, check),
        Task::Tidy => tidy::run(&root),
        Task::Ci => ci::run(&root),
        task @ (Task::Fixtures { .. }
        | Task::Load { .. }
        | Task::Payloads { .. }
        | Task::Smoke { .. }) => with_client(&root, task),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say_error(&error);
            ExitCode::FAILURE
        }
    }
}

/// The tasks that use the project's own client.
#[cfg(feature = "client")]
fn with_client(root: &Path, task: Task) -> Result<(), Error> {
    let block_on = |task: futures::future::BoxFuture<'_, Result<(), Error>>| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        runtime.map_err(|error| error.to_string())?.block_on(task)
    };
    match task {
        Task::Fixtures { live: true, base_url, .. } => {
            block_on(Box::pin(fixtures::live(root, &base_url)))
        }
        Task::Fixtures { check, .. } => block_on(Box::pin(fixtures::run(root, check))),
        Task::Load { requests, tasks, seed } => {
            block_on(Box::pin(load::run(requests, tasks, seed)))
        }
        Task::Payloads { dir } => payloads::run(root, &dir),
        Task::Smoke { base_url, token } => {
            block_on(Box::pin(smoke::run(base_url.as_deref(), token.as_deref())))
        }
        Task::Bench { .. }
        | Task::Codegen { .. }
        | Task::Conform { .. }
        | Task::Drift { .. }
        | Task::Openapi
        | Task::Peers
        | Task::Shapes { .. }
        | Task::Tidy
        | Task::Ci => Ok(()),
    }
}

/// Builds the client first, and starts the task again.
#[cfg(not(feature = "client"))]
fn with_client(_: &Path, _: Task) -> Result<(), Error> {
    let status = std::process::Command::new("cargo")
        .args(["run", "--quiet", "--package", "xtask", "--features", "client", "--"])
        .args(std::env::args_os().skip(1))
        .status()
        .map_err(|error| format!("cargo: {error}"))?;
    // What was wrong was said there.
    std::process::exit(status.code().unwrap_or(1))
}

/// Speaks to whoever started the task.
#[expect(clippy::print_stdout, reason = "a task of the command line speaks there")]
fn say(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "a task of the command line speaks there")]
fn say_error(error: &str) {
    eprintln!("error: {error}");
}

/// The root of the project, wherever the task is started from.
fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_owned()
}
