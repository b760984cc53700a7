//! Output and exit codes of the tasks.

use std::process::ExitCode;

use crate::spec::Error;

/// Prints a line.
#[expect(clippy::print_stdout, reason = "a command-line task prints its results")]
pub fn say(text: &str) {
    println!("{text}");
}

/// Prints the error of a failed task, and returns the exit code.
#[expect(clippy::print_stderr, reason = "a command-line task prints its errors")]
pub fn finish(done: Result<(), Error>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
