//! Decodes pages of lists, and reads the metadata that all pages have.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeOwned, DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
        value::{CowStrDeserializer, MapAccessDeserializer},
    },
};
use spot_model::{CursorPage, Page, PageTrail, Skipped};

/// A page of a list that is paged by offset or by cursor.
pub trait Paged: DeserializeOwned + Send + 'static {
    /// Type of the entries.
    type Item: Send + 'static;

    /// Whether the next page is requested by cursor. If `false`, the next page is requested by
    /// offset.
    const BY_CURSOR: bool;

    /// The entries.
    fn items(&self) -> &[Self::Item];

    /// Returns the entries without the metadata of the page.
    fn into_items(self) -> Vec<Self::Item>;

    /// The skipped entries of the page.
    fn skipped(&self) -> &[Skipped];

    /// Number of entries in the whole list; `None` if the page does not contain this number.
    fn total(&self) -> Option<u32>;

    /// Index of the page's first entry in the whole list. Returns 0 if the next page is requested
    /// by cursor.
    fn offset(&self) -> u32;

    /// Returns the `limit` of the page, or 0 if the page contains no `limit`. To request the next
    /// page, a stream adds this `limit` to the `offset` of this page.
    fn step(&self) -> u32;

    /// Returns the value of the cursor that has this name: `after` or `before`. Returns `None` if
    /// the page has no such cursor.
    fn cursor(&self, name: &str) -> Option<&str>;

    /// Link to this page.
    fn href(&self) -> Option<&str>;

    /// Link to the next page.
    fn next_link(&self) -> Option<&str>;

    /// Link to the previous page.
    fn previous_link(&self) -> Option<&str>;

    /// Applies `change` to every link of the page.
    fn change_links(&mut self, change: impl FnMut(&mut String));

    /// The links that led to the page. [`Client::next_page`](crate::Client::next_page) uses these
    /// links to detect cycles. If a page type does not store these links, cycles are not detected.
    #[doc(hidden)]
    fn trail(&self) -> PageTrail {
        PageTrail::default()
    }

    /// Stores the links that led to the page.
    #[doc(hidden)]
    fn set_trail(&mut self, _trail: PageTrail) {}
}

/// Methods that are the same for `Page` and `CursorPage`.
macro_rules! same_parts {
    () => {
        type Item = T;

        fn items(&self) -> &[T] {
            &self.items
        }

        fn into_items(self) -> Vec<T> {
            self.items
        }

        fn skipped(&self) -> &[Skipped] {
            &self.skipped
        }

        fn total(&self) -> Option<u32> {
            self.total
        }

        fn step(&self) -> u32 {
            self.limit
        }

        fn href(&self) -> Option<&str> {
            self.href.as_deref()
        }

        fn next_link(&self) -> Option<&str> {
            self.next.as_deref()
        }

        fn trail(&self) -> PageTrail {
            self.trail
        }

        fn set_trail(&mut self, trail: PageTrail) {
            self.trail = trail;
        }
    };
}

impl<T: DeserializeOwned + Send + 'static> Paged for Page<T> {
    same_parts!();

    const BY_CURSOR: bool = false;

    fn offset(&self) -> u32 {
        self.offset
    }

    fn cursor(&self, _name: &str) -> Option<&str> {
        None
    }

    fn previous_link(&self) -> Option<&str> {
        self.previous.as_deref()
    }

    fn change_links(&mut self, change: impl FnMut(&mut String)) {
        [&mut self.href, &mut self.next, &mut self.previous].into_iter().flatten().for_each(change);
    }
}

impl<T: DeserializeOwned + Send + 'static> Paged for CursorPage<T> {
    same_parts!();

    const BY_CURSOR: bool = true;

    fn offset(&self) -> u32 {
        0
    }

    fn cursor(&self, name: &str) -> Option<&str> {
        match name {
            "before" => self.cursors.before.as_deref(),
            _ => self.cursors.after.as_deref(),
        }
    }

    fn previous_link(&self) -> Option<&str> {
        None
    }

    fn change_links(&mut self, change: impl FnMut(&mut String)) {
        [&mut self.href, &mut self.next].into_iter().flatten().for_each(change);
    }
}

/// The page in a response. The response itself is the page, or a field of the response contains the
/// page, as in `{"artists": {"items": [..]}}`.
pub(crate) struct PageIn<P>(pub(crate) P);

/// Fields of a page. If a response starts with one of these fields, the response itself is the
/// page.
const FIELDS: [&str; 8] =
    ["href", "items", "limit", "next", "offset", "previous", "total", "cursors"];

