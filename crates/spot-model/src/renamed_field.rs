//! Fields with an old and a new name.
//!
//! Responses contain the old name, the new name, or both names with the same value. If both values
//! have the same JSON, only one value is decoded. The value under the old name is not decoded if
//! the new name already has a value.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeOwned, DeserializeSeed, Error, IgnoredAny, IntoDeserializer, MapAccess, Visitor,
        value::{BorrowedStrDeserializer, MapAccessDeserializer},
    },
};
use serde_json::value::RawValue;

use crate::{
    in_place::is_in_place,
    json_reader::{FIRST_VALUE, SECOND_VALUE},
};

/// The two names of a field.
#[derive(Clone, Copy)]
pub(crate) struct Names {
    pub(crate) new: &'static str,
    pub(crate) old: &'static str,
}

/// Decodes an object with a renamed field. Returns the other fields as an `O`, and the value of the
/// renamed field.
pub(crate) fn deserialize<'de, O, T, D>(
    deserializer: D,
    names: Names,
) -> Result<(O, Option<T>), D::Error>
where
    O: Deserialize<'de>,
    T: DeserializeOwned,
    D: Deserializer<'de>,
{
    let object = Object { names, others: PhantomData };
    let (others, field): (O, RenamedField<T>) = deserializer.deserialize_map(object)?;
    Ok((others, field.value(names)?))
}

/// The values under the new and the old name. `None` means that the object does not contain the
/// name.
struct RenamedField<T> {
    new: Option<Option<T>>,
    old: Option<OldValue<T>>,
}

enum OldValue<T> {
    /// Not decoded, because the new name has a value.
    Skipped,
    Decoded(Option<T>),
    /// Not decoded yet. A broken value is an error only if the new name has no value.
    Json(Box<RawValue>),
}

impl<T: DeserializeOwned> RenamedField<T> {
    fn read_new<'de, A: MapAccess<'de>>(
        &mut self,
        map: &mut A,
        names: Names,
    ) -> Result<(), A::Error> {
        if self.new.is_some() {
            return Err(A::Error::duplicate_field(names.new));
        }
        let value = match self.old.take() {
            Some(OldValue::Decoded(old)) => match map.next_value_seed(Value::new(SECOND_VALUE))? {
                Some(new) => {
                    self.old = Some(OldValue::Decoded(old));
                    new
                }
                None => {
                    self.old = Some(OldValue::Skipped);
                    old
                }
            },
            old => {
                self.old = old;
                map.next_value_seed(Value::new(FIRST_VALUE))?.flatten()
            }
        };
        self.new = Some(value);
        Ok(())
    }

    fn read_old<'de, A: MapAccess<'de>>(
        &mut self,
        map: &mut A,
        names: Names,
    ) -> Result<(), A::Error> {
        if self.old.is_some() {
            return Err(A::Error::duplicate_field(names.old));
        }
        self.old = Some(if let Some(Some(_)) = self.new {
            map.next_value_seed(Value::<IgnoredAny>::new(SECOND_VALUE))?;
            OldValue::Skipped
        } else if is_in_place() {
            let value = map.next_value_seed(Value::new(FIRST_VALUE))?;
            OldValue::Decoded(value.flatten())
        } else {
            OldValue::Json(map.next_value()?)
        });
        Ok(())
    }

    fn value<E: Error>(self, names: Names) -> Result<Option<T>, E> {
        match (self.new.flatten(), self.old) {
            (None, Some(OldValue::Decoded(value))) => Ok(value),
            (None, Some(OldValue::Json(json))) => {
                serde_json::from_str(json.get()).map_err(|error| {
                    // The position in the error is relative to the field. The message must not end
                    // with the position, because serde_json would treat it as a position in the
                    // whole response.
                    E::custom(format_args!("{error} of `{}`", names.old))
                })
            }
            (value, _) => Ok(value),
        }
    }
}

/// Decodes the value of the old or the new field. Returns `None` if the other field was decoded
/// before and has the same JSON.
struct Value<T> {
    /// Name of the newtype, for the JSON reader.
    newtype: &'static str,
    value: PhantomData<T>,
}

impl<T> Value<T> {
    fn new(newtype: &'static str) -> Self {
        Self { newtype, value: PhantomData }
    }
}

impl<'de, T: DeserializeOwned> DeserializeSeed<'de> for Value<T> {
    type Value = Option<Option<T>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_newtype_struct(self.newtype, self)
    }
}

impl<'de, T: DeserializeOwned> Visitor<'de> for Value<T> {
    type Value = Option<Option<T>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value of a field")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Self::Value, D::Error> {
        Option::deserialize(deserializer).map(Some)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

struct Object<O, T> {
    names: Names,
    others: PhantomData<(O, T)>,
}

impl<'de, O: Deserialize<'de>, T: DeserializeOwned> Visitor<'de> for Object<O, T> {
    type Value = (O, RenamedField<T>);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let mut field = RenamedField { new: None, old: None };
        let others = Others { map, names: self.names, field: &mut field };
        let others = O::deserialize(MapAccessDeserializer::new(others))?;
        Ok((others, field))
    }
}

/// The entries of an object, without the renamed field. The renamed field is decoded into `field`.
struct Others<'a, A, T> {
    map: A,
    names: Names,
    field: &'a mut RenamedField<T>,
}

impl<'de, A: MapAccess<'de>, T: DeserializeOwned> MapAccess<'de> for Others<'_, A, T> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        while let Some(Key(key)) = self.map.next_key()? {
            if key == self.names.new {
                self.field.read_new(&mut self.map, self.names)?;
            } else if key == self.names.old {
                self.field.read_old(&mut self.map, self.names)?;
            } else {
                return match key {
                    Cow::Borrowed(key) => seed.deserialize(BorrowedStrDeserializer::new(key)),
                    Cow::Owned(key) => seed.deserialize(key.into_deserializer()),
                }
                .map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

/// The name of a field.
struct Key<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field name")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_identifier(Text)
    }
}
