//! Measures the cost of a dependency for a small program: the number of crates, the build time and
//! the binary size.

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};

use crate::{
    effort::Effort,
    report::{Report, Table},
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Number of measured rebuilds of each program.
const CHANGES: usize = 5;

/// A small program and its dependencies.
struct Program {
    /// The features of this program and of the compared program.
    features: &'static str,
    name: &'static str,
    dependencies: String,
    main: &'static str,
    /// Whether to measure a rebuild after a change. The measurement needs another full build.
    changes: bool,
}

pub(crate) fn run(effort: Effort, report: &mut Report) -> Result<()> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let ours = |name: &str, rest: &str| {
        let path = crates.join(name);
        format!("{name} = {{ path = {path:?}{rest} }}\n")
    };
    let tokio = "tokio = { version = \"1\", features = [\"macros\", \"rt-multi-thread\"] }\n";
    let theirs = |rest: &str| format!("rspotify = {{ version = \"0.16\"{rest} }}\n{tokio}");
    let programs = [
        Program {
            features: MODELS,
            name: "**spot-model**",
            dependencies: ours("spot-model", ""),
            main: "fn main() {\n    let json = std::env::args().nth(1).unwrap_or_default();\n    \
                   println!(\"{:?}\", spot_model::from_slice::<spot_model::Track>(json.as_bytes()));\n}\n",
            changes: false,
        },
        Program {
            features: MODELS,
            name: "rspotify-model",
            dependencies: "rspotify-model = \"0.16\"\nserde_json = \"1\"\n".to_owned(),
            main: "fn main() {\n    let json = std::env::args().nth(1).unwrap_or_default();\n    \
                   println!(\"{:?}\", serde_json::from_str::<rspotify_model::FullTrack>(&json));\n}\n",
            changes: false,
        },
        Program {
            features: RUSTLS_GZIP_HTTP2,
            name: "**spot-sdk**",
            dependencies: ours("spot-sdk", "") + tokio,
            main: SPOT,
            changes: true,
        },
        Program {
            features: RUSTLS_GZIP_HTTP2,
            name: "rspotify",
            // This reqwest dependency enables features that rspotify does not expose.
            dependencies: theirs(THEIR_RUSTLS)
                + "reqwest = { version = \"0.12\", default-features = false, \
                   features = [\"gzip\", \"http2\"] }\n",
            main: RSPOTIFY,
            changes: true,
        },
        Program {
            features: RUSTLS,
            name: "**spot-sdk**",
            dependencies: ours("spot-sdk", OUR_RUSTLS) + tokio,
            main: SPOT,
            changes: false,
        },
        Program {
            features: RUSTLS,
            name: "rspotify",
            dependencies: theirs(THEIR_RUSTLS),
            main: RSPOTIFY,
            changes: false,
        },
        Program {
            features: SYSTEM_TLS,
            name: "**spot-sdk**",
            dependencies: ours("spot-sdk", OUR_SYSTEM_TLS) + tokio,
            main: SPOT,
            changes: false,
        },
        Program {
            features: SYSTEM_TLS,
            name: "rspotify",
            dependencies: theirs(""),
            main: RSPOTIFY,
            changes: false,
        },
    ];
    let mut table = Table::new(
        "Weight",
        &[
            "features",
            "program",
            "crates",
            "release build, CPU seconds",
            "release build, seconds",
            "binary, MB",
            "binary without symbols, MB",
        ],
    );
    // A quick run builds only the two smallest programs.
    let weighed = effort.pick(programs.as_slice(), programs.get(..2).unwrap_or_default());
    for program in weighed {
        table.row(weigh(program)?);
    }
    report.add(table);
    report.note(
        "The programs in the rows `models only` decode one object. All other programs sign in and \
         make one call. The number of crates excludes the program itself. Each build starts with an \
         empty target directory, and does not include downloads. CPU seconds are the sum over all \
         compiler processes. With the system's TLS, the build does not compile OpenSSL, because the \
         programs use the installed OpenSSL.",
    );
    let changing: Vec<&Program> =
        weighed.iter().filter(|program| program.changes || effort == Effort::Quick).collect();
    report.add(changes(&changing)?);
    report.note(format!(
        "The table shows the time of `cargo build`, without `--release`, after a change of one \
         line in `main.rs`. The programs use {RUSTLS_GZIP_HTTP2}. Each value is the shortest \
         time of {CHANGES} builds."
    ));
    Ok(())
}

const MODELS: &str = "models only";
const RUSTLS_GZIP_HTTP2: &str = "rustls, gzip, HTTP/2 (the default of spot-sdk)";
const RUSTLS: &str = "rustls, neither gzip nor HTTP/2";
const SYSTEM_TLS: &str = "system TLS, neither gzip nor HTTP/2 (the default of rspotify)";

/// These features replace the default features, so that both programs have the same features.
const OUR_RUSTLS: &str = ", default-features = false, features = [\"loopback\", \"rustls\"]";
const OUR_SYSTEM_TLS: &str =
    ", default-features = false, features = [\"loopback\", \"native-tls\"]";
const THEIR_RUSTLS: &str =
    ", default-features = false, features = [\"client-reqwest\", \"reqwest-rustls-tls\"]";

const SPOT: &str = r#"
use spot::{Client, auth::App};

