//! The fixtures of the project: every answer that is recorded decodes to the value in its snapshot.

use std::{fmt::Debug, fs, path::PathBuf};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// The recorded exchanges of a call, by the name of their case.
pub(crate) fn recorded(call: &str) -> Vec<(String, Value)> {
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

/// Decodes and encodes again, or says why that is not possible.
pub(crate) type Roundtrip = fn(&[u8]) -> Result<Value, String>;

pub(crate) fn roundtrip<T: DeserializeOwned + Serialize>(json: &[u8]) -> Result<Value, String> {
    let value: T = spot_model::from_slice(json).map_err(|error| error.to_string())?;
    serde_json::to_value(&value).map_err(|error| error.to_string())
}

/// Decodes every recorded success of a call, and holds what is seen against the snapshot. What was
/// decoded encodes to something that decodes to the same.
pub(crate) fn snapshot<T>(call: &str, field: Option<&str>)
where
    T: DeserializeOwned + Serialize + Debug + PartialEq,
{
    for (case, fixture) in recorded(call) {
        let body = &fixture["body"];
        let body = field.map_or(body, |field| &body[field]);
        if fixture["status"].as_u64().unwrap() >= 300 || body.is_null() {
            // A refusal, or an answer of nothing (204); the request and the status are all there is.
            insta::assert_debug_snapshot!(
                format!("{call}-{case}"),
                (&fixture["request"], &fixture["status"], &fixture["body"])
            );
            continue;
        }
        let text = body.to_string();
        let value: T = spot_model::from_slice(text.as_bytes())
            .unwrap_or_else(|error| panic!("{call}, {case}: {error}"));
        let again = serde_json::to_vec(&value).unwrap();
        let again: T = spot_model::from_slice(&again)
            .unwrap_or_else(|error| panic!("{call}, {case}, encoded again: {error}"));
        assert_eq!(again, value, "{call}, {case}: encoding loses something");
        insta::assert_debug_snapshot!(format!("{call}-{case}"), (&fixture["request"], value));
    }
}

/// A command has no answer to decode: the request, the status and what was sent are all there is.
pub(crate) fn nothing(call: &str) {
    for (case, fixture) in recorded(call) {
        insta::assert_debug_snapshot!(
            format!("{call}-{case}"),
            (&fixture["request"], &fixture["sent"], &fixture["status"])
        );
    }
}
