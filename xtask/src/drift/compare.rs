//! Compares the operations and parameters of the spec with the operations and parameters of the
//! document.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    contract::{self, Need, Parameter},
    drift::{
        Differences,
        document::{self, Document},
    },
    spec::{Access, Op, Spec},
    ty::Ty,
};

pub(super) fn operations(spec: &Spec, document: &Document, differences: &mut Differences) {
    let mut here: BTreeMap<&str, Vec<&Op>> = BTreeMap::new();
    for (_, op) in spec.ops() {
        here.entry(&op.call).or_default().push(op);
    }
    let there = document.operations();
    for call in there.keys().filter(|call| !here.contains_key(call.as_str())) {
        differences.add(format!("{call} is only in the document"));
    }
    for (call, ops) in &here {
        let Some(operation) = there.get(*call) else {
            differences.add(format!("{call} is only in the spec"));
            continue;
        };
        for op in ops {
            whole(call, op, document, operation, differences);
        }
        parameters(call, &contract::merged(spec, ops), document, operation, differences);
    }
    let known: BTreeSet<&str> = spec
        .string_enum("Scope")
        .into_iter()
        .flat_map(|scopes| scopes.values.iter().map(|scope| scope.value.as_str()))
        .collect();
    sets("the API", "scope", &document.scopes(), &known, differences);
}

/// Compares everything about an operation except its parameters.
fn whole(
    call: &str,
    op: &Op,
    document: &Document,
    operation: &Value,
    differences: &mut Differences,
) {
    let id = document::text(operation, "operationId");
    if id != op.id {
        differences
            .add(format!("{call}: the id is `{id}` in the document, `{}` in the spec", op.id));
    }
    match (document::is_true(operation, "deprecated"), op.access) {
        (true, Access::Any) => differences
            .add(format!("{call}: deprecated in the document, but not restricted in the spec")),
        (false, Access::Extended | Access::Closed2024) => {
            differences
                .add(format!("{call}: restricted in the spec, but not deprecated in the document"));
        }
        _ => {}
    }
    let scopes = document::list(operation.get("security"))
        .flat_map(|scheme| document::entries(Some(scheme)))
        .flat_map(|(_, scopes)| document::list(Some(scopes)).filter_map(Value::as_str));
    let here = op.scopes.iter().map(String::as_str).collect();
    sets(call, "scope", &scopes.collect(), &here, differences);
    let answer = document.answer(operation);
    let returns = Ty::parse(&op.returns).unwrap_or(Ty::Unit);
    match (answer.schema.is_some(), &returns) {
        (true, Ty::Unit) => differences
            .add(format!("{call}: the response has a body in the document, but not in the spec")),
        (false, returns) if *returns != Ty::Unit => {
            differences.add(format!(
                "{call}: the response has a body in the spec, but not in the document"
            ));
        }
        (true, returns) if returns.is_optional() != answer.may_be_missing => {
            let (there, here) = match answer.may_be_missing {
                true => ("optional", "required"),
                false => ("required", "optional"),
            };
            differences.add(format!(
                "{call}: the response is {there} in the document, {here} in the spec"
            ));
        }
        _ => {}
    }
}

fn parameters(
    call: &str,
    here: &[Parameter],
    document: &Document,
    operation: &Value,
    differences: &mut Differences,
) {
    let there = document.parameters(operation);
    let keys: BTreeSet<_> = here.iter().map(|here| (here.place, here.name.clone())).collect();
    for (place, name) in there.keys().filter(|key| !keys.contains(key)) {
        differences.add(format!("{call}: {} `{name}` is only in the document", place.name()));
    }
    for parameter in here {
        let name = format!("{call}: {} `{}`", parameter.place.name(), parameter.name);
        let Some(other) = there.get(&(parameter.place, parameter.name.clone())) else {
            differences.add(format!("{name} is only in the spec"));
            continue;
        };
        match (other.required, parameter.need) {
            (true, Need::Optional) => {
                differences
                    .add(format!("{name} is required in the document, optional in the spec"));
            }
            (false, Need::Required) => {
                differences
                    .add(format!("{name} is optional in the document, required in the spec"));
            }
            _ => {}
        }
        if let Some(values) = document.values(other.schema) {
            let here = parameter.values.iter().map(String::as_str).collect();
            sets(&name, "value", &values, &here, differences);
        }
        // The minimum of an unsigned number is 0, even if the spec does not state the minimum.
        let is_unsigned = matches!(&parameter.ty, Ty::Int(name) if name.starts_with('u'));
        let min = parameter.min.or(is_unsigned.then_some(0));
        let limits = [
            ("minimum", number(other.schema, "minimum"), min),
            ("maximum", number(other.schema, "maximum"), parameter.max),
        ];
        for (which, there, here) in limits {
            let is_implied = which == "minimum" && there.is_none() && here == Some(0);
            if there != here && !is_implied {
                differences.add(format!(
                    "{name}: the {which} is {} in the document, {} in the spec",
                    or_none(there),
                    or_none(here)
                ));
            }
        }
        let default = other.schema.get("default").map(|value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        });
        if default != parameter.default {
            differences.add(format!(
                "{name}: the default is {} in the document, {} in the spec",
                or_none(default),
                or_none(parameter.default.clone())
            ));
        }
    }
}

/// Reports the values that only one of two sets contains.
pub(super) fn sets(
    name: &str,
    what: &str,
    there: &BTreeSet<&str>,
    here: &BTreeSet<&str>,
    differences: &mut Differences,
) {
    for only in there.difference(here) {
        differences.add(format!("{name}: {what} `{only}` is only in the document"));
    }
    for only in here.difference(there) {
        differences.add(format!("{name}: {what} `{only}` is only in the spec"));
    }
}

/// The value of a limit, as an integer. A limit is an integer even if the parameter is a
/// floating-point number.
fn number(schema: &Value, name: &str) -> Option<i64> {
    let value = schema.get(name)?;
    #[expect(clippy::cast_possible_truncation, reason = "limits are small")]
    value.as_i64().or_else(|| value.as_f64().map(|value| value as i64))
}

fn or_none(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| value.to_string())
}
