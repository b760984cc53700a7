//! The query language of the `q` parameter.

use std::ops::RangeInclusive;

use crate::world::normalize;

/// A parsed `q`: words, and filters such as `artist:"Alma Corvik"` or `year:1990-1999`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SearchQuery {
    /// The words, normalized.
    pub(super) words: Vec<Word>,
    pub(super) isrc: Option<String>,
    pub(super) upc: Option<String>,
    pub(super) year: Option<RangeInclusive<u32>>,
    /// Whether the query contains the filter `tag:new`, which finds new albums.
    pub(super) new: bool,
    /// Whether the query contains the filter `tag:hipster`, which finds albums with a low
    /// popularity.
    pub(super) hipster: bool,
}

/// A word to find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// A space and the normalized word. Matches words with this prefix.
    pub(super) prefix: String,
    /// `prefix` with a space at the end. Matches whole words.
    pub(super) whole: String,
    pub(super) place: Place,
}

/// The part of an entry in which a word must occur.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Anywhere,
    In(Field),
    /// The word comes after an unquoted filter for this field, such as `artist:Miles`. The word may
    /// be a part of the value: in `artist:Miles Davis Doxy`, `Davis` is part of the artist, and
    /// `Doxy` is not. The word therefore matches every part of the entry.
    Perhaps(Field),
}

/// A field that a filter can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Artist,
    Album,
    Track,
    Genre,
}

impl Word {
    fn new(word: &str, place: Place) -> Self {
        Self { prefix: format!(" {word}"), whole: format!(" {word} "), place }
    }
}

impl SearchQuery {
    pub(super) fn parse(text: &str) -> Self {
        let mut query = Self::default();
        let mut open = None;
        for Term { filter, value, quoted } in terms(text) {
            let field = match filter.to_ascii_lowercase().as_str() {
                "" => None,
                "artist" => Some(Field::Artist),
                "album" => Some(Field::Album),
                "track" => Some(Field::Track),
                "genre" => Some(Field::Genre),
                "isrc" => {
                    query.isrc = Some(normalize(&value).replace(' ', ""));
                    open = None;
                    continue;
                }
                "upc" => {
                    query.upc = Some(value.trim().trim_start_matches('0').to_owned());
                    open = None;
                    continue;
                }
                "year" if years(&value).is_some() => {
                    query.year = years(&value);
                    open = None;
                    continue;
                }
                "tag" if value.eq_ignore_ascii_case("new") => {
                    query.new = true;
                    continue;
                }
                "tag" if value.eq_ignore_ascii_case("hipster") => {
                    query.hipster = true;
                    continue;
                }
                unknown => {
                    query.add(unknown, Place::Anywhere);
                    None
                }
            };
            let place = match (field, open) {
                (Some(field), _) => Place::In(field),
                (None, Some(field)) if !quoted => Place::Perhaps(field),
                (None, _) => Place::Anywhere,
            };
            query.add(&value, place);
            if field.is_some() || quoted {
                open = field.filter(|_| !quoted);
            }
        }
        query
    }

    /// Whether the query is empty.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the query has a filter for this field.
    pub(super) fn filters(&self, field: Field) -> bool {
        self.words.iter().any(|word| word.place == Place::In(field))
    }

    /// The words without a filter, joined by spaces. The text starts and ends with a space.
    pub(super) fn text(&self) -> String {
        let words = self.words.iter().filter(|word| word.place == Place::Anywhere);
        words.map(|word| word.prefix.as_str()).chain([" "]).collect()
    }

    fn add(&mut self, text: &str, place: Place) {
        let text = normalize(text);
        self.words.extend(text.split_whitespace().map(|word| Word::new(word, place)));
    }
}

/// A part of a query: a word or a quoted phrase, optionally with the name of a filter.
struct Term {
    filter: String,
    value: String,
    quoted: bool,
}

/// Splits a query at white space outside quotation marks. Quotation marks may be straight or curly,
/// double or single. A single quotation mark opens a quotation only before a word, and closes a
/// quotation only after a word. A single quotation mark inside a word is an apostrophe.
fn terms(text: &str) -> Vec<Term> {
    let mut terms = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (filter, value) = match rest.split_once(':') {
            Some((name, value))
                if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic()) =>
            {
                // A filter may have a space after the colon: `artist: "Alma Corvik"`.
                (name, value.trim_start())
            }
            _ => ("", rest),
        };
        let (value, behind, quoted) = match quotation(value) {
            Some((value, behind)) => (value, behind, true),
            None => {
                let end = value.find(char::is_whitespace).unwrap_or(value.len());
                let (value, behind) = value.split_at(end);
                (value, behind, false)
            }
        };
        terms.push(Term { filter: filter.to_owned(), value: value.to_owned(), quoted });
        rest = behind.trim_start();
    }
    terms
}

