//! A fast reader for the usual JSON of Spotify's responses.
//!
//! [`JsonReader`] rejects invalid JSON, and some valid JSON that is rare, such as integers of more
//! than 19 digits. The error of `JsonReader` has no message. [`from_slice`](crate::from_slice) then
//! decodes the text again with serde_json, which returns the value or a detailed error.
//!
//! The reader must not accept text that serde_json rejects. If the reader and serde_json both
//! accept a text, they must return the same value.

use std::fmt;

use memchr::{memchr, memchr2};
use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor, value::BorrowedStrDeserializer,
    },
    forward_to_deserialize_any,
};

use crate::{
    country::{self, COUNTRIES},
    in_place::InPlace,
};

/// Newtype name that marks the first value of a renamed field. The reader stores the JSON of the
/// marked value.
pub(crate) const FIRST_VALUE: &str = "$spot_model::FirstValue";

/// Newtype name that marks the second value of a renamed field. If the second value has the same
/// JSON as the first value, the reader calls `visit_unit`.
pub(crate) const SECOND_VALUE: &str = "$spot_model::SecondValue";

/// Maximum nesting depth. The recursion limit of serde_json is 128.
const MAX_DEPTH: u8 = 100;

/// Decodes JSON, but rejects valid JSON that [`JsonReader`] does not support.
pub(crate) fn read<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, Unusual> {
    let _strict = InPlace::start();
    let mut reader = JsonReader {
        text,
        bytes: text.as_bytes(),
        at: 0,
        depth: 0,
        countries: None,
        first_value: None,
    };
    let value = T::deserialize(&mut reader)?;
    reader.skip_space();
    if reader.at == text.len() { Ok(value) } else { Err(Unusual) }
}

/// The error for a text that is not JSON, does not match the type, or contains JSON that
/// [`JsonReader`] does not support.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unusual;

impl fmt::Display for Unusual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unusual JSON")
    }
}

impl std::error::Error for Unusual {}

