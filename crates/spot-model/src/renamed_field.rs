//! Fields with an old and a new name.

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::{decode, object::WireError};

/// The JSON of a field under its old name. It is decoded only if the new name has no value.
///
/// Responses have the old name, the new one, or both with the same value. Decoding both would take
/// twice the time.
pub(crate) enum RenamedField<'a> {
    Borrowed(&'a RawValue),
    Owned(Box<RawValue>),
}

impl RenamedField<'_> {
    /// Decodes the value.
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

impl<'de: 'a, 'a> Deserialize<'de> for RenamedField<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if decode::is_in_place() {
            <&RawValue>::deserialize(deserializer).map(Self::Borrowed)
        } else {
            Box::<RawValue>::deserialize(deserializer).map(Self::Owned)
        }
    }
}
