//! What a program weighs that uses a crate: crates, cold build, binary.

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use crate::table::Table;

/// A program of a few lines, and what it depends on.
struct Program {
    name: &'static str,
    dependencies: String,
    main: &'static str,
}

pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let ours = |name: &str, rest: &str| {
        let path = crates.join(name);
        format!("{name} = {{ path = {path:?}{rest} }}\n")
    };
    let tokio = "tokio = { version = \"1\", features = [\"macros\", \"rt-multi-thread\"] }\n";
    let everything = ", features = [\"browser\", \"cache\", \"keyring\", \"native-tls\", \"test\"]";
    let programs = [
        Program {
            name: "**spot-model** alone",
            dependencies: ours("spot-model", ""),
            main: "fn main() {\n    let json = std::env::args().nth(1).unwrap_or_default();\n    \
                   println!(\"{:?}\", spot_model::from_slice::<spot_model::Track>(json.as_bytes()));\n}\n",
        },
        Program {
            name: "rspotify-model alone",
            dependencies: "rspotify-model = \"0.16\"\nserde_json = \"1\"\n".to_owned(),
            main: "fn main() {\n    let json = std::env::args().nth(1).unwrap_or_default();\n    \
                   println!(\"{:?}\", serde_json::from_str::<rspotify_model::FullTrack>(&json));\n}\n",
        },
        Program {
            name: "**spot-sdk**, default features",
            dependencies: ours("spot-sdk", "") + tokio,
            main: SPOT,
        },
        Program {
            name: "**spot-sdk**, everything",
            dependencies: ours("spot-sdk", everything) + tokio,
            main: SPOT,
        },
        Program {
            name: "**spot-sdk** without gzip and HTTP/2, as rspotify is",
            dependencies: ours("spot-sdk", PLAIN) + tokio,
            main: SPOT,
        },
        Program {
            name: "**spot-sdk**, the same with the system's TLS",
            dependencies: ours("spot-sdk", PLAIN_SYSTEM_TLS) + tokio,
            main: SPOT,
        },
        Program {
            name: "rspotify, default features: the system's TLS, neither gzip nor HTTP/2",
            dependencies: format!("rspotify = \"0.16\"\n{tokio}"),
            main: RSPOTIFY,
        },
        Program {
            name: "rspotify, the same with rustls",
            dependencies: format!("rspotify = {{ version = \"0.16\"{RUSTLS} }}\n{tokio}"),
            main: RSPOTIFY,
        },
    ];
    let mut table = Table::new(&["program", "crates", "cold release build", "binary"]);
    for program in &programs {
        table.row(weigh(program)?);
    }
    table.print("Weight");
    println!(
        "Each program signs in and makes one call; spot-model's decodes one object. With the \
         system's TLS, OpenSSL is linked and neither built nor counted.\n"
    );
    Ok(())
}

/// What stands in for the default where both are to have the same.
const PLAIN: &str = ", default-features = false, features = [\"loopback\", \"rustls\"]";
const PLAIN_SYSTEM_TLS: &str =
    ", default-features = false, features = [\"loopback\", \"native-tls\"]";
const RUSTLS: &str =
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

fn weigh(program: &Program) -> Result<[String; 4], Box<dyn Error>> {
    let dir = Scratch::new()?;
    fs::create_dir(dir.0.join("src"))?;
    fs::write(dir.0.join("src/main.rs"), program.main)?;
    let manifest = format!(
        "[package]\nname = \"hello\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [dependencies]\n{}",
        program.dependencies
    );
    fs::write(dir.0.join("Cargo.toml"), manifest)?;
    // Downloads are not part of the build.
    cargo(&dir.0, &["fetch", "--quiet"])?;
    let tree =
        cargo(&dir.0, &["tree", "--edges", "normal,build", "--prefix", "none", "--no-dedupe"])?;
    let mut crates: Vec<&str> = tree.lines().collect();
    crates.sort_unstable();
    crates.dedup();
    let start = Instant::now();
    cargo(&dir.0, &["build", "--release", "--quiet"])?;
    let took = start.elapsed().as_secs_f64();
    let size = fs::metadata(dir.0.join("target/release/hello"))?.len();
    Ok([
        program.name.to_owned(),
        // Without the program itself.
        (crates.len() - 1).to_string(),
        format!("{took:.0} s"),
        format!("{:.2} MB", size as f64 / 1e6),
    ])
}

fn cargo(dir: &Path, arguments: &[&str]) -> Result<String, Box<dyn Error>> {
    let target = dir.join("target");
    let out = Command::new("cargo")
        .args(arguments)
        .current_dir(dir)
        .env("CARGO_TARGET_DIR", target)
        .output()?;
    if !out.status.success() {
        return Err(format!("cargo {arguments:?}: {}", String::from_utf8_lossy(&out.stderr)).into());
    }
    Ok(String::from_utf8(out.stdout)?)
}

/// A directory that is removed when it is done with.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> std::io::Result<Self> {
        let dir = std::env::temp_dir().join(format!("spot-bench-{}", std::process::id()));
        if dir.exists() {
            fs::remove_dir_all(&dir)?;
        }
        fs::create_dir_all(&dir)?;
        Ok(Self(dir))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