impl serde::de::Error for Unusual {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

type Result<T, E = Unusual> = std::result::Result<T, E>;

/// Reads a text from its start to its end.
struct JsonReader<'de> {
    text: &'de str,
    /// The bytes of `text`.
    bytes: &'de [u8],
    /// Index of the next byte.
    at: usize,
    /// Number of objects and lists that are open at the next byte.
    depth: u8,
    /// The latest list of countries: its JSON, and the set that the reader decoded from this JSON.
    /// The reader can often reuse the set, because a track and its album usually have the same
    /// list.
    countries: Option<(&'de [u8], country::Bits)>,
    /// The latest value that was marked with `FIRST_VALUE`: its JSON, and the depth of the object
    /// that contains it. `None` after the end of this object.
    first_value: Option<(&'de [u8], u8)>,
}

enum Number {
    Positive(u64),
    Negative(i64),
    Float(f64),
}

impl<'de> JsonReader<'de> {
    fn skip_space(&mut self) {
        loop {
            match self.bytes.get(self.at) {
                // Skips indentation in steps of eight spaces.
                Some(b' ') if self.bytes.get(self.at..self.at + 8) == Some(b"        ") => {
                    self.at += 8;
                }
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                _ => return,
            }
        }
    }

    /// Returns the next byte that is not whitespace.
    #[inline]
    fn peek(&mut self) -> Result<u8> {
        match self.bytes.get(self.at) {
            Some(byte) if *byte > b' ' => Ok(*byte),
            _ => self.peek_after_space(),
        }
    }

    #[inline(never)]
    fn peek_after_space(&mut self) -> Result<u8> {
        self.skip_space();
        self.bytes.get(self.at).copied().ok_or(Unusual)
    }

    /// Skips whitespace and consumes the next byte. Fails if the byte is not `expected`.
    #[inline]
    fn take(&mut self, expected: u8) -> Result<()> {
        if self.bytes.get(self.at) == Some(&expected) {
            self.at += 1;
            return Ok(());
        }
        self.take_after_space(expected)
    }

    #[inline(never)]
    fn take_after_space(&mut self, expected: u8) -> Result<()> {
        if self.peek()? == expected {
            self.at += 1;
            return Ok(());
        }
        Err(Unusual)
    }

    fn word(&mut self, word: &[u8]) -> Result<()> {
        let end = self.at + word.len();
        if self.bytes.get(self.at..end) == Some(word) {
            self.at = end;
            return Ok(());
        }
        Err(Unusual)
    }

    /// Consumes a bracket that opens an object or a list.
    fn open(&mut self) -> Result<()> {
        if self.depth == MAX_DEPTH {
            return Err(Unusual);
        }
        self.depth += 1;
        self.at += 1;
        Ok(())
    }

    /// Consumes the bracket that closes an object or a list.
    fn close(&mut self, bracket: u8) -> Result<()> {
        if self.first_value.is_some_and(|(_, depth)| depth == self.depth) {
            self.first_value = None;
        }
        self.depth -= 1;
        self.take(bracket)
    }

    /// Consumes the separator before the next entry of an object or a list. Returns `false` if no
    /// entry follows.
    #[inline]
    fn has_next(&mut self, is_first: &mut bool, bracket: u8) -> Result<bool> {
        match self.peek()? {
            byte if byte == bracket => Ok(false),
            b',' if !*is_first => {
                self.at += 1;
                // A closing bracket after a comma causes an error, because no entry starts with a
                // closing bracket.
                Ok(true)
            }
            _ if *is_first => {
                *is_first = false;
                Ok(true)
            }
            _ => Err(Unusual),
        }
    }

    /// Consumes the separator before the next name of an object. Returns `false` if no name
    /// follows.
    #[inline]
    fn has_next_name(&mut self, is_first: &mut bool) -> Result<bool> {
        // Fast path: most responses contain no whitespace.
        if let Some([b',', b'"', ..]) = self.bytes.get(self.at..)
            && !*is_first
        {
            self.at += 1;
            return Ok(true);
        }
        self.has_next_name_after_space(is_first)
    }

    #[inline(never)]
    fn has_next_name_after_space(&mut self, is_first: &mut bool) -> Result<bool> {
        if !self.has_next(is_first, b'}')? {
            return Ok(false);
        }
        if self.peek()? == b'"' { Ok(true) } else { Err(Unusual) }
    }

    /// Consumes a string without escapes, starting at the opening quote. Returns `None` if the
    /// string has escapes or is invalid.
    fn plain_string(&mut self) -> Option<&'de str> {
        let start = self.at + 1;
        let end = start + plain_length(self.bytes.get(start..)?)?;
        if self.bytes.get(end) != Some(&b'"') {
            return None;
        }
        self.at = end + 1;
        self.text.get(start..end)
    }

    /// Consumes any string.
    #[cold]
    fn escaped_string(&mut self) -> Result<String> {
        let start = self.at;
        self.skip_string()?;
        let json = self.text.get(start..self.at).ok_or(Unusual)?;
        serde_json::from_str(json).map_err(|_| Unusual)
    }

    fn skip_string(&mut self) -> Result<()> {
        self.at += 1;
        loop {
            let rest = self.bytes.get(self.at..).ok_or(Unusual)?;
            self.at += plain_length(rest).ok_or(Unusual)?;
            let digits = match self.bytes.get(self.at..) {
                Some([b'"', ..]) => {
                    self.at += 1;
                    return Ok(());
                }
                Some([b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..]) => 0,
                Some([b'\\', b'u', a, b, c, d, ..])
                    if [a, b, c, d].iter().all(|digit| digit.is_ascii_hexdigit()) =>
                {
                    4
                }
                _ => return Err(Unusual),
            };
            self.at += 2 + digits;
        }
    }

    /// Consumes a number, starting at the first byte of the number.
    fn number(&mut self) -> Result<Number> {
        let start = self.at;
        let is_negative = self.bytes.get(start) == Some(&b'-');
        let first = start + usize::from(is_negative);
        let (mut magnitude, mut end) = (0_u64, first);
        while let Some(digit @ b'0'..=b'9') = self.bytes.get(end) {
            // The code rejects every number with more than 19 digits, so an overflow has no effect.
            magnitude = magnitude.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            end += 1;
        }
        if let Some(b'.' | b'e' | b'E') = self.bytes.get(end) {
            let json = self.number_text()?;
            return serde_json::from_str(json).map(Number::Float).map_err(|_| Unusual);
        }
        self.at = end;
        match (end - first, self.bytes.get(first)) {
            (1, _) | (2..=19, Some(b'1'..=b'9')) => {}
            _ => return Err(Unusual),
        }
        match (is_negative, i64::try_from(magnitude)) {
            (false, _) => Ok(Number::Positive(magnitude)),
            // The reader rejects -0, because serde_json decodes -0 as a float.
            (true, Ok(magnitude @ 1..)) => Ok(Number::Negative(-magnitude)),
            (true, _) => Err(Unusual),
        }
    }

    /// Consumes all characters that may belong to a number.
    fn number_text(&mut self) -> Result<&'de str> {
        let start = self.at;
        while let Some(b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E') = self.bytes.get(self.at) {
            self.at += 1;
        }
        self.text.get(start..self.at).ok_or(Unusual)
    }

