//! The round trip of a model.

use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};

use crate::check_line;

/// Checks that what decodes can be encoded, and decodes again to the same value.
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
