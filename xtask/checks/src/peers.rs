//! `cargo xtask peers`: runs unmodified third-party clients against spot-mock.
//!
//! Each client is installed below `target` by the package manager of its language. Each test
//! program runs against its own spot-mock. If a tool is missing, the test programs that need the
//! tool are skipped with a message. If the environment variable `CI` is set, missing tools are
//! installed, and a failed installation is an error.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use xtask::{Error, available, say};

/// Time limit of a test program.
const PATIENCE: Duration = Duration::from_secs(90);

/// A test program that uses a third-party client, often in another language.
struct Story {
    file: &'static str,
    language: Language,
    modes: &'static [&'static str],
    /// Whether the mock must use TLS. Clients with hard-coded host names need TLS.
    tls: bool,
    /// Whether the test program needs Chromium.
    browser: bool,
    /// Whether the test program reads Spotify's official document. The document is a third-party
    /// file, which the project does not contain.
    document: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Language {
    Python,
    /// The Python code of a documentation page, run by pytest.
    Pytest,
    Node,
    /// The JavaScript code of a documentation page, run by Node's test runner.
    NodeTest,
    /// A program in the workspace of the benchmarks. The program and the main workspace need
    /// different major versions of some dependencies.
    Rust,
}

const BOTH: &[&str] = &["extended", "development"];
const EXTENDED: &[&str] = &["extended"];

const STORIES: &[Story] = &[
    Story::new("spotipy_story.py", Language::Python, BOTH),
    Story::new("tekore_story.py", Language::Python, BOTH),
    // This client requires fields that are missing in Development Mode.
    Story::new("spotifyaio_story.py", Language::Python, EXTENDED).tls(),
    Story::new("ts_sdk_story.mjs", Language::Node, BOTH),
    Story::new("web_api_node_story.cjs", Language::Node, BOTH).tls(),
    Story::new("browser_story.mjs", Language::Node, EXTENDED).tls().browser(),
    Story::new("rspotify-story", Language::Rust, BOTH),
    Story::new("contract.py", Language::Python, EXTENDED).document(),
    Story::new("python.md", Language::Pytest, EXTENDED),
    Story::new("javascript.md", Language::NodeTest, EXTENDED),
];

impl Story {
    const fn new(file: &'static str, language: Language, modes: &'static [&'static str]) -> Self {
        Self { file, language, modes, tls: false, browser: false, document: false }
    }

    const fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    const fn document(mut self) -> Self {
        self.document = true;
        self
    }

    const fn browser(mut self) -> Self {
        self.browser = true;
        self
    }
}

/// Paths of the programs and clients.
struct Places {
    root: PathBuf,
    /// Directory of the test programs.
    stories: PathBuf,
    /// Directory in which the clients are installed.
    work: PathBuf,
    mock: PathBuf,
    /// Cargo's target directory for the Rust clients.
    rust: PathBuf,
}

/// A running spot-mock, which is stopped when its test program has finished.
struct Server {
    process: Child,
    described: Value,
}

impl Server {
    fn start(places: &Places, mode: &str, tls: bool) -> Result<Self, Error> {
        let mut command = Command::new(&places.mock);
        command.args(["--port", "0", "--json", "--quiet", "--mode", mode]);
        if tls {
            command.arg("--tls").arg("--authority").arg(places.work.join("authority.pem"));
        }
        let mut process = command
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("spot-mock: {error}"))?;
        let output = process.stdout.take().ok_or("spot-mock has no output")?;
        let mut line = String::new();
        BufReader::new(output)
            .read_line(&mut line)
            .map_err(|error| format!("spot-mock: {error}"))?;
        let described = serde_json::from_str(&line).map_err(|error| format!("{line}: {error}"))?;
        Ok(Self { process, described })
    }

    fn text(&self, field: &str) -> &str {
        self.described.get(field).and_then(Value::as_str).unwrap_or_default()
    }

