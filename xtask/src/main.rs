//! The project's own tasks. `cargo xtask --help` lists all tasks.

use std::process::ExitCode;

fn main() -> ExitCode {
    xtask::main()
}