#[tokio::main]
async fn main() -> Result<(), spot::Error> {
    let client = Client::new(App::from_env()?.client_credentials()?)?;
    println!("{}", client.artist("spotmockArtist00000001").await?.name);
    Ok(())
}
"#;

const RSPOTIFY: &str = r#"
use rspotify::{ClientCredsSpotify, Credentials, model::ArtistId, prelude::*};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = ClientCredsSpotify::new(Credentials::from_env().ok_or("no credentials")?);
    client.request_token().await?;
    println!("{}", client.artist(ArtistId::from_id("spotmockArtist00000001")?).await?.name);
    Ok(())
}
"#;

fn weigh(program: &Program) -> Result<[String; 7]> {
    let dir = Scratch::new(program)?;
    let arguments = ["tree", "--edges", "normal,build", "--prefix", "none", "--no-dedupe"];
    let tree = cargo(&dir.0, &arguments)?;
    let mut crates: Vec<&str> = tree.lines().collect();
    crates.sort_unstable();
    crates.dedup();
    let (start, before) = (Instant::now(), children_seconds()?);
    cargo(&dir.0, &["build", "--release", "--quiet"])?;
    let (took, cpu) = (start.elapsed().as_secs_f64(), children_seconds()? - before);
    let binary = dir.0.join("target/release/hello");
    let size = |path: &Path| fs::metadata(path).map(|file| file.len() as f64 / 1e6);
    let full = size(&binary)?;
    let stripped = Command::new("strip").arg(&binary).status().is_ok_and(|done| done.success());
    let stripped = if stripped { format!("{:.2}", size(&binary)?) } else { "—".to_owned() };
    Ok([
        program.features.to_owned(),
        program.name.to_owned(),
        // The result does not include the program itself.
        (crates.len() - 1).to_string(),
        format!("{cpu:.0}"),
        format!("{took:.0}"),
        format!("{full:.2}"),
        stripped,
    ])
}

/// Measures the build time after a change of one line.
fn changes(programs: &[&Program]) -> Result<Table> {
    let mut dirs = Vec::new();
    for program in programs {
        let dir = Scratch::new(program)?;
        cargo(&dir.0, &["build", "--quiet"])?;
        dirs.push(dir);
    }
    let mut best = vec![(f64::MAX, f64::MAX); dirs.len()];
    for round in 0..CHANGES {
        for ((dir, program), best) in dirs.iter().zip(programs).zip(&mut best) {
            let line = format!("println!(\"{round} ");
            let changed = program.main.replace("println!(\"", &line);
            fs::write(dir.0.join("src/main.rs"), changed)?;
            let (start, before) = (Instant::now(), children_seconds()?);
            cargo(&dir.0, &["build", "--quiet"])?;
            let (took, cpu) = (start.elapsed().as_secs_f64(), children_seconds()? - before);
            *best = (best.0.min(took), best.1.min(cpu));
        }
    }
    let head = ["program", "seconds", "CPU seconds"];
    let mut table = Table::new("The build after a change of one line", &head);
    for (program, (took, cpu)) in programs.iter().zip(best) {
        table.row([program.name.to_owned(), format!("{took:.2}"), format!("{cpu:.2}")]);
    }
    Ok(table)
}

/// Returns the CPU time of all terminated child processes, in seconds.
fn children_seconds() -> Result<f64> {
    let status = fs::read_to_string("/proc/self/stat")?;
    // The program name can contain spaces. After the name, the file contains 13 other fields, and
    // then the user time and the system time of the child processes. The user time and the system
    // time are in hundredths of a second.
    let fields = status.rsplit_once(')').ok_or("/proc/self/stat contains no program name")?.1;
    let times = fields.split_whitespace().skip(13).take(2);
    let ticks: Vec<f64> = times.map(str::parse).collect::<std::result::Result<_, _>>()?;
    Ok(ticks.iter().sum::<f64>() / 100.0)
}

fn cargo(dir: &Path, arguments: &[&str]) -> Result<String> {
    let target = dir.join("target");
    let out = Command::new("cargo")
        .args(arguments)
        .current_dir(dir)
        .env("CARGO_TARGET_DIR", target)
        // All builds use cargo's default settings, so that the results can be compared.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_INCREMENTAL")
        .output()?;
    if !out.status.success() {
        return Err(format!("cargo {arguments:?}: {}", String::from_utf8_lossy(&out.stderr)).into());
    }
    Ok(String::from_utf8(out.stdout)?)
}

static COUNT: AtomicUsize = AtomicUsize::new(0);

/// The directory of a program. Dropping a `Scratch` removes the directory.
struct Scratch(PathBuf);

impl Scratch {
    fn new(program: &Program) -> Result<Self> {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("spot-bench-{}-{count}", std::process::id());
        let dir = Self(std::env::temp_dir().join(name));
        fs::create_dir_all(dir.0.join("src"))?;
        fs::write(dir.0.join("src/main.rs"), program.main)?;
        let manifest = format!(
            "[package]\nname = \"hello\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
             [dependencies]\n{}",
            program.dependencies
        );
        fs::write(dir.0.join("Cargo.toml"), manifest)?;
        // The build time does not include downloads.
        cargo(&dir.0, &["fetch", "--quiet"])?;
        Ok(dir)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
