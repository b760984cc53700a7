//! Implements the project's own tasks. `cargo xtask --help` lists the tasks.
//!
//! The tasks that need the client or the mock are in `xtask/checks`. That package uses the public
//! items of this crate.

mod bench;
mod checks;
mod ci;
mod circles;
mod codegen;
mod console;
mod contract;
mod deviations;
mod drift;
mod fuzz;
mod openapi;
mod packages;
mod private_types;
mod programs;
mod spec;
mod tidy;
mod ty;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Parser, Subcommand};

pub use checks::{Check, FleetPart, FleetWorker};
pub use console::{finish, say};
pub use deviations::Deviations;
pub use drift::read as read_document;
pub use programs::available;
pub use spec::Error;

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
        /// Compare the files with the output of the generator, and write nothing.
        #[arg(long)]
        check: bool,
    },
    /// Compares the spec with an official OpenAPI document.
    Drift {
        /// The document, as YAML or JSON.
        file: PathBuf,
    },
    /// Prints the spec as an OpenAPI document.
    Openapi,
    /// Compares the crates with similar crates, and writes `crates/spot-bench/RESULTS.md` and its
    /// plots.
    Bench {
        /// Run only these parts: decode, instructions, pages, requests, call, mock, weight.
        /// `report` measures nothing, and writes the results again from stored data.
        parts: Vec<String>,
        /// Run all parts except `instructions` and `weight`, with fewer samples. The run takes less
        /// than two minutes, and only prints its results.
        #[arg(long)]
        quick: bool,
    },
    /// Runs the fuzz targets with libFuzzer; needs cargo-fuzz.
    Fuzz {
        /// Run only these targets.
        targets: Vec<String>,
        /// Number of seconds that each target runs.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
    /// Checks that the documentation shows no private type; needs `cargo doc` first.
    PrivateTypes,
    /// Checks rules for the source files and the dependencies.
    Tidy,
    /// Runs every check that must pass before a change is merged.
    Ci,
    #[command(flatten)]
    Check(Check),
}

/// Runs the task that the command line names.
pub fn main() -> ExitCode {
    let root = root();
    finish(match Arguments::parse().task {
        Task::Bench { parts, quick } => bench::run(&root, &parts, quick),
        Task::Codegen { check } => codegen::run(&root, check),
        Task::Drift { file } => drift::run(&root, &file),
        Task::Fuzz { targets, seconds } => fuzz::run(&root, &targets, seconds),
        Task::Openapi => openapi::run(&root),
        Task::PrivateTypes => private_types::run(&root),
        Task::Tidy => tidy::run(&root),
        Task::Ci => ci::run(&root),
        Task::Check(_) => checks::run(),
    })
}

/// The root directory of the project. The result does not depend on the current directory.
pub fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_owned()
}
