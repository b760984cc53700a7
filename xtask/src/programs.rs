//! External programs that some tasks need.

use std::{
    env,
    process::{Command, Stdio},
};

use crate::spec::Error;

/// Installs `redis-server` for the tests of spot-redis if no server is installed.
///
/// # Errors
///
/// Fails if `CI` is set and the installation fails. If `CI` is not set, a failed installation is
/// ignored, and the tests that need a server are skipped with a message.
pub(crate) fn provide_redis() -> Result<(), Error> {
    let servers = ["redis-server", "valkey-server"];
    let is_there = env::var_os("REDIS_SERVER").is_some()
        || servers.iter().any(|server| runs(&[server, "--version"]));
    if is_there {
        return Ok(());
    }
    match install(&["redis-server", "--version"], "redis-server") {
        Err(_) if !is_ci() => Ok(()),
        installed => installed,
    }
}

/// Checks whether a command succeeds, for example `node --version`. If the command fails and the
/// environment variable `CI` is set, installs the Debian package `package` and tries the command
/// again.
///
/// # Errors
///
/// Fails if `CI` is set and the command still fails after the installation.
pub fn available(command: &[&str], package: &str) -> Result<bool, Error> {
    if runs(command) {
        return Ok(true);
    }
    if !is_ci() {
        return Ok(false);
    }
    install(command, package).map(|()| true)
}

fn is_ci() -> bool {
    env::var_os("CI").is_some()
}

fn install(command: &[&str], package: &str) -> Result<(), Error> {
    // The package lists of a fresh machine may be empty. The errors of these
    // commands are ignored, because the check below detects a missing program.
    let _ = Command::new("apt-get").args(["update", "--quiet"]).status();
    let install = ["install", "--yes", "--quiet", "--no-install-recommends", package];
    let _ = Command::new("apt-get").args(install).status();
    if runs(command) {
        return Ok(());
    }
    let command = command.join(" ");
    Err(format!(
        "`{command}` failed, and apt-get could not install {package}; install {package} as root"
    ))
}

fn runs(command: &[&str]) -> bool {
    let [program, arguments @ ..] = command else { return false };
    let mut command = Command::new(program);
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
