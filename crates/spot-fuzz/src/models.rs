//! Every model, with the round trip.

use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};

use crate::{check_line, generated::MODELS};

/// The first line names the type, the rest is the JSON. A first line that names none chooses a type by
/// its length, so that a mutated name is of use, too.
pub(crate) fn models(data: &[u8]) {
    let mut lines = data.splitn(2, |byte| *byte == b'\n');
    let (name, json) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let named = MODELS.iter().find(|(known, _)| known.as_bytes() == name);
    if let Some((_, check)) = named.or_else(|| MODELS.get(name.len() % MODELS.len())) {
        check(json);
    }
}

/// What decodes can be encoded, and decodes again to the same.
pub(crate) fn check<T: DeserializeOwned + Serialize + PartialEq + Debug>(json: &[u8]) {
    let value: T = match spot_model::from_slice(json) {
        Ok(value) => value,
        Err(error) => return check_line(&error.to_string()),
    };
    let encoded = serde_json::to_vec(&value).expect("every model can be encoded");
    let again: T = spot_model::from_slice(&encoded).expect("what was encoded decodes");
    // The reasons of skipped entries become null, so that the values themselves may differ.
    assert_eq!(serde_json::to_vec(&again).expect("every model can be encoded"), encoded);
}
