//! Finds the entries to which custom test data refers by name or id. Reports invalid references.

use std::{collections::HashMap, fmt::Display, io};

use crate::world::{
    arena::Key,
    catalog::{Kind, World},
    id::Id,
};

/// Finds entries by name. If two entries have the same name, the entry that was added last is
/// found. Custom entries therefore take precedence over generated entries.
pub(crate) struct Names<T>(HashMap<String, Key<T>>);

impl<T: Kind> Names<T> {
    pub(crate) fn new(world: &World) -> Self {
        let named = T::arena(world).iter().map(|(key, entry)| (entry.name().to_string(), key));
        Self(named.collect())
    }

    /// Finds the entry with this name or id.
    pub(crate) fn find(&self, world: &World, text: &str) -> Option<Key<T>> {
        let by_name = self.0.get(text).copied();
        by_name.or_else(|| T::find(world, &Id::parse(text)?))
    }

    /// Finds the entry with this id.
    pub(crate) fn by_id(&self, world: &World, id: &str) -> Option<Key<T>> {
        T::find(world, &Id::parse(id)?)
    }

    /// Finds the entry with this name or id. If no entry matches, the error contains the name of
    /// the field.
    pub(crate) fn expect(&self, world: &World, text: &str, at: &str) -> io::Result<Key<T>> {
        let unknown = || invalid(at, format!("no {} has the name or the id {text}", T::WORD));
        self.find(world, text).ok_or_else(unknown)
    }

    /// Finds the entries with these names or ids.
    pub(crate) fn all(&self, world: &World, texts: &[String], at: &str) -> io::Result<Vec<Key<T>>> {
        let key =
            |(place, text): (usize, &String)| self.expect(world, text, &format!("{at}[{place}]"));
        texts.iter().enumerate().map(key).collect()
    }
}

pub(crate) fn own_id(text: &str, at: &str) -> io::Result<Id> {
    let wrong = || {
        let reason =
            format!("{text:?} is not an id; expected 22 characters, each a letter or a digit");
        invalid(&format!("{at}.id"), reason)
    };
    Id::parse(text).ok_or_else(wrong)
}

pub(crate) fn invalid(at: &str, reason: impl Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("world: {at}: {reason}"))
}