impl<'de, P: Deserialize<'de>> Deserialize<'de> for PageIn<P> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Answer<P>(PhantomData<P>);

        impl<'de, P: Deserialize<'de>> Visitor<'de> for Answer<P> {
            type Value = PageIn<P>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a page, or an object that contains a page")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PageIn<P>, A::Error> {
                let mut found = None;
                while let Some(Key(key)) = map.next_key()? {
                    if found.is_none() && FIELDS.contains(&key.as_ref()) {
                        return page(Some(key), map).map(PageIn);
                    }
                    match found {
                        None => found = map.next_value::<IfObject<P>>()?.0,
                        Some(_) => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                found.map(PageIn).ok_or_else(|| A::Error::missing_field("items"))
            }
        }

        deserializer.deserialize_map(Answer(PhantomData))
    }
}

/// Reads a page. `first` is the first key of the page, if that key was already read.
fn page<'de, P: Deserialize<'de>, A: MapAccess<'de>>(
    first: Option<Cow<'de, str>>,
    map: A,
) -> Result<P, A::Error> {
    P::deserialize(MapAccessDeserializer::new(WithFirst { first, map }))
}

/// Key of a field. A key without escape sequences is borrowed.
struct Key<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl<'de> Visitor<'de> for Text {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

/// A map whose first key was already read.
struct WithFirst<'de, A> {
    first: Option<Cow<'de, str>>,
    map: A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for WithFirst<'de, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        match self.first.take() {
            Some(key) => seed.deserialize(CowStrDeserializer::new(key)).map(Some),
            None => self.map.next_key_seed(seed),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

/// Decodes an object as a page, and any other value as `None`.
struct IfObject<P>(Option<P>);

impl<'de, P: Deserialize<'de>> Deserialize<'de> for IfObject<P> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Value<P>(PhantomData<P>);

        impl<'de, P: Deserialize<'de>> Visitor<'de> for Value<P> {
            type Value = IfObject<P>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<IfObject<P>, A::Error> {
                Ok(IfObject(Some(page(None, map)?)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<IfObject<P>, A::Error> {
                while list.next_element::<IgnoredAny>()?.is_some() {}
                Ok(IfObject(None))
            }

            fn visit_str<E>(self, _: &str) -> Result<IfObject<P>, E> {
                Ok(IfObject(None))
            }

            fn visit_bool<E>(self, _: bool) -> Result<IfObject<P>, E> {
                Ok(IfObject(None))
            }

            fn visit_i64<E>(self, _: i64) -> Result<IfObject<P>, E> {
                Ok(IfObject(None))
            }

            fn visit_u64<E>(self, _: u64) -> Result<IfObject<P>, E> {
                Ok(IfObject(None))
            }

            fn visit_f64<E>(self, _: f64) -> Result<IfObject<P>, E> {
                Ok(IfObject(None))
            }

            fn visit_unit<E>(self) -> Result<IfObject<P>, E> {
                Ok(IfObject(None))
            }
        }

        deserializer.deserialize_any(Value(PhantomData))
    }
}

/// In the links of a page, replaces the path with the path of the request.
///
/// In pages of `/me/playlists`, the links have the path `/users/{id}/playlists`, which is not
/// available in Development Mode. In pages of `/me/following`, the links have a path that does not
/// exist. The links of all pages differ only in the query.
pub(crate) fn keep_path(page: &mut impl Paged, path: &str) {
    let Some(rest) = path.strip_prefix("/me/") else { return };
    page.change_links(|link| {
        let (before, query) = link.split_once('?').unwrap_or((link, ""));
        let Some((base, called)) = before.split_once("/users/") else { return };
        if called.split_once('/').is_some_and(|(_, called)| called == rest) {
            let mark = if query.is_empty() { "" } else { "?" };
            *link = format!("{base}{path}{mark}{query}");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Vec<u32>, serde_json::Error> {
        spot_model::from_slice::<PageIn<Page<u32>>>(json.as_bytes()).map(|page| page.0.items)
    }

    #[test]
    fn a_page_is_found_at_the_root_and_inside_an_object() {
        for json in [
            r#"{"items": [1, 2], "total": 2}"#,
            r#"{"href": "here", "items": [1, 2]}"#,
            r#"{"cursors": {"after": "x"}, "items": [1, 2]}"#,
            r#"{"artists": {"items": [1, 2]}}"#,
            r#"{"message": "Hello", "n": [1, null], "x": null, "y": -1, "z": 0.5, "w": true,
                "playlists": {"total": 2, "items": [1, 2]}, "tracks": {"items": [3]}}"#,
        ] {
            assert_eq!(read(json).unwrap(), [1, 2], "{json}");
        }
    }

    #[test]
    fn a_response_without_a_page_is_an_error() {
        for json in ["{}", r#"{"message": "Hello"}"#, r#"{"tracks": null}"#, "[]", "1"] {
            assert!(read(json).is_err(), "{json}");
        }
    }
}
