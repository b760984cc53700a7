//! Measures the crates beside their peers, on the same bytes and the same server, in one run.
//!
//! `spot-bench decode [RECORDED]`, `call`, `pages`, `mock` or `weight`; each prints tables of its own.
//! `--quick` does less for each figure. `cargo xtask bench` runs all of them.

mod batch;
mod call;
mod count;
mod decode;
mod effort;
mod library;
mod memory;
mod mock;
mod pages;
mod server;
mod sketch;
mod table;
mod weight;

use std::error::Error;

use effort::Effort;

#[global_allocator]
static ALLOCATOR: count::Counting = count::Counting;

fn main() -> Result<(), Box<dyn Error>> {
    let (flags, names): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let effort = match flags.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => Effort::Full,
        ["--quick"] => Effort::Quick,
        other => return Err(format!("{other:?} is not --quick").into()),
    };
    let mut names = names.into_iter();
    let what = names.next().unwrap_or_default();
    // The servers are threads of their own with runtimes of their own; this one is the client's.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    // Both clients take the cryptography of the process, so that they have the same.
    let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
    runtime.block_on(async {
        match what.as_str() {
            "decode" => decode::run(names.next().as_deref(), effort).await,
            "call" => call::run(effort).await,
            "pages" => {
                pages::run(effort).await?;
                memory::run(effort).await?;
                batch::run().await
            }
            "mock" => mock::run(effort).await,
            "weight" => weight::run(),
            other => Err(format!("{other:?} is none of decode, call, pages, mock, weight").into()),
        }
    })
}
