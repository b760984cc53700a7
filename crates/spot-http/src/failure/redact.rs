use std::{borrow::Cow, collections::VecDeque};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};

/// Replacement for a secret.
const REDACTED: &str = "<redacted>";

/// Minimum length of a secret that is replaced, in bytes. A shorter string could also occur in a
/// response by chance.
const SHORTEST: usize = 6;

/// Sets of characters that begin an escape: for JSON, for URLs, for HTML, and for a mixture of the
/// three formats.
const ESCAPES: [&[char]; 4] = [&['\\'], &['%'], &['&'], &['\\', '%', '&']];

/// Maximum number of nested escapes that are decoded.
const MAX_LEVELS: usize = 3;

/// Maximum length of an escape, in characters.
const LONGEST_ESCAPE: usize = 10;

/// Replaces every secret in a response from a server. The response may repeat parts of the request.
///
/// A secret is also found if it is escaped for JSON (`\/`, `\u002f`), a URL (`%2F`) or HTML
/// (`&#47;`). A secret may be escaped up to three times, for example first for JSON and then for a
/// URL. A secret in base64 is found too, even inside longer base64 data. The time is linear in the
/// length of `text`. Secrets of fewer than six bytes are not replaced.
pub fn redact<'a>(text: &'a str, secrets: &[&str]) -> Cow<'a, str> {
    let mut text = Cow::Borrowed(text);
    for secret in secrets.iter().filter(|secret| secret.len() >= SHORTEST) {
        for written in [(*secret).to_owned()].into_iter().chain(in_base64(secret)) {
            if text.contains(&written) {
                text = Cow::Owned(text.replace(&written, REDACTED));
            }
        }
        for escapes in ESCAPES {
            if let Some(clean) = without_escaped(&text, secret, escapes) {
                text = Cow::Owned(clean);
            }
        }
    }
    text
}

/// Returns search patterns for a secret in base64 data, in both alphabets. The base64 form of a
/// secret depends on the offset of the secret in the decoded data, so each alphabet has three
/// patterns. A pattern does not contain base64 characters that also encode bits before or after the
/// secret.
fn in_base64(secret: &str) -> impl Iterator<Item = String> {
    (0..3).flat_map(move |offset| {
        let bytes = [&vec![0; offset], secret.as_bytes()].concat();
        let encoded = STANDARD_NO_PAD.encode(&bytes);
        let own = (offset * 8).div_ceil(6)..bytes.len() * 8 / 6;
        let own = encoded.get(own).unwrap_or_default().to_owned();
        let for_urls = own.replace('+', "-").replace('/', "_");
        [own, for_urls]
    })
}

/// Replaces a secret that is written with escapes. Returns `None` if the text contains no escaped
/// form of the secret.
fn without_escaped(text: &str, secret: &str, escapes: &[char]) -> Option<String> {
    if !text.contains(escapes) {
        return None;
    }
    let found = escaped(text, secret, escapes)?;
    let mut clean = String::with_capacity(text.len());
    let mut kept = 0;
    for (start, end) in found {
        clean.push_str(text.get(kept..start).unwrap_or_default());
        clean.push_str(REDACTED);
        kept = end;
    }
    clean.push_str(text.get(kept..).unwrap_or_default());
    Some(clean)
}

/// Returns the ranges of the text that contain a secret, escaped up to [`MAX_LEVELS`] times.
fn escaped(text: &str, secret: &str, escapes: &[char]) -> Option<Vec<(usize, usize)>> {
    let secret: Vec<char> = secret.chars().collect();
    for levels in 1..=MAX_LEVELS {
        let plain = text.char_indices();
        let plain = plain.map(|(start, char)| Character {
            start,
            end: start + char.len_utf8(),
            char,
            is_escaped: false,
        });
        let mut characters: Box<dyn Iterator<Item = Character>> = Box::new(plain);
        for _ in 0..levels {
            let ahead = VecDeque::with_capacity(LONGEST_ESCAPE);
            characters = Box::new(Unescaped { inner: characters, escapes, ahead });
        }
        let mut has_more_levels = false;
        let characters = characters.inspect(|character| {
            has_more_levels |= character.is_escaped && escapes.contains(&character.char);
        });
        let found = matches(characters, &secret);
        if !found.is_empty() {
            return Some(found);
        }
        if !has_more_levels {
            return None;
        }
    }
    None
}

/// Finds a secret among the characters and returns its ranges, with the algorithm of Knuth, Morris
/// and Pratt.
fn matches(characters: impl Iterator<Item = Character>, secret: &[char]) -> Vec<(usize, usize)> {
    let is_next = |matched: usize, char: char| secret.get(matched) == Some(&char);
    // After `n` matched characters and a mismatch, `shorter[n]` characters still match.
    let mut shorter = vec![0; secret.len() + 1];
    let mut matched = 0;
    for (at, char) in secret.iter().enumerate().skip(1) {
        while matched > 0 && !is_next(matched, *char) {
            matched = shorter.get(matched).copied().unwrap_or_default();
        }
        matched += usize::from(is_next(matched, *char));
        if let Some(entry) = shorter.get_mut(at + 1) {
            *entry = matched;
        }
    }
    let mut found = Vec::new();
    // Start offsets of the last `secret.len()` characters.
    let mut starts = vec![0; secret.len()];
    let mut matched = 0;
    for (count, Character { start, end, char, .. }) in characters.enumerate() {
        if let Some(entry) = starts.get_mut(count % secret.len()) {
            *entry = start;
        }
        while matched > 0 && !is_next(matched, char) {
            matched = shorter.get(matched).copied().unwrap_or_default();
        }
        matched += usize::from(is_next(matched, char));
        if matched == secret.len() {
            let first = starts.get((count + 1) % secret.len()).copied().unwrap_or_default();
            found.push((first, end));
            matched = 0;
        }
    }
    found
}

