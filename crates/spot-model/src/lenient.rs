//! Adapters of `serde_with` for irregular fields. Some responses contain integers as floats, nulls
//! in place of values, or malformed strings. Adapters can be combined: `Option<Int>`,
//! `NonNull<Same>`.

use std::{fmt, marker::PhantomData, str::FromStr, time::Duration};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, IgnoredAny, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor},
};
use serde_with::{DeserializeAs, SerializeAs, de::DeserializeAsWrap, ser::SerializeAsWrap};

use crate::{LocalFile, ReleaseDate};

/// Decodes an integer from a number in any notation. The number is rounded, and limited to the
/// type's range. Spotify sent integers as floats for weeks in 2024.
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
                        // A number that is out of range is always too small, because `visit_u64`
                        // handles large numbers.
                        Ok(number.try_into().unwrap_or(<$integer>::MIN))
                    }

                    // The cast from a float saturates at the bounds of the integer type.
                    fn visit_f64<E>(self, number: f64) -> Result<$integer, E> {
                        Ok(number.round() as $integer)
                    }

                    fn visit_str<E: Error>(self, text: &str) -> Result<$integer, E> {
                        let digits = text.trim();
                        // First parses the digits as an integer, because a float would lose the
                        // last digits of a long integer.
                        if let Ok(number) = digits.parse() {
                            return self.visit_u64(number);
                        }
                        match digits.parse::<f64>() {
                            Ok(number) if number.is_finite() => self.visit_f64(number),
                            _ => Err(E::invalid_value(Unexpected::Str(text), &self)),
                        }
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

/// A duration in milliseconds. Negative numbers and objects decode as zero. Spotify returns the
/// resume position -1000 if nothing was played. For local files, Spotify has returned an object in
/// place of the number.
pub(crate) struct Millis;

impl<'de> DeserializeAs<'de, Duration> for Millis {
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        struct Milliseconds;

        impl<'de> Visitor<'de> for Milliseconds {
            type Value = u64;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration in milliseconds")
            }

            fn visit_u64<E>(self, number: u64) -> Result<u64, E> {
                Ok(number)
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<u64, E> {
                Int::deserialize_as(number.into_deserializer())
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<u64, E> {
                Int::deserialize_as(number.into_deserializer())
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<u64, E> {
                Int::deserialize_as(text.into_deserializer())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<u64, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(0)
            }
        }

        deserializer.deserialize_any(Milliseconds).map(Duration::from_millis)
    }
}

impl SerializeAs<Duration> for Millis {
    fn serialize_as<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        u64::try_from(value.as_millis()).unwrap_or(u64::MAX).serialize(serializer)
    }
}

/// A duration in seconds with a fraction, as in audio analyses. A number that is not a valid
/// duration, such as -1, becomes zero.
pub(crate) struct Secs;

impl<'de> DeserializeAs<'de, Duration> for Secs {
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let seconds = f64::deserialize(deserializer)?;
        Ok(Duration::try_from_secs_f64(seconds).unwrap_or_default())
    }
}

impl SerializeAs<Duration> for Secs {
    fn serialize_as<S: Serializer>(value: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "the conversion is exact for durations of up to 100 days"
        )]
        let nanoseconds = value.as_nanos() as f64;
        // `nanoseconds` is exact, and the division is the only step that rounds. The output
        // therefore has the same digits as the response.
        (nanoseconds / 1e9).serialize(serializer)
    }
}

/// A time in milliseconds since 1970.
pub(crate) struct UnixMillis;

impl<'de> DeserializeAs<'de, DateTime<Utc>> for UnixMillis {
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
        let millis = <Int as DeserializeAs<i64>>::deserialize_as(deserializer)?;
        DateTime::from_timestamp_millis(millis)
            .ok_or_else(|| D::Error::custom(format_args!("{millis} ms since 1970 is out of range")))
    }
}

impl SerializeAs<DateTime<Utc>> for UnixMillis {
    fn serialize_as<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
        time.timestamp_millis().serialize(serializer)
    }
}

