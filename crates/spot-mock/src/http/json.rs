//! JSON values of responses before serialization.
//!
//! `serde_json::Value` would allocate every key and copy the 185 markets of every album in a page.
//! [`Json`] has static keys, and stores constant parts as serialized JSON.

use std::{borrow::Cow, sync::Arc};

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;

/// A JSON value.
#[derive(Clone, Debug)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Static(&'static str),
    Raw(&'static RawValue),
    /// Serialized JSON that several responses share.
    Shared(Arc<RawValue>),
    List(Vec<Json>),
    Object(Object),
}

/// A JSON object that keeps the order in which its fields were set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Object(Vec<(&'static str, Json)>);

impl Object {
    pub(crate) fn new() -> Self {
        Self(Vec::with_capacity(24))
    }

    /// Appends a field. Duplicates are not detected, so each field must be set only once.
    pub(crate) fn set(&mut self, key: &'static str, value: impl Into<Json>) {
        self.0.push((key, value.into()));
    }

    pub(crate) fn into_fields(self) -> Vec<(&'static str, Json)> {
        self.0
    }
}

impl FromIterator<(&'static str, Json)> for Object {
    fn from_iter<I: IntoIterator<Item = (&'static str, Json)>>(fields: I) -> Self {
        Self(fields.into_iter().collect())
    }
}

/// Creates a [`Json`] object from a literal: `object! { "name": track.name, "total": 3 }`.
macro_rules! object {
    ($($key:literal : $value:expr),* $(,)?) => {
        $crate::http::json::Json::Object(
            [$(($key, $crate::http::json::Json::from($value))),*].into_iter().collect(),
        )
    };
}
pub(crate) use object;

impl Json {
    /// Serializes the value. The initial capacity of the buffer is large enough for the serialized
    /// parts.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.finished() + 1_024);
        // Serialization cannot fail: it writes to memory, and all keys are strings.
        let _ = serde_json::to_writer(&mut bytes, self);
        bytes
    }

    /// Estimated size of the stored serialized parts, in bytes.
    fn finished(&self) -> usize {
        match self {
            Self::Raw(raw) => raw.get().len(),
            Self::Shared(raw) => raw.get().len() + 64,
            Self::List(entries) => entries.iter().map(Self::finished).sum(),
            Self::Object(Object(fields)) => fields.iter().map(|(_, value)| value.finished()).sum(),
            _ => 0,
        }
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Static(text) => serializer.serialize_str(text),
            Self::Raw(raw) => raw.serialize(serializer),
            Self::Shared(raw) => raw.serialize(serializer),
            Self::List(entries) => serializer.collect_seq(entries),
            Self::Object(Object(fields)) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (key, value) in fields {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Json {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u32> for Json {
    fn from(value: u32) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<u16> for Json {
    fn from(value: u16) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<u8> for Json {
    fn from(value: u8) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<i32> for Json {
    fn from(value: i32) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<usize> for Json {
    fn from(value: usize) -> Self {
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<f64> for Json {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&'static str> for Json {
    fn from(text: &'static str) -> Self {
        Self::Static(text)
    }
}

impl From<Cow<'static, str>> for Json {
    fn from(text: Cow<'static, str>) -> Self {
        match text {
            Cow::Borrowed(text) => Self::Static(text),
            Cow::Owned(text) => Self::Text(text),
        }
    }
}

impl From<&'static RawValue> for Json {
    fn from(raw: &'static RawValue) -> Self {
        Self::Raw(raw)
    }
}

impl From<Object> for Json {
    fn from(object: Object) -> Self {
        Self::Object(object)
    }
}

impl From<Vec<Json>> for Json {
    fn from(entries: Vec<Json>) -> Self {
        Self::List(entries)
    }
}

impl<T: Into<Json>> From<Option<T>> for Json {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
