//! Checks JSON before decoding. Rejects a list in place of an object, and JSON that would take too
//! much memory.

use std::fmt;

use serde::{Deserialize, Deserializer, de::Visitor, forward_to_deserialize_any};

/// If JSON has more bytes than this limit, `check` counts its values. Decoding shorter JSON cannot
/// take much memory.
const SHORT: usize = 512 * 1024;

/// `check` rejects JSON with more than `SHORT` bytes if the JSON has too many values. The maximum
/// is the length of the JSON divided by this number, plus a constant. Objects, lists and nulls
/// count as values. Responses of the API have at least 60 bytes per value.
const BYTES_A_VALUE: usize = 32;

/// Checks that the text can be a `T` and would not exhaust the memory.
///
/// An empty object has two bytes of JSON, but the decoded value can need several hundred bytes of
/// memory. A body of 16 MiB could therefore need gigabytes of memory.
pub(crate) fn check<'a, T: Deserialize<'a>>(json: &[u8]) -> Result<(), serde_json::Error> {
    let first = json.iter().find(|byte| !byte.is_ascii_whitespace());
    // serde also decodes a struct from a JSON list of the field values. If all fields are optional,
    // serde accepts even an empty list.
    if first == Some(&b'[')
        && let Err(Asked::Object) = T::deserialize(Probe)
    {
        return Err(error("the JSON is a list; expected an object"));
    }
    if json.len() > SHORT && values(json) > SHORT / BYTES_A_VALUE + json.len() / BYTES_A_VALUE {
        return Err(error(
            "the JSON has too many small values; decoding it would take too much memory",
        ));
    }
    Ok(())
}

fn error(message: &str) -> serde_json::Error {
    serde::de::Error::custom(message)
}

/// Returns an upper bound for the number of objects, lists and nulls in the text.
fn values(json: &[u8]) -> usize {
    let opening = json.iter().filter(|byte| matches!(byte, b'{' | b'[')).count();
    let nulls = json.iter().zip(json.iter().skip(1)).filter(|pair| *pair == (&b'n', &b'u'));
    opening + nulls.count()
}

/// A deserializer that always returns an error. The error contains the type that was requested.
struct Probe;

/// The type that was requested from a deserializer.
#[derive(Debug)]
enum Asked {
    Object,
    Other,
}

impl<'de> Deserializer<'de> for Probe {
    type Error = Asked;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Asked> {
        Err(Asked::Other)
    }

    fn deserialize_map<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Asked> {
        Err(Asked::Object)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Asked> {
        Err(Asked::Object)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct enum identifier ignored_any
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a `Probe` contains no data to decode")
    }
}

impl std::error::Error for Asked {}

impl serde::de::Error for Asked {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Other
    }
}

#[cfg(test)]
mod tests {
    use crate::{Album, Page, Track};

    #[test]
    fn a_list_in_place_of_an_object_is_rejected() {
        for json in ["[]", " [null]", "[[\"x\"]]"] {
            assert!(crate::from_slice::<Album>(json.as_bytes()).is_err(), "{json}");
            assert!(crate::from_slice::<Page<Track>>(json.as_bytes()).is_err(), "{json}");
        }
        let albums: Vec<Option<Album>> = crate::from_slice(b"[null]").unwrap();
        assert_eq!(albums, [None]);
    }

    #[test]
    fn a_list_of_a_million_empty_values_is_rejected() {
        for value in ["{}", "null", "[]", "{\"name\":null}"] {
            let json = format!("[{value}{}]", format!(",{value}").repeat(1_000_000));
            assert!(crate::from_slice::<Vec<Option<Track>>>(json.as_bytes()).is_err(), "{value}");
            let json = format!("{{\"tracks\":{json}}}");
            assert!(crate::from_slice::<crate::Recommendations>(json.as_bytes()).is_err());
        }
    }
}
