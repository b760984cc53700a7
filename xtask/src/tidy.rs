//! `cargo xtask tidy`: enforces rules that the compiler and the lints do not check.

use std::{fs, path::Path};

use crate::{
    circles::circles,
    codegen,
    console::say,
    packages,
    spec::{Error, Spec},
};

/// The allowed dependencies between the project's crates. The list must not contain a cycle.
const ARROWS: &[(&str, &[&str])] = &[
    ("spot-model", &[]),
    ("spot-http", &["spot-model"]),
    ("spot-auth", &["spot-http", "spot-model"]),
    ("spot-api", &["spot-http", "spot-model"]),
    ("spot-redis", &["spot-auth", "spot-http", "spot-model"]),
    ("spot-sdk", &["spot-api", "spot-auth", "spot-http", "spot-model", "spot-redis"]),
    // The mock must not make the same mistakes as the client, so it does not use the client's code.
    ("spot-mock", &["spot-model"]),
];

pub(crate) fn run(root: &Path) -> Result<(), Error> {
    let mut wrong = Vec::new();
    arrows(root, &mut wrong)?;
    if let Err(error) = codegen::run(root, true) {
        wrong.push(error);
    }
    covered(root, &mut wrong)?;
    packages::check(root, &mut wrong)?;
    words(root, &mut wrong);
    import_circles(root, &mut wrong);
    if wrong.is_empty() {
        say("tidy");
        return Ok(());
    }
    Err(wrong.join("\n       "))
}

/// Checks that each manifest uses only the allowed crates of the project.
fn arrows(root: &Path, wrong: &mut Vec<String>) -> Result<(), Error> {
    for (name, allowed) in ARROWS {
        let path = root.join("crates").join(name).join("Cargo.toml");
        let text =
            fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let manifest: toml::Table =
            toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        // Dev-dependencies are not restricted.
        for table in ["dependencies", "build-dependencies"] {
            let used = manifest.get(table).and_then(toml::Value::as_table);
            for used in used.into_iter().flatten().map(|(used, _)| used.as_str()) {
                let ours = used.starts_with("spot-") || used == "xtask";
                if ours && !allowed.contains(&used) {
                    wrong.push(format!("{name} must not depend on {used}"));
                }
            }
        }
    }
    Ok(())
}

/// Checks that every operation has a recorded response in both access modes. The generated tables
/// already ensure that each response is decoded and that each example is called.
fn covered(root: &Path, wrong: &mut Vec<String>) -> Result<(), Error> {
    let spec = Spec::load(&root.join("xtask/spec"))?;
    for (name, _) in spec.ops() {
        for mode in ["development", "extended"] {
            let fixture = format!("fixtures/{name}/{mode}.json");
            if !root.join(&fixture).is_file() {
                wrong.push(format!("{fixture} is missing; run `cargo xtask fixtures`"));
            }
        }
    }
    Ok(())
}

/// Allowed import cycles. Each entry contains the folder of a crate and the modules of the cycle.
const ALLOWED_CIRCLES: &[(&str, &[&str])] = &[
    // A builder and the type that the builder creates import each other.
    ("crates/spot-http", &["pipeline", "pipeline::builder"]),
    ("crates/spot-mock", &["server::builder", "server::mock"]),
    // Ids and URIs convert into each other.
    ("crates/spot-model", &["id", "uri"]),
];

/// Checks that the crates contain no import cycles, except for the allowed cycles.
fn import_circles(root: &Path, wrong: &mut Vec<String>) {
    let Ok(crates) = fs::read_dir(root.join("crates")) else { return };
    let mut dirs: Vec<_> = crates.flatten().map(|entry| entry.path()).collect();
    dirs.extend([root.join("xtask"), root.join("xtask/checks")]);
    for dir in dirs {
        let name = dir.strip_prefix(root).unwrap_or(&dir).display().to_string();
        for circle in circles(&dir.join("src")) {
            // The generated objects refer to each other and to their decoders, so cycles between
            // them are allowed.
            let is_model = name == "crates/spot-model"
                && circle.iter().all(|module| module.starts_with("generated::"));
            let allowed = is_model
                || ALLOWED_CIRCLES.iter().any(|(of, known)| {
                    *of == name && circle.iter().all(|module| known.contains(&module.as_str()))
                });
            if !allowed {
                wrong.push(format!(
                    "{name}: circular dependency between these files: {}",
                    circle.join(", ")
                ));
            }
        }
    }
}

/// Checks that no test is ignored, and that no lint is switched off for a whole generated file.
fn words(root: &Path, wrong: &mut Vec<String>) {
    each_source(root, &mut |path, text| {
        // This file is skipped, because it contains the words that the check searches for.
        if path.ends_with("xtask/src/tidy.rs") {
            return;
        }
        for (number, line) in text.lines().enumerate() {
            let ignored = line.trim_start().starts_with("#[ignore")
                || line.contains("```ignore")
                || line.contains("```rust,ignore");
            if ignored {
                wrong.push(format!(
                    "{}:{}: a test must not be ignored",
                    path.display(),
                    number + 1
                ));
            }
            let generated = path.components().any(|part| part.as_os_str() == "generated");
            if generated && line.starts_with("#![allow") {
                wrong.push(format!(
                    "{}:{}: `#![allow]` is not permitted in generated code",
                    path.display(),
                    number + 1
                ));
            }
        }
    });
}

fn each_source(dir: &Path, check: &mut dyn FnMut(&Path, &str)) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() {
            if name != "target" && name != ".git" {
                each_source(&path, check);
            }
        } else if path.extension().is_some_and(|ending| ending == "rs" || ending == "md")
            && let Ok(text) = fs::read_to_string(&path)
        {
            check(&path, &text);
        }
    }
}
