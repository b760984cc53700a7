//! Ids as Spotify writes them: 22 characters of base 62.

use std::fmt;

const DIGITS: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LENGTH: usize = 22;

/// The id of anything but a user, a category or a device.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Id([u8; LENGTH]);

impl Id {
    /// The id with these 126 bits; two of `high` are dropped, because 22 digits hold more than
    /// the 128 bits behind a real id.
    pub(crate) fn from_bits(high: u64, low: u64) -> Self {
        let mut text = [b'0'; LENGTH];
        let (first, second) = text.split_at_mut(LENGTH / 2);
        write_digits(first, high >> 2);
        write_digits(second, low);
        Self(text)
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

/// Writes the number in base 62 with leading zeros; eleven digits hold any `u64`.
fn write_digits(places: &mut [u8], mut number: u64) {
    for place in places.iter_mut().rev() {
        let digit = usize::try_from(number % 62).unwrap_or(0);
        *place = DIGITS.get(digit).copied().unwrap_or(b'0');
        number /= 62;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_22_characters_and_parses_back() {
        for bits in [0, 1, u64::MAX / 3, u64::MAX] {
            let id = Id::from_bits(bits, bits);
            assert_eq!(id.as_str().len(), 22);
            assert_eq!(Id::parse(id.as_str()), Some(id));
        }
    }

    #[test]
    fn what_is_too_short_or_has_other_characters_is_no_id() {
        assert_eq!(Id::parse("abc"), None);
        assert_eq!(Id::parse("0OdUWJ0sBjDrqHygGUXe-F"), None);
    }
}
