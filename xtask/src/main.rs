//! The project's own tasks: `cargo xtask --help` lists them.

use std::process::ExitCode;

fn main() -> ExitCode {
    xtask::main()
}