    /// Consumes a value of any kind.
    fn skip(&mut self) -> Result<()> {
        match self.peek()? {
            b'"' => self.skip_string(),
            b'{' => {
                self.open()?;
                let mut is_first = true;
                while self.has_next_name(&mut is_first)? {
                    self.skip_string()?;
                    self.take(b':')?;
                    self.skip()?;
                }
                self.close(b'}')
            }
            b'[' => {
                self.open()?;
                let mut is_first = true;
                while self.has_next(&mut is_first, b']')? {
                    self.skip()?;
                }
                self.close(b']')
            }
            b'n' => self.word(b"null"),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'-' | b'0'..=b'9' => {
                serde_json::from_str::<IgnoredAny>(self.number_text()?).map_err(|_| Unusual)?;
                Ok(())
            }
            _ => Err(Unusual),
        }
    }

    fn visit_string<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value> {
        match self.plain_string() {
            Some(text) => visitor.visit_borrowed_str(text),
            None => visitor.visit_str(&self.escaped_string()?),
        }
    }

    fn visit_number<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value> {
        match self.number()? {
            Number::Positive(number) => visitor.visit_u64(number),
            Number::Negative(number) => visitor.visit_i64(number),
            Number::Float(number) => visitor.visit_f64(number),
        }
    }

    fn visit_bool<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value> {
        let value = self.bytes.get(self.at) == Some(&b't');
        self.word(if value { b"true" } else { b"false" })?;
        visitor.visit_bool(value)
    }

    fn visit_null<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value> {
        self.word(b"null")?;
        visitor.visit_unit()
    }

    fn visit_list<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value> {
        self.open()?;
        let value = visitor.visit_seq(Entries { reader: self, is_first: true })?;
        self.close(b']')?;
        Ok(value)
    }

    fn visit_object<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value> {
        self.open()?;
        let value = visitor.visit_map(Entries { reader: self, is_first: true })?;
        self.close(b'}')?;
        Ok(value)
    }

    /// Consumes a list of countries.
    fn visit_countries<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value> {
        let rest = self.bytes.get(self.at..).ok_or(Unusual)?;
        let (list, bits) = match self.countries {
            Some((list, bits)) if rest.starts_with(list) => (list, bits),
            _ => {
                // Country codes contain no bracket, so the first `]` ends the list.
                let length = memchr(b']', rest).ok_or(Unusual)? + 1;
                let list = rest.get(..length).ok_or(Unusual)?;
                (list, country::scan(list).ok_or(Unusual)?)
            }
        };
        self.at += list.len();
        self.countries = Some((list, bits));
        visitor.visit_bytes(&bits)
    }

