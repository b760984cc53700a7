//! Makes a server's text safe for errors and logs.

/// Returns the text as one printable line of at most `max` characters.
///
/// Control and formatting characters become spaces, so that a server cannot break lines, move the
/// cursor of a terminal or reverse the text. A truncated text ends with `…`.
///
/// ```
/// assert_eq!(spot_model::printable("one\r\ntwo\u{1b}[31m", 20), "one  two [31m");
/// assert_eq!(spot_model::printable("a long text", 6), "a lon…");
/// ```
pub fn printable(text: &str, max: usize) -> String {
    let mut line = String::with_capacity(text.len().min(max));
    for (at, char) in text.chars().enumerate() {
        if at + 1 >= max && text.chars().nth(max).is_some() {
            line.push('…');
            break;
        }
        line.push(if is_printable(char) { char } else { ' ' });
    }
    line
}

fn is_printable(char: char) -> bool {
    let is_format = matches!(
        char,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}'
    );
    !char.is_control() && !is_format
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printable_truncates_text_and_replaces_control_characters() {
        assert_eq!(printable("", 3), "");
        assert_eq!(printable("abc", 3), "abc");
        assert_eq!(printable("abcd", 3), "ab…");
        assert_eq!(printable("äöüß", 3), "äö…");
        assert_eq!(printable("a\tb\u{202e}c\u{9b}\u{feff}", 10), "a b c  ");
        assert_eq!(printable("abc", 0), "…");
    }
}
