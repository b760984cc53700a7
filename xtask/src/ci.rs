//! `cargo xtask ci`: runs every check that must pass before a change is merged.
//!
//! Most of the time is spent on compiling. Therefore tests and examples are compiled once, in one
//! workspace build, and the compiled programs are run directly. `cargo run -p` would choose other
//! features and compile most crates again. Two lists of steps run at the same time. The steps of
//! the first list use cargo in the workspace. The steps of the second list do not lock the target
//! directory of the workspace, so neither list waits for the other list.

use std::{
    env,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::{console::say, programs::provide_redis, spec::Error};

/// Time limit of a step. Without this limit, a step that hangs could delay the run for hours.
const LIMIT: Duration = Duration::from_secs(20 * 60);

/// A step: its name, the program and its arguments.
struct Step {
    name: String,
    program: Program,
    arguments: Vec<String>,
    variables: &'static [(&'static str, &'static str)],
}

enum Program {
    Cargo,
    /// A program of the workspace build, with the name of its file in `target/debug`.
    Built(&'static str),
    Example(&'static str),
}

/// The example programs of the facade. Each program runs offline against its own spot-mock.
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
    "database",
    "library_backup",
    "listening_statistics",
    "sdk_author",
    "web_service",
    "blocking_script",
    "several_machines",
];

/// Feature combinations that users may choose, in addition to the combinations of the workspace
/// build.
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
    let start = Instant::now();
    provide_redis()?;
    run_steps(root, &formats())?;
    run_lists(root, &builds(), &benchmarks())?;
    run_lists(root, &tests(), &programs(root))?;
    say(&format!("everything passed in {:.0} s", start.elapsed().as_secs_f64()));
    Ok(())
}

/// Steps that take only a second.
fn formats() -> Vec<Step> {
    vec![
        cargo("formatting", &["fmt", "--all", "--check"]),
        // `tidy` also checks that the generated files are up to date.
        built("tidiness", "xtask", &["tidy"]),
    ]
}

/// Steps that compile the whole workspace.
fn builds() -> Vec<Step> {
    vec![
        cargo(
            "lints",
            &["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"],
        ),
        cargo("compiling the tests", &["test", "--workspace", "--no-run"]),
        // With `--examples`, cargo enables the same features of the dependencies as in the build of
        // the tests.
        cargo("compiling the programs", &["build", "--workspace", "--bins", "--examples"]),
        cargo(
            "compiling the examples that need features",
            &[
                "build",
                "--workspace",
                "--example",
                "blocking_script",
                "--example",
                "several_machines",
                "--features",
                "spot-sdk/blocking,spot-sdk/redis",
            ],
        ),
    ]
}

/// The benchmarks are a separate workspace with its own target directory. One program of that
/// workspace runs a third-party client (rspotify) for `cargo xtask peers`.
fn benchmarks() -> Vec<Step> {
    let manifest = ["--manifest-path", "crates/spot-bench/Cargo.toml"];
    vec![
        cargo("benchmarks", &[&["check"], &manifest[..]].concat()),
        cargo(
            "compiling the test program that uses rspotify",
            &[&["build", "--locked", "--package", "rspotify-story"], &manifest[..]].concat(),
        ),
    ]
}

/// Steps that run cargo after everything is compiled.
fn tests() -> Vec<Step> {
    let mut steps = vec![
        // The README recommends this command for running all tests. Many tests wait for timers, so
        // the number of tests that run at the same time is higher than the number of cores.
        Step {
            variables: &[("RUST_TEST_THREADS", "8")],
            ..cargo("tests", &["test", "--workspace"])
        },
        // The other tests use rustls.
        cargo(
            "tests of native TLS",
            &[
                "test",
                "-p",
                "spot-http",
                "--no-default-features",
                "--features",
                "native-tls,http2",
                "--test",
                "it",
                "http2::",
            ],
        ),
        Step {
            variables: &[("RUSTDOCFLAGS", "-D warnings")],
            ..cargo("documentation", &["doc", "--workspace", "--no-deps", "--all-features"])
        },
        cargo("private types in the documentation", &["xtask", "private-types"]),
    ];
    steps.extend(CHOICES.iter().map(|choice| {
        let arguments =
            [&["clippy", "--no-default-features"], *choice, &["--", "-D", "warnings"]].concat();
        cargo("a combination of features", &arguments)
    }));
    steps
}

/// Steps that run the compiled programs.
fn programs(root: &Path) -> Vec<Step> {
    let mut steps = vec![
        built("fixtures", "xtask-checks", &["fixtures", "--check"]),
        built("one call of every operation", "xtask-checks", &["smoke"]),
        // `--no-verify` is used because building each package from its own files would take
        // minutes. The sources are already compiled. No source file is missing from a package,
        // because `include` in the manifests lists whole folders. A dry run does not lock the
        // target directory.
        cargo(
            "packages",
            &["publish", "--workspace", "--dry-run", "--no-verify", "--allow-dirty", "--quiet"],
        ),
    ];
    steps.extend(EXAMPLES.iter().map(|example| Step {
        name: format!("example {example}"),
        program: Program::Example(example),
        arguments: Vec::new(),
        variables: &[],
    }));
    // Spotify's document and the recorded responses are third-party files, which the project does
    // not contain. The steps that need these files run only if the files exist.
    let document = root.join("../shared/spotify/open-api-schema.yml");
    if document.is_file() {
        let file = document.display().to_string();
        steps.push(built(
            "comparison of the spec with the official document",
            "xtask",
            &["drift", &file],
        ));
        steps.push(built(
            "comparison of responses with the official document",
            "xtask-checks",
            &["conform", &file],
        ));
    }
    let payloads = root.join("../shared/payloads");
    if payloads.join("index.json").is_file() {
        let dir = payloads.display().to_string();
        steps.push(built("recorded responses", "xtask-checks", &["payloads", &dir]));
        steps.push(built("fields of responses", "xtask-checks", &["shapes", &dir, "--check"]));
    }
    steps.push(built("third-party clients", "xtask-checks", &["peers", "--built"]));
    steps.push(built("load with faults", "xtask-checks", &["load", "--requests", "20000"]));
    steps.push(built("several processes", "xtask-checks", &["fleet", "--short"]));
    steps
}

fn cargo(name: &str, arguments: &[&str]) -> Step {
    step(name, Program::Cargo, arguments)
}

fn built(name: &str, program: &'static str, arguments: &[&str]) -> Step {
    step(name, Program::Built(program), arguments)
}

fn step(name: &str, program: Program, arguments: &[&str]) -> Step {
    let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
    Step { name: name.to_owned(), program, arguments, variables: &[] }
}

fn run_steps(root: &Path, steps: &[Step]) -> Result<(), Error> {
    run_lists(root, steps, &[])
}

/// Runs two lists of steps at the same time. After a failure, no other step is started.
fn run_lists(root: &Path, first: &[Step], second: &[Step]) -> Result<(), Error> {
    let failed = AtomicBool::new(false);
    let run = |steps: &[Step], is_quiet: bool| {
        for step in steps {
            if failed.load(Ordering::Relaxed) {
                return Ok(());
            }
            step.run(root, is_quiet).inspect_err(|_| failed.store(true, Ordering::Relaxed))?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let second = scope.spawn(|| run(second, true));
        let first = run(first, false);
        let second = second
            .join()
            .unwrap_or_else(|_| Err("the thread of the second list of steps panicked".to_owned()));
        first.and(second)
    })
}

impl Step {
    /// Runs the step. If `is_quiet` is true, prints the output only after the step has finished, so
    /// that the outputs of two steps do not mix.
    fn run(&self, root: &Path, is_quiet: bool) -> Result<(), Error> {
        let name = &self.name;
        let line = format!("== {name}: {}", self.arguments.join(" "));
        let start = Instant::now();
        let mut command = Command::new(self.path()?);
        command.args(&self.arguments).envs(self.variables.iter().copied()).current_dir(root);
        let outcome = if is_quiet {
            let log = directory()?.join(format!("ci-{}.log", name.replace(' ', "-")));
            let outcome = run_into(&log, &mut command);
            let output = fs::read(&log).unwrap_or_default();
            say(&format!("{line}\n{}", String::from_utf8_lossy(&output).trim_end()));
            outcome
        } else {
            say(&line);
            run_limited(&mut command)
        };
        let status = outcome.map_err(|error| format!("{name}: {error}"))?;
        say(&format!("== {name}: {:.0} s", start.elapsed().as_secs_f64()));
        match status {
            Some(status) if status.success() => Ok(()),
            Some(_) => Err(format!("{name} failed")),
            None => Err(format!("{name} did not end within {} minutes", LIMIT.as_secs() / 60)),
        }
    }

    /// The path of the program. The workspace build writes its programs to the directory of this
    /// program.
    fn path(&self) -> Result<PathBuf, Error> {
        Ok(match self.program {
            Program::Cargo => PathBuf::from("cargo"),
            Program::Built(name) => directory()?.join(name),
            Program::Example(name) => directory()?.join("examples").join(name),
        })
    }
}

/// The directory of this program.
fn directory() -> Result<PathBuf, Error> {
    let this = env::current_exe().map_err(|error| error.to_string())?;
    Ok(this.parent().unwrap_or(Path::new(".")).to_owned())
}

/// Runs a program that writes its output to a file.
fn run_into(log: &Path, command: &mut Command) -> io::Result<Option<ExitStatus>> {
    let file = File::create(log)?;
    command.stdout(file.try_clone()?).stderr(file);
    run_limited(command)
}

/// Runs a program. If the program runs longer than [`LIMIT`], kills it and returns `None`.
fn run_limited(command: &mut Command) -> io::Result<Option<ExitStatus>> {
    let mut child = command.spawn()?;
    let start = Instant::now();
    while start.elapsed() < LIMIT {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        thread::sleep(Duration::from_millis(20));
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}
