//! Generates the calls of the examples, and the response types of the recorded responses.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    path::PathBuf,
};

use crate::{
    codegen::{api::example_imports, file_doc, import, preamble},
    spec::Spec,
    ty::Ty,
};

pub(super) fn files(spec: &Spec) -> Vec<(PathBuf, String)> {
    vec![
        ("xtask/checks/src/generated/mod.rs".into(), module()),
        ("xtask/checks/src/generated/examples.rs".into(), examples(spec)),
        ("xtask/checks/src/generated/answers.rs".into(), answers(spec)),
        ("crates/spot-fuzz/src/generated/mod.rs".into(), models(spec)),
        ("crates/spot-model/tests/it/generated/fixtures.rs".into(), fixtures(spec)),
        (
            "crates/spot-model/tests/it/generated/mod.rs".into(),
            preamble("*.toml") + "pub(crate) mod fixtures;\n",
        ),
    ]
}

fn module() -> String {
    preamble("*.toml") + "pub(crate) mod answers;\npub(crate) mod examples;\n"
}

fn examples(spec: &Spec) -> String {
    let mut calls = String::new();
    let mut text = String::new();
    for (name, op) in spec.ops() {
        let cases = op.cases.iter().map(|(case, call)| (case.as_str(), call));
        for (case, call) in std::iter::once(("default", &op.example)).chain(cases) {
            text.push_str(call);
            calls.push_str(&format!(
                "    Example {{ case: {case:?}, operation: Operation::{}, \
                 call: |client| call({call}) }},\n",
                name.to_uppercase()
            ));
        }
    }
    format!(
        "{}{}\n{}\nuse crate::example::{{Example, call}};\n\n/// All examples in the spec.\n\
         pub(crate) const EXAMPLES: &[Example] = &[\n{calls}];\n",
        preamble("*.toml"),
        file_doc(&["Functions that run the examples of the docs."]),
        example_imports(&text, "spot::model", &["Operation"]),
    )
}

fn answers(spec: &Spec) -> String {
    let mut names = vec!["Page".to_owned()];
    let mut seen = BTreeSet::new();
    let mut operations = String::new();
    for (_, op) in spec.ops().filter(|(_, op)| seen.insert(op.route())) {
        let Ok(returns) = Ty::parse(&op.returns) else { continue };
        let reader = match &returns {
            Ty::Unit => continue,
            Ty::Optional(inner) => &**inner,
            other => other,
        };
        reader.names(&mut names);
        operations.push_str(&format!(
            "    Answer {{ operation: {:?}, field: {:?}, read: roundtrip::<{}> }},\n",
            op.id,
            op.unwrap,
            reader.rust()
        ));
    }
    let mut types = String::new();
    for domain in &spec.domains {
        for (name, _) in domain.r#type.iter() {
            names.push(name.to_owned());
            types.push_str(&format!("    ({name:?}, roundtrip::<{name}>),\n"));
        }
    }
    let fields = spec.domains.iter().flat_map(|domain| domain.r#type.iter());
    let fields = fields.flat_map(|(_, kind)| &kind.fields);
    let renamed: BTreeSet<String> = fields
        .filter_map(|field| {
            Some(format!("({:?}, {:?}), ", field.renamed_from.as_ref()?, field.json()))
        })
        .collect();
    let renamed: String = renamed.into_iter().collect();
    if !operations.contains("Page<") {
        names.retain(|name| name != "Page");
    }
    format!(
        "{}{}\n{}\nuse crate::compare::answer::{{Answer, Roundtrip, roundtrip}};\n\n\
         /// The decoder for the responses of each operation.\npub(crate) const ANSWERS: &[Answer] = &[\n{operations}];\n\n\
         /// The name and the decoder of each object.\npub(crate) const TYPES: &[(&str, Roundtrip)] = &[\n{types}];\n\n\
         /// The old name and the new name of each renamed field.\n\
         pub(crate) const RENAMED: &[(&str, &str)] = &[{renamed}];\n",
        preamble("*.toml"),
        file_doc(&["Decoders of the recorded responses."]),
        import("spot::model", names),
    )
}

/// The table of the types that the fuzzer checks: every object, and pages of some objects.
fn models(spec: &Spec) -> String {
    let types = || spec.domains.iter().flat_map(|domain| domain.r#type.iter());
    let mut rows = String::new();
    for (name, _) in types() {
        rows.push_str(&format!("    ({name:?}, check::<{name}>),\n"));
    }
    for name in ["SavedTrack", "PlaylistItem", "SimplifiedAlbum"] {
        rows.push_str(&format!("    (\"Page<{name}>\", check::<Page<{name}>>),\n"));
    }
    rows.push_str("    (\"CursorPage<PlayHistory>\", check::<CursorPage<PlayHistory>>),\n");
    let names = types().map(|(name, _)| name.to_owned());
    let names = names.chain(["CursorPage", "Page"].map(str::to_owned));
    format!(
        "{}{}\n{}\nuse crate::{{Target, round_trip::check}};\n\n/// The name of each type, and the function that checks the round trip of a JSON input.\n\
         pub(crate) const MODELS: &[Target] = &[\n{rows}];\n",
        preamble("*.toml"),
        file_doc(&["The models that are fuzzed."]),
        import("spot_model", names),
    )
}

/// Two tables: the type of each recorded response, and a recorded response for each type.
fn fixtures(spec: &Spec) -> String {
    let mut names = Vec::new();
    let mut readers = String::new();
    let mut types: BTreeMap<String, (bool, String)> = BTreeMap::new();
    for (name, op) in spec.ops() {
        let Ok(returns) = Ty::parse(&op.returns) else { continue };
        if let Ty::Unit = returns {
            continue;
        }
        returns.names(&mut names);
        let read = match &returns {
            Ty::Optional(inner) => inner.rust(),
            other => other.rust(),
        };
        let field = &op.unwrap;
        readers.push_str(&format!("    ({name:?}, {field:?}, fixtures::roundtrip::<{read}>),\n"));
        let mut parts = Vec::new();
        returns.names(&mut parts);
        // The type of the response or, for a list or a page, the type of its entries.
        if let Some(own) = parts.iter().find(|part| spec.kind(part).is_some()) {
            let row = format!("    ({own:?}, {name:?}, {field:?}, fixtures::debug::<{read}>),\n");
            // The best example is the response of a `GET` that returns only the object.
            let rank = (op.call.starts_with("GET ") && read == *own, row);
            match types.entry(own.clone()) {
                Entry::Vacant(first) => drop(first.insert(rank)),
                Entry::Occupied(mut known) if rank.0 && !known.get().0 => drop(known.insert(rank)),
                Entry::Occupied(_) => {}
            }
        }
    }
    let types: String = types.into_values().map(|(_, row)| row).collect();
    format!(
        "{}{}\n{}\nuse crate::fixtures::{{self, Debugged, Roundtrip}};\n\n\
         /// The name of each operation, the field of the response to decode, and the decoder.\n\
         pub(crate) const READERS: &[(&str, Option<&str>, Roundtrip)] = &[\n{readers}];\n\n\
         /// Each type, with an operation whose recorded response contains the type.\n\
         pub(crate) const TYPES: &[(&str, &str, Option<&str>, Debugged)] = &[\n{types}];\n",
        preamble("*.toml"),
        file_doc(&["Decoders of the recorded responses."]),
        import("spot_model", names),
    )
}
