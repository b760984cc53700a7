//! Decoding that a broken entry does not stop, at no cost while nothing is broken.

use std::{cell::Cell, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, Error as _, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

thread_local! {
    /// Whether entries of lists are decoded where they stand, so that a broken one is an error.
    static IN_PLACE: Cell<bool> = const { Cell::new(false) };
}

/// Puts the thread's way of decoding back, however the decoding ends.
struct InPlace {
    before: bool,
}

impl InPlace {
    fn start() -> Self {
        Self { before: IN_PLACE.replace(true) }
    }
}

impl Drop for InPlace {
    fn drop(&mut self) {
        IN_PLACE.set(self.before);
    }
}

/// Decodes an answer of the API.
///
/// The value is the same as that of [`serde_json::from_slice`]. It comes in one pass if no entry of
/// a list is broken, which is nearly always; only otherwise are the entries taken one by one.
///
/// # Errors
///
/// Those of [`serde_json`]: what is not JSON, or lacks what its type is meaningless without.
pub fn from_slice<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, serde_json::Error> {
    // Checked once for the whole, which is quicker than text by text.
    let json = std::str::from_utf8(json).map_err(serde_json::Error::custom)?;
    let in_place = InPlace::start();
    let first = serde_json::from_str(json);
    drop(in_place);
    match first {
        Ok(value) => Ok(value),
        // What ends too early does not get better.
        Err(error) if error.is_eof() => Err(error),
        // An error of syntax may: numbers out of range and halves of surrogate pairs count as such,
        // and stay inside the entry they are in.
        Err(_) => serde_json::from_str(json),
    }
}

/// Whether this is the first, strict pass over a text in memory, whose parts can be borrowed.
pub(crate) fn is_in_place() -> bool {
    IN_PLACE.get()
}

/// An entry of a list that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Skipped {
    /// Its place in the page, from 0, those left out counted too.
    pub index: usize,
    /// Why it was left out.
    pub reason: SkipReason,
}

/// Why an entry was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SkipReason {
    /// Spotify answered `null`: the thing was taken down, or is not given to applications.
    Null,
    /// The entry lacks what its type is meaningless without.
    #[non_exhaustive]
    Broken {
        /// What was wrong.
        error: String,
        /// The entry as it came.
        json: String,
    },
}

/// The entries of a list and the ones that were left out.
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
                if IN_PLACE.get() {
                    while let Some(entry) = list.next_element::<Option<T>>()? {
                        entries.push(index, entry.ok_or(SkipReason::Null));
                        index += 1;
                    }
                } else {
                    while let Some(json) = list.next_element::<Box<RawValue>>()? {
                        entries.push(index, read(&json));
                        index += 1;
                    }
                }
                Ok(entries)
            }
        }

        deserializer.deserialize_any(List(PhantomData))
    }
}

fn read<T: DeserializeOwned>(json: &RawValue) -> Result<T, SkipReason> {
    if json.get() == "null" {
        return Err(SkipReason::Null);
    }
    // From text, like all that is decoded: another kind of source is all the code once more.
    serde_json::from_str(json.get()).map_err(|error| SkipReason::Broken {
        error: error.to_string(),
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
    /// Makes room for a page as long as pages are asked for. Doubling would copy more, and keep room
    /// that stays empty.
    fn grow(&mut self) {
        let length = self.items.len();
        let usual = [10, 20, 30, 50, 100].into_iter().find(|usual| *usual > length);
        self.items.reserve_exact(usual.unwrap_or(2 * length) - length);
    }
}

/// A list as it came: null where an entry was left out, so that places stay the same.
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
