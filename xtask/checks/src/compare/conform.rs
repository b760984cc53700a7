//! `cargo xtask conform FILE`: validates spot-mock's responses against Spotify's official document.
//!
//! Every JSON response among the fixtures of Extended Quota Mode is validated against the schema of
//! its operation. `cargo xtask fixtures --check` verifies that the fixtures are spot-mock's current
//! responses. In `xtask/spec/deviations.toml`, the entries under `answer` explain the intended
//! differences.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    path::Path,
};

use jsonschema::{Validator, error::ValidationErrorKind};
use serde_json::{Map, Value, json};
use spot::model::Operation;
use xtask::{Deviations, Error, read_document, say};

use crate::compare::recorded;

pub(crate) fn run(root: &Path, file: &Path) -> Result<(), Error> {
    let document = Document::new(read_document(file)?);
    let (mut validators, mut differences) = (BTreeMap::new(), BTreeSet::new());
    let (mut valid, mut wrong, mut without, mut operations) = (0, 0, 0, BTreeSet::new());
    let mut unanswered = document.operations();
    for operation in Operation::ALL {
        let Some(call) = document.call(operation) else { continue };
        for fixture in recorded::fixtures(root, operation, "extended.json")? {
            let Some(body) = fixture.get("body").filter(|body| !body.is_string()) else { continue };
            let status = fixture.get("status").and_then(Value::as_u64).unwrap_or_default();
            if status >= 300 {
                continue;
            }
            let Some(schema) = document.schema(&call, status) else {
                without += 1;
                continue;
            };
            unanswered.remove(&call);
            operations.insert(call.clone());
            let validator = match validators.entry((call.clone(), status)) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => new.insert(
                    document.validator(schema).map_err(|error| format!("{call}: {error}"))?,
                ),
            };
            let request = fixture.get("request").and_then(Value::as_str).unwrap_or_default();
            let found = differ(validator, body, request.contains("fields="));
            *(if found.is_empty() { &mut valid } else { &mut wrong }) += 1;
            differences.extend(found.into_iter().map(|found| format!("{call}: {found}")));
        }
    }
    say(&format!(
        "{} responses of {} operations: {valid} match the schema, {wrong} differ from it; \
         {without} have no schema",
        valid + wrong,
        operations.len(),
    ));
    Deviations::read(root)?.report_answers(&differences)?;
    match unanswered.is_empty() {
        true => Ok(()),
        false => Err(format!("these operations of the document have no fixture: {unanswered:?}")),
    }
}

/// Describes the differences between a response and its schema. The description does not contain
/// values of the response. If `is_part` is true, the request selected only some fields, so other
/// fields may be missing.
fn differ(validator: &Validator, answer: &Value, is_part: bool) -> BTreeSet<String> {
    let required =
        |kind: &ValidationErrorKind| matches!(kind, ValidationErrorKind::Required { .. });
    validator
        .iter_errors(answer)
        .filter(|error| !(is_part && required(error.kind())))
        .map(|error| {
            format!("{}: {}", place(answer, &error.instance_path().to_string()), error.masked())
        })
        .collect()
}

/// Path of a value in a response, without the indexes of entries, for example `/items/[]/album`.
/// The path marks each local file with `(a local file)`, because local files have fewer fields than
/// other tracks.
fn place(answer: &Value, pointer: &str) -> String {
    let (mut value, mut place) = (Some(answer), String::new());
    for step in pointer.split('/').skip(1) {
        value = value.and_then(|value| value.pointer(&format!("/{step}")));
        let step = if step.parse::<usize>().is_ok() { "[]" } else { step };
        place.push('/');
        place.push_str(step);
        let is_local = value.and_then(|value| value.get("is_local")) == Some(&Value::Bool(true));
        if is_local && value.is_some_and(|value| value.get("album").is_some()) {
            place.push_str("(a local file)");
        }
    }
    if place.is_empty() { "/".to_owned() } else { place }
}

/// The document, with its OpenAPI 3.0 schemas converted to JSON Schema.
struct Document(Value);

impl Document {
    fn new(mut root: Value) -> Self {
        let names = root.clone();
        translate(&mut root, &names);
        Self(root)
    }

