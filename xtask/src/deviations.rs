//! Intended differences from Spotify's official document and from recorded responses, with their
//! reasons.

use std::{collections::BTreeSet, fs, path::Path};

use serde::Deserialize;

use crate::{console::say, spec::Error};

const FILE: &str = "xtask/spec/deviations.toml";

/// The content of `xtask/spec/deviations.toml`, which lists the intended differences.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deviations {
    /// Differences between the spec and the official document.
    deviation: Vec<Deviation>,
    /// Differences between spot-mock's responses and the schemas of the official document.
    answer: Vec<Deviation>,
    /// Fields of recorded responses that spot-mock's responses do not have.
    field: Vec<Deviation>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Deviation {
    /// The lines of the report to which the reason applies. `*` matches any text.
    what: Vec<String>,
    reason: String,
}

impl Deviations {
    /// Reads the file. Fails if a deviation has no reason.
    pub fn read(root: &Path) -> Result<Self, Error> {
        let text =
            fs::read_to_string(root.join(FILE)).map_err(|error| format!("{FILE}: {error}"))?;
        let all: Self = toml::from_str(&text).map_err(|error| format!("{FILE}: {error}"))?;
        let is_empty = |deviation: &&Deviation| deviation.reason.trim().is_empty();
        match all.deviation.iter().chain(&all.answer).chain(&all.field).find(is_empty) {
            Some(deviation) => {
                Err(format!("{FILE}: the `reason` of {:?} is empty", deviation.what))
            }
            None => Ok(all),
        }
    }

    /// Reports differences between the spec and the official document.
    pub(crate) fn report_spec(&self, differences: &BTreeSet<String>) -> Result<(), Error> {
        report(&self.deviation, differences)
    }

    /// Reports differences between spot-mock's responses and the official document.
    pub fn report_answers(&self, differences: &BTreeSet<String>) -> Result<(), Error> {
        report(&self.answer, differences)
    }

    /// Reports fields that spot-mock's responses do not have.
    pub fn report_fields(&self, fields: &BTreeSet<String>) -> Result<(), Error> {
        report(&self.field, fields)
    }
}

/// For each reason, prints the number of matching differences. Fails if a difference matches no
/// reason, or if a reason matches no difference.
fn report(deviations: &[Deviation], differences: &BTreeSet<String>) -> Result<(), Error> {
    let mut explained = BTreeSet::new();
    let mut stale = 0;
    for deviation in deviations {
        let mut count = 0;
        for what in &deviation.what {
            let meant: Vec<_> = differences.iter().filter(|said| matches(what, said)).collect();
            if meant.is_empty() {
                stale += 1;
                say(&format!("matches no difference: {what}"));
            }
            count += meant.len();
            explained.extend(meant);
        }
        say(&format!("{count:4} {}", deviation.reason));
    }
    let unexplained: Vec<_> =
        differences.difference(&explained.into_iter().cloned().collect()).cloned().collect();
    for difference in &unexplained {
        say(&format!("unexplained: {difference}"));
    }
    say(&format!(
        "{} differences, {} reasons; {} differences have no reason, {stale} lines match no difference",
        differences.len(),
        deviations.len(),
        unexplained.len(),
    ));
    if unexplained.is_empty() && stale == 0 {
        return Ok(());
    }
    Err(format!(
        "some differences match no line of {FILE}, or some lines match no difference: correct the spec or the file"
    ))
}

/// Whether a reported difference matches the pattern; `*` in the pattern matches any text.
fn matches(pattern: &str, said: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| said.strip_prefix(first)) else {
        return false;
    };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.split_once(part) {
            Some((_, behind)) => rest = behind,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unused_deviations_and_unexplained_differences_are_errors() {
        let deviations = |what: &str| {
            vec![Deviation { what: vec![what.to_owned()], reason: "because".to_owned() }]
        };
        let differences = ["GET /a: query `b` is only in the document".to_owned()].into();
        assert!(report(&deviations("GET /a: query `b` *"), &differences).is_ok());
        assert!(report(&deviations("GET /a: query `c` *"), &differences).is_err());
        assert!(report(&[], &differences).is_err());
        assert!(report(&deviations("GET /a: *"), &BTreeSet::new()).is_err());
    }

    #[test]
    fn an_asterisk_matches_any_text() {
        assert!(matches(
            "GET /a: query b is only in the document",
            "GET /a: query b is only in the document"
        ));
        assert!(!matches("GET /a", "GET /a: query b is only in the document"));
        assert!(matches(
            "*: query limit: *",
            "GET /a: query limit: the minimum is 0 in the document, 1 in the spec"
        ));
        assert!(matches("* is only in the spec", "type Album: field `x` is only in the spec"));
        assert!(!matches("* is only in the spec", "type Album: field `x` is only in the document"));
        assert!(!matches("a*bc*c", "abc"));
    }
}
