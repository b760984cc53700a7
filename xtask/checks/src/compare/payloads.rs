//! `cargo xtask payloads DIR`: decodes recorded responses of Spotify with the models.
//!
//! Every recorded response is decoded with the type of its operation and encoded again. The report
//! lists the location of each failure, and every field that a model drops.

use std::{collections::BTreeMap, fs, path::Path};

use serde::Deserialize;
use serde_json::Value;
use xtask::{Error, say};

use crate::{
    compare::{
        answer::{Broken, Roundtrip},
        recorded::{self, Recorded},
    },
    generated::answers::{ANSWERS, RENAMED, TYPES},
};

/// Fields that the models deliberately drop.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ignored {
    field: Vec<IgnoredField>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IgnoredField {
    /// The end of the field's path, for example `external_urls` or `followers.href`.
    path: String,
    /// `type` of the objects to which this entry applies. Without a type, the entry applies to all
    /// objects.
    #[serde(default)]
    of: Option<String>,
    reason: String,
}

#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    skipped: usize,
    /// Fields that the models drop, with the number of occurrences.
    lost: BTreeMap<String, usize>,
}

pub(crate) fn run(root: &Path, dir: &Path) -> Result<(), Error> {
    let ignored = ignored(root)?;
    let mut tally = Tally::default();
    for entry in &recorded::index(dir)? {
        let path = dir.join(&entry.file);
        match fs::read(&path) {
            Ok(body) => check(entry, &body, &ignored, &mut tally),
            Err(error) => {
                tally.failed += 1;
                say(&format!("FAILED {}: {error}", entry.file));
            }
        }
    }
    for (path, count) in &tally.lost {
        say(&format!("lost when decoded and encoded again: {path} ({count} times)"));
    }
    if tally.skipped > 0 {
        say(&format!("{} skipped: their operations are not in the spec", tally.skipped));
    }
    say(&format!("{} passed, {} failed", tally.passed, tally.failed));
    if tally.failed > 0 {
        Err("some recorded responses could not be decoded".to_owned())
    } else {
        Ok(())
    }
}

fn ignored(root: &Path) -> Result<Ignored, Error> {
    let path = root.join("xtask/checks/ignored-fields.toml");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let ignored: Ignored =
        toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    match ignored.field.iter().find(|field| field.reason.trim().is_empty()) {
        Some(field) => {
            Err(format!("{}: the `reason` of `{}` is empty", path.display(), field.path))
        }
        None => Ok(ignored),
    }
}

fn check(entry: &Recorded, body: &[u8], ignored: &Ignored, tally: &mut Tally) {
    if entry.operation == "error" {
        return report(entry, tally, error_is_read(entry.http_status, body).map(|()| 0));
    }
    let readers: Vec<(Option<&str>, Roundtrip)> = match entry.operation.strip_prefix("type:") {
        Some(name) => {
            let kind = TYPES.iter().filter(|(known, _)| *known == name);
            kind.map(|(_, read)| (None, *read)).collect()
        }
        None => {
            let answers = ANSWERS.iter().filter(|answer| answer.operation == entry.operation);
            answers.map(|answer| (answer.field, answer.read)).collect()
        }
    };
    // An operation can have several response types, depending on the path. The check uses the type
    // that drops the fewest fields.
    let read = readers.into_iter().map(|(field, read)| reading(body, field, read, ignored));
    match read.min_by_key(|read| read.as_ref().map_or(usize::MAX, |read| read.lost.len())) {
        Some(read) => {
            let outcome = read.map(|read| {
                read.lost.into_iter().for_each(|path| *tally.lost.entry(path).or_default() += 1);
                read.left_out
            });
            report(entry, tally, outcome);
        }
        None => skip(entry, tally),
    }
}

/// Result of decoding a response.
struct Reading {
    /// The fields that the model drops.
    lost: Vec<String>,
    /// Number of page entries that the decoder skipped.
    left_out: usize,
}

fn reading(
    body: &[u8],
    field: Option<&str>,
    read: Roundtrip,
    ignored: &Ignored,
) -> Result<Reading, Broken> {
    let part = part(body, field)?;
    let kept = read(&part)?;
    let given: Value = serde_json::from_slice(&part).map_err(|error| Broken(error.to_string()))?;
    let mut lost = Vec::new();
    compare(&given, &kept, "", &mut |path, of| {
        if !is_ignored(ignored, path, of) {
            lost.push(path.to_owned());
        }
    });
    Ok(Reading { lost, left_out: left_out(&given, &kept) })
}

fn skip(entry: &Recorded, tally: &mut Tally) {
    tally.skipped += 1;
    say(&format!("skipped {} ({})", entry.file, entry.operation));
}

fn report(entry: &Recorded, tally: &mut Tally, outcome: Result<usize, Broken>) {
    match outcome {
        Ok(left_out) => {
            tally.passed += 1;
            let note = match left_out {
                0 => String::new(),
                count => format!(", {count} page entries skipped"),
            };
            say(&format!("passed {} ({}{note})", entry.file, entry.operation));
        }
        Err(Broken(why)) => {
            tally.failed += 1;
            say(&format!("FAILED {} ({}): {why}", entry.file, entry.operation));
        }
    }
}

