//! Serialises objects in the form of the API, with their type and the links derived from the id. In
//! binary formats, an object is stored as JSON text.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, MapAccess, Visitor},
    forward_to_deserialize_any,
    ser::{Error as _, SerializeMap},
};
use serde_with::SerializeAs;

use crate::id::Linked;

/// Decodes an object. In a binary format, an object is stored as a string that contains JSON. A
/// binary format without field names cannot represent an object in which fields are missing.
#[inline]
pub(crate) fn read<'de, T: DeserializeOwned, D: Deserializer<'de>>(
    deserializer: D,
    decode: impl FnOnce(MapOnly<D>) -> Result<T, D::Error>,
) -> Result<T, D::Error> {
    if deserializer.is_human_readable() {
        return decode(MapOnly(deserializer));
    }
    deserializer.deserialize_str(Json(PhantomData))
}

/// Wraps the deserializer or the visitor of an object. Accepts a map, but rejects a list.
///
/// serde's derived code also reads a struct from a list of its fields. Without this wrapper, `[]`
/// would decode as an object if all fields have a default.
pub(crate) struct MapOnly<T>(T);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for MapOnly<D> {
    type Error = D::Error;

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_struct(name, fields, MapOnly(visitor))
    }

    #[inline]
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(MapOnly(visitor))
    }

    /// `RawValue` calls this method to get the original JSON.
    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_newtype_struct(name, visitor)
    }

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct seq tuple tuple_struct enum identifier ignored_any
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for MapOnly<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(map)
    }
}

struct Json<T>(PhantomData<T>);

impl<T: DeserializeOwned> Visitor<'_> for Json<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the JSON of an object, as a string")
    }

    fn visit_str<E: serde::de::Error>(self, json: &str) -> Result<T, E> {
        crate::from_slice(json.as_bytes()).map_err(E::custom)
    }
}

/// Writes an object in the form that [`read`] accepts.
#[inline]
pub(crate) fn write<T: Serialize, S: Serializer>(
    object: &T,
    serializer: S,
    encode: impl FnOnce(&T, S) -> Result<S::Ok, S::Error>,
) -> Result<S::Ok, S::Error> {
    if serializer.is_human_readable() {
        return encode(object, serializer);
    }
    let json = serde_json::to_string(object).map_err(S::Error::custom)?;
    serializer.serialize_str(&json)
}

/// Writes the fields of an object one after another.
pub(crate) struct ObjectWriter<S: Serializer> {
    map: S::SerializeMap,
}

impl<S: Serializer> ObjectWriter<S> {
    /// Creates a writer of an object with a `type` field.
    pub(crate) fn new(serializer: S, kind: &'static str) -> Result<Self, S::Error> {
        let mut out = Self::untyped(serializer)?;
        out.field("type", kind)?;
        Ok(out)
    }

    /// Creates a writer of an object without a `type` field.
    pub(crate) fn untyped(serializer: S) -> Result<Self, S::Error> {
        Ok(Self { map: serializer.serialize_map(None)? })
    }

    /// Writes the id and all fields derived from it.
    pub(crate) fn id(&mut self, id: &impl MaybeLinked) -> Result<(), S::Error> {
        let Some(id) = id.linked() else { return self.field("id", &()) };
        let links = id.links();
        self.field("id", id.id())?;
        self.field("uri", &links.uri)?;
        self.field("href", &links.href)?;
        self.field("external_urls", &ExternalUrls { spotify: &links.url })
    }

    pub(crate) fn field(
        &mut self,
        name: &'static str,
        value: &(impl Serialize + ?Sized),
    ) -> Result<(), S::Error> {
        self.map.serialize_entry(name, value)
    }

    /// Writes a field, unless it has no value.
    pub(crate) fn optional(
        &mut self,
        name: &'static str,
        value: &Option<impl Serialize>,
    ) -> Result<(), S::Error> {
        value.as_ref().map_or(Ok(()), |value| self.field(name, value))
    }

    /// Writes a field with an adapter.
    pub(crate) fn with<A: SerializeAs<T>, T>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), S::Error> {
        self.field(name, &Written::<A, T> { value, way: PhantomData })
    }

    /// Writes a field with an adapter, unless it has no value.
    pub(crate) fn optional_with<A: SerializeAs<T>, T>(
        &mut self,
        name: &'static str,
        value: &Option<T>,
    ) -> Result<(), S::Error> {
        value.as_ref().map_or(Ok(()), |value| self.with::<A, T>(name, value))
    }

    pub(crate) fn end(self) -> Result<S::Ok, S::Error> {
        self.map.end()
    }
}

#[derive(Serialize)]
struct ExternalUrls<'a> {
    spotify: &'a str,
}

struct Written<'a, A, T> {
    value: &'a T,
    way: PhantomData<A>,
}

impl<A: SerializeAs<T>, T> Serialize for Written<'_, A, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        A::serialize_as(self.value, serializer)
    }
}

/// An id, or an optional id.
pub(crate) trait MaybeLinked {
    fn linked(&self) -> Option<&dyn Linked>;
}

impl<I: Linked> MaybeLinked for I {
    fn linked(&self) -> Option<&dyn Linked> {
        Some(self)
    }
}

impl<I: Linked> MaybeLinked for Option<I> {
    fn linked(&self) -> Option<&dyn Linked> {
        self.as_ref().map(|id| id as &dyn Linked)
    }
}
