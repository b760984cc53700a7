//! Decodes and encodes values that are strings in JSON. Decoding does not copy the string.

use std::{fmt, marker::PhantomData, str::FromStr};

use serde::de::{Error, Visitor};

/// Decodes a string into any type that implements `FromStr`.
pub(crate) struct FromText<T> {
    expected: &'static str,
    value: PhantomData<fn() -> T>,
}

impl<T> FromText<T> {
    pub(crate) fn new(expected: &'static str) -> Self {
        Self { expected, value: PhantomData }
    }
}

impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for FromText<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

/// Implements serialization and the conversions from text. `Serialize` uses `Display`, or `as_str`
/// if the macro call names `as_str`. `Deserialize` uses `FromStr`.
macro_rules! text_serde {
    ($($name:ty: $expected:literal $(, $as_str:ident)?;)*) => {$(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $crate::text::text_serde!(@write self, serializer $(, $as_str)?)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Self, D::Error> {
                deserializer.deserialize_str($crate::text::FromText::new($expected))
            }
        }

        impl TryFrom<&str> for $name {
            type Error = <Self as std::str::FromStr>::Err;

            fn try_from(text: &str) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl TryFrom<String> for $name {
            type Error = <Self as std::str::FromStr>::Err;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl TryFrom<&String> for $name {
            type Error = <Self as std::str::FromStr>::Err;

            fn try_from(text: &String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }
    )*};
    (@write $value:ident, $serializer:ident) => {
        $serializer.collect_str($value)
    };
    (@write $value:ident, $serializer:ident, $as_str:ident) => {
        $serializer.serialize_str($value.$as_str())
    };
}

pub(crate) use text_serde;
