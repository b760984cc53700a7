//! Pages of lists.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, Error, IgnoredAny},
};
use serde_with::{As, DefaultOnNull};

use crate::{
    decode::{Entries, Skipped, WithGaps},
    lenient::Int,
    object::{self, ObjectWriter},
    page_trail::PageTrail,
};

/// A page of a list that is paged by offset.
///
/// Decoding skips null and broken entries. [`skipped`](Self::skipped) lists each skipped entry with
/// its index and the reason.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// Length of the whole list, including skipped entries; `None` if Spotify does not return it.
    pub total: Option<u32>,
    /// Page size of the server, which may differ from the requested page size.
    pub limit: u32,
    /// Index of the first entry in the whole list.
    pub offset: u32,
    /// Link to the next page.
    pub next: Option<String>,
    /// Link to the previous page.
    pub previous: Option<String>,
    /// Link to this page.
    pub href: Option<String>,
    /// The skipped entries, in order.
    pub skipped: Vec<Skipped>,
    /// The links that led to the page.
    #[doc(hidden)]
    pub trail: PageTrail,
}

impl<T> Page<T> {
    /// Iterates over the entries with their indexes in the whole list, counted from 0. Skipped
    /// entries are included in the count.
    ///
    /// ```
    /// use spot_model::{Page, SimplifiedTrack};
    ///
    /// let json = br#"{"items": [{"name": "a"}, null, {"name": "b"}], "offset": 50}"#;
    /// let page: Page<SimplifiedTrack> = spot_model::from_slice(json)?;
    /// let indexes: Vec<u32> = page.indexed().map(|(index, _)| index).collect();
    /// assert_eq!(indexes, [50, 52]);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn indexed(&self) -> impl Iterator<Item = (u32, &T)> {
        let mut skipped = self.skipped.iter().map(|skipped| skipped.index).peekable();
        let indexes = (0..).filter(move |index| skipped.next_if_eq(index).is_none());
        let in_list =
            |index: usize| self.offset.saturating_add(u32::try_from(index).unwrap_or(u32::MAX));
        indexes.map(in_list).zip(&self.items)
    }

    /// Returns the offset of the next page, which is `offset + limit`. If `limit` is unknown (0),
    /// the method adds the number of entries on this page to `offset`.
    pub fn next_offset(&self) -> u32 {
        let step = if self.limit > 0 { self.limit } else { self.entries() };
        self.offset.saturating_add(step)
    }

    /// Whether this is the last page. The method checks both `next` and `total`, because a page can
    /// lack one of them. A page has no `next` if the filter `fields` excludes `next`. For some
    /// lists, Spotify returns no `total`. The method treats an empty page as the last page, even if
    /// `next` is present. Otherwise a loop might never end, because Spotify has returned empty
    /// pages that link to further empty pages.
    pub fn is_last(&self) -> bool {
        let is_more = self.next.is_some() || self.total.is_some_and(|all| self.next_offset() < all);
        // At the maximum offset, the next page would be the same page.
        self.entries() == 0 || !is_more || self.next_offset() == self.offset
    }

    /// Number of entries, including skipped entries.
    fn entries(&self) -> u32 {
        u32::try_from(self.items.len() + self.skipped.len()).unwrap_or(u32::MAX)
    }
}

impl<T: fmt::Debug> fmt::Debug for Page<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Page");
        out.field("items", &self.items).field("total", &self.total).field("limit", &self.limit);
        out.field("offset", &self.offset).field("next", &self.next);
        out.field("previous", &self.previous).field("href", &self.href);
        out.field("skipped", &self.skipped).finish()
    }
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            total: None,
            limit: 0,
            offset: 0,
            next: None,
            previous: None,
            href: None,
            skipped: Vec::new(),
            trail: PageTrail::default(),
        }
    }
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "T: DeserializeOwned"))]
struct PageWire<T> {
    #[serde(default, deserialize_with = "present")]
    items: Option<Entries<T>>,
    #[serde(default, deserialize_with = "present_total")]
    total: Option<Option<u32>>,
    #[serde(default, deserialize_with = "present_number")]
    limit: Option<u32>,
    #[serde(default, deserialize_with = "present_number")]
    offset: Option<u32>,
    #[serde(default, deserialize_with = "present")]
    next: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    previous: Option<Option<String>>,
    #[serde(default)]
    href: Option<String>,
    #[serde(default)]
    error: Option<IgnoredAny>,
}

impl<T> PageWire<T> {
    fn into_page(self) -> Result<Page<T>, NotAPage> {
        let has_part = self.total.is_some()
            || self.limit.is_some()
            || self.offset.is_some()
            || self.next.is_some()
            || self.previous.is_some()
            || self.href.is_some();
        let Entries { items, skipped } = entries(self.items, has_part, self.error.is_some())?;
        Ok(Page {
            items,
            total: self.total.flatten(),
            limit: self.limit.unwrap_or_default(),
            offset: self.offset.unwrap_or_default(),
            next: self.next.flatten(),
            previous: self.previous.flatten(),
            href: self.href,
            skipped,
            trail: PageTrail::default(),
        })
    }
}

