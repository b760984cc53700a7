//! Decodes responses and skips broken list entries.
//!
//! [`from_slice`] decodes a response in one or two passes. In the strict first pass,
//! [`json_reader`] decodes every list entry in place, and fails at the first broken entry. The
//! second pass runs only if the first pass fails. In the second pass, serde_json reads each entry
//! as raw JSON first, so that a broken entry can be skipped.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, Error as _, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{
    in_place::is_in_place,
    json_reader::{self, Unusual},
    printable::printable,
    shape,
};

/// Maximum number of entries of a page. The largest page of the API has 100 entries.
const MAX_ENTRIES: usize = 10_000;

/// Maximum length of an error text, in characters.
const MAX_ERROR: usize = 400;

/// Decodes a response of the API.
///
/// Returns the same result as [`serde_json::from_slice`], and is faster if all list entries are
/// valid. Do not use models in types with `#[serde(flatten)]` or `#[serde(untagged)]`. With these
/// attributes, a single broken entry makes decoding fail.
///
/// # Errors
///
/// Fails if the text is not JSON, has a wrong structure, or lacks a required field. The function
/// rejects JSON whose decoded value would need far more memory than the JSON text. The error is one
/// line of at most 500 characters.
pub fn from_slice<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, serde_json::Error> {
    shape::check::<T>(json)?;
    // Checking the whole text once is faster than checking each string.
    let json = std::str::from_utf8(json).map_err(serde_json::Error::custom)?;
    decode(json).map_err(bounded)
}

fn decode<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, serde_json::Error> {
    json_reader::read(json).or_else(|Unusual| serde_json::from_str(json))
}

/// Limits the text of an error to one line and a maximum length, because the text may quote the
/// JSON.
fn bounded(error: serde_json::Error) -> serde_json::Error {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let words = text.strip_suffix(&place).unwrap_or(&text);
    let line = printable(words, MAX_ERROR);
    if line == words {
        return error;
    }
    // `custom` parses the line and the column of the error from the end of the message.
    serde_json::Error::custom(format_args!("{line}{place}"))
}

/// A list entry that could not be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Skipped {
    /// Index of the entry in the list that Spotify sent, counted from 0.
    pub index: usize,
    /// Why the entry was skipped.
    pub reason: SkipReason,
}

/// Why an entry was skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SkipReason {
    /// The entry is `null`: the item was removed, or is not available to the application.
    Null,
    /// The entry could not be decoded.
    #[non_exhaustive]
    Broken {
        /// The error.
        error: String,
        /// The JSON of the entry.
        json: String,
    },
}

/// The decoded entries of a list, and the skipped entries.
#[derive(Clone, Debug)]
pub(crate) struct Entries<T> {
    pub(crate) items: Vec<T>,
    pub(crate) skipped: Vec<Skipped>,
}

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self { items: Vec::new(), skipped: Vec::new() }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List<T>(PhantomData<T>);

        impl<'de, T: DeserializeOwned> Visitor<'de> for List<T> {
            type Value = Entries<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_unit<E>(self) -> Result<Entries<T>, E> {
                Ok(Entries::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Entries<T>, A::Error> {
                let mut entries = Entries::default();
                let mut index = 0;
                if is_in_place() {
                    while let Some(entry) = list.next_element::<Option<T>>()? {
                        entries.push(index, entry.ok_or(SkipReason::Null));
                        index = next(index)?;
                    }
                } else {
                    while let Some(json) = list.next_element::<Box<RawValue>>()? {
                        entries.push(index, read(&json));
                        index = next(index)?;
                    }
                }
                Ok(entries)
            }
        }

        deserializer.deserialize_any(List(PhantomData))
    }
}

/// Returns the index after an entry, or an error if the list is too long.
fn next<E: serde::de::Error>(index: usize) -> Result<usize, E> {
    if index < MAX_ENTRIES {
        return Ok(index + 1);
    }
    Err(E::custom(format_args!("the page has more than {MAX_ENTRIES} entries")))
}

fn read<T: DeserializeOwned>(json: &RawValue) -> Result<T, SkipReason> {
    if json.get() == "null" {
        return Err(SkipReason::Null);
    }
    // All code in this module decodes from `&str`. For a second input type, the compiler would
    // generate the deserializers of all models a second time.
    serde_json::from_str(json.get()).map_err(|error| SkipReason::Broken {
        error: printable(&error.to_string(), MAX_ERROR),
        json: json.get().to_owned(),
    })
}

impl<T> Entries<T> {
    fn push(&mut self, index: usize, entry: Result<T, SkipReason>) {
        match entry {
            Ok(item) => {
                if self.items.len() == self.items.capacity() {
                    self.grow();
                }
                self.items.push(item);
            }
            Err(reason) => self.skipped.push(Skipped { index, reason }),
        }
    }
}

impl<T> Entries<T> {
    /// Increases the capacity to the next usual length of a page. For pages of these lengths, the
    /// default growth of `Vec` would copy the entries more often and reserve more memory.
    fn grow(&mut self) {
        let length = self.items.len();
        let usual = [10, 20, 30, 50, 100].into_iter().find(|usual| *usual > length);
        self.items.reserve_exact(usual.unwrap_or(2 * length) - length);
    }
}

/// Serialises a list with `null` at the index of each skipped entry, so that the other indexes stay
/// the same.
pub(crate) struct WithGaps<'a, T> {
    pub(crate) items: &'a [T],
    pub(crate) skipped: &'a [Skipped],
}

impl<T: Serialize> Serialize for WithGaps<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut gaps = self.skipped.iter().map(|skipped| skipped.index).peekable();
        let mut items = self.items.iter();
        let length = self.items.len() + self.skipped.len();
        serializer.collect_seq((0..length).map(|index| match gaps.next_if_eq(&index) {
            Some(_) => None,
            None => items.next(),
        }))
    }
}
