//! Checks the licences, sources and versions of all dependencies. cargo-deny runs the same checks,
//! and also reads security advisories.
//!
//! cargo-deny takes minutes to build, which is too long for a check that runs with every change.
//! `.cargo/deny.toml` contains the same rules for developers who have installed cargo-deny.

use std::{collections::BTreeMap, path::Path, process::Command};

use serde::Deserialize;

use crate::spec::Error;

/// The licences that dependencies may have. Keep this list in sync with `.cargo/deny.toml`.
const LICENCES: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Dependencies of which only one version is allowed, because the dependency is large or because
/// the public API contains its types.
const ONE_VERSION: &[&str] = &[
    "bytes",
    "chrono",
    "futures-core",
    "http",
    "hyper",
    "libsqlite3-sys",
    "oauth2",
    "redis",
    "reqwest",
    "ring",
    "rustls",
    "secrecy",
    "serde",
    "serde_json",
    "tokio",
    "url",
];

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    /// The registry or repository of the package. `None` for packages of this workspace.
    source: Option<String>,
}

/// Reports packages whose licence or source is not allowed, and dependencies in [`ONE_VERSION`]
/// that have several versions.
pub(crate) fn check(root: &Path, wrong: &mut Vec<String>) -> Result<(), Error> {
    let output = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--locked", "--all-features"])
        .current_dir(root)
        .output()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let metadata: Metadata = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("cargo metadata: {error}"))?;
    wrong.extend(faults(&metadata.packages));
    Ok(())
}

fn faults(packages: &[Package]) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for Package { name, version, license, source } in packages {
        versions.entry(name).or_default().push(version);
        let license = license.as_deref().unwrap_or("none");
        if !is_allowed(license) {
            wrong.push(format!("{name} {version} has a licence that is not allowed: {license}"));
        }
        if source.as_deref().is_some_and(|source| source != REGISTRY) {
            wrong.push(format!("{name} {version} does not come from crates.io"));
        }
    }
    for name in ONE_VERSION {
        if let Some(versions) = versions.get(name).filter(|versions| versions.len() > 1) {
            wrong.push(format!("{name} has several versions: {}", versions.join(", ")));
        }
    }
    wrong
}

/// Whether the allowed licences satisfy a licence expression. Older packages use `/` instead of
/// `OR`.
fn is_allowed(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words = expression.split_whitespace().peekable();
    either(&mut words) && words.next().is_none()
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn either(words: &mut Words<'_>) -> bool {
    let mut allowed = both(words);
    while words.next_if_eq(&"OR").is_some() {
        allowed |= both(words);
    }
    allowed
}

fn both(words: &mut Words<'_>) -> bool {
    let mut allowed = one(words);
    while words.next_if_eq(&"AND").is_some() {
        allowed &= one(words);
    }
    allowed
}

fn one(words: &mut Words<'_>) -> bool {
    match words.next() {
        Some("(") => {
            let allowed = either(words);
            allowed & words.next_if_eq(&")").is_some()
        }
        Some(licence) => {
            // A licence exception only adds permissions, so its name is skipped.
            if words.next_if_eq(&"WITH").is_some() {
                words.next();
            }
            LICENCES.contains(&licence)
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licence_expressions_are_evaluated() {
        for allowed in [
            "MIT",
            "MIT/Apache-2.0",
            "MIT OR GPL-3.0",
            "(MIT OR GPL-3.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception",
        ] {
            assert!(is_allowed(allowed), "{allowed}");
        }
        for refused in ["", "none", "GPL-3.0", "MIT AND GPL-3.0", "(MIT", "MIT MIT"] {
            assert!(!is_allowed(refused), "{refused}");
        }
    }

    #[test]
    fn licence_source_and_version_faults_are_reported() {
        let package = |name: &str, version: &str, license: Option<&str>, source: Option<&str>| {
            let license = license.map(str::to_owned);
            let source = source.map(str::to_owned);
            Package { name: name.to_owned(), version: version.to_owned(), license, source }
        };
        let packages = [
            package("ours", "1.0.0", Some("MIT"), None),
            package("reqwest", "0.12.0", Some("MIT"), Some(REGISTRY)),
            package("reqwest", "0.13.0", Some("MIT"), Some(REGISTRY)),
            package("free", "1.0.0", None, Some(REGISTRY)),
            package("forked", "1.0.0", Some("MIT"), Some("git+https://example.com/forked")),
        ];
        assert_eq!(
            faults(&packages),
            [
                "free 1.0.0 has a licence that is not allowed: none",
                "forked 1.0.0 does not come from crates.io",
                "reqwest has several versions: 0.12.0, 0.13.0",
            ]
        );
    }
}
