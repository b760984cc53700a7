//! Lists whose entries refer to each other by typed keys instead of references.

use std::{
    fmt,
    hash::{Hash, Hasher},
    marker::PhantomData,
    ops::{Index, IndexMut},
};

/// An append-only list that returns a [`Key`] for each entry.
#[derive(Debug)]
pub(crate) struct Arena<T>(Vec<T>);

/// Index of an entry in the arena of its type.
pub(crate) struct Key<T> {
    place: u32,
    kind: PhantomData<fn() -> T>,
}

impl<T> Arena<T> {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    pub(crate) fn push(&mut self, entry: T) -> Key<T> {
        let key = self.next_key();
        self.0.push(entry);
        key
    }

    /// The key of the entry that is added next.
    pub(crate) fn next_key(&self) -> Key<T> {
        Key::at(u32::try_from(self.0.len()).unwrap_or(u32::MAX))
    }

    pub(crate) fn len(&self) -> u32 {
        self.next_key().place
    }

    /// The key of the entry at an index, if the entry exists.
    pub(crate) fn key(&self, place: u32) -> Option<Key<T>> {
        (place < self.len()).then(|| Key::at(place))
    }

    pub(crate) fn keys(&self) -> impl DoubleEndedIterator<Item = Key<T>> + use<T> {
        (0..self.len()).map(Key::at)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key<T>, &T)> {
        self.keys().zip(&self.0)
    }

    /// Maps a number of any size to the key of an entry. The arena must not be empty.
    pub(crate) fn some(&self, number: u64) -> Key<T> {
        let count = u64::from(self.len()).max(1);
        Key::at(u32::try_from(number % count).unwrap_or(0))
    }
}

#[expect(
    clippy::indexing_slicing,
    reason = "a key is an index into this arena, and arenas never shrink"
)]
impl<T> Index<Key<T>> for Arena<T> {
    type Output = T;

    fn index(&self, key: Key<T>) -> &T {
        &self.0[key.place as usize]
    }
}

#[expect(
    clippy::indexing_slicing,
    reason = "a key is an index into this arena, and arenas never shrink"
)]
impl<T> IndexMut<Key<T>> for Arena<T> {
    fn index_mut(&mut self, key: Key<T>) -> &mut T {
        &mut self.0[key.place as usize]
    }
}

impl<T> Key<T> {
    /// The key of the first entry.
    pub(crate) const FIRST: Self = Self::at(0);

    const fn at(place: u32) -> Self {
        Self { place, kind: PhantomData }
    }

    pub(crate) const fn place(self) -> u32 {
        self.place
    }

    /// The keys of `count` consecutive entries, starting with this one.
    pub(crate) fn run(
        self,
        count: u32,
    ) -> impl DoubleEndedIterator<Item = Self> + ExactSizeIterator {
        (self.place..self.place.saturating_add(count)).map(Self::at)
    }
}

// Implemented by hand, because `derive` would require the same traits of `T`.
impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Key<T> {}

impl<T> PartialEq for Key<T> {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl<T> Eq for Key<T> {}

impl<T> PartialOrd for Key<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Key<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.place.cmp(&other.place)
    }
}

impl<T> Hash for Key<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.place.hash(state);
    }
}

impl<T> fmt::Debug for Key<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.place)
    }
}
