//! `cargo xtask fuzz`: runs the targets of `crates/spot-fuzz` with libFuzzer.
//!
//! cargo-fuzz builds the targets (`cargo install cargo-fuzz`). The sanitizer needs unstable
//! compiler flags, which the stable toolchain accepts because of `RUSTC_BOOTSTRAP`. New inputs and
//! crashes are written below `target/`. To keep an input, copy it to `crates/spot-fuzz/corpus`.

use std::{fs, path::Path, process::Command};

use crate::{console::say, spec::Error};

const DIR: &str = "crates/spot-fuzz";

/// Runs every target, or only the targets in `only`. Each target runs for `seconds` seconds.
pub(crate) fn run(root: &Path, only: &[String], seconds: u64) -> Result<(), Error> {
    let targets = targets(root)?;
    if let Some(unknown) = only.iter().find(|name| !targets.contains(name)) {
        return Err(format!(
            "there is no target {unknown:?}; expected one of {}",
            targets.join(", ")
        ));
    }
    let program = build(root)?;
    let mut failed = Vec::new();
    for name in targets.iter().filter(|name| only.is_empty() || only.contains(name)) {
        say(&format!("== {name}"));
        let (found, seeds) =
            (root.join("target/fuzz").join(name), root.join(DIR).join("corpus").join(name));
        let crashes = root.join("target/fuzz-crashes").join(name);
        for dir in [&found, &crashes] {
            fs::create_dir_all(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
        }
        let status = Command::new(&program)
            .args([&found, &seeds])
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-artifact_prefix={}/", crashes.display()))
            .args(["-print_final_stats=1", "-timeout=20", "-rss_limit_mb=2048", "-verbosity=0"])
            .env("SPOT_FUZZ_TARGET", name)
            .status()
            .map_err(|error| format!("{}: {error}", program.display()))?;
        if !status.success() {
            failed.push(name.as_str());
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(format!(
        "these targets failed: {}; the inputs are in target/fuzz-crashes",
        failed.join(", ")
    ))
}

/// The names of the targets. The seed corpus has a directory with the name of each target.
fn targets(root: &Path) -> Result<Vec<String>, Error> {
    let corpus = root.join(DIR).join("corpus");
    let entries =
        fs::read_dir(&corpus).map_err(|error| format!("{}: {error}", corpus.display()))?;
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.collect();
    names.sort();
    Ok(names)
}

/// Builds the program that contains all targets.
fn build(root: &Path) -> Result<std::path::PathBuf, Error> {
    let status = Command::new("cargo")
        .args(["fuzz", "build", "--fuzz-dir"])
        .arg(root.join(DIR).join("libfuzzer"))
        .arg("target")
        .env("RUSTC_BOOTSTRAP", "1")
        .current_dir(root)
        .status()
        .map_err(|error| format!("cargo fuzz: {error}; run `cargo install cargo-fuzz`"))?;
    if !status.success() {
        return Err("cannot build the targets; if cargo-fuzz is missing, install it".to_owned());
    }
    let host = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    Ok(root.join(DIR).join("libfuzzer/target").join(host).join("release/target"))
}
