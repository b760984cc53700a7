//! Pages of lists.

use serde::{Deserialize, Serialize, Serializer, de::DeserializeOwned};
use serde_with::{As, DefaultOnNull};

use crate::{
    decode::{Entries, Skipped, WithGaps},
    lenient::Int,
    object::ObjectWriter,
};

/// A page of a list, by offset.
///
/// A page survives entries that are null or broken: they are left out, and [`skipped`](Self::skipped)
/// says where they stood and why.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "PageWire<T>", bound(deserialize = "T: DeserializeOwned"))]
#[non_exhaustive]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// The length of the whole list; `None` where Spotify does not tell it. It counts entries that
    /// are left out.
    pub total: Option<u32>,
    /// How many entries the server puts on a page, which may be another number than was asked for.
    pub limit: u32,
    /// How many entries stand before this page.
    pub offset: u32,
    /// The link to the page after this one.
    pub next: Option<String>,
    /// The link to the page before this one.
    pub previous: Option<String>,
    /// The link to this page.
    pub href: Option<String>,
    /// The entries that were left out, in their order.
    pub skipped: Vec<Skipped>,
}

impl<T> Page<T> {
    /// The offset of the page after this one: as far on as the server's own limit says, or as there
    /// are entries if it says none.
    pub fn next_offset(&self) -> u32 {
        let step = if self.limit > 0 { self.limit } else { self.entries() };
        self.offset.saturating_add(step)
    }

    /// Whether no page follows: by the link and by the length, since filters leave the link out and
    /// some lists have no length. A page of nothing is the last one, even if it has a link: Spotify
    /// was seen to answer such pages for ever.
    pub fn is_last(&self) -> bool {
        let is_more = self.next.is_some() || self.total.is_some_and(|all| self.next_offset() < all);
        self.entries() == 0 || !is_more
    }

    /// How many entries came, those included that were left out.
    fn entries(&self) -> u32 {
        u32::try_from(self.items.len() + self.skipped.len()).unwrap_or(u32::MAX)
    }
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        PageWire::default().into()
    }
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "T: DeserializeOwned"))]
struct PageWire<T> {
    #[serde(default)]
    items: Entries<T>,
    #[serde(default, with = "As::<Option<Int>>")]
    total: Option<u32>,
    #[serde(default, with = "As::<DefaultOnNull<Int>>")]
    limit: u32,
    #[serde(default, with = "As::<DefaultOnNull<Int>>")]
    offset: u32,
    #[serde(default)]
    next: Option<String>,
    #[serde(default)]
    previous: Option<String>,
    #[serde(default)]
    href: Option<String>,
}

impl<T> Default for PageWire<T> {
    fn default() -> Self {
        Self {
            items: Entries::default(),
            total: None,
            limit: 0,
            offset: 0,
            next: None,
            previous: None,
            href: None,
        }
    }
}

impl<T> From<PageWire<T>> for Page<T> {
    fn from(wire: PageWire<T>) -> Self {
        let Entries { items, skipped } = wire.items;
        Self {
            items,
            total: wire.total,
            limit: wire.limit,
            offset: wire.offset,
            next: wire.next,
            previous: wire.previous,
            href: wire.href,
            skipped,
        }
    }
}

impl<T: Serialize> Serialize for Page<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = ObjectWriter::untyped(serializer)?;
        out.optional("href", &self.href)?;
        out.field("items", &WithGaps { items: &self.items, skipped: &self.skipped })?;
        out.field("limit", &self.limit)?;
        out.field("next", &self.next)?;
        out.field("offset", &self.offset)?;
        out.field("previous", &self.previous)?;
        out.field("total", &self.total)?;
        out.end()
    }
}

/// A page of a list, by cursor. It survives entries that are null or broken, as [`Page`] does.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "CursorPageWire<T>", bound(deserialize = "T: DeserializeOwned"))]
#[non_exhaustive]
pub struct CursorPage<T> {
    /// The entries.
    pub items: Vec<T>,
    /// The length of the whole list; `None` where Spotify does not tell it.
    pub total: Option<u32>,
    /// How many entries the server puts on a page.
    pub limit: u32,
    /// Where the pages around this one start.
    pub cursors: Cursors,
    /// The link to the page after this one.
    pub next: Option<String>,
    /// The link to this page.
    pub href: Option<String>,
    /// The entries that were left out, in their order.
    pub skipped: Vec<Skipped>,
}

/// Where the pages around a page start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Cursors {
    /// What to give as `after` to go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// What to give as `before` to go back, or further into the past.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
}

impl<T> Default for CursorPage<T> {
    fn default() -> Self {
        CursorPageWire::default().into()
    }
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "T: DeserializeOwned"))]
struct CursorPageWire<T> {
    #[serde(default)]
    items: Entries<T>,
    #[serde(default, with = "As::<Option<Int>>")]
    total: Option<u32>,
    #[serde(default, with = "As::<DefaultOnNull<Int>>")]
    limit: u32,
    #[serde(default, with = "As::<DefaultOnNull>")]
    cursors: Cursors,
    #[serde(default)]
    next: Option<String>,
    #[serde(default)]
    href: Option<String>,
}

impl<T> Default for CursorPageWire<T> {
    fn default() -> Self {
        Self {
            items: Entries::default(),
            total: None,
            limit: 0,
            cursors: Cursors::default(),
            next: None,
            href: None,
        }
    }
}

impl<T> From<CursorPageWire<T>> for CursorPage<T> {
    fn from(wire: CursorPageWire<T>) -> Self {
        let Entries { items, skipped } = wire.items;
        Self {
            items,
            total: wire.total,
            limit: wire.limit,
            cursors: wire.cursors,
            next: wire.next,
            href: wire.href,
            skipped,
        }
    }
}

impl<T: Serialize> Serialize for CursorPage<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = ObjectWriter::untyped(serializer)?;
        out.optional("href", &self.href)?;
        out.field("items", &WithGaps { items: &self.items, skipped: &self.skipped })?;
        out.field("limit", &self.limit)?;
        out.field("next", &self.next)?;
        out.field("cursors", &self.cursors)?;
        out.optional("total", &self.total)?;
        out.end()
    }
}
