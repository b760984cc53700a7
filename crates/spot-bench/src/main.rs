//! Compares the crates with other libraries. All libraries read the same bytes from the same
//! server.
//!
//! `spot-bench decode [RECORDED]`, `instructions [RECORDED]`, `pages`, `requests`, `call`, `mock`
//! or `weight` measures one part, prints its tables and stores them in `results`. `--quick` runs
//! shorter measurements and stores nothing. `spot-bench report` writes `RESULTS.md` and the plots
//! from the stored tables. `cargo xtask bench` runs all parts and the report.

mod batch;
mod call;
mod count;
mod decode;
mod effort;
mod instructions;
mod library;
mod memory;
mod mock;
mod pages;
mod plots;
mod relay;
mod report;
mod requests;
mod server;
mod sketch;
mod table;
mod weight;

use std::error::Error;

use effort::Effort;
use report::{PARTS, Report};

#[global_allocator]
static ALLOCATOR: count::Counting = count::Counting;

fn main() -> Result<(), Box<dyn Error>> {
    let (flags, names): (Vec<String>, Vec<String>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let effort = match flags.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => Effort::Full,
        ["--quick"] => Effort::Quick,
        other => {
            return Err(format!("unknown options {other:?}; the only option is --quick").into());
        }
    };
    let mut names = names.into_iter();
    let what = names.next().unwrap_or_default();
    // Only clients use this runtime, because each server has its own thread and runtime.
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    // Both clients use this crypto provider.
    let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
    runtime.block_on(async {
        let mut report = Report::new(&what)?;
        match what.as_str() {
            "decode" => decode::run(names.next().as_deref(), effort, &mut report).await?,
            "instructions" => instructions::run(names.next().as_deref(), &mut report).await?,
            "decode-once" => return instructions::once(names),
            "call-times" => return instructions::call_times(names),
            "pages" => {
                pages::run(effort, &mut report).await?;
                memory::run(effort, &mut report).await?;
                batch::run(&mut report).await?;
            }
            "requests" => requests::run(effort, &mut report).await?,
            "call" => call::run(effort, &mut report).await?,
            "mock" => mock::run(effort, &mut report).await?,
            "weight" => weight::run(effort, &mut report)?,
            "report" => return report::render(),
            other => {
                return Err(format!(
                    "unknown part {other:?}; expected one of {}",
                    PARTS.join(", ")
                )
                .into());
            }
        }
        println!("{}", report.markdown());
        match effort {
            Effort::Full => report.store(),
            Effort::Quick => Ok(()),
        }
    })
}
