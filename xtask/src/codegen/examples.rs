//! The examples of the docs as calls, and the response types for reading recorded responses.

use std::{collections::BTreeSet, path::PathBuf};

use super::{api::example_imports, file_doc, import, preamble};
use crate::{spec::Spec, ty::Ty};

pub(super) fn files(spec: &Spec) -> Vec<(PathBuf, String)> {
    vec![
        ("xtask/checks/src/generated/mod.rs".into(), module()),
        ("xtask/checks/src/generated/examples.rs".into(), examples(spec)),
        ("xtask/checks/src/generated/answers.rs".into(), answers(spec)),
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
                 call: |client| Box::pin(async move {{ {call}.await.map(drop) }}) }},\n",
                name.to_uppercase()
            ));
        }
    }
    format!(
        "{}{}\n{}\nuse crate::example::Example;\n\n/// Every example of the spec.\n\
         pub(crate) const EXAMPLES: &[Example] = &[\n{calls}];\n",
        preamble("*.toml"),
        file_doc(&["The examples of the docs, as calls."]),
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
        "{}{}\n{}\nuse crate::compare::payloads::{{Answer, Roundtrip, roundtrip}};\n\n\
         /// What each operation answers.\npub(crate) const ANSWERS: &[Answer] = &[\n{operations}];\n\n\
         /// The objects by name.\npub(crate) const TYPES: &[(&str, Roundtrip)] = &[\n{types}];\n\n\
         /// Fields that had another name, and the one they have.\n\
         pub(crate) const RENAMED: &[(&str, &str)] = &[{renamed}];\n",
        preamble("*.toml"),
        file_doc(&["How recorded answers are read."]),
        import("spot::model", names),
    )
}

/// A test per call: every recorded answer decodes to the value in its snapshot.
fn fixtures(spec: &Spec) -> String {
    let mut names = Vec::new();
    let mut tests = String::new();
    let mut readers = String::new();
    for (name, op) in spec.ops() {
        let Ok(returns) = Ty::parse(&op.returns) else { continue };
        let call = match &returns {
            Ty::Unit => format!("fixtures::nothing({name:?});"),
            returns => {
                returns.names(&mut names);
                let read = match returns {
                    Ty::Optional(inner) => inner.rust(),
                    other => other.rust(),
                };
                readers.push_str(&format!(
                    "    ({name:?}, {:?}, fixtures::roundtrip::<{read}>),\n",
                    op.unwrap
                ));
                format!("fixtures::snapshot::<{read}>({name:?}, {:?});", op.unwrap)
            }
        };
        tests.push_str(&format!("\n#[test]\nfn {name}() {{\n    {call}\n}}\n"));
    }
    format!(
        "{}{}\n{}\nuse crate::fixtures::{{self, Roundtrip}};\n\n\
         /// How the answer of each call is read, and the field of it that is.\n\
         pub(crate) const READERS: &[(&str, Option<&str>, Roundtrip)] = &[\n{readers}];\n{tests}",
        preamble("*.toml"),
        file_doc(&["Every recorded answer decodes to the value in its snapshot."]),
        import("spot_model", names),
    )
}