    /// Method and path of the operation in the document, for example `GET /me/top/{type}` for the
    /// project's operation `GET /me/top/artists`.
    fn call(&self, operation: &Operation) -> Option<String> {
        let paths = self.0.get("paths").and_then(Value::as_object)?;
        let same = |path: &&String| {
            let segments = |path: &str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
            let (theirs, ours) = (segments(path), segments(operation.path));
            theirs.len() == ours.len()
                && theirs.iter().zip(&ours).all(|(theirs, ours)| {
                    theirs == ours || theirs.starts_with('{') && !ours.starts_with('{')
                })
        };
        let exact = paths.get_key_value(operation.path).map(|(path, _)| path);
        let path = exact.or_else(|| paths.keys().find(same))?;
        Some(format!("{} {path}", operation.method))
    }

    /// The calls that have a schema for a successful response.
    fn operations(&self) -> BTreeSet<String> {
        let paths = self.0.get("paths").and_then(Value::as_object).into_iter().flatten();
        let calls = paths.flat_map(|(path, item)| {
            let methods = ["get", "put", "post", "delete"].into_iter();
            methods
                .filter(|method| item.get(method).is_some())
                .map(move |method| format!("{} {path}", method.to_uppercase()))
        });
        let has_schema = |call: &String| {
            [200, 201].into_iter().any(|status| self.schema(call, status).is_some())
        };
        calls.filter(has_schema).collect()
    }

    /// The schema of a response, for example of `GET /albums/{id}` with the status 200.
    fn schema(&self, call: &str, status: u64) -> Option<&Value> {
        let (method, path) = call.split_once(' ')?;
        let operation = self.0.get("paths")?.get(path)?.get(method.to_lowercase())?;
        let mut response = operation.get("responses")?.get(status.to_string())?;
        if let Some(target) = response.get("$ref").and_then(Value::as_str) {
            response = self.0.pointer(target.strip_prefix('#')?)?;
        }
        response.pointer("/content/application~1json/schema")
    }

    fn validator(&self, schema: &Value) -> Result<Validator, Error> {
        // Adds the components of the document, so that the validator can resolve references.
        let mut whole = schema.clone();
        if let (Some(fields), Some(components)) = (whole.as_object_mut(), self.0.get("components"))
        {
            fields.insert("components".to_owned(), components.clone());
        }
        jsonschema::draft202012::new(&whole).map_err(|error| error.to_string())
    }
}

/// Replaces `nullable` with a condition that allows null. Replaces a `oneOf` of objects with one
/// condition for each `type`. A validation error then describes only the schema for the object's
/// `type`. `names` is an unchanged copy of the document, used for resolving references.
fn translate(value: &mut Value, names: &Value) {
    match value {
        Value::Array(entries) => entries.iter_mut().for_each(|entry| translate(entry, names)),
        Value::Object(fields) => {
            let is_choice = fields.contains_key("discriminator");
            if let (true, Some(choices)) =
                (is_choice, fields.get("oneOf").and_then(Value::as_array))
            {
                let conditions: Option<Vec<_>> =
                    choices.iter().map(|choice| condition(choice, names)).collect();
                if let Some(mut conditions) = conditions {
                    // An object is invalid if none of the schemas has the object's `type`.
                    let kinds = choices.iter().filter_map(|choice| kinds(choice, names));
                    let kinds: Vec<_> = kinds.flat_map(Value::as_array).flatten().collect();
                    let known = json!({ "properties": { "type": { "enum": kinds } } });
                    conditions.push(json!({ "type": "object", "required": ["type"] }));
                    conditions.push(known);
                    fields.remove("oneOf");
                    fields.insert("allOf".to_owned(), Value::Array(conditions));
                }
            }
            fields.values_mut().for_each(|value| translate(value, names));
            if fields.remove("nullable") == Some(Value::Bool(true)) {
                let rest = std::mem::take(fields);
                *fields = Map::from_iter([
                    ("if".to_owned(), json!({ "type": "null" })),
                    ("else".to_owned(), Value::Object(rest)),
                ]);
            }
        }
        _ => {}
    }
}

