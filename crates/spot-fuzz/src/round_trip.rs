//! Checks the round trip of models: decoding and encoding.

use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};

use crate::check_line;

/// Checks that a decoded value can be encoded, decoded and encoded again, and that the JSON stays
/// the same.
pub(crate) fn check<T: DeserializeOwned + Serialize + PartialEq + Debug>(json: &[u8]) {
    let value: T = match spot_model::from_slice(json) {
        Ok(value) => value,
        Err(error) => return check_line(&error.to_string()),
    };
    let encoded = serde_json::to_vec(&value).expect("the value cannot be encoded");
    let again: T = spot_model::from_slice(&encoded).expect("the encoded value cannot be decoded");
    // A skipped entry is encoded as null, and the reason for skipping the entry is lost. The JSON
    // is therefore compared instead of the values.
    assert_eq!(serde_json::to_vec(&again).expect("the value cannot be encoded"), encoded);
}
