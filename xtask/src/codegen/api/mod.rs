//! The requests of `spot-api`: a type per call, and the methods that lead to it.

mod build;
mod methods;
mod params;
mod request;
mod send;

use std::{collections::BTreeSet, path::PathBuf};

use self::{
    methods::{client_methods, methods_of},
    request::request,
};
use super::{camel, doc, file_doc, import, preamble};
use crate::spec::{Domain, Error, Spec};

/// The types that examples mention, and where they come from: `model` is that of the crate at hand.
const EXAMPLE_NAMES: &[(&str, &str)] = &[
    ("std::time", "Duration"),
    ("model", "AlbumGroup"),
    ("model", "RepeatState"),
    ("model", "SearchKind"),
    ("model", "TimeRange"),
];

/// The `use` lines of examples: `model` is the path of the models, `more` is imported from there.
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

pub(in crate::codegen) fn files(spec: &Spec) -> Result<Vec<(PathBuf, String)>, Error> {
    let mut files = Vec::new();
    let mut modules = String::new();
    let mut exports = String::new();
    for domain in &spec.domains {
        if domain.op.is_empty() && domain.handle.is_empty() {
            continue;
        }
        let name = &domain.name;
        modules.push_str(&format!("mod {name};\n"));
        let names = domain.op.iter().map(|(op, _)| camel(op));
        let names = names.chain(domain.handle.values().map(|handle| handle.name.clone()));
        exports.push_str(&format!("pub {}", import(name, names)));
        files
            .push((format!("crates/spot-api/src/generated/{name}.rs").into(), file(spec, domain)?));
    }
    // The table of operations: nothing but words.
    modules.push_str("pub mod operations;\n");
    let root = format!(
        "{}{}\n{modules}\n{exports}",
        preamble("*.toml"),
        file_doc(&["What the spec makes: a request per call, and the methods that lead to it."]),
    );
    files.push(("crates/spot-api/src/generated/mod.rs".into(), root));
    Ok(files)
}

fn file(spec: &Spec, domain: &Domain) -> Result<String, Error> {
    let mut body = String::new();
    body.push_str(&client_methods(domain));
    for (name, handle) in &domain.handle {
        body.push_str(&format!(
            "\n{}#[derive(Clone, Debug)]\npub struct {} {{\n    pub(crate) client: Client,\n}}\n",
            doc("", &[&handle.doc]),
            handle.name
        ));
        body.push_str(&methods_of(spec, name, &handle.name, None));
    }
    for (name, op) in domain.op.iter() {
        body.push('\n');
        body.push_str(&request(spec, name, op).map_err(|error| format!("op.{name}: {error}"))?);
        body.push_str(&methods_of(spec, name, &camel(name), Some(op)));
    }
    let mut out = preamble(&format!("{}.toml", domain.name));
    out.push_str(&file_doc(&[&domain.doc]));
    out.push('\n');
    out.push_str(&imports(spec, &body));
    out.push_str(&body);
    Ok(out)
}

/// Names of the model that are in no spec.
const OF_MODEL: &[&str] = &["IntoId", "Operation", "ParseIdError"];

/// Types of the spec that are by hand in `spot-api`.
const OF_API: &[&str] = &["Fields", "PlaybackOffset", "SearchQuery"];

/// Names a file may need, by where they come from. What the text does not mention is left out.
fn imports(spec: &Spec, body: &str) -> String {
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

/// Names of a module, as a part of a `use` line.
fn braced(module: &str, names: &[&str]) -> String {
    match names {
        [name] => format!("{module}::{name}"),
        _ => format!("{module}::{{{}}}", names.join(", ")),
    }
}

/// Whether a word is the name of a request that the text makes.
fn is_request(word: &str, body: &str) -> bool {
    *word != *"Self" && body.contains(&format!("-> {word} {{\n"))
}
