//! Measures the crates beside their peers, on the same bytes and the same server, in one run.
//!
//! `spot-bench decode [RECORDED]`, `call`, `pages`, `mock` or `weight`; each prints a table of its
//! own. `cargo xtask bench` runs all of them.

mod call;
mod count;
mod decode;
mod mock;
mod pages;
mod server;
mod table;
mod weight;

use std::error::Error;

#[global_allocator]
static ALLOCATOR: count::Counting = count::Counting;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next().unwrap_or_default();
    // The servers are threads of their own with runtimes of their own; this one is the client's.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        match what.as_str() {
            "decode" => decode::run(arguments.next().as_deref()).await,
            "call" => call::run().await,
            "pages" => pages::run().await,
            "mock" => mock::run().await,
            "weight" => weight::run(),
            other => Err(format!("{other:?} is none of decode, call, pages, mock, weight").into()),
        }
    })
}
