//! `cargo xtask fleet`: tests several processes of one application that share a Redis server.
//!
//! Each tested process is another instance of this program, started with the hidden argument
//! `--worker`.

mod calls;
mod sessions;

use xtask::{Error, FleetPart, FleetWorker, say};

/// Counts the checks of a run.
#[derive(Debug, Default)]
struct Checks {
    passed: usize,
    failed: usize,
}

impl Checks {
    /// Prints a check and counts it.
    fn check(&mut self, holds: bool, what: &str) {
        say(&format!("{} {what}", if holds { "passed" } else { "FAILED" }));
        match holds {
            true => self.passed += 1,
            false => self.failed += 1,
        }
    }
}

/// Runs one part, or all parts. With `short`, the run takes about half a minute, which is too short
/// for accurate measurements.
pub(crate) async fn run(
    part: Option<FleetPart>,
    short: bool,
    expiries: Option<u32>,
    seed: u64,
) -> Result<(), Error> {
    let mut checks = Checks::default();
    if part.is_none_or(|part| part == FleetPart::Calls) {
        calls::run(&mut checks, short).await?;
    }
    if part.is_none_or(|part| part == FleetPart::Sessions) {
        let expiries = expiries.unwrap_or(if short { 40 } else { 1_000 });
        sessions::run(&mut checks, expiries, seed).await?;
    }
    let Checks { passed, failed } = checks;
    say(&format!("{passed} passed, {failed} failed"));
    if failed == 0 { Ok(()) } else { Err("some checks of the fleet failed".to_owned()) }
}

/// Runs as one of the tested processes.
pub(crate) async fn work(worker: FleetWorker) -> Result<(), Error> {
    match worker {
        FleetWorker::Calls => calls::work().await,
        FleetWorker::Session => sessions::work().await,
    }
}
