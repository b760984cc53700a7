//! Decodes recorded responses.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use spot::model;

/// The decoder for the responses of an operation.
pub(crate) struct Answer {
    pub(crate) operation: &'static str,
    /// The field of the response to decode, if the result is wrapped in an object.
    pub(crate) field: Option<&'static str>,
    pub(crate) read: Roundtrip,
}

/// A function that decodes a response and encodes the value again.
pub(crate) type Roundtrip = fn(&[u8]) -> Result<Value, Broken>;

/// Reason and location of a decoding failure.
pub(crate) struct Broken(pub(super) String);

pub(crate) fn roundtrip<T: DeserializeOwned + Serialize>(body: &[u8]) -> Result<Value, Broken> {
    let value: T = model::from_slice(body).map_err(|error| {
        let mut deserializer = serde_json::Deserializer::from_slice(body);
        let place = serde_path_to_error::deserialize::<_, T>(&mut deserializer).err();
        let place = place.map_or_else(|| ".".to_owned(), |error| error.path().to_string());
        Broken(format!("at {place}: {error}"))
    })?;
    serde_json::to_value(&value).map_err(|error| Broken(format!("encoding: {error}")))
}