/// A time as text (RFC 3339), with or without a fraction.
pub(crate) struct Timestamp;

impl<'de> DeserializeAs<'de, DateTime<Utc>> for Timestamp {
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
        struct Time;

        impl Visitor<'_> for Time {
            type Value = DateTime<Utc>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time: 2026-11-02T09:00:00Z")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<DateTime<Utc>, E> {
                match usual_time(text) {
                    Some(time) => Ok(time),
                    None => text.parse().map_err(E::custom),
                }
            }
        }

        deserializer.deserialize_str(Time)
    }
}

/// Parses a time in the notation of nearly all responses: `2026-11-02T09:00:00Z`.
fn usual_time(text: &str) -> Option<DateTime<Utc>> {
    let [
        y1,
        y2,
        y3,
        y4,
        b'-',
        m1,
        m2,
        b'-',
        d1,
        d2,
        b'T',
        h1,
        h2,
        b':',
        i1,
        i2,
        b':',
        s1,
        s2,
        b'Z',
    ] = text.as_bytes()
    else {
        return None;
    };
    let number = |digits: &[&u8]| {
        digits.iter().try_fold(0_u32, |number, digit| {
            let digit = digit.is_ascii_digit().then(|| u32::from(**digit - b'0'))?;
            Some(number * 10 + digit)
        })
    };
    let year = i32::try_from(number(&[y1, y2, y3, y4])?).ok()?;
    let day = NaiveDate::from_ymd_opt(year, number(&[m1, m2])?, number(&[d1, d2])?)?;
    let time = day.and_hms_opt(number(&[h1, h2])?, number(&[i1, i2])?, number(&[s1, s2])?)?;
    Some(time.and_utc())
}

impl SerializeAs<DateTime<Utc>> for Timestamp {
    fn serialize_as<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
        time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true).serialize(serializer)
    }
}

/// A list whose null entries are skipped. If the list itself is null, the result is an empty list.
/// The initial capacity is `FIRST` entries, the usual length of such lists.
pub(crate) struct NonNull<A, const FIRST: usize = 4>(PhantomData<A>);

impl<'de, T, A: DeserializeAs<'de, T>, const FIRST: usize> DeserializeAs<'de, Vec<T>>
    for NonNull<A, FIRST>
{
    fn deserialize_as<D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
        struct List<T, A, const FIRST: usize>(PhantomData<(T, A)>);

        impl<'de, T, A, const FIRST: usize> Visitor<'de> for List<T, A, FIRST>
        where
            A: DeserializeAs<'de, T>,
        {
            type Value = Vec<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_unit<E>(self) -> Result<Vec<T>, E> {
                Ok(Vec::new())
            }

            fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<Vec<T>, S::Error> {
                let mut all = Vec::new();
                while let Some(entry) = list.next_element::<Option<DeserializeAsWrap<T, A>>>()? {
                    let Some(entry) = entry else { continue };
                    if all.is_empty() {
                        all.reserve_exact(FIRST);
                    }
                    all.push(entry.into_inner());
                }
                Ok(all)
            }
        }

        deserializer.deserialize_any(List::<T, A, FIRST>(PhantomData))
    }
}

impl<T, A: SerializeAs<T>, const FIRST: usize> SerializeAs<Vec<T>> for NonNull<A, FIRST> {
    fn serialize_as<S: Serializer>(list: &Vec<T>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(list.iter().map(SerializeAsWrap::<T, A>::new))
    }
}

/// Decodes an optional string that may be malformed. Null, malformed strings, and values of other
/// types become `None`.
struct Lenient<T>(fn(&str) -> Option<T>);

