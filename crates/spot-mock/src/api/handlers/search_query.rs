//! The little language of the `q` parameter.

use std::ops::RangeInclusive;

/// A parsed `q`: words, and filters such as `artist:"Alma Corvik"` or `year:1990-1999`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SearchQuery {
    /// Words that have to occur in a name, in lower case.
    pub(super) words: Vec<String>,
    pub(super) artist: Option<String>,
    pub(super) album: Option<String>,
    pub(super) track: Option<String>,
    pub(super) genre: Option<String>,
    pub(super) isrc: Option<String>,
    pub(super) upc: Option<String>,
    pub(super) year: Option<RangeInclusive<u32>>,
    /// `tag:new`: of the last weeks.
    pub(super) new: bool,
    /// `tag:hipster`: heard by few.
    pub(super) hipster: bool,
}

impl SearchQuery {
    pub(super) fn parse(text: &str) -> Self {
        let mut query = Self::default();
        for term in terms(&text.to_lowercase()) {
            let value = |name: &str| term.strip_prefix(name).map(str::to_owned);
            if let Some(artist) = value("artist:") {
                query.artist = Some(artist);
            } else if let Some(album) = value("album:") {
                query.album = Some(album);
            } else if let Some(track) = value("track:") {
                query.track = Some(track);
            } else if let Some(genre) = value("genre:") {
                query.genre = Some(genre);
            } else if let Some(isrc) = value("isrc:") {
                query.isrc = Some(isrc);
            } else if let Some(upc) = value("upc:") {
                query.upc = Some(upc);
            } else if let Some(year) = term.strip_prefix("year:").and_then(years) {
                query.year = Some(year);
            } else if term == "tag:new" {
                query.new = true;
            } else if term == "tag:hipster" {
                query.hipster = true;
            } else {
                query.words.extend(term.split_whitespace().map(str::to_owned));
            }
        }
        query
    }

    /// Whether all words occur in the text, which is in lower case.
    pub(super) fn fits(&self, text: &str) -> bool {
        self.words.iter().all(|word| text.contains(word.as_str()))
    }
}

/// Cuts at white space outside quotation marks, which disappear.
fn terms(text: &str) -> Vec<String> {
    let mut terms = vec![String::new()];
    let mut quoted = false;
    for character in text.chars() {
        match character {
            '"' => quoted = !quoted,
            character if character.is_whitespace() && !quoted => terms.push(String::new()),
            character => {
                if let Some(term) = terms.last_mut() {
                    term.push(character);
                }
            }
        }
    }
    terms.retain(|term| !term.is_empty());
    terms
}

fn years(text: &str) -> Option<RangeInclusive<u32>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Some(first.parse().ok()?..=last.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_filters_are_told_apart() {
        let query =
            SearchQuery::parse(r#"Quiet artist:"Alma Corvik" year:1990-1999 tag:new harbour"#);
        assert_eq!(query.words, ["quiet", "harbour"]);
        assert_eq!(query.artist.as_deref(), Some("alma corvik"));
        assert_eq!(query.year, Some(1990..=1999));
        assert!(query.new && !query.hipster);
        assert!(query.fits("the quiet harbour") && !query.fits("the harbour"));
    }

    #[test]
    fn a_filter_nobody_knows_is_a_word() {
        assert_eq!(SearchQuery::parse("colour:red year:soon").words, ["colour:red", "year:soon"]);
    }
}
