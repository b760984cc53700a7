//! Fields with two names, of which one is read.

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::{decode, object::WireError};

/// The value of a field under its old name: read once it is known that the new name has none.
///
/// Answers have the one, the other or both. Where they have both, all but the braces is there twice.
pub(crate) enum Deferred<'a> {
    Borrowed(&'a RawValue),
    Owned(Box<RawValue>),
}

impl Deferred<'_> {
    /// The value.
    pub(crate) fn read<T: DeserializeOwned>(
        self,
        name: &'static str,
    ) -> Result<Option<T>, WireError> {
        let json = match &self {
            Self::Borrowed(json) => json.get(),
            Self::Owned(json) => json.get(),
        };
        serde_json::from_str(json).map_err(|error| WireError::Broken(name, error.to_string()))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Deferred<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if decode::is_in_place() {
            <&RawValue>::deserialize(deserializer).map(Self::Borrowed)
        } else {
            Box::<RawValue>::deserialize(deserializer).map(Self::Owned)
        }
    }
}