    fn visit_first_value<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value> {
        self.peek()?;
        let (start, depth) = (self.at, self.depth);
        let value = visitor.visit_newtype_struct(&mut *self)?;
        self.first_value = self.bytes.get(start..self.at).map(|text| (text, depth));
        Ok(value)
    }

    fn visit_second_value<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value> {
        self.peek()?;
        match (self.first_value, self.bytes.get(self.at..)) {
            (Some((text, depth)), Some(rest)) if depth == self.depth && rest.starts_with(text) => {
                self.at += text.len();
                visitor.visit_unit()
            }
            _ => visitor.visit_newtype_struct(self),
        }
    }
}

/// Number of bytes before the first quote, backslash or control character.
#[inline]
fn plain_length(text: &[u8]) -> Option<usize> {
    /// Number of 8-byte words to check one by one. Most strings are shorter than 32 bytes.
    const WORDS: usize = 4;
    for (at, word) in text.as_chunks().0.iter().take(WORDS).enumerate() {
        let ends = ends(u64::from_le_bytes(*word));
        if ends != 0 {
            return Some(at * 8 + ends.trailing_zeros() as usize / 8);
        }
    }
    long_plain_length(text)
}

#[inline(never)]
fn long_plain_length(text: &[u8]) -> Option<usize> {
    let length = memchr2(b'"', b'\\', text)?;
    let plain = text.get(..length)?;
    let has_control = plain.iter().fold(false, |found, byte| found | (*byte < b' '));
    (!has_control).then_some(length)
}

/// Finds the first quote, backslash or control character in an 8-byte word. The lowest set bit of
/// the result marks the found byte. Callers must ignore all bits above the lowest set bit. Returns
/// 0 if no byte is found.
fn ends(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    let zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let quote = zero(word ^ (ONES * b'"' as u64));
    let backslash = zero(word ^ (ONES * b'\\' as u64));
    let control = word.wrapping_sub(ONES * b' ' as u64) & !word;
    (quote | backslash | control) & (ONES << 7)
}

/// Iterates over the entries of an object or a list.
struct Entries<'a, 'de> {
    reader: &'a mut JsonReader<'de>,
    is_first: bool,
}

impl<'de> SeqAccess<'de> for Entries<'_, 'de> {
    type Error = Unusual;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        if self.reader.has_next(&mut self.is_first, b']')? {
            seed.deserialize(&mut *self.reader).map(Some)
        } else {
            Ok(None)
        }
    }
}

impl<'de> MapAccess<'de> for Entries<'_, 'de> {
    type Error = Unusual;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        if !self.reader.has_next_name(&mut self.is_first)? {
            return Ok(None);
        }
        seed.deserialize(Key(&mut *self.reader)).map(Some)
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        self.reader.take(b':')?;
        seed.deserialize(&mut *self.reader)
    }
}

/// Name of a field. The next byte is the opening quote of the name.
struct Key<'a, 'de>(&'a mut JsonReader<'de>);

/// Defines methods that always return an error. After the error, `from_slice` decodes the JSON with
/// serde_json.
macro_rules! unusual {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value> {
            Err(Unusual)
        }
    )*};
}

/// Defines methods that read a value of one kind. The first byte of a value shows its kind.
macro_rules! by_first_byte {
    ($($($method:ident)+: $byte:pat => $read:ident;)*) => {$($(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            match self.peek()? {
                $byte => self.$read(visitor),
                _ => Err(Unusual),
            }
        }
    )+)*};
}

impl<'de> Deserializer<'de> for Key<'_, 'de> {
    type Error = Unusual;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.0.visit_string(visitor)
    }

    // Like serde_json, the methods below decode a field name as a string.
    forward_to_deserialize_any! {
        char str string unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }

    unusual! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_i128 deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
        deserialize_u128 deserialize_f32 deserialize_f64 deserialize_bytes deserialize_byte_buf
        deserialize_option
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value> {
        Err(Unusual)
    }
}

