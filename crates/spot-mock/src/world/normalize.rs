//! Normalizes text for search: removes case, diacritics and punctuation.

use icu_normalizer::DecomposingNormalizerBorrowed;

/// Appends the words of `text` to `out`. The words are in lower case, have no diacritics and no
/// punctuation, and are separated by one space.
///
/// Apostrophes and full stops are removed: `Carissa's` becomes `carissas`, and `R.E.M.` becomes
/// `rem`. `&` and `+` become `and`. All other punctuation separates words.
pub(crate) fn normalize_into(text: &str, out: &mut String) {
    let start = out.len();
    if text.is_ascii() {
        text.chars().for_each(|letter| push(letter, start, out));
    } else {
        let letters = DecomposingNormalizerBorrowed::new_nfkd().normalize_iter(text.chars());
        letters.for_each(|letter| push(letter, start, out));
    }
    if out.len() > start && out.ends_with(' ') {
        out.pop();
    }
}

/// Returns the normalized words of `text`, see [`normalize_into`].
pub(crate) fn normalize(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    normalize_into(text, &mut out);
    out
}

fn push(letter: char, start: usize, out: &mut String) {
    let is_first = out.len() == start;
    match letter {
        'a'..='z' | '0'..='9' => out.push(letter),
        'A'..='Z' => out.push(letter.to_ascii_lowercase()),
        '\'' | '.' | '\u{2018}' | '\u{2019}' | '\u{02bc}' | '`' | '\u{00b4}' => {}
        '&' | '+' => {
            if !is_first && !out.ends_with(' ') {
                out.push(' ');
            }
            out.push_str("and ");
        }
        // Letters that Unicode does not decompose into simpler letters.
        'ß' | 'ẞ' => out.push_str("ss"),
        'æ' | 'Æ' => out.push_str("ae"),
        'œ' | 'Œ' => out.push_str("oe"),
        'ø' | 'Ø' => out.push('o'),
        'đ' | 'Đ' | 'ð' | 'Ð' => out.push('d'),
        'ł' | 'Ł' => out.push('l'),
        'ħ' | 'Ħ' => out.push('h'),
        'ı' => out.push('i'),
        'þ' | 'Þ' => out.push_str("th"),
        other if other.is_alphanumeric() => out.extend(other.to_lowercase().filter(keeps)),
        other if !keeps(&other) => {}
        _ if is_first || out.ends_with(' ') => {}
        _ => out.push(' '),
    }
}

/// Returns false for combining marks. Unicode decomposition turns diacritics into combining marks.
fn keeps(letter: &char) -> bool {
    !matches!(letter,
        '\u{0300}'..='\u{036f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}' | '\u{3099}' | '\u{309a}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalize_removes_case_diacritics_and_punctuation() {
        for (text, words) in [
            ("Carissa's Wierd", "carissas wierd"),
            ("CARISSA\u{2019}S", "carissas"),
            ("Björk Guðmundsdóttir", "bjork gudmundsdottir"),
            ("Bjo\u{0308}rk", "bjork"),
            ("Sigur Rós – Ágætis byrjun", "sigur ros agaetis byrjun"),
            ("R.E.M.", "rem"),
            ("  AC/DC  ", "ac dc"),
            ("Simon & Garfunkel", "simon and garfunkel"),
            ("¡Mañana! (Live)", "manana live"),
            ("Straße", "strasse"),
            ("ＡＢＣ", "abc"),
            ("Łódź", "lodz"),
            ("椎名林檎", "椎名林檎"),
            ("...", ""),
        ] {
            assert_eq!(normalize(text), words, "{text}");
        }
    }

    #[test]
    fn normalize_into_appends_to_the_existing_text() {
        let mut out = " one ".to_owned();
        normalize_into("- Two!", &mut out);
        assert_eq!(out, " one two");
    }
}
