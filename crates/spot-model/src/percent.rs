//! Percent encoding in Spotify's URIs and paths.

use std::fmt::{self, Write as _};

/// Percent-encodes a string as one segment of a URI or a path.
pub(crate) struct Encoded<'a>(pub(crate) &'a str);

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                f.write_char(char::from(byte))?;
            } else {
                write!(f, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}

/// Decodes the percent escapes in a string. Invalid escapes stay unchanged.
pub(crate) fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = match (first, tail) {
            (b'%', [high, low, after @ ..])
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                let digit = |byte: u8| char::from(byte).to_digit(16).unwrap_or(0);
                // The value of two hexadecimal digits is at most 255.
                bytes.push(u8::try_from(digit(*high) * 16 + digit(*low)).unwrap_or(u8::MAX));
                after
            }
            _ => {
                bytes.push(*first);
                tail
            }
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Like [`decode`], but also decodes `+` as a space, as in forms and the URIs of local files.
pub(crate) fn decode_form(text: &str) -> String {
    decode(&text.replace('+', " "))
}

#[cfg(test)]
mod tests {
    use super::{Encoded, decode, decode_form};

    #[test]
    fn encoding_escapes_all_but_unreserved_characters() {
        assert_eq!(Encoded("a b#c/ü~.-_").to_string(), "a%20b%23c%2F%C3%BC~.-_");
    }

    #[test]
    fn decoding_keeps_malformed_percent_sequences() {
        for text in ["100%", "%", "%4", "%zz", "a+b"] {
            assert_eq!(decode(text), text);
        }
        assert_eq!(decode("%E2%82%AC%2b"), "€+");
        assert_eq!(decode_form("a+b%2Bc"), "a b+c");
    }

    #[test]
    fn invalid_utf8_decodes_to_the_replacement_character() {
        assert_eq!(decode("%ff"), "\u{fffd}");
    }
}
