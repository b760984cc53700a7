//! Programs that some tasks need and the project does not build.

use std::{
    env,
    process::{Command, Stdio},
};

use crate::spec::Error;

/// Installs a server for the tests of spot-redis, if `CI` is set and there is none.
pub(crate) fn provide_redis() -> Result<(), Error> {
    if env::var_os("REDIS_SERVER").is_none() && !runs("valkey-server") {
        available("redis-server", "redis-server")?;
    }
    Ok(())
}

/// Whether a program can be run. With `CI` in the environment it is installed by the package manager
/// of Debian.
///
/// # Errors
///
/// If `CI` is set and the program cannot be installed.
pub fn available(program: &str, package: &str) -> Result<bool, Error> {
    if runs(program) {
        return Ok(true);
    }
    if env::var_os("CI").is_none() {
        return Ok(false);
    }
    // The package lists of a fresh machine may be empty. Whether these commands helped shows next.
    let _ = Command::new("apt-get").args(["update", "--quiet"]).status();
    let install = ["install", "--yes", "--quiet", "--no-install-recommends", package];
    let _ = Command::new("apt-get").args(install).status();
    if runs(program) {
        return Ok(true);
    }
    Err(format!(
        "{program} is missing, CI is set, and apt-get could not install it: install the package \
         {package} (apt-get needs root)"
    ))
}

fn runs(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