/// A character after unescaping, and its range of bytes in the original text.
#[derive(Clone, Copy)]
struct Character {
    start: usize,
    end: usize,
    char: char,
    is_escaped: bool,
}

/// Iterates over characters and removes one level of escapes.
struct Unescaped<'a, I> {
    inner: I,
    escapes: &'a [char],
    /// Lookahead: the next characters, up to the maximum length of an escape.
    ahead: VecDeque<Character>,
}

impl<I: Iterator<Item = Character>> Iterator for Unescaped<'_, I> {
    type Item = Character;

    fn next(&mut self) -> Option<Character> {
        let missing = LONGEST_ESCAPE - self.ahead.len();
        self.ahead.extend(self.inner.by_ref().take(missing));
        let first = *self.ahead.front()?;
        let escape = match first.char {
            plain if !self.escapes.contains(&plain) => None,
            mark => {
                let text: String = self.ahead.iter().map(|character| character.char).collect();
                match mark {
                    '\\' => backslash(&text),
                    '%' => hex(&text, 1, 2).map(|char| (char, 3)),
                    '&' => entity(&text),
                    _ => None,
                }
            }
        };
        // Escapes are ASCII, so the number of bytes equals the number of characters.
        let (char, length) = escape.unwrap_or((first.char, 1));
        let end = self.ahead.drain(..length).next_back().map_or(first.end, |last| last.end);
        let is_escaped = first.is_escaped || escape.is_some();
        Some(Character { start: first.start, end, char, is_escaped })
    }
}

fn backslash(rest: &str) -> Option<(char, usize)> {
    match rest.chars().nth(1)? {
        'u' => hex(rest, 2, 4).map(|char| (char, 6)),
        'x' => hex(rest, 2, 2).map(|char| (char, 4)),
        char @ ('/' | '"' | '\\' | '\'') => Some((char, 2)),
        _ => None,
    }
}

/// Decodes `&#47;`, `&#x2F;` or `&amp;`.
fn entity(rest: &str) -> Option<(char, usize)> {
    let (name, _) = rest.get(1..)?.split_once(';')?;
    let code = match name.strip_prefix('#') {
        Some(code) => match code.strip_prefix(['x', 'X']) {
            Some(code) => u32::from_str_radix(code, 16).ok()?,
            None => code.parse().ok()?,
        },
        None if name == "amp" => u32::from(b'&'),
        None => return None,
    };
    Some((char::from_u32(code)?, name.len() + 2))
}

/// Decodes a character from `digits` hexadecimal digits.
fn hex(rest: &str, from: usize, digits: usize) -> Option<char> {
    let digits = rest.get(from..from + digits)?;
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    char::from_u32(u32::from_str_radix(digits, 16).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_secrets_are_redacted() {
        let secret = "ab/c+d=%41aab";
        for written in [
            secret,
            r"ab\/c+d=%41aab",
            r"\u0061b/c\u002Bd=%41aab",
            "ab%2Fc%2bd%3D%2541aab",
            "ab&#47;c&#x2B;d=%41aab",
            r"\x61b/c+d=%41aab",
            "ab%252Fc%252bd%253D%252541aab",
            "ab%25252Fc%25252bd%25253D%25252541aab",
            r"ab\\\/c+d=%41aab",
            r"ab\\u002fc+d=%41aab",
            "ab&amp;#47;c&amp;amp;#x2B;d=%41aab",
        ] {
            for (before, behind) in [("", ""), ("é", "ü"), ("aba", "b"), ("/", "%_"), ("&", "_")]
            {
                let text = format!("{before}{written}{behind}{written}");
                assert_eq!(
                    redact(&text, &["", "other secret", secret]),
                    format!("{before}<redacted>{behind}<redacted>"),
                    "{text}"
                );
            }
        }
        for other in ["ab/c+d=%41aa", "ab/c+d=%41aaB", "b/c+d=%41aab", "", "&#;&#xZZ;%Z", "\\u00"] {
            assert_eq!(redact(other, &[secret]), other);
        }
        assert_eq!(redact("a token", &["token"]), "a token");
    }

    #[test]
    fn base64_encoded_secrets_are_redacted() {
        let secret = "BQD-c4nary/token+0=";
        for before in ["", "x", "xy", "authorization: Bearer ", "\u{fb}\u{ff}\u{fe}"] {
            for behind in ["", "z", "zz", "\r\nhost: a"] {
                let whole = format!("{before}{secret}{behind}");
                let encoded = STANDARD_NO_PAD.encode(&whole);
                for encoded in [encoded.clone(), encoded.replace('+', "-").replace('/', "_")] {
                    let clean = redact(&encoded, &[secret]);
                    assert!(clean.contains(REDACTED), "{whole}: {clean}");
                    let rest = STANDARD_NO_PAD.encode(before).len()
                        + STANDARD_NO_PAD.encode(behind).len()
                        + 4;
                    assert!(clean.len() <= REDACTED.len() + rest, "{whole}: {clean}");
                }
            }
        }
    }

    #[test]
    fn redaction_of_repeated_secret_prefixes_takes_linear_time() {
        let secret = format!("{}b", "a".repeat(400));
        let text = format!("{}\\%&", "a".repeat(2 << 20));
        let start = std::time::Instant::now();
        assert_eq!(redact(&text, &[&secret]), text);
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    }
}
