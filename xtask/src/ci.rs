//! `cargo xtask ci`: everything that has to hold before a change lands, one step after another.

use std::{path::Path, process::Command, time::Instant};

use crate::{console::say, programs::provide_redis, spec::Error};

/// A step: its name, the program's arguments behind `cargo`, and what is set for it.
type Step = (&'static str, &'static [&'static str], &'static [(&'static str, &'static str)]);

const STEPS: &[Step] = &[
    ("formatting", &["fmt", "--all", "--check"], &[]),
    ("generated code", &["xtask", "codegen", "--check"], &[]),
    (
        "lints",
        &["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"],
        &[],
    ),
    // As the README says it.
    ("tests", &["test", "--workspace"], &[]),
    (
        "tests of all features",
        &["test", "-p", "spot-auth", "-p", "spot-http", "-p", "spot-sdk", "--all-features"],
        &[],
    ),
    ("benchmarks", &["check", "--manifest-path", "crates/spot-bench/Cargo.toml"], &[]),
    ("fixtures", &["xtask", "fixtures", "--check"], &[]),
    ("tidiness", &["xtask", "tidy"], &[]),
    (
        "documentation",
        &["doc", "--workspace", "--no-deps", "--all-features"],
        &[("RUSTDOCFLAGS", "-D warnings")],
    ),
    ("private types in the documentation", &["xtask", "private-types"], &[]),
    ("every operation once", &["xtask", "smoke"], &[]),
    ("a load with faults", &["xtask", "load", "--requests", "20000"], &[]),
    ("clients of others", &["xtask", "peers"], &[]),
];

/// The facade's programs, which run offline against a spot-mock of their own.
const EXAMPLES: &[&str] = &[
    "tour",
    "artist_albums",
    "artist_top_tracks",
    "artist_image",
    "search",
    "saved_tracks",
    "playlists",
    "add_to_playlist",
    "playlist_contents",
    "watch_playback",
    "sync_playlist",
    "library_backup",
    "listening_statistics",
    "sdk_author",
    "web_service",
    "blocking_script",
];

/// What users may leave out, beside what the workspace builds at once.
const CHOICES: &[&[&str]] = &[
    &["-p", "spot-http"],
    &["-p", "spot-http", "--features", "reqwest"],
    &["-p", "spot-auth"],
    &["-p", "spot-api"],
    &["-p", "spot-sdk", "--features", "rustls"],
    &["-p", "spot-sdk", "--features", "native-tls,loopback"],
    &["-p", "spot-mock"],
];

pub(crate) fn run(root: &Path) -> Result<(), Error> {
    provide_redis()?;
    for (name, arguments, variables) in STEPS {
        step(root, name, arguments, variables)?;
    }
    for choice in CHOICES {
        let arguments =
            [&["clippy", "--no-default-features"], *choice, &["--", "-D", "warnings"]].concat();
        step(root, "a choice of features", &arguments, &[])?;
    }
    for example in EXAMPLES {
        let arguments =
            ["run", "--quiet", "-p", "spot-sdk", "--features", "blocking", "--example", example];
        step(root, &format!("example {example}"), &arguments, &[])?;
    }
    // Spotify's document and recorded answers belong to others and are not part of the project.
    let document = root.join("../shared/spotify/open-api-schema.yml");
    if document.is_file() {
        let file = document.display().to_string();
        step(root, "the official document", &["xtask", "drift", &file], &[])?;
        step(root, "answers by the official document", &["xtask", "conform", &file], &[])?;
    }
    let payloads = root.join("../shared/payloads");
    if payloads.join("index.json").is_file() {
        let dir = payloads.display().to_string();
        step(root, "recorded answers", &["xtask", "payloads", &dir], &[])?;
        step(root, "fields of answers", &["xtask", "shapes", &dir, "--check"], &[])?;
    }
    Ok(())
}

fn step(
    root: &Path,
    name: &str,
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> Result<(), Error> {
    say(&format!("== {name}: cargo {}", arguments.join(" ")));
    let start = Instant::now();
    let status = Command::new("cargo")
        .args(arguments)
        .envs(variables.iter().copied())
        .current_dir(root)
        .status()
        .map_err(|error| format!("{name}: {error}"))?;
    say(&format!("== {name}: {:.0} s", start.elapsed().as_secs_f64()));
    if status.success() { Ok(()) } else { Err(format!("{name} failed")) }
}
