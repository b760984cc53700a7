//! How fields are read as they really come: integers as floats, null for nothing, text that is not
//! what it should be. Each is an adapter of `serde_with`, so that they compose: `Option<Int>`,
//! `NonNull<Same>`.

use std::{fmt, marker::PhantomData, str::FromStr, time::Duration};

use chrono::{DateTime, Utc};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor},
};
use serde_with::{DeserializeAs, SerializeAs, de::DeserializeAsWrap, ser::SerializeAsWrap};

use crate::{LocalFile, ReleaseDate};

/// An integer from a number of any notation, rounded, and held within the type's range. Spotify
/// wrote integers as floats for weeks in 2024.
pub(crate) struct Int;

macro_rules! integers {
    ($($integer:ty),*) => {$(
        impl<'de> DeserializeAs<'de, $integer> for Int {
            fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<$integer, D::Error> {
                struct Integer;

                impl Visitor<'_> for Integer {
                    type Value = $integer;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("an integer")
                    }

                    fn visit_u64<E>(self, number: u64) -> Result<$integer, E> {
                        Ok(number.try_into().unwrap_or(<$integer>::MAX))
                    }

                    fn visit_i64<E>(self, number: i64) -> Result<$integer, E> {
                        // What does not fit is below the range here: the others are `u64`.
                        Ok(number.try_into().unwrap_or(<$integer>::MIN))
                    }

                    // A cast from a float holds to the range of the integer, which is what is wanted.
                    fn visit_f64<E>(self, number: f64) -> Result<$integer, E> {
                        Ok(number.round() as $integer)
                    }

                    fn visit_str<E: Error>(self, text: &str) -> Result<$integer, E> {
                        let number = text.trim().parse();
                        number
                            .map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
                            .and_then(|number| self.visit_f64(number))
                    }
                }

                deserializer.deserialize_any(Integer)
            }
        }

        impl SerializeAs<$integer> for Int {
            fn serialize_as<S: Serializer>(value: &$integer, serializer: S) -> Result<S::Ok, S::Error> {
                value.serialize(serializer)
            }
        }
    )*};
}

integers!(u8, u16, u32, u64, i8, i32, i64);

/// A duration in milliseconds. Spotify gives -1000 where nothing was heard: that is zero.
pub(crate) struct Millis;

impl<'de> DeserializeAs<'de, Duration> for Millis {
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        <Int as DeserializeAs<u64>>::deserialize_as(deserializer).map(Duration::from_millis)
    }
}

impl SerializeAs<Duration> for Millis {
    fn serialize_as<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        u64::try_from(value.as_millis()).unwrap_or(u64::MAX).serialize(serializer)
    }
}

/// A duration in seconds with a fraction, as in audio analyses. What is no duration is zero.
pub(crate) struct Secs;

impl<'de> DeserializeAs<'de, Duration> for Secs {
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        Ok(Duration::try_from_secs_f64(seconds).unwrap_or_default())
    }
}

impl SerializeAs<Duration> for Secs {
    fn serialize_as<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        #[expect(clippy::cast_precision_loss, reason = "only past a hundred days is it not exact")]
        let nanoseconds = value.as_nanos() as f64;
        // One division of an exact number: the digits are those that came.
        (nanoseconds / 1e9).serialize(serializer)
    }
}

/// A time in milliseconds since 1970.
pub(crate) struct UnixMillis;

impl<'de> DeserializeAs<'de, DateTime<Utc>> for UnixMillis {
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
        let millis = <Int as DeserializeAs<i64>>::deserialize_as(deserializer)?;
        DateTime::from_timestamp_millis(millis)
            .ok_or_else(|| D::Error::custom(format_args!("{millis} is not a time")))
    }
}

impl SerializeAs<DateTime<Utc>> for UnixMillis {
    fn serialize_as<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
        time.timestamp_millis().serialize(serializer)
    }
}

/// A time as text (RFC 3339), with a fraction or without.
pub(crate) struct Timestamp;

impl<'de> DeserializeAs<'de, DateTime<Utc>> for Timestamp {
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
        DateTime::<Utc>::deserialize(deserializer)
    }
}

impl SerializeAs<DateTime<Utc>> for Timestamp {
    fn serialize_as<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
        time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true).serialize(serializer)
    }
}

/// A list without its nulls; null as a whole is the empty list.
pub(crate) struct NonNull<A>(PhantomData<A>);

impl<'de, T, A: DeserializeAs<'de, T>> DeserializeAs<'de, Vec<T>> for NonNull<A> {
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
        struct List<T, A>(PhantomData<(T, A)>);

        impl<'de, T, A: DeserializeAs<'de, T>> Visitor<'de> for List<T, A> {
            type Value = Vec<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_unit<E>(self) -> Result<Vec<T>, E> {
                Ok(Vec::new())
            }

            fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<Vec<T>, S::Error> {
                let mut all = Vec::with_capacity(list.size_hint().unwrap_or(0));
                while let Some(entry) = list.next_element::<Option<DeserializeAsWrap<T, A>>>()? {
                    all.extend(entry.map(DeserializeAsWrap::into_inner));
                }
                Ok(all)
            }
        }

        deserializer.deserialize_any(List(PhantomData::<(T, A)>))
    }
}

impl<T, A: SerializeAs<T>> SerializeAs<Vec<T>> for NonNull<A> {
    fn serialize_as<S: Serializer>(list: &Vec<T>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(list.iter().map(SerializeAsWrap::<T, A>::new))
    }
}

/// Text that is taken if it says something, and not missed if it does not: null, text of another
/// form and whatever else comes is `None`.
struct Lenient<T>(PhantomData<fn() -> T>);

impl<'de, T: FromStr> Visitor<'de> for Lenient<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_str<E>(self, text: &str) -> Result<Option<T>, E> {
        Ok(text.parse().ok())
    }

    fn visit_unit<E>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Option<T>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<T>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

macro_rules! lenient {
    ($($(#[$meta:meta])* $name:ident: $value:ty $(, $parameter:ident)?;)*) => {$(
        $(#[$meta])*
        pub(crate) struct $name;

        impl<'de $(, $parameter: FromStr)?> DeserializeAs<'de, Option<$value>> for $name {
            fn deserialize_as<D: Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Option<$value>, D::Error> {
                deserializer.deserialize_any(Lenient::<$value>(PhantomData))
            }
        }

        impl<$($parameter: Serialize)?> SerializeAs<Option<$value>> for $name {
            fn serialize_as<S: Serializer>(
                value: &Option<$value>,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                value.serialize(serializer)
            }
        }
    )*};
}

lenient! {
    /// An id, from the id itself or from a link that names it. A URI or a country, from its text.
    LenientId: I, I;
    /// What a URI says of a local file; other URIs say nothing that the id does not.
    LocalOnly: LocalFile;
    /// A date. Spotify writes null, nothing and other things where it knows none.
    Date: ReleaseDate;
}