/// Returns the entries of a page. The filter `fields` can exclude `items`. An object without
/// `items` is accepted if it contains another field of a page and no field `error`.
fn entries<T>(
    items: Option<Entries<T>>,
    has_part: bool,
    is_error: bool,
) -> Result<Entries<T>, NotAPage> {
    match items {
        Some(items) => Ok(items),
        None if has_part && !is_error => Ok(Entries::default()),
        None => Err(NotAPage),
    }
}

/// The error for an object that is not a page.
struct NotAPage;

impl fmt::Display for NotAPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a page: missing field `items`")
    }
}

/// Decodes a field that is present, even if it is null.
fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// Decodes a total that is present. The total may be null.
fn present_total<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<u32>>, D::Error> {
    As::<Option<Int>>::deserialize(deserializer).map(Some)
}

/// Decodes a number that is present. Null becomes 0.
fn present_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    As::<DefaultOnNull<Int>>::deserialize(deserializer).map(Some)
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Page<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        object::read(deserializer, |deserializer| {
            PageWire::deserialize(deserializer)?.into_page().map_err(D::Error::custom)
        })
    }
}

impl<T: Serialize> Serialize for Page<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        object::write(self, serializer, |page, serializer| {
            let mut out = ObjectWriter::untyped(serializer)?;
            out.optional("href", &page.href)?;
            out.field("items", &WithGaps { items: &page.items, skipped: &page.skipped })?;
            out.field("limit", &page.limit)?;
            out.field("next", &page.next)?;
            out.field("offset", &page.offset)?;
            out.field("previous", &page.previous)?;
            out.field("total", &page.total)?;
            out.end()
        })
    }
}

/// A page of a list that is paged by cursor. Null or broken entries are skipped, as in a [`Page`].
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct CursorPage<T> {
    /// The entries.
    pub items: Vec<T>,
    /// Length of the whole list; `None` if Spotify does not return it.
    pub total: Option<u32>,
    /// Page size of the server, which may differ from the requested page size.
    pub limit: u32,
    /// Cursors of the adjacent pages.
    pub cursors: Cursors,
    /// Link to the next page.
    pub next: Option<String>,
    /// Link to this page.
    pub href: Option<String>,
    /// The skipped entries, in order.
    pub skipped: Vec<Skipped>,
    /// The links that led to the page.
    #[doc(hidden)]
    pub trail: PageTrail,
}

/// Cursors of the previous page and the next page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cursors {
    /// To request the next page, pass this value as the parameter `after`.
    pub after: Option<String>,
    /// To request the previous page, pass this value as the parameter `before`. If the list is
    /// sorted by time, `before` selects older entries.
    pub before: Option<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(remote = "Cursors")]
struct CursorsWire {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<String>,
}

impl<'de> Deserialize<'de> for Cursors {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        object::read(deserializer, CursorsWire::deserialize)
    }
}

impl Serialize for Cursors {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        object::write(self, serializer, CursorsWire::serialize)
    }
}

impl<T: fmt::Debug> fmt::Debug for CursorPage<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("CursorPage");
        out.field("items", &self.items).field("total", &self.total).field("limit", &self.limit);
        out.field("cursors", &self.cursors).field("next", &self.next).field("href", &self.href);
        out.field("skipped", &self.skipped).finish()
    }
}

impl<T> Default for CursorPage<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            total: None,
            limit: 0,
            cursors: Cursors::default(),
            next: None,
            href: None,
            skipped: Vec::new(),
            trail: PageTrail::default(),
        }
    }
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "T: DeserializeOwned"))]
struct CursorPageWire<T> {
    #[serde(default, deserialize_with = "present")]
    items: Option<Entries<T>>,
    #[serde(default, deserialize_with = "present_total")]
    total: Option<Option<u32>>,
    #[serde(default, deserialize_with = "present_number")]
    limit: Option<u32>,
    #[serde(default, deserialize_with = "present")]
    cursors: Option<Option<Cursors>>,
    #[serde(default, deserialize_with = "present")]
    next: Option<Option<String>>,
    #[serde(default)]
    href: Option<String>,
    #[serde(default)]
    error: Option<IgnoredAny>,
}

impl<T> CursorPageWire<T> {
    fn into_page(self) -> Result<CursorPage<T>, NotAPage> {
        let has_part = self.total.is_some()
            || self.limit.is_some()
            || self.cursors.is_some()
            || self.next.is_some()
            || self.href.is_some();
        let Entries { items, skipped } = entries(self.items, has_part, self.error.is_some())?;
        Ok(CursorPage {
            items,
            total: self.total.flatten(),
            limit: self.limit.unwrap_or_default(),
            cursors: self.cursors.flatten().unwrap_or_default(),
            next: self.next.flatten(),
            href: self.href,
            skipped,
            trail: PageTrail::default(),
        })
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for CursorPage<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        object::read(deserializer, |deserializer| {
            CursorPageWire::deserialize(deserializer)?.into_page().map_err(D::Error::custom)
        })
    }
}

impl<T: Serialize> Serialize for CursorPage<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        object::write(self, serializer, |page, serializer| {
            let mut out = ObjectWriter::untyped(serializer)?;
            out.optional("href", &page.href)?;
            out.field("items", &WithGaps { items: &page.items, skipped: &page.skipped })?;
            out.field("limit", &page.limit)?;
            out.field("next", &page.next)?;
            out.field("cursors", &page.cursors)?;
            out.optional("total", &page.total)?;
            out.end()
        })
    }
}
