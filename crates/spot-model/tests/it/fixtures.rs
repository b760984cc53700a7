//! Decodes the recorded responses of the project.

use std::{fmt::Debug, fs, path::PathBuf};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    binary::round_trip,
    generated::fixtures::{READERS, TYPES},
};

/// Returns the recorded exchanges of a call, with the name of each case.
fn recorded(call: &str) -> Vec<(String, Value)> {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(call);
    let mut found: Vec<_> = fs::read_dir(&dir)
        .unwrap_or_else(|error| panic!("{}: {error}", dir.display()))
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let case = path.file_stem().unwrap().to_string_lossy().into_owned();
            (case, serde_json::from_slice(&fs::read(&path).unwrap()).unwrap())
        })
        .collect();
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    assert!(!found.is_empty(), "{} holds no fixture", dir.display());
    found
}

/// Returns the bodies of the recorded successful responses of an operation, with the name of each
/// case. If `field` is set, returns only the value of this field.
pub(crate) fn bodies(operation: &str, field: Option<&str>) -> Vec<(String, Value)> {
    let mut bodies = Vec::new();
    for (case, mut fixture) in recorded(operation) {
        let body = &mut fixture["body"];
        let body = field.map_or(&*body, |field| &body[field]).clone();
        // Error responses, and responses without content (204), are skipped.
        if fixture["status"].as_u64().unwrap() < 300 && !body.is_null() {
            bodies.push((case, body));
        }
    }
    bodies
}

/// Decodes JSON with `from_slice` and with serde_json, encodes the value, and decodes the value
/// again.
pub(crate) type Roundtrip = fn(&[u8]) -> Result<Decoded, String>;

pub(crate) struct Decoded {
    /// The decoded value, encoded as JSON.
    pub(crate) encoded: Value,
    /// Whether the JSON and the binary form of the value both decode to an equal value.
    pub(crate) survives: bool,
}

pub(crate) fn roundtrip<T>(json: &[u8]) -> Result<Decoded, String>
where
    T: DeserializeOwned + Serialize + Debug + PartialEq,
{
    let value = spot_model::from_slice::<T>(json);
    let tolerant = serde_json::from_slice::<T>(json);
    assert_eq!(value.as_ref().ok(), tolerant.as_ref().ok(), "{}", String::from_utf8_lossy(json));
    let value = value.map_err(|error| error.to_string())?;
    let encoded = serde_json::to_value(&value).map_err(|error| error.to_string())?;
    let again: T = spot_model::from_slice(encoded.to_string().as_bytes())
        .unwrap_or_else(|error| panic!("does not decode again: {error}: {encoded}"));
    let survives = again == value && round_trip(&value) == value;
    Ok(Decoded { survives, encoded })
}

/// Decodes a value and prints it.
pub(crate) type Debugged = fn(&[u8]) -> String;

pub(crate) fn debug<T: DeserializeOwned + Debug>(json: &[u8]) -> String {
    let value: T = spot_model::from_slice(json).unwrap();
    format!("{value:#?}")
}

/// Shortens every list to its first `length` entries.
pub(crate) fn shorten(value: &mut Value, length: usize) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(|value| shorten(value, length)),
        Value::Array(entries) => {
            entries.truncate(length);
            entries.iter_mut().for_each(|value| shorten(value, length));
        }
        _ => {}
    }
}

#[test]
fn every_recorded_response_survives_a_round_trip() {
    let mut decoded = 0;
    for (operation, field, roundtrip) in READERS {
        for (case, body) in bodies(operation, *field) {
            let decoded_body = roundtrip(body.to_string().as_bytes())
                .unwrap_or_else(|error| panic!("{operation}, {case}: {error}"));
            assert!(decoded_body.survives, "{operation}, {case}: encoding loses something");
            decoded += 1;
        }
    }
    assert!(decoded > 100, "only {decoded} responses were decoded");
}

/// If a field is added or changed, the snapshots of its types change.
#[test]
fn decoded_types_match_the_reviewed_snapshots() {
    for (name, operation, field, debug) in TYPES {
        let short = |(case, mut body): (String, Value)| {
            shorten(&mut body, 2);
            // Responses have all fields in Extended Quota Mode.
            case.ends_with("extended").then(|| body.to_string())
        };
        // The snapshot contains the longest response.
        let bodies = bodies(operation, *field).into_iter().filter_map(short);
        let body = bodies.max_by_key(String::len).unwrap();
        insta::assert_snapshot!(*name, debug(body.as_bytes()));
    }
}
