//! Ids in Spotify's format: 22 characters of base 62.

use std::fmt;

const LENGTH: usize = 22;
/// Prefix of all ids of the mock.
const MARK: &str = "spotmock";

/// Id of a catalogue entry or a playlist. Users, categories and devices have ids of other formats.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Id([u8; LENGTH]);

impl Id {
    /// Generates an id from the kind of an entry, and from its index among the entries of this
    /// kind. The id contains the kind, so that logs and recorded responses are readable. The seed
    /// does not affect the id.
    ///
    /// The generated test data has about 15,000 ids. The function therefore avoids `format!`, which
    /// is slower.
    pub(crate) fn numbered(kind: &str, place: u32) -> Self {
        let mut id = [b'0'; LENGTH];
        for (letter, wanted) in id.iter_mut().zip(MARK.bytes().chain(kind.bytes())) {
            *letter = wanted;
        }
        let mut number = place + 1;
        for digit in id.iter_mut().skip(MARK.len() + kind.len()).rev() {
            *digit += u8::try_from(number % 10).unwrap_or(0);
            number /= 10;
        }
        Self(id)
    }

    /// Index among the entries of this kind; `None` for ids of other kinds.
    pub(crate) fn place(&self, kind: &str) -> Option<u32> {
        let digits = self.as_str().strip_prefix(MARK)?.strip_prefix(kind)?;
        // The kind in the id may start with `kind`, but be longer. `digits` then contains letters,
        // so `parse` returns an error.
        digits.parse::<u32>().ok()?.checked_sub(1)
    }

    /// Parses `text`. Returns `None` if the length or a character of the text is invalid.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; LENGTH] = text.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_alphanumeric).then_some(Self(bytes))
    }

    /// Replaces the first characters of the id with `prefix`. The ids of Spotify's own playlists
    /// share a prefix.
    pub(crate) fn with_prefix(mut self, prefix: &str) -> Self {
        for (digit, wanted) in self.0.iter_mut().zip(prefix.bytes()) {
            *digit = wanted;
        }
        self
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_22_characters_and_encodes_kind_and_number() {
        for (kind, place) in [("Artist", 0), ("Audiobook", 15), ("Track", 12_345)] {
            let id = Id::numbered(kind, place);
            assert_eq!(id.as_str().len(), 22);
            assert!(id.as_str().ends_with(&(place + 1).to_string()), "{id}");
            assert_eq!(Id::parse(id.as_str()), Some(id));
            assert_eq!(id.place(kind), Some(place));
            assert_eq!(id.place("Show"), None);
        }
        assert_eq!(Id::numbered("Artist", 0).as_str(), "spotmockArtist00000001");
    }

    #[test]
    fn an_id_that_is_too_short_or_not_base_62_is_rejected() {
        assert_eq!(Id::parse("abc"), None);
        assert_eq!(Id::parse("0OdUWJ0sBjDrqHygGUXe-F"), None);
    }
}
