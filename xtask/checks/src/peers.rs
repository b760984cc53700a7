//! `cargo xtask peers`: clients that nobody here wrote, unchanged, against spot-mock.
//!
//! They are Python's, installed into an environment of their own below `target`. Each story runs in
//! both access modes, against a spot-mock of its own.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
};

use xtask::{Error, say};

const STORIES: &[&str] = &["spotipy_story.py", "tekore_story.py"];

/// What spot-mock prints about itself, and under which name a story finds it.
const ADDRESSES: &[(&str, &str)] = &[
    ("api ", "SPOT_MOCK_API"),
    ("accounts ", "SPOT_MOCK_ACCOUNTS"),
    ("client id ", "SPOT_MOCK_CLIENT_ID"),
    ("client secret ", "SPOT_MOCK_CLIENT_SECRET"),
];

/// A running spot-mock, which ends with its story.
struct Server {
    process: Child,
    /// Kept open, since spot-mock goes on to speak.
    output: BufReader<ChildStdout>,
    variables: Vec<(&'static str, String)>,
}

impl Server {
    fn start(root: &Path, mode: &str) -> Result<Self, Error> {
        let mut process = Command::new("cargo")
            .args(["run", "--quiet", "-p", "spot-mock", "--", "--port", "0", "--mode", mode])
            .current_dir(root)
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("spot-mock: {error}"))?;
        let output = process.stdout.take().ok_or("spot-mock has no output")?;
        let mut server = Self { process, output: BufReader::new(output), variables: Vec::new() };
        let mut line = String::new();
        while server.output.read_line(&mut line).map_err(|error| format!("spot-mock: {error}"))? > 0
        {
            for (label, variable) in ADDRESSES {
                if let Some(value) = line.strip_prefix(label) {
                    server.variables.push((variable, value.trim().to_owned()));
                }
            }
            if server.variables.len() == ADDRESSES.len() {
                return Ok(server);
            }
            line.clear();
        }
        Err("spot-mock ended before it said where it is".to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that has ended already is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn run(root: &Path) -> Result<(), Error> {
    let stories = root.join("crates/spot-mock/tests/peers");
    let environment = root.join("target/peers");
    let python = environment.join("bin/python");
    if !python.is_file() {
        succeeds(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    }
    succeeds(
        Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
            .arg(stories.join("requirements.txt")),
    )?;
    succeeds(
        Command::new("cargo").args(["build", "--quiet", "-p", "spot-mock"]).current_dir(root),
    )?;
    let mut failed = 0;
    for story in STORIES {
        for mode in ["extended", "development"] {
            let server = Server::start(root, mode)?;
            let output = Command::new(&python)
                .arg(stories.join(story))
                .env("PYTHONDONTWRITEBYTECODE", "1")
                .env("SPOT_MOCK_MODE", mode)
                .envs(server.variables.iter().map(|(name, value)| (name, value)))
                .output()
                .map_err(|error| format!("{story}: {error}"))?;
            if output.status.success() {
                let text = String::from_utf8_lossy(&output.stdout);
                say(&format!("passed {story} ({mode}): {}", text.trim()));
            } else {
                failed += 1;
                let text = String::from_utf8_lossy(&output.stderr);
                say(&format!("FAILED {story} ({mode}): {}", text.trim()));
            }
        }
    }
    say(&format!("{} stories passed, {failed} failed", STORIES.len() * 2 - failed));
    if failed > 0 { Err("some clients of others do not work".to_owned()) } else { Ok(()) }
}

fn succeeds(command: &mut Command) -> Result<(), Error> {
    let status = command.status().map_err(|error| format!("{command:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} failed")) }
}
