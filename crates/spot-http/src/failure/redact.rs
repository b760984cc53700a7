use std::{borrow::Cow, iter};

/// What stands in place of a secret.
const REDACTED: &str = "<redacted>";

/// Shorter secrets are not looked for: they are words of ordinary texts.
const SHORTEST: usize = 6;

/// What escapes begin with, of JSON, of URLs, of HTML, and of all in one text.
const ESCAPES: [&[char]; 4] = [&['\\'], &['%'], &['&'], &['\\', '%', '&']];

/// Replaces every secret in a text of the server, which may repeat what it was sent.
///
/// A secret is also found if it is escaped: for JSON (`\/`, `\u002f`), for a URL (`%2F`) or for HTML
/// (`&#47;`). The time is linear in the length of the text. Secrets of fewer than six bytes are not
/// looked for.
pub fn redact<'a>(text: &'a str, secrets: &[&str]) -> Cow<'a, str> {
    let mut text = Cow::Borrowed(text);
    for secret in secrets.iter().filter(|secret| secret.len() >= SHORTEST) {
        if text.contains(secret) {
            text = Cow::Owned(text.replace(secret, REDACTED));
        }
        for escapes in ESCAPES {
            if let Some(clean) = without_escaped(&text, secret, escapes) {
                text = Cow::Owned(clean);
            }
        }
    }
    text
}

/// The text without a secret that is escaped. `None` if there is none.
fn without_escaped(text: &str, secret: &str, escapes: &[char]) -> Option<String> {
    if !text.contains(escapes) {
        return None;
    }
    let found = matches(text, secret, escapes);
    if found.is_empty() {
        return None;
    }
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

/// Where a secret stands in the text, by Knuth, Morris and Pratt, over the characters that the text
/// stands for.
fn matches(text: &str, secret: &str, escapes: &[char]) -> Vec<(usize, usize)> {
    let secret: Vec<char> = secret.chars().collect();
    let is_next = |matched: usize, char: char| secret.get(matched) == Some(&char);
    // How much is still matched after a mismatch behind so many characters.
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
    // Where the last characters began, as many as the secret has.
    let mut starts = vec![0; secret.len()];
    let mut matched = 0;
    for (count, (start, end, char)) in characters(text, escapes).enumerate() {
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

/// The characters that a text stands for, each with the range of bytes that it takes.
fn characters(text: &str, escapes: &[char]) -> impl Iterator<Item = (usize, usize, char)> {
    let mut at = 0;
    iter::from_fn(move || {
        let rest = text.get(at..)?;
        let first = rest.chars().next()?;
        let (char, length) = match first {
            plain if !escapes.contains(&plain) => None,
            '\\' => backslash(rest),
            '%' => hex(rest, 1, 2).map(|char| (char, 3)),
            '&' => entity(rest),
            _ => None,
        }
        .unwrap_or((first, first.len_utf8()));
        let start = at;
        at += length;
        Some((start, at, char))
    })
}

fn backslash(rest: &str) -> Option<(char, usize)> {
    match rest.chars().nth(1)? {
        'u' => hex(rest, 2, 4).map(|char| (char, 6)),
        'x' => hex(rest, 2, 2).map(|char| (char, 4)),
        char @ ('/' | '"' | '\\' | '\'') => Some((char, 2)),
        _ => None,
    }
}

/// `&#47;`, `&#x2F;` or `&amp;`.
fn entity(rest: &str) -> Option<(char, usize)> {
    let (name, _) = rest.get(1..rest.len().min(10))?.split_once(';')?;
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

/// The character with a code of so many hexadecimal digits.
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
    fn a_secret_is_found_however_it_is_escaped() {
        let secret = "ab/c+d=%41aab";
        for written in [
            secret,
            r"ab\/c+d=%41aab",
            r"\u0061b/c\u002Bd=%41aab",
            "ab%2Fc%2bd%3D%2541aab",
            "ab&#47;c&#x2B;d=%41aab",
            r"\x61b/c+d=%41aab",
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
    fn a_text_of_beginnings_of_a_secret_takes_linear_time() {
        let secret = format!("{}b", "a".repeat(400));
        let text = format!("{}\\%&", "a".repeat(2 << 20));
        let start = std::time::Instant::now();
        assert_eq!(redact(&text, &[&secret]), text);
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    }
}