/// The part of a response that is decoded.
fn part(body: &[u8], field: Option<&str>) -> Result<Vec<u8>, Broken> {
    let Some(field) = field else { return Ok(body.to_vec()) };
    let mut value: Value =
        serde_json::from_slice(body).map_err(|error| Broken(error.to_string()))?;
    let part = value
        .get_mut(field)
        .map(Value::take)
        .ok_or_else(|| Broken(format!("at .: missing field `{field}`")))?;
    serde_json::to_vec(&part).map_err(|error| Broken(error.to_string()))
}

/// Checks that the SDK's error for a response has a message.
fn error_is_read(status: u16, body: &[u8]) -> Result<(), Broken> {
    let error = spot::Error::from_response(status, body);
    if error.message().is_empty() {
        return Err(Broken("the error has no message".to_owned()));
    }
    Ok(())
}

/// Reports the path of every value of `given` that is missing or different in `kept`. A path
/// contains `[]` instead of a list position.
fn compare(given: &Value, kept: &Value, path: &str, lost: &mut dyn FnMut(&str, &str)) {
    match (given, kept) {
        // Empty values may be missing. A value is empty if it is null, an empty string, or a list
        // or an object of empty values.
        (Value::Null, _) => {}
        (Value::Object(given), Value::Object(kept)) => {
            let given_type = given.get("type").and_then(Value::as_str).unwrap_or_default();
            for (name, value) in given {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                // A field with an old name is encoded under its current name.
                let renamed = RENAMED.iter().find(|(old, _)| old == name);
                let now = renamed.and_then(|(_, new)| kept.get(*new));
                match kept.get(name).or(now) {
                    Some(kept) => compare(value, kept, &path, lost),
                    None if says_nothing(value) => {}
                    None => lost(&path, given_type),
                }
            }
        }
        (Value::Array(given), Value::Array(kept)) if given.len() == kept.len() => {
            // The encoder may write a set in a different order than the response.
            let is_set = given.iter().all(Value::is_string);
            if is_set && given.iter().all(|entry| kept.contains(entry)) {
                return;
            }
            for (given, kept) in given.iter().zip(kept) {
                compare(given, kept, &format!("{path}[]"), lost);
            }
        }
        (Value::Array(given), Value::Array(kept)) => {
            let nulls = given.iter().filter(|entry| entry.is_null()).count();
            if given.len() != kept.len() + nulls {
                lost(path, "");
            }
        }
        (Value::Number(given), Value::Number(kept)) => {
            if given.as_f64() != kept.as_f64() && !given.as_f64().is_some_and(|given| given < 0.0) {
                lost(&format!("{path} (number changed)"), "");
            }
        }
        (Value::String(given), Value::String(kept)) => {
            if !same_text(given, kept) {
                lost(&format!("{path} (text changed)"), "");
            }
        }
        // Some old recordings contain numbers as JSON strings.
        (Value::String(given), Value::Number(kept)) if *given == kept.to_string() => {}
        (given, kept) if given == kept => {}
        (given, Value::Null) if says_nothing(given) => {}
        _ => lost(&format!("{path} (type changed)"), ""),
    }
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(entries) => entries.iter().all(says_nothing),
        Value::Object(fields) => fields.values().all(says_nothing),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

/// Whether two strings are equivalent. The encoder generates links from the id, so this function
/// does not compare links. Some payloads differ from the encoder in the upper or lower case of enum
/// values, so this function ignores case. Times are encoded without a fraction if the fraction is
/// zero.
fn same_text(given: &str, kept: &str) -> bool {
    let is_link = |text: &str| text.starts_with("http") || text.starts_with("spotify:");
    given.eq_ignore_ascii_case(kept)
        || is_link(given) && is_link(kept)
        || given.replace(".000Z", "Z") == kept
}

/// Counts the page entries that the decoder skipped. Skipped entries are encoded as null.
fn left_out(given: &Value, kept: &Value) -> usize {
    match (given, kept) {
        (Value::Object(given), Value::Object(kept)) => {
            given.iter().filter_map(|(name, given)| Some(left_out(given, kept.get(name)?))).sum()
        }
        (Value::Array(given), Value::Array(kept)) => given
            .iter()
            .zip(kept)
            .map(|(given, kept)| if kept.is_null() { 1 } else { left_out(given, kept) })
            .sum(),
        _ => 0,
    }
}

fn is_ignored(ignored: &Ignored, path: &str, of: &str) -> bool {
    let fields = ignored.field.iter();
    fields.filter(|field| field.of.as_deref().is_none_or(|wanted| wanted == of)).any(|field| {
        path.strip_suffix(field.path.as_str())
            .is_some_and(|start| start.is_empty() || start.ends_with('.') || start.ends_with("[]"))
    })
}
