use std::fmt;

/// A search query: words, and filters on the fields of the results.
///
/// A string converts into a query, so `client.search("words")` needs no `SearchQuery::new`. The
/// setters put a value with special characters in quotes, so that the value cannot add another
/// filter.
///
/// ```
/// use spot_api::SearchQuery;
///
/// let query = SearchQuery::new("night").artist("The \"Quiet\" Ones").years(1980, 1989);
/// assert_eq!(query.to_string(), r#"night artist:"The Quiet Ones" year:1980-1989"#);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchQuery {
    text: String,
}

impl SearchQuery {
    /// Creates a query from words. Spotify searches for the words in the names of all kinds of
    /// items, such as tracks, albums and artists.
    pub fn new(words: impl AsRef<str>) -> Self {
        Self { text: words.as_ref().trim().to_owned() }
    }

    /// Restricts the results to albums, artists and tracks of this artist.
    pub fn artist(self, name: &str) -> Self {
        self.filter("artist", name)
    }

    /// Restricts the results to albums with this name, and to the tracks of these albums.
    pub fn album(self, name: &str) -> Self {
        self.filter("album", name)
    }

    /// Restricts the results to tracks with this name.
    pub fn track(self, name: &str) -> Self {
        self.filter("track", name)
    }

    /// Restricts the results to artists and tracks of this genre.
    pub fn genre(self, name: &str) -> Self {
        self.filter("genre", name)
    }

    /// Restricts the results to albums, artists and tracks of this year.
    pub fn year(self, year: u16) -> Self {
        self.append(format_args!("year:{year}"))
    }

    /// Restricts the results to albums, artists and tracks from `first` to `last`, including both
    /// years.
    pub fn years(self, first: u16, last: u16) -> Self {
        self.append(format_args!("year:{first}-{last}"))
    }

    /// Restricts the results to the track with this International Standard Recording Code.
    pub fn isrc(self, code: &str) -> Self {
        self.filter("isrc", code)
    }

    /// Restricts the results to the album with this Universal Product Code.
    pub fn upc(self, code: &str) -> Self {
        self.filter("upc", code)
    }

    /// Restricts the results to albums that were released in the last two weeks.
    pub fn tag_new(self) -> Self {
        self.append(format_args!("tag:new"))
    }

    /// Restricts the results to albums in the lowest 10 % of popularity.
    pub fn tag_hipster(self) -> Self {
        self.append(format_args!("tag:hipster"))
    }

    /// Whether the query is empty.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    fn filter(self, field: &str, value: &str) -> Self {
        // Quotes inside quotes cannot be escaped. The inner quotes are removed, because Spotify
        // ignores quotes in names.
        let value = value.replace('"', "");
        if value.contains(|char: char| !char.is_alphanumeric()) {
            self.append(format_args!("{field}:\"{}\"", value.trim()))
        } else {
            self.append(format_args!("{field}:{value}"))
        }
    }

    fn append(mut self, filter: fmt::Arguments<'_>) -> Self {
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(&filter.to_string());
        self
    }
}

/// Formats the query as the value of the query parameter `q`.
impl fmt::Display for SearchQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<&str> for SearchQuery {
    fn from(words: &str) -> Self {
        Self::new(words)
    }
}

impl From<String> for SearchQuery {
    fn from(words: String) -> Self {
        Self::new(words)
    }
}

impl From<&String> for SearchQuery {
    fn from(words: &String) -> Self {
        Self::new(words)
    }
}
