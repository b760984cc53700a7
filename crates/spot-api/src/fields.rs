use std::fmt;

/// A filter that selects fields of a playlist, in Spotify's notation. A filter is a list of field
/// names. To select subfields of a field, put a filter in parentheses after the field name:
/// `owner(id)`.
///
/// Paging needs the fields `next`, `total`, `limit` and `offset`. The client adds these fields to a
/// filter for a page of items, unless the filter excludes them explicitly.
///
/// ```
/// use spot_api::Fields;
///
/// let names = Fields::of(["added_at"]).within("item", Fields::of(["id", "name"]));
/// assert_eq!(Fields::of(["total"]).within("items", names).to_string(),
///     "total,items(added_at,item(id,name))");
/// ```
///
/// A filter can be given as text: `client.playlist(id).fields("name,owner(id)")`. A `!` before a
/// name excludes the field: `Fields::of(["!description"])`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    text: String,
}

/// Fields that paging needs.
const PAGING: [&str; 4] = ["next", "total", "limit", "offset"];

impl Fields {
    /// Selects these fields with all of their content.
    pub fn of(names: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let mut fields = Self::default();
        for name in names {
            fields.push(name.as_ref());
        }
        fields
    }

    /// Adds a field, and selects only a part of its content.
    #[must_use]
    pub fn within(mut self, name: &str, inside: impl Into<Self>) -> Self {
        self.push(&format!("{name}({})", inside.into().text));
        self
    }

    fn push(&mut self, field: &str) {
        if !self.text.is_empty() {
            self.text.push(',');
        }
        self.text.push_str(field);
    }

    /// Returns the syntax error, if the caller gave the filter as text and the text is invalid.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        if self.text.trim().is_empty() {
            return Some("the value is empty; expected field names");
        }
        let mut depth = 0_i32;
        for char in self.text.chars() {
            depth += match char {
                '(' => 1,
                ')' => -1,
                _ => 0,
            };
            if depth < 0 {
                break;
            }
        }
        (depth != 0).then_some("the parentheses in the value are not balanced")
    }

    /// Returns the filter for a page. The result includes the fields that paging needs, unless the
    /// filter excludes them explicitly.
    pub(crate) fn of_page(&self) -> String {
        let mut fields = self.clone();
        let named: Vec<&str> = top_level(&self.text).collect();
        // If a filter contains only exclusions, Spotify returns all other fields.
        if named.iter().all(|name| name.starts_with('!')) {
            return fields.text;
        }
        for name in PAGING {
            if !named.contains(&name) {
                fields.push(name);
            }
        }
        fields.text
    }
}

/// Returns the names at the top level of a filter.
fn top_level(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_u32;
    text.split(move |char| {
        match char {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        char == ',' && depth == 0
    })
    .map(|field| field.split(['(', '.']).next().unwrap_or(field).trim())
}

/// Formats the filter as the value of a query parameter.
impl fmt::Display for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<&str> for Fields {
    fn from(text: &str) -> Self {
        Self { text: text.to_owned() }
    }
}

impl From<&String> for Fields {
    fn from(text: &String) -> Self {
        Self { text: text.clone() }
    }
}

impl From<String> for Fields {
    fn from(text: String) -> Self {
        Self { text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fields_filter_of_a_page_keeps_the_paging_fields() {
        for (given, sent) in [
            ("items(item(name))", "items(item(name)),next,total,limit,offset"),
            ("total,items.added_at,next", "total,items.added_at,next,limit,offset"),
            ("next,total,limit,offset", "next,total,limit,offset"),
            ("!href", "!href"),
        ] {
            assert_eq!(Fields::from(given).of_page(), sent);
        }
    }

    #[test]
    fn a_malformed_fields_filter_is_reported() {
        assert_eq!(Fields::from("a(b,c(d)),e").problem(), None);
        for wrong in ["", "  ", "a(b", "a)b(", "a(b))"] {
            assert!(Fields::from(wrong).problem().is_some(), "{wrong:?}");
        }
    }
}
