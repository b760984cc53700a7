//! `cargo xtask bench`: measures the crates beside their peers and writes the results.

use std::{fs, path::Path, process::Command};

use crate::{console::say, spec::Error};

/// What `spot-bench` measures, in the order of the report.
const PARTS: [&str; 5] = ["decode", "pages", "call", "mock", "weight"];

/// The one that takes minutes whatever is left out of it: it builds programs.
const SLOW: &str = "weight";

/// Runs all parts and writes `crates/spot-bench/RESULTS.md`, or only prints the ones that are
/// named. A quick run does less for each figure and leaves the slow part out, so that it is only
/// printed.
pub(crate) fn run(root: &Path, only: &[String], quick: bool) -> Result<(), Error> {
    if let Some(unknown) = only.iter().find(|part| !PARTS.contains(&part.as_str())) {
        return Err(format!("{unknown:?} is none of {}", PARTS.join(", ")));
    }
    let dir = root.join("crates/spot-bench");
    let mut tables = String::new();
    let chosen = |part: &str| {
        if only.is_empty() { !quick || part != SLOW } else { only.iter().any(|name| name == part) }
    };
    for part in PARTS.iter().filter(|part| chosen(part)) {
        say(&format!("== {part}"));
        let mut command = Command::new("cargo");
        command.args(["run", "--release", "--quiet", "--", part]).current_dir(&dir);
        // Recorded answers belong to others and are not part of the project.
        let recorded = root.join("../shared/payloads");
        if *part == "decode" && recorded.is_dir() {
            command.arg(recorded);
        }
        if quick {
            command.arg("--quick");
        }
        // What cargo says of xtask itself; some build scripts would run again because of it, and
        // with them minutes of building.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
                command.env_remove(&*name);
            }
        }
        let table = output(&mut command)?;
        say(&table);
        tables.push_str(&table);
    }
    if quick || !only.is_empty() {
        return Ok(());
    }
    let notes = dir.join("NOTES.md");
    let notes = fs::read_to_string(&notes).map_err(|error| format!("NOTES.md: {error}"))?;
    let report = format!(
        "# Results\n\nOne run of `cargo xtask bench` on {}, {}, {}.\n\n{tables}{notes}",
        output(Command::new("date").args(["-u", "+%F"]))?.trim(),
        machine(),
        output(Command::new("rustc").arg("--version"))?.trim(),
    );
    fs::write(dir.join("RESULTS.md"), report).map_err(|error| format!("RESULTS.md: {error}"))
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    format!("{cores} cores of {}", model.unwrap_or(std::env::consts::ARCH))
}

fn output(command: &mut Command) -> Result<String, Error> {
    let out = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if !out.status.success() {
        return Err(format!("{command:?}: {}", String::from_utf8_lossy(&out.stderr)));
    }
    String::from_utf8(out.stdout).map_err(|error| error.to_string())
}
