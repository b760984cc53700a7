//! `cargo xtask bench`: compares the crates with similar crates and writes the results.

use std::{path::Path, process::Command};

use crate::{console::say, spec::Error};

/// The parts of `spot-bench`, in the order of the report.
const PARTS: [&str; 7] = ["decode", "instructions", "pages", "requests", "call", "mock", "weight"];

/// Writes the report and the plots from the stored results of the parts.
const REPORT: &str = "report";

/// The parts that take minutes even in a quick run, because they use valgrind or build programs.
const SLOW: [&str; 2] = ["instructions", "weight"];

/// Runs all parts, or only the parts in `only`, and writes `crates/spot-bench/RESULTS.md` and the
/// plots. A quick run takes fewer samples, skips the slow parts, and only prints its results.
pub(crate) fn run(root: &Path, only: &[String], quick: bool) -> Result<(), Error> {
    let known = |part: &str| part == REPORT || PARTS.contains(&part);
    if let Some(unknown) = only.iter().find(|part| !known(part)) {
        return Err(format!(
            "there is no part {unknown:?}; expected one of {}, {REPORT}",
            PARTS.join(", ")
        ));
    }
    let chosen = |part: &str| {
        if only.is_empty() {
            !quick || !SLOW.contains(&part)
        } else {
            only.iter().any(|name| name == part)
        }
    };
    for part in PARTS.iter().filter(|part| chosen(part)) {
        say(&format!("== {part}"));
        let mut command = spot_bench(root, part);
        // The recorded responses are third-party files, which the project does not contain. If the
        // files are missing, the parts run without them.
        let recorded = root.join("../shared/payloads");
        if ["decode", "instructions"].contains(part) && recorded.is_dir() {
            command.arg(recorded);
        }
        if quick {
            command.arg("--quick");
        }
        succeeds(&mut command)?;
    }
    if quick { Ok(()) } else { succeeds(&mut spot_bench(root, REPORT)) }
}

fn spot_bench(root: &Path, part: &str) -> Command {
    let mut command = Command::new("cargo");
    command.args(["run", "--release", "--quiet", "--", part]);
    command.current_dir(root.join("crates/spot-bench"));
    // Removes the variables that cargo sets for xtask. Otherwise, cargo would run some build
    // scripts again and rebuild crates, which takes minutes.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&*name);
        }
    }
    command
}

fn succeeds(command: &mut Command) -> Result<(), Error> {
    let status = command.status().map_err(|error| format!("{command:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} failed")) }
}
