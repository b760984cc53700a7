//! `cargo xtask drift FILE`: does the spec say what the official document says?
//!
//! Every difference is a line of words. Those that are meant are explained in
//! `xtask/spec/deviations.toml`, by the same words and a reason; a `*` there stands for anything.
//! An explanation that explains nothing any more is an error like a difference without one.

mod compare;
mod document;
mod types;

use std::{collections::BTreeSet, fs, path::Path};

use serde::Deserialize;

use self::document::Document;
use crate::{
    say,
    spec::{Error, Spec},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Deviations {
    deviation: Vec<Deviation>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Deviation {
    /// The differences it explains, in the words of the report.
    what: Vec<String>,
    reason: String,
}

/// The differences, in words: "there" is the document, "here" the spec.
#[derive(Default)]
struct Differences(BTreeSet<String>);

impl Differences {
    fn add(&mut self, difference: String) {
        self.0.insert(difference);
    }
}

pub(crate) fn run(root: &Path, file: &Path) -> Result<(), Error> {
    let spec = Spec::load(&root.join("xtask/spec"))?;
    let deviations = deviations(&root.join("xtask/spec/deviations.toml"))?;
    let document = Document::read(file)?;
    let mut differences = Differences::default();
    compare::operations(&spec, &document, &mut differences);
    types::compare(&spec, &document, &mut differences);
    report(&deviations, &differences)
}

fn deviations(path: &Path) -> Result<Vec<Deviation>, Error> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let all: Deviations =
        toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    let is_empty = |deviation: &&Deviation| deviation.reason.trim().is_empty();
    match all.deviation.iter().find(is_empty) {
        Some(deviation) => Err(format!("{}: {:?} has no reason", path.display(), deviation.what)),
        None => Ok(all.deviation),
    }
}

fn report(deviations: &[Deviation], Differences(differences): &Differences) -> Result<(), Error> {
    let mut explained = BTreeSet::new();
    let mut stale = 0;
    for deviation in deviations {
        let mut count = 0;
        for what in &deviation.what {
            let meant: Vec<_> = differences.iter().filter(|said| matches(what, said)).collect();
            if meant.is_empty() {
                stale += 1;
                say(&format!("no longer applies: {what}"));
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
        "{} deviations, {} reasons; {} unexplained, {stale} explanations that no longer apply",
        differences.len(),
        deviations.len(),
        unexplained.len(),
    ));
    if unexplained.is_empty() && stale == 0 {
        return Ok(());
    }
    Err("the spec and the document differ; mend the spec, or say why in deviations.toml".to_owned())
}

/// Whether a difference is the one that is meant; `*` in the pattern stands for anything.
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
    use super::matches;

    #[test]
    fn a_star_stands_for_anything() {
        assert!(matches("GET /a: query b is only there", "GET /a: query b is only there"));
        assert!(!matches("GET /a", "GET /a: query b is only there"));
        assert!(matches(
            "*: query limit: *",
            "GET /a: query limit: the minimum is 0 there, 1 here"
        ));
        assert!(matches("* is only here", "type Album: field `x` is only here"));
        assert!(!matches("* is only here", "type Album: field `x` is only there"));
        assert!(!matches("a*bc*c", "abc"));
    }
}
