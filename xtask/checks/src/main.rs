//! The tasks that use the client and the mock. `cargo xtask` runs this program.

mod compare;
mod example;
mod fixtures;
mod fleet;
mod generated;
mod load;
mod peers;
mod smoke;

use std::{path::Path, process::ExitCode};

use clap::Parser;
use xtask::{Check, Error, finish, root};

use crate::compare::{conform, payloads, shapes};

#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    check: Check,
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string());
    finish(runtime.and_then(|runtime| runtime.block_on(run(&root(), Arguments::parse().check))))
}

async fn run(root: &Path, check: Check) -> Result<(), Error> {
    match check {
        Check::Conform { file } => conform::run(root, &file),
        Check::Fixtures { live: true, base_url, .. } => fixtures::live(root, &base_url).await,
        Check::Fixtures { check, .. } => fixtures::run(root, check).await,
        Check::Fleet { worker: Some(worker), .. } => fleet::work(worker).await,
        Check::Fleet { part, short, expiries, seed, .. } => {
            fleet::run(part, short, expiries, seed).await
        }
        Check::Load { requests, tasks, seed } => load::run(requests, tasks, seed).await,
        Check::Payloads { dir } => payloads::run(root, &dir),
        Check::Peers { built } => peers::run(root, built),
        Check::Shapes { dir, check } => shapes::run(root, &dir, check),
        Check::Smoke { base_url, token, all } => {
            smoke::run(base_url.as_deref(), token.as_deref(), all).await
        }
    }
}
