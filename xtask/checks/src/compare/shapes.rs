//! `cargo xtask shapes DIR`: compares the fields of spot-mock's responses with the fields of
//! Spotify's responses.
//!
//! For each operation, the fields of the recorded responses are compared with the fields of the
//! fixtures. A field is identified by its path, without list positions and values.
//! `crates/spot-mock/tests/shapes.txt` lists the fields that only Spotify or only spot-mock has, so
//! that the differences can be reviewed. With `--check`, the task fails if `shapes.txt` is out of
//! date. In `xtask/spec/deviations.toml`, the entries under `field` explain why spot-mock lacks a
//! field.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::Path,
};

use serde_json::Value;
use spot::model::Operation;
use xtask::{Deviations, Error, say};

use crate::compare::recorded;

const FILE: &str = "crates/spot-mock/tests/shapes.txt";

pub(crate) fn run(root: &Path, dir: &Path, check: bool) -> Result<(), Error> {
    let mut theirs = BTreeMap::<String, BTreeSet<String>>::new();
    for entry in recorded::index(dir)?.iter().filter(|entry| entry.http_status < 300) {
        let answer = recorded::read(&dir.join(&entry.file))?;
        collect(&answer, "", theirs.entry(entry.operation.clone()).or_default());
    }
    let mut ours = BTreeMap::<String, BTreeSet<String>>::new();
    for operation in Operation::ALL {
        // The fixtures of both modes are combined, because the recordings come from applications in
        // both modes.
        for fixture in recorded::fixtures(root, operation, ".json")? {
            // Error responses are skipped, both in the fixtures and in the recordings.
            let status = fixture.get("status").and_then(Value::as_u64);
            if let (Some(200..300), Some(body)) = (status, fixture.get("body")) {
                collect(body, "", ours.entry(operation.id.to_owned()).or_default());
            }
        }
    }
    let mut text = "# `cargo xtask shapes`: fields that only recorded responses have (-), and fields that only\n\
                    # the fixtures have (+). xtask/spec/deviations.toml explains the missing fields (-).\n\n"
        .to_owned();
    let mut counts = [0_usize; 2];
    let mut lacking = BTreeSet::new();
    for (operation, theirs) in &theirs {
        let Some(ours) = ours.get(operation) else { continue };
        let _ = writeln!(text, "{operation}");
        for (mark, paths) in [('-', theirs - ours), ('+', ours - theirs)] {
            for path in &paths {
                let _ = writeln!(text, "  {mark} {path}");
            }
            if mark == '-' {
                lacking.extend(paths.iter().map(|path| format!("{operation}: {path}")));
            }
            let [missing, more] = &mut counts;
            *(if mark == '-' { missing } else { more }) += paths.len();
        }
    }
    let [missing, more] = counts;
    say(&format!(
        "{} operations compared: {missing} fields are only in recorded responses, {more} fields are only in responses of spot-mock",
        theirs.keys().filter(|operation| ours.contains_key(*operation)).count(),
    ));
    Deviations::read(root)?.report_fields(&lacking)?;
    let path = root.join(FILE);
    if !check {
        return fs::write(&path, text).map_err(|error| format!("{FILE}: {error}"));
    }
    if fs::read_to_string(&path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    Err(format!("{FILE} is out of date; run `cargo xtask shapes` and review the changes"))
}

/// Collects the paths of all fields.
fn collect(value: &Value, path: &str, paths: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                collect(value, &path, paths);
                paths.insert(path);
            }
        }
        Value::Array(entries) => {
            for entry in entries {
                collect(entry, &format!("{path}[]"), paths);
            }
        }
        _ => {}
    }
}