/// If `text` starts with a quotation, returns the quoted text and the text after the quotation.
fn quotation(text: &str) -> Option<(&str, &str)> {
    let mark = text.chars().next()?;
    let inside = text.get(mark.len_utf8()..)?;
    let closes = |letter: char| match mark {
        '"' | '\u{201c}' | '\u{201d}' | '\u{201e}' => {
            matches!(letter, '"' | '\u{201c}' | '\u{201d}')
        }
        '\'' | '\u{2018}' => matches!(letter, '\'' | '\u{2019}'),
        _ => false,
    };
    let is_single = matches!(mark, '\'' | '\u{2018}');
    for (place, letter) in inside.char_indices().filter(|(_, letter)| closes(*letter)) {
        let behind = inside.get(place + letter.len_utf8()..)?;
        if !is_single || behind.is_empty() || behind.starts_with(char::is_whitespace) {
            return Some((inside.get(..place)?, behind));
        }
    }
    None
}

/// Parses `1990`, `1990-1999` or `1990-`.
fn years(text: &str) -> Option<RangeInclusive<u32>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let last = if last.is_empty() { 9_999 } else { last.trim().parse().ok()? };
    Some(first.trim().parse().ok()?..=last)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Formats the words of a query. `artist=miles` stands for [`Place::In`], `artist?davis` for
    /// [`Place::Perhaps`], and `doxy` for [`Place::Anywhere`].
    fn words(text: &str) -> Vec<String> {
        let name = |field: Field| format!("{field:?}").to_lowercase();
        let show = |word: &Word| {
            let text = word.prefix.trim_start();
            match word.place {
                Place::Anywhere => text.to_owned(),
                Place::In(field) => format!("{}={text}", name(field)),
                Place::Perhaps(field) => format!("{}?{text}", name(field)),
            }
        };
        SearchQuery::parse(text).words.iter().map(show).collect()
    }

    #[test]
    fn a_query_is_split_into_words_and_field_filters() {
        let text = r#"Quiet artist:"Alma Corvik" year:1990-1999 tag:new harbour"#;
        assert_eq!(words(text), ["quiet", "artist=alma", "artist=corvik", "harbour"]);
        let query = SearchQuery::parse(text);
        assert_eq!(query.year, Some(1990..=1999));
        assert!(query.new && !query.hipster);
        assert_eq!(query.text(), " quiet harbour ");
    }

    #[test]
    fn phrases_may_use_any_kind_of_quotation_mark() {
        for text in [
            "artist:\"Miles Davis\" Doxy",
            "artist:'Miles Davis' Doxy",
            "artist: \"Miles Davis\" \"Doxy\"",
            "artist:\u{201c}Miles Davis\u{201d} Doxy",
            "ARTIST:\u{2018}Miles Davis\u{2019} Doxy",
        ] {
            assert_eq!(words(text), ["artist=miles", "artist=davis", "doxy"], "{text}");
        }
        assert_eq!(words("Carissa's 'n' Wierd"), ["carissas", "n", "wierd"]);
        assert_eq!(words("\"unclosed word"), ["unclosed", "word"]);
    }

    #[test]
    fn words_after_an_unquoted_filter_may_extend_the_filter() {
        assert_eq!(
            words("artist:Miles Davis Doxy"),
            ["artist=miles", "artist?davis", "artist?doxy"]
        );
        assert_eq!(
            words("track:Doxy artist:Miles Davis"),
            ["track=doxy", "artist=miles", "artist?davis"]
        );
        assert_eq!(words("artist:Miles year:1954 \"Doxy\""), ["artist=miles", "doxy"]);
    }

    #[test]
    fn unknown_or_invalid_filters_are_parsed_as_words() {
        assert_eq!(words("colour:red year:soon"), ["colour", "red", "year", "soon"]);
        assert!(SearchQuery::parse(" - ?! ").is_empty());
    }

    #[test]
    fn isrc_and_upc_filters_ignore_punctuation_and_leading_zeros() {
        assert_eq!(
            SearchQuery::parse("isrc:zz-mck-24-00001").isrc.as_deref(),
            Some("zzmck2400001")
        );
        assert_eq!(SearchQuery::parse("upc:00123456789012").upc.as_deref(), Some("123456789012"));
        assert_eq!(SearchQuery::parse("year:1990-").year, Some(1990..=9_999));
    }
}
