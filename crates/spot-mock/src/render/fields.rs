//! The `fields` parameter of playlists, which selects parts of the response.

use crate::http::json::{Json, Object};

/// A parsed `fields` parameter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields {
    wanted: Vec<(String, Option<Fields>)>,
    unwanted: Vec<String>,
}

impl Fields {
    /// Parses `items(added_at,item(name,album(!images))),total`. Dots and parentheses are
    /// equivalent: `items.total` means `items(total)`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut rest = text;
        let fields = Self::list(&mut rest)?;
        rest.is_empty().then_some(fields)
    }

    /// Returns the selected fields of a value. If the parameter only excludes fields, all other
    /// fields are selected.
    pub(crate) fn apply(&self, json: Json) -> Json {
        match json {
            Json::List(entries) => {
                Json::List(entries.into_iter().map(|entry| self.apply(entry)).collect())
            }
            Json::Object(object) => {
                let kept: Object =
                    object.into_fields().into_iter().filter_map(|field| self.keep(field)).collect();
                Json::Object(kept)
            }
            other => other,
        }
    }

    fn keep(&self, (key, value): (&'static str, Json)) -> Option<(&'static str, Json)> {
        if self.unwanted.iter().any(|name| name == key) {
            return None;
        }
        match self.wanted.iter().find(|(name, _)| name == key) {
            Some((_, Some(within))) => Some((key, within.apply(value))),
            Some((_, None)) => Some((key, value)),
            None => self.wanted.is_empty().then_some((key, value)),
        }
    }

    fn list(rest: &mut &str) -> Option<Self> {
        let mut fields = Self::default();
        loop {
            let text = rest.trim_start();
            let (unwanted, text) = match text.strip_prefix('!') {
                Some(text) => (true, text),
                None => (false, text),
            };
            *rest = text;
            let (name, within) = Self::field(rest)?;
            if unwanted {
                fields.unwanted.push(name);
            } else {
                fields.want(name, within);
            }
            match rest.strip_prefix(',') {
                Some(text) => *rest = text,
                None => return Some(fields),
            }
        }
    }

    fn field(rest: &mut &str) -> Option<(String, Option<Self>)> {
        let text = *rest;
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
        let (name, text) = text.split_at(end);
        if name.is_empty() {
            return None;
        }
        let name = name.to_owned();
        if let Some(text) = text.strip_prefix('.') {
            *rest = text;
            let (inner, within) = Self::field(rest)?;
            let mut fields = Self::default();
            fields.want(inner, within);
            return Some((name, Some(fields)));
        }
        if let Some(text) = text.strip_prefix('(') {
            *rest = text;
            let fields = Self::list(rest)?;
            *rest = rest.trim_start().strip_prefix(')')?;
            return Some((name, Some(fields)));
        }
        *rest = text.trim_start();
        Some((name, None))
    }

    /// Selects a field. If a field is named twice, as in `items.total,items.next`, the selections
    /// are merged.
    fn want(&mut self, name: String, within: Option<Self>) {
        let known = self.wanted.iter_mut().find(|(known, _)| *known == name);
        match (known, within) {
            (Some((_, Some(known))), Some(within)) => {
                known.unwanted.extend(within.unwanted);
                for (name, within) in within.wanted {
                    known.want(name, within);
                }
            }
            (Some((_, known)), _) => *known = None,
            (None, within) => self.wanted.push((name, within)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::json::object;

    fn filtered(fields: &str) -> String {
        let entry = |name: &'static str| {
            object! {
                "added_at": "then",
                "item": object! {
                    "name": name,
                    "album": object! { "name": "A", "images": Vec::<Json>::new() },
                },
            }
        };
        let page =
            object! { "items": vec![entry("one"), entry("two")], "total": 2, "next": Json::Null };
        let fields = Fields::parse(fields).unwrap();
        serde_json::to_string(&fields.apply(page)).unwrap()
    }

    #[test]
    fn parentheses_and_dots_select_nested_fields_in_lists() {
        let names = r#"{"items":[{"item":{"name":"one"}},{"item":{"name":"two"}}],"total":2}"#;
        assert_eq!(filtered("items(item(name)),total"), names);
        assert_eq!(filtered("total,items.item.name"), names);
        assert_eq!(filtered("items(item.name),total"), names);
    }

    #[test]
    fn selectors_with_the_same_prefix_are_merged() {
        let both = r#"{"items":[{"item":{"name":"one","album":{"name":"A"}}},{"item":{"name":"two","album":{"name":"A"}}}]}"#;
        assert_eq!(filtered("items.item.name,items.item.album.name"), both);
    }

    #[test]
    fn an_exclamation_mark_excludes_a_field() {
        assert_eq!(filtered("!items"), r#"{"total":2,"next":null}"#);
        let rest = r#"{"items":[{"item":{"album":{"name":"A"}}},{"item":{"album":{"name":"A"}}}]}"#;
        assert_eq!(filtered("items(item(album(!images)))"), rest);
    }

    #[test]
    fn an_unknown_field_name_yields_empty_objects() {
        assert_eq!(filtered("items(track(name))"), r#"{"items":[{},{}]}"#);
    }

    #[test]
    fn a_malformed_fields_parameter_is_rejected() {
        for text in ["items(", "items(name", "items)", "", "a,,b", "items(name))"] {
            assert_eq!(Fields::parse(text), None, "{text}");
        }
    }
}