impl<'de> Deserializer<'de> for &mut JsonReader<'de> {
    type Error = Unusual;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.peek()? {
            b'"' => self.visit_string(visitor),
            b'{' => self.visit_object(visitor),
            b'[' => self.visit_list(visitor),
            b'-' | b'0'..=b'9' => self.visit_number(visitor),
            b't' | b'f' => self.visit_bool(visitor),
            b'n' => self.visit_null(visitor),
            _ => Err(Unusual),
        }
    }

    by_first_byte! {
        deserialize_str deserialize_string deserialize_char deserialize_identifier:
            b'"' => visit_string;
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8
        deserialize_u16 deserialize_u32 deserialize_u64 deserialize_f32 deserialize_f64:
            b'-' | b'0'..=b'9' => visit_number;
        deserialize_bool: b't' | b'f' => visit_bool;
        deserialize_unit: b'n' => visit_null;
        deserialize_seq: b'[' => visit_list;
        deserialize_map: b'{' => visit_object;
    }

    unusual! { deserialize_i128 deserialize_u128 deserialize_bytes deserialize_byte_buf }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.peek()? == b'n' {
            self.word(b"null")?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    #[inline]
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.skip()?;
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        self.deserialize_unit(visitor)
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        match name {
            COUNTRIES if self.peek()? == b'[' => self.visit_countries(visitor),
            FIRST_VALUE => self.visit_first_value(visitor),
            SECOND_VALUE => self.visit_second_value(visitor),
            // Only serde_json can decode a `RawValue`. The visitor of `RawValue` rejects a newtype,
            // so the reader fails.
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value> {
        self.deserialize_seq(visitor)
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        if self.peek()? != b'"' {
            return Err(Unusual);
        }
        let name = self.plain_string().ok_or(Unusual)?;
        visitor.visit_enum(BorrowedStrDeserializer::new(name))
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fmt::Debug};

    use proptest::{prelude::*, sample::Index};
    use serde::de::DeserializeOwned;
    use serde_json::Value;

    use super::{IgnoredAny, MAX_DEPTH, read};
    use crate::{Album, CountrySet, Page, PlaylistItem, SavedTrack, SearchResults, Track};

    /// A sample response that contains most kinds of values, whitespace and escapes.
    const SAMPLE: &str = r#"{ "items" : [{"added_at":"2026-11-02T09:00:00Z",
        "added_by":{"id":"nora","display_name":null},"is_local":false,"item":{"type":"track",
        "id":"4uLU6hMCjMI75M1A2tKUQC","artists":[{"id":null,"name":"Café"},null,{"name":"\/\t"}],
        "name":"A \"long\" name \u00e9\ud83c\udfb5 and a longer part that has no escapes in it",
        "popularity":-0.0,"disc_number":1,"track_number":-12,"available_markets":["AD","DE"],
        "album":{"album_type":"single","available_markets":["AD","DE"],"images":[],
        "release_date":"1981-12","unknown":[true,[0],{"a":-1E+2,"b":"\n"}]},"duration_ms":1.5e2}},
        {"track":{"name":"old","type":"episode"},"added_at":null},
        {"track":{"name":"both"},"item":{"name":"both"}},
        {"item":{"name":"both"},"track":{"name":"both"}}],
        "limit":50,"offset":0,"total":2.0,"next":null,"previous":"https://api.spotify.com/v1/me"}"#;

    /// If the reader accepts the text, checks that serde_json returns the same value.
    fn check<T: DeserializeOwned + PartialEq + Debug>(json: &str) {
        if let Ok(value) = read::<T>(json) {
            assert_eq!(serde_json::from_str::<T>(json).ok(), Some(value), "{json}");
        }
    }

    fn check_all(json: &str) {
        check::<Value>(json);
        check::<IgnoredAny>(json);
        check::<Page<PlaylistItem>>(json);
        check::<Page<Track>>(json);
        check::<BTreeMap<String, Value>>(json);
    }

    /// Deletes, inserts or replaces a character.
    fn edit(json: &str, at: Index, new: Option<char>, replaces: bool) -> String {
        let mut chars: Vec<char> = json.chars().collect();
        let at = at.index(chars.len());
        match new {
            Some(new) if replaces => chars[at] = new,
            Some(new) => chars.insert(at, new),
            None => drop(chars.remove(at)),
        }
        chars.into_iter().collect()
    }

    fn any_edit() -> impl Strategy<Value = (Index, Option<char>, bool)> {
        let chars: Vec<char> = "{}[]\",:\\0019.eE+-tfnul/ \n\u{1}éb".chars().collect();
        let char = prop::option::weighted(0.8, prop::sample::select(chars));
        (any::<Index>(), char, any::<bool>())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2048))]

        #[test]
        fn the_reader_agrees_with_serde_json_on_edited_samples(
            edits in prop::collection::vec(any_edit(), 0..4),
        ) {
            let mut json = SAMPLE.to_owned();
            for (at, new, replaces) in edits {
                json = edit(&json, at, new, replaces);
            }
            check_all(&json);
        }

        #[test]
        fn the_reader_agrees_with_serde_json_on_short_random_text(
            json in "[\\[{\"0-9a-c.eE+\\-,:\\\\u \\]}]{1,12}",
        ) {
            check_all(&json);
        }

        #[test]
        fn the_reader_agrees_with_serde_json_on_numbers(float in any::<f64>(), integer in any::<i64>()) {
            for json in [float.to_string(), format!("{float:e}"), integer.to_string()] {
                check::<Value>(&json);
                check::<f64>(&json);
                check::<i64>(&json);
                check::<u8>(&json);
            }
        }

        #[test]
        fn the_reader_decodes_strings_and_rejects_control_characters(text in "[ -~é]{0,80}") {
            let json = serde_json::to_string(&text).unwrap();
            prop_assert_eq!(read::<String>(&json).unwrap(), text.as_str());
            prop_assert!(read::<IgnoredAny>(&json).is_ok());
            for control in ["\n", "\u{0}"] {
                let json = format!("\"{}{control}\"", text.replace(['"', '\\'], ""));
                prop_assert!(read::<String>(&json).is_err());
                prop_assert!(read::<IgnoredAny>(&json).is_err());
            }
        }
    }

    /// Checks that the reader decodes usual responses itself, without falling back to serde_json.
    #[test]
    fn typical_responses_do_not_fall_back_to_serde_json() {
        assert_eq!(read::<Value>(SAMPLE).unwrap(), serde_json::from_str::<Value>(SAMPLE).unwrap());
        read::<Page<SavedTrack>>(r#"{"items":[{"track":{"name":"Song"}}]}"#).unwrap();
        read::<Album>(r#"{"id":"4uLU6hMCjMI75M1A2tKUQC","tracks":{"items":[]}}"#).unwrap();
        read::<SearchResults>(r#"{"tracks":{"items":[{"name":"Song"}],"total":1}}"#).unwrap();
    }

    #[test]
    fn the_reader_rejects_nesting_beyond_the_maximum_depth() {
        let nested = |depth: u8| "[".repeat(depth.into()) + &"]".repeat(depth.into());
        let (most, more) = (nested(MAX_DEPTH), nested(MAX_DEPTH + 1));
        assert!(read::<Value>(&most).is_ok() && read::<IgnoredAny>(&most).is_ok());
        assert!(read::<Value>(&more).is_err() && read::<IgnoredAny>(&more).is_err());
    }

    #[test]
    fn repeated_country_lists_are_decoded_like_serde_json() {
        let json = r#"[["DE","FR"], ["DE","FR"], ["DE"], [ "FR" , "DE" ], [], ["DE","FR"]]"#;
        let in_place = crate::from_slice::<Vec<CountrySet>>(json.as_bytes()).unwrap();
        assert_eq!(in_place, serde_json::from_str::<Vec<CountrySet>>(json).unwrap());
        for broken in [r#"[["DE"],["DE"]"#, r#"[["DE"],["DE""#, r#"[["DE"],["D""#] {
            assert!(crate::from_slice::<Vec<CountrySet>>(broken.as_bytes()).is_err());
        }
    }
}
