//! Ids as Spotify writes them: 22 characters of base 62.

use std::fmt;

const LENGTH: usize = 22;
/// What all ids of the mock begin with.
const MARK: &str = "spotmock";

/// The id of anything but a user, a category or a device.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Id([u8; LENGTH]);

impl Id {
    /// The id of the thing at a place among those of its kind. It says what it names, so that a
    /// log and a recorded answer can be read, and is the same whatever the seed.
    ///
    /// Written digit by digit, since a world has fifteen thousand of them.
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

    /// The place among those of its kind, if it names something of this kind.
    pub(crate) fn place(&self, kind: &str) -> Option<u32> {
        let digits = self.as_str().strip_prefix(MARK)?.strip_prefix(kind)?;
        // The letters of a longer kind are no digits.
        digits.parse::<u32>().ok()?.checked_sub(1)
    }

    /// The id written as `text`, if it has the length and the characters of one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; LENGTH] = text.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_alphanumeric).then_some(Self(bytes))
    }

    /// The same id with other first characters: Spotify's own playlists share theirs.
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
    fn an_id_says_what_it_names_in_22_characters() {
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
    fn what_is_too_short_or_has_other_characters_is_no_id() {
        assert_eq!(Id::parse("abc"), None);
        assert_eq!(Id::parse("0OdUWJ0sBjDrqHygGUXe-F"), None);
    }
}