/// Returns a JSON Schema condition: an object with the `type` of `choice` must match `choice`.
fn condition(choice: &Value, names: &Value) -> Option<Value> {
    let kinds = kinds(choice, names)?;
    Some(json!({
        "if": { "type": "object", "required": ["type"], "properties": { "type": { "enum": kinds } } },
        "then": choice,
    }))
}

/// Possible values of an object's `type`.
fn kinds<'a>(schema: &'a Value, names: &'a Value) -> Option<&'a Value> {
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        return kinds(names.pointer(target.strip_prefix('#')?)?, names);
    }
    let own = schema.pointer("/properties/type/enum");
    let parts = schema.get("allOf").and_then(Value::as_array).into_iter().flatten();
    own.or_else(|| parts.into_iter().find_map(|part| kinds(part, names)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Document {
        let track = json!({
            "type": "object",
            "required": ["type", "number"],
            "properties": { "type": { "enum": ["track"] }, "number": { "type": "integer" } },
        });
        let episode = json!({
            "type": "object",
            "required": ["type", "show"],
            "properties": {
                "type": { "enum": ["episode"] },
                "show": { "nullable": true, "allOf": [{ "$ref": "#/components/schemas/Show" }] },
            },
        });
        let item = json!({
            "oneOf": [
                { "$ref": "#/components/schemas/Track" },
                { "$ref": "#/components/schemas/Episode" },
            ],
            "discriminator": { "propertyName": "type" },
        });
        Document::new(json!({
            "openapi": "3.0.3",
            "paths": { "/items": { "get": { "responses": { "200": { "$ref": "#/components/responses/Items" } } } } },
            "components": {
                "responses": { "Items": { "content": { "application/json": { "schema": {
                    "type": "object", "required": ["items"],
                    "properties": { "items": { "type": "array", "items": item } },
                } } } } },
                "schemas": {
                    "Track": track, "Episode": episode,
                    "Show": { "type": "object", "required": ["name"] },
                },
            },
        }))
    }

    fn differences(answer: &Value, is_part: bool) -> Vec<String> {
        let document = document();
        let schema = document.schema("GET /items", 200).unwrap();
        let validator = document.validator(schema).unwrap();
        differ(&validator, answer, is_part).into_iter().collect()
    }

    #[test]
    fn a_valid_response_has_no_differences() {
        let answer = json!({ "items": [
            { "type": "track", "number": 1 },
            { "type": "episode", "show": null },
            { "type": "episode", "show": { "name": "S" } },
        ] });
        assert_eq!(differences(&answer, false), [] as [&str; 0]);
        assert_eq!(document().operations().into_iter().collect::<Vec<_>>(), ["GET /items"]);
    }

    #[test]
    fn a_difference_names_the_path_but_not_the_value() {
        let answer = json!({ "items": [
            { "type": "track", "number": "secret" },
            { "type": "episode", "show": {} },
        ] });
        let found = differences(&answer, false);
        assert!(found.iter().any(|found| {
            found.starts_with("/items/[]/number: ") && found.contains("\"integer\"")
        }));
        assert!(found.iter().any(|found| found.starts_with("/items/[]/show: ")), "{found:?}");
        assert!(!found.iter().any(|found| found.contains("secret")), "{found:?}");
    }

    #[test]
    fn a_value_that_matches_no_schema_variant_is_reported() {
        for (item, place) in [(json!({ "type": "banana" }), "/type"), (json!({}), "")] {
            let found = differences(&json!({ "items": [item] }), false);
            let start = format!("/items/[]{place}: ");
            assert!(found.iter().any(|found| found.starts_with(&start)), "{found:?}");
        }
    }

    #[test]
    fn differences_in_local_files_are_labelled() {
        let item = json!({ "type": "track", "is_local": true, "album": {}, "number": null });
        let found = differences(&json!({ "items": [item] }), false);
        assert!(found[0].starts_with("/items/[](a local file)/number: "), "{found:?}");
    }

    #[test]
    fn a_partial_response_has_no_required_fields() {
        let answer = json!({ "items": [{ "type": "track" }] });
        assert_eq!(differences(&answer, false).len(), 1);
        let missing = json!({});
        assert_eq!(differences(&missing, true), [] as [&str; 0]);
        assert_eq!(differences(&answer, true), [] as [&str; 0]);
    }
}
