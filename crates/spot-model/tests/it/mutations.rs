//! Decodes many changed copies of every recorded response. In each copy, one object lacks a field,
//! has `null` or a new value in a field, or has an unknown field. Decoding must not panic. Decoding
//! may fail only if the object is useless without the field.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::{fixtures, generated::fixtures::READERS};

/// Fields that contain a string enum. Spotify may add values to an enum.
const ENUMS: &[&str] = &[
    "album_group",
    "album_type",
    "currently_playing_type",
    "media_type",
    "product",
    "reason",
    "release_date_precision",
    "repeat_state",
    "type",
];

/// One step of the path to a value in a response.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Field(String),
    Entry(usize),
}

/// Finds the first occurrence of each kind of field. The key is the path without list indexes, and
/// the value is the path with list indexes.
fn places(value: &Value, path: &mut Vec<Step>, found: &mut BTreeMap<String, Vec<Step>>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                path.push(Step::Field(name.clone()));
                found.entry(name_of(path)).or_insert_with(|| path.clone());
                places(value, path, found);
                path.pop();
            }
        }
        Value::Array(entries) => {
            for (at, entry) in entries.iter().enumerate() {
                path.push(Step::Entry(at));
                places(entry, path, found);
                path.pop();
            }
        }
        _ => {}
    }
}

fn name_of(path: &[Step]) -> String {
    let mut name = String::new();
    for step in path {
        match step {
            Step::Field(field) if name.is_empty() => name.push_str(field),
            Step::Field(field) => name.push_str(&format!(".{field}")),
            Step::Entry(_) => name.push_str("[]"),
        }
    }
    name
}

fn at<'a>(value: &'a mut Value, path: &[Step]) -> &'a mut Value {
    path.iter().fold(value, |value, step| match step {
        Step::Field(name) => &mut value[name.as_str()],
        Step::Entry(place) => &mut value[*place],
    })
}

/// Returns the response with every possible change of the field, and the name of each change.
fn mutations(body: &Value, path: &[Step]) -> Vec<(&'static str, Value)> {
    let Some((Step::Field(name), parent)) = path.split_last() else { return Vec::new() };
    let mut mutated = Vec::new();
    let mut change = |how, change: &dyn Fn(&mut serde_json::Map<String, Value>)| {
        let mut body = body.clone();
        change(at(&mut body, parent).as_object_mut().unwrap());
        mutated.push((how, body));
    };
    change("removed", &|fields| drop(fields.remove(name)));
    change("null", &|fields| drop(fields.insert(name.clone(), Value::Null)));
    change("beside an unknown field", &|fields| {
        fields.insert("quite_new".to_owned(), json!({ "a": [1, { "b": null }] }));
    });
    match at(&mut body.clone(), path) {
        Value::Number(number) => {
            if let Some(integer) = number.as_i64() {
                change("a float", &|fields| {
                    fields.insert(name.clone(), json!(integer as f64));
                });
            }
        }
        Value::String(_) if ENUMS.contains(&name.as_str()) => {
            change("a new name", &|fields| {
                fields.insert(name.clone(), json!("something_new"));
            });
        }
        _ => {}
    }
    mutated
}

/// Returns the number of skipped entries, which are encoded as null.
fn left_out(value: &Value) -> usize {
    match value {
        Value::Object(fields) => fields.values().map(left_out).sum(),
        Value::Array(entries) => {
            let nulls = entries.iter().filter(|entry| entry.is_null()).count();
            nulls + entries.iter().map(left_out).sum::<usize>()
        }
        _ => 0,
    }
}

#[test]
fn only_essential_fields_are_required() {
    let mut needed: BTreeSet<String> = BTreeSet::new();
    let mut tried = 0;
    for (call, field, read) in READERS {
        for (case, mut body) in fixtures::bodies(call, *field) {
            fixtures::shorten(&mut body, 2);
            let whole = read(body.to_string().as_bytes())
                .unwrap_or_else(|error| panic!("{call}, {case}: {error}"));
            let mut found = BTreeMap::new();
            places(&body, &mut Vec::new(), &mut found);
            for (name, path) in &found {
                for (how, mutated) in mutations(&body, path) {
                    tried += 1;
                    match read(mutated.to_string().as_bytes()) {
                        Err(error) => {
                            needed.insert(format!("{call}: {name} {how}: {error}"));
                        }
                        Ok(value) if left_out(&value.encoded) > left_out(&whole.encoded) => {
                            needed.insert(format!("{call}: {name} {how}: the entry is left out"));
                        }
                        Ok(_) => {}
                    }
                }
            }
        }
    }
    assert!(tried > 10_000, "only {tried} were tried");
    // Positions in the text do not help a reader of the snapshot.
    let needed: BTreeSet<_> =
        needed.iter().map(|line| line.split(" at line").next().unwrap_or(line)).collect();
    insta::assert_snapshot!(needed.into_iter().collect::<Vec<_>>().join("\n"));
}

/// Returns the path of the first object of each kind, including the response itself.
fn objects(body: &Value) -> Vec<Vec<Step>> {
    fn find(value: &Value, path: &mut Vec<Step>, found: &mut BTreeMap<String, Vec<Step>>) {
        match value {
            Value::Object(fields) => {
                found.entry(name_of(path)).or_insert_with(|| path.clone());
                for (name, value) in fields {
                    path.push(Step::Field(name.clone()));
                    find(value, path, found);
                    path.pop();
                }
            }
            Value::Array(entries) => {
                for (at, entry) in entries.iter().enumerate() {
                    path.push(Step::Entry(at));
                    find(entry, path, found);
                    path.pop();
                }
            }
            _ => {}
        }
    }
    let mut found = BTreeMap::new();
    find(body, &mut Vec::new(), &mut found);
    found.into_values().collect()
}

#[test]
fn a_list_in_place_of_an_object_fails_like_a_number() {
    let mut tried = 0;
    for (call, field, read) in READERS {
        for (case, mut body) in fixtures::bodies(call, *field) {
            fixtures::shorten(&mut body, 2);
            for path in objects(&body) {
                let fields = at(&mut body, &path).as_object().unwrap().values().cloned().collect();
                let read = |wrong: Value| {
                    let mut body = body.clone();
                    *at(&mut body, &path) = wrong;
                    read(body.to_string().as_bytes()).map(|value| value.encoded).map_err(drop)
                };
                let expected = read(json!(1));
                for list in [json!([]), json!([null]), Value::Array(fields)] {
                    tried += 1;
                    let name = name_of(&path);
                    assert_eq!(read(list.clone()), expected, "{call}, {case}, {name}: {list}");
                }
            }
        }
    }
    assert!(tried > 1_000, "only {tried} were tried");
}