impl<'de, T> Visitor<'de> for Lenient<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_str<E>(self, text: &str) -> Result<Option<T>, E> {
        Ok((self.0)(text))
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
    ($($(#[$meta:meta])* $name:ident: $value:ty $(, $parameter:ident)? = $read:expr;)*) => {$(
        $(#[$meta])*
        pub(crate) struct $name;

        impl<'de $(, $parameter: FromStr)?> DeserializeAs<'de, Option<$value>> for $name {
            fn deserialize_as<D: Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Option<$value>, D::Error> {
                deserializer.deserialize_any(Lenient::<$value>($read))
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
    /// Decodes an id from the id itself, or from a link that contains the id. Decodes a URI or a
    /// country from its text.
    LenientId: I, I = |text| text.parse().ok();
    /// Data in the URI of a local file. Other URIs become `None`, because they contain no data
    /// besides the id.
    LocalOnly: Box<LocalFile> = |text| LocalFile::read(text).map(Box::new);
    /// A date. If the date is unknown, Spotify sends null, empty text or another value.
    Date: ReleaseDate = |text| text.parse().ok();
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::{DateTime, Utc};
    use proptest::prelude::*;
    use serde::{Serialize, de::DeserializeOwned};
    use serde_with::{DeserializeAs, Same, SerializeAs};

    use super::{Date, Int, LenientId, LocalOnly, Millis, NonNull, Secs, Timestamp, UnixMillis};
    use crate::{LocalFile, ReleaseDate, TrackId};

    fn read<A, T>(json: &str) -> Result<T, serde_json::Error>
    where
        A: for<'de> DeserializeAs<'de, T>,
    {
        A::deserialize_as(&mut serde_json::Deserializer::from_str(json))
    }

    fn write<A: SerializeAs<T>, T>(value: &T) -> String {
        let mut out = Vec::new();
        A::serialize_as(value, &mut serde_json::Serializer::new(&mut out)).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn same<T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug, A>(json: &str)
    where
        A: for<'de> DeserializeAs<'de, T> + SerializeAs<T>,
    {
        assert_eq!(write::<A, T>(&read::<A, T>(json).unwrap()), json);
    }

    proptest! {
        #[test]
        fn integers_decode_from_integer_float_and_string_notation(number in any::<u32>(), signed in any::<i32>()) {
            for json in [format!("{number}"), format!("{number}.0"), format!("\"{number}\"")] {
                prop_assert_eq!(read::<Int, u32>(&json).unwrap(), number);
            }
            for json in [format!("{signed}"), format!("{signed}.0"), format!("\"{signed}\"")] {
                prop_assert_eq!(read::<Int, i32>(&json).unwrap(), signed);
            }
        }

        #[test]
        fn an_integer_out_of_range_is_clamped(number in any::<i64>()) {
            let held = |least: i64, most: i64| number.clamp(least, most);
            let json = number.to_string();
            prop_assert_eq!(i64::from(read::<Int, u8>(&json).unwrap()), held(0, 255));
            prop_assert_eq!(i64::from(read::<Int, u16>(&json).unwrap()), held(0, 65_535));
            prop_assert_eq!(i64::from(read::<Int, u32>(&json).unwrap()), held(0, u32::MAX.into()));
            prop_assert_eq!(
                i64::from(read::<Int, i32>(&json).unwrap()),
                held(i32::MIN.into(), i32::MAX.into())
            );
            prop_assert_eq!(read::<Int, i64>(&json).unwrap(), number);
        }

        #[test]
        fn a_float_in_an_integer_field_is_rounded(number in -1e6_f64..1e6) {
            let rounded = read::<Int, i32>(&format!("{number:?}")).unwrap();
            prop_assert!((f64::from(rounded) - number).abs() <= 0.5);
        }

        #[test]
        fn durations_round_trip_through_json(millis in 0_u64..10_000_000) {
            let json = millis.to_string();
            prop_assert_eq!(read::<Millis, Duration>(&json).unwrap(), Duration::from_millis(millis));
            same::<Duration, Millis>(&json);
        }
    }

    #[test]
    fn integers_in_strings_keep_full_precision() {
        assert_eq!(read::<Int, u64>("\"9007199254740993\"").unwrap(), 9_007_199_254_740_993);
        assert_eq!(read::<Int, u64>("\"18446744073709551615\"").unwrap(), u64::MAX);
        for json in ["\"\"", "\"many\"", "\"NaN\"", "\"inf\"", "[]", "true"] {
            assert!(read::<Int, u32>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn negative_or_malformed_durations_become_zero() {
        for json in ["-1000", "-0.5", "\"-3\"", "{}", "{\"anything\":[1]}"] {
            assert_eq!(read::<Millis, Duration>(json).unwrap(), Duration::ZERO, "{json}");
        }
        assert_eq!(read::<Secs, Duration>("-1.5").unwrap(), Duration::ZERO);
        assert_eq!(read::<Secs, Duration>("1").unwrap(), Duration::from_secs(1));
        assert_eq!(read::<Secs, Duration>("0.25").unwrap(), Duration::from_millis(250));
        same::<Duration, Secs>("0.34567");
    }

    #[test]
    fn timestamps_decode_with_and_without_fractions() {
        same::<DateTime<Utc>, Timestamp>("\"2016-10-11T13:44:40Z\"");
        same::<DateTime<Utc>, Timestamp>("\"2016-10-11T13:44:40.123Z\"");
        assert_eq!(
            read::<Timestamp, DateTime<Utc>>("\"2016-10-11T15:44:40+02:00\"").unwrap(),
            read::<Timestamp, DateTime<Utc>>("\"2016-10-11T13:44:40Z\"").unwrap(),
        );
        assert!(read::<Timestamp, DateTime<Utc>>("\"yesterday\"").is_err());
        same::<DateTime<Utc>, UnixMillis>("1490252122574");
        assert_eq!(
            read::<UnixMillis, DateTime<Utc>>("1490252122574.0").unwrap().timestamp_millis(),
            1_490_252_122_574
        );
        assert!(read::<UnixMillis, DateTime<Utc>>("9223372036854775807").is_err());
    }

    #[test]
    fn null_entries_in_lists_are_dropped() {
        let read = read::<NonNull<Same>, Vec<String>>;
        assert_eq!(read("[null,\"en\",null]").unwrap(), ["en"]);
        assert!(read("null").unwrap().is_empty());
        assert!(read("[1]").is_err());
    }

    #[test]
    fn lenient_id_accepts_every_form_and_ignores_invalid_ids() {
        let id = "4uLU6hMCjMI75M1A2tKUQC";
        let read = read::<LenientId, Option<TrackId>>;
        for json in [
            format!("\"{id}\""),
            format!("\"spotify:track:{id}\""),
            format!("\"https://api.spotify.com/v1/tracks/{id}\""),
            format!("\"https:\\/\\/open.spotify.com\\/track\\/{id}\""),
        ] {
            assert_eq!(read(&json).unwrap().unwrap().as_str(), id);
        }
        for json in [
            "null",
            "\"\"",
            "\"null\\n\u{e9}\"",
            "\"spotify:local:a:b:c:1\"",
            "1",
            "-1",
            "1.5",
            "false",
            "[1,[2]]",
            "{\"a\":{}}",
        ] {
            assert_eq!(read(json).unwrap(), None, "{json}");
        }
    }

    #[test]
    fn only_local_uris_decode_as_local_files() {
        let read = read::<LocalOnly, Option<Box<LocalFile>>>;
        assert_eq!(read("\"spotify:local:a:b:c:1\"").unwrap().unwrap().title, "c");
        assert_eq!(read("\"spotify:track:4uLU6hMCjMI75M1A2tKUQC\"").unwrap(), None);
        assert_eq!(read("null").unwrap(), None);
    }

    #[test]
    fn invalid_release_dates_are_ignored() {
        let read = read::<Date, Option<ReleaseDate>>;
        assert_eq!(read("\"0000\"").unwrap().unwrap().year(), 0);
        for json in ["null", "\"\"", "\"1981-13\"", "\"1981-12-15-1\"", "1981"] {
            assert_eq!(read(json).unwrap(), None, "{json}");
        }
    }
}