    /// Environment variables for a test program.
    fn variables(&self, mode: &str) -> Vec<(&'static str, String)> {
        let token = json!({
            "access_token": self.text("user_token"),
            "token_type": "Bearer",
            "expires_in": 3600,
            "refresh_token": "none",
        });
        vec![
            ("SPOT_MOCK_API", self.text("api_url").to_owned()),
            ("SPOT_MOCK_ACCOUNTS", self.text("accounts_url").to_owned()),
            ("SPOT_MOCK_CLIENT_ID", self.text("client_id").to_owned()),
            ("SPOT_MOCK_CLIENT_SECRET", self.text("client_secret").to_owned()),
            ("SPOT_MOCK_USER_TOKEN", self.text("user_token").to_owned()),
            ("SPOT_MOCK_TOKEN", token.to_string()),
            ("SPOT_MOCK_AUTHORITY", self.text("authority").to_owned()),
            ("NODE_EXTRA_CA_CERTS", self.text("authority").to_owned()),
            ("SPOT_MOCK_MODE", mode.to_owned()),
        ]
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Errors are ignored, because the process may have exited already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(crate) fn run(root: &Path, is_built: bool) -> Result<(), Error> {
    if !is_built {
        succeeds(
            Command::new("cargo").args(["build", "--quiet", "-p", "spot-mock"]).current_dir(root),
        )?;
    }
    let own_target = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = own_target.clone().unwrap_or_else(|| root.join("target"));
    let places = Places {
        root: root.to_owned(),
        stories: root.join("crates/spot-mock/tests/peers"),
        work: target.join("peers"),
        mock: target.join("debug/spot-mock"),
        rust: own_target.unwrap_or_else(|| root.join("crates/spot-bench/target")),
    };
    fs::create_dir_all(&places.work).map_err(|error| error.to_string())?;
    // Debian's python3 needs another package to create virtual environments.
    let python = available(&["python3", "-m", "ensurepip", "--version"], "python3-venv")?;
    let node =
        available(&["node", "--version"], "nodejs")? && available(&["npm", "--version"], "npm")?;
    let chromium = available(&["chromium", "--version"], "chromium")?;
    if python {
        install_python(&places)?;
    }
    if node {
        install_node(&places)?;
    }
    for story in STORIES.iter().filter(|story| story.language == Language::Rust) {
        succeeds(
            Command::new("cargo")
                .args(["build", "--quiet", "--locked", "--package", story.file])
                .current_dir(root.join("crates/spot-bench")),
        )?;
    }
    let document = root.join("../shared/spotify/open-api-schema.yml");
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for story in STORIES {
        let is_python = matches!(story.language, Language::Python | Language::Pytest);
        let is_node = matches!(story.language, Language::Node | Language::NodeTest);
        let missing = match story {
            _ if is_python && !python => Some("python3 with venv"),
            _ if is_node && !node => Some("node or npm"),
            Story { browser: true, .. } if !chromium => Some("chromium"),
            Story { document: true, .. } if !document.is_file() => Some("Spotify's document"),
            _ => None,
        };
        if let Some(missing) = missing {
            skipped += 1;
            say(&format!("SKIPPED {}: {missing} is missing", story.file));
            continue;
        }
        for mode in story.modes {
            let server = Server::start(&places, mode, story.tls)?;
            let start = Instant::now();
            let (success, text) = tell(&places, story, mode, &server, &document)?;
            let verdict = if success { "passed" } else { "FAILED" };
            let seconds = start.elapsed().as_secs_f64();
            say(&format!("{verdict} {} ({mode}, {seconds:.1} s): {}", story.file, text.trim()));
            if success {
                passed += 1;
            } else {
                failed += 1;
            }
        }
    }
    say(&format!("{passed} test programs passed, {failed} failed, {skipped} skipped"));
    if failed > 0 {
        Err("some test programs of third-party clients failed".to_owned())
    } else {
        Ok(())
    }
}

/// Runs a test program. Returns whether the program succeeded, and the output of the program.
fn tell(
    places: &Places,
    story: &Story,
    mode: &str,
    server: &Server,
    document: &Path,
) -> Result<(bool, String), Error> {
    let python = places.work.join("bin/python");
    let file = match story.language {
        Language::Python => places.stories.join(story.file),
        // Node searches for modules in the directory of the file.
        Language::Node => places.work.join(story.file),
        Language::Rust => places.rust.join("debug").join(story.file),
        Language::Pytest => page(places, story.file, "python", "test_page.py")?,
        Language::NodeTest => page(places, story.file, "js", "page.test.mjs")?,
    };
    let mut command = match story.language {
        Language::Python => Command::new(python),
        Language::Pytest => {
            let mut command = Command::new(python);
            command.args(["-m", "pytest", "--quiet", "-p", "no:cacheprovider"]);
            command
        }
        Language::Node => Command::new("node"),
        Language::Rust => Command::new(&file),
        Language::NodeTest => {
            let mut command = Command::new("node");
            command.arg("--test");
            command
        }
    };
    // The examples in the documentation pages find `spot-mock` in `PATH`.
    let path = env::var_os("PATH").unwrap_or_default();
    let directory = places.mock.parent().map(Path::to_owned);
    let path = env::join_paths(directory.into_iter().chain(env::split_paths(&path)))
        .map_err(|error| error.to_string())?;
    if story.language != Language::Rust {
        command.arg(file);
    }
    if story.document {
        command.arg(document);
    }
    command
        .current_dir(&places.work)
        .env("PATH", path)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .envs(server.variables(mode));
    let output = finished(&mut command).map_err(|error| format!("{}: {error}", story.file))?;
    let text = if output.status.success() {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        // Returns only the last line that contains `pass`, because the other lines are details.
        text.lines().rev().find(|line| line.contains("pass")).unwrap_or_default().to_owned()
    } else {
        let error = String::from_utf8_lossy(&output.stderr);
        format!("{}\n{error}", String::from_utf8_lossy(&output.stdout))
    };
    Ok((output.status.success(), text))
}

/// Writes the code of a documentation page to a file.
fn page(places: &Places, name: &str, language: &str, file: &str) -> Result<PathBuf, Error> {
    let page = places.root.join("crates/spot-mock/docs").join(name);
    let text = fs::read_to_string(&page).map_err(|error| format!("{}: {error}", page.display()))?;
    let code: Vec<_> = text
        .split(&format!("```{language}\n"))
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    if code.is_empty() {
        return Err(format!("{name} has no code block in {language}"));
    }
    let file = places.work.join(file);
    fs::write(&file, code.concat()).map_err(|error| error.to_string())?;
    Ok(file)
}

/// Runs a command, and kills it if it exceeds the time limit.
fn finished(command: &mut Command) -> Result<Output, Error> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    let start = Instant::now();
    loop {
        match child.try_wait().map_err(|error| error.to_string())? {
            Some(_) => return child.wait_with_output().map_err(|error| error.to_string()),
            None if start.elapsed() > PATIENCE => {
                // The output before the timeout helps to find the cause.
                let _ = child.kill();
                return child.wait_with_output().map_err(|error| error.to_string());
            }
            None => thread::sleep(Duration::from_millis(20)),
        }
    }
}

fn install_python(places: &Places) -> Result<(), Error> {
    let python = places.work.join("bin/python");
    if !python.is_file() {
        succeeds(Command::new("python3").args(["-m", "venv"]).arg(&places.work))?;
    }
    succeeds(
        Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
            .arg(places.stories.join("requirements.txt")),
    )
}

/// Installs the packages that the lock file lists. Node searches for modules in the directory of a
/// test program. The test programs are therefore copied to the directory of the installed modules.
fn install_node(places: &Places) -> Result<(), Error> {
    let copy = |name: &str| {
        let copied = fs::copy(places.stories.join(name), places.work.join(name));
        copied.map(|_| ()).map_err(|error| format!("{name}: {error}"))
    };
    let lock = fs::read(places.stories.join("package-lock.json")).map_err(|e| e.to_string())?;
    let is_there = fs::read(places.work.join("package-lock.json")).is_ok_and(|old| old == lock)
        && places.work.join("node_modules/.package-lock.json").is_file();
    for name in ["package.json", "package-lock.json", "story.mjs", "sdk_calls.mjs", "browser.html"]
    {
        copy(name)?;
    }
    for story in STORIES.iter().filter(|story| story.language == Language::Node) {
        copy(story.file)?;
    }
    if is_there {
        return Ok(());
    }
    succeeds(
        Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"])
            .current_dir(&places.work),
    )
}

fn succeeds(command: &mut Command) -> Result<(), Error> {
    let status = command.status().map_err(|error| format!("{command:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} failed")) }
}
