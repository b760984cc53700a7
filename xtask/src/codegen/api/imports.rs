//! The `use` lines of generated files and of examples.

use std::collections::BTreeSet;

use crate::{codegen::import, spec::Spec};

/// The types that examples use, and the module of each type.
const EXAMPLE_NAMES: &[(&str, &str)] = &[
    ("std::time", "Duration"),
    ("model", "AlbumGroup"),
    ("model", "RepeatState"),
    ("model", "SearchKind"),
    ("model", "TimeRange"),
];

/// The `use` lines of examples. `model` is the path of the models. The names in `more` are also
/// imported from `model`.
pub(in crate::codegen) fn example_imports(text: &str, model: &str, more: &[&str]) -> String {
    let names = |from: &str| -> Vec<String> {
        let used =
            EXAMPLE_NAMES.iter().filter(|(place, name)| *place == from && text.contains(name));
        used.map(|(_, name)| (*name).to_owned()).collect()
    };
    let own = names("std::time");
    let gap = if own.is_empty() { "" } else { "\n" };
    let models = names("model").into_iter().chain(more.iter().map(|name| (*name).to_owned()));
    import("std::time", own) + gap + &import(model, models)
}

/// Names of the model that are not in the spec.
const OF_MODEL: &[&str] = &["IntoId", "Operation", "OptionalId", "ParseIdError"];

/// Types of the spec that are handwritten in `spot-api`.
const OF_API: &[&str] = &["Fields", "PlaybackOffset", "SearchQuery"];

/// The `use` lines of a file. Only names that the text mentions are imported.
pub(super) fn imports(spec: &Spec, body: &str) -> String {
    let own: BTreeSet<&str> = body
        .lines()
        .filter_map(|line| line.strip_prefix("pub struct "))
        .filter_map(|line| line.split([' ', '<', '(']).next())
        .collect();
    let mut code_words = BTreeSet::new();
    for line in body.lines().filter(|line| !line.trim_start().starts_with("///")) {
        code_words.extend(line.split(|char: char| !char.is_alphanumeric() && char != '_'));
    }
    let used = |names: &[&str]| -> Vec<String> {
        let used = names.iter().filter(|name| code_words.contains(**name));
        used.map(|name| (*name).to_owned()).collect()
    };
    let model: Vec<String> = code_words
        .iter()
        .filter(|word| OF_MODEL.contains(word) || spec.knows(word) && !OF_API.contains(word))
        .map(|word| (*word).to_owned())
        .collect();
    let requests: Vec<String> = code_words
        .iter()
        .filter(|word| is_request(word, body) && !own.contains(**word))
        .map(|word| (*word).to_owned())
        .collect();
    let mut out = String::new();
    out.push_str(&import("std::time", used(&["Duration"])));
    out.push('\n');
    out.push_str(&import("bytes", used(&["Bytes"])));
    out.push_str(&import("chrono", used(&["DateTime", "Utc"])));
    out.push_str(&import("spot_model", model));
    out.push('\n');
    let ours = [
        "Client",
        "Error",
        "Fields",
        "Items",
        "Market",
        "Optional",
        "PlaybackOffset",
        "Request",
        "Response",
        "SearchQuery",
    ];
    let mut ours = used(&ours);
    ours.extend(requests);
    let input = [
        ("Attributes", code_words.contains("Attributes")),
        ("Body", code_words.contains("Body")),
        ("RequestExt", body.contains("Request::new")),
    ];
    let input: Vec<&str> =
        input.into_iter().filter(|(_, used)| *used).map(|(name, _)| name).collect();
    if !input.is_empty() {
        ours.push(braced("input", &input));
    }
    let send: Vec<&str> = ["chunked", "single"]
        .into_iter()
        .filter(|name| body.contains(&format!("{name}!(")))
        .collect();
    if !send.is_empty() {
        ours.push(braced("send", &send));
    }
    if body.contains("chunks::") {
        ours.push("chunks".to_owned());
    }
    out.push_str(&import("crate", ours));
    out
}

/// The part of a `use` line that imports `names` from `module`.
fn braced(module: &str, names: &[&str]) -> String {
    match names {
        [name] => format!("{module}::{name}"),
        _ => format!("{module}::{{{}}}", names.join(", ")),
    }
}

/// Whether a function in `body` returns the type `word`. Such a type is a request type.
fn is_request(word: &str, body: &str) -> bool {
    *word != *"Self" && body.contains(&format!("-> {word} {{\n"))
}
