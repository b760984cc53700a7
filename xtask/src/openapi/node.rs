//! Values of an OpenAPI document.

use serde::{Serialize, Serializer, ser::SerializeMap as _};

/// A value of the document. Maps keep the order of their fields.
#[derive(Clone)]
pub(crate) enum Node {
    Flag(bool),
    Number(i64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Flag(flag) => flag.serialize(serializer),
            Self::Number(number) => number.serialize(serializer),
            Self::Text(text) => text.serialize(serializer),
            Self::List(list) => list.serialize(serializer),
            Self::Map(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (name, value) in fields {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

impl From<&str> for Node {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// A map with these fields.
pub(super) fn map<const N: usize>(fields: [(&str, Node); N]) -> Node {
    Node::Map(fields.map(|(name, value)| (name.to_owned(), value)).into())
}

pub(super) fn texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Node {
    Node::List(texts.into_iter().map(Node::from).collect())
}

impl Node {
    /// Adds a field to a map. Does not change other values.
    pub(super) fn with(mut self, name: &str, value: impl Into<Node>) -> Self {
        if let Self::Map(fields) = &mut self {
            fields.push((name.to_owned(), value.into()));
        }
        self
    }

    pub(super) fn with_some(self, name: &str, value: Option<impl Into<Node>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }
}

/// Text of the docs without links to Rust items.
pub(super) fn plain(doc: &str) -> Node {
    let mut out = String::new();
    let mut rest = doc;
    while let Some((before, link)) = rest.split_once('[') {
        out.push_str(before);
        let Some((text, behind)) = link.split_once(']') else {
            out.push('[');
            rest = link;
            continue;
        };
        out.push_str(text);
        let target = behind.strip_prefix('(').and_then(|target| target.split_once(')'));
        rest = target.map_or(behind, |(_, behind)| behind);
    }
    out.push_str(rest);
    Node::Text(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intra_doc_links_become_plain_text() {
        let words = |doc: &str| match plain(doc) {
            Node::Text(text) => text,
            _ => String::new(),
        };
        assert_eq!(words("The URL of [`next`](Page::next)."), "The URL of `next`.");
        assert_eq!(words("See [`Page`]."), "See `Page`.");
        assert_eq!(words("Nothing [open"), "Nothing [open");
    }
}
