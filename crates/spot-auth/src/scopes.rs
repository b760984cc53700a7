//! Sets of scopes.

use std::{
    collections::{BTreeSet, btree_set},
    convert::Infallible,
    fmt,
    ops::{BitAnd, BitOr, Sub},
    str::FromStr,
};

use spot_model::{Operation, Scope};

/// A set of scopes, which an application requests or a user has granted.
///
/// The text form is the same as in the accounts service: scope names, separated by spaces.
///
/// ```
/// use spot_auth::{Scope, Scopes};
///
/// let wanted = Scopes::from([Scope::UserLibraryRead, Scope::UserTopRead]);
/// let granted: Scopes = "user-library-read playlist-read-private".parse().unwrap();
/// assert_eq!(wanted.difference(&granted).to_string(), "user-top-read");
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// Creates an empty set. A token without scopes gives access to public data and to the public
    /// part of the user's profile.
    pub const fn new() -> Self {
        Self(BTreeSet::new())
    }

    /// Returns every scope that this version of the crate knows. Request only the scopes that you
    /// need, because the consent page shows every requested scope to the user.
    pub fn all() -> Self {
        Scope::ALL.iter().cloned().collect()
    }

    /// Returns the scopes that Spotify lists for these operations. Some operations list several
    /// scopes but need only one of them. For example, the needed scope may depend on whether a
    /// playlist is public. The returned set contains all scopes that Spotify lists.
    pub fn needed_by<'a>(operations: impl IntoIterator<Item = &'a Operation>) -> Self {
        operations.into_iter().flat_map(|operation| operation.scopes.iter().cloned()).collect()
    }

    /// Returns the scopes of the operation that are missing from this set. Some operations need
    /// only one of their scopes.
    pub fn lacking_for(&self, operation: &Operation) -> Self {
        Self::needed_by([operation]).difference(self)
    }

    /// Parses names that are separated by spaces, commas or both. The set also contains names that
    /// this crate does not know.
    pub fn parse(text: &str) -> Self {
        text.split(|c: char| c.is_whitespace() || c == ',')
            .filter(|name| !name.is_empty())
            .map(Scope::from)
            .collect()
    }

    /// Whether the scope is in the set.
    pub fn contains(&self, scope: &Scope) -> bool {
        self.0.contains(scope)
    }

    /// Whether every scope of `other` is in this set.
    pub fn is_superset(&self, other: &Self) -> bool {
        self.0.is_superset(&other.0)
    }

    /// Whether every scope of this set is in `other`.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    /// Returns the union of both sets.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.0.union(&other.0).cloned().collect()
    }

    /// Returns the scopes that are in both sets.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.0.intersection(&other.0).cloned().collect()
    }

    /// Returns the scopes of this set that are not in `other`.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        self.0.difference(&other.0).cloned().collect()
    }

    /// Adds a scope. Returns `false` if the scope was already in the set.
    pub fn insert(&mut self, scope: Scope) -> bool {
        self.0.insert(scope)
    }

    /// Removes a scope. Returns `false` if the scope was not in the set.
    pub fn remove(&mut self, scope: &Scope) -> bool {
        self.0.remove(scope)
    }

    /// The number of scopes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Iterates over the scopes, ordered by name.
    pub fn iter(&self) -> btree_set::Iter<'_, Scope> {
        self.0.iter()
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, scope) in self.iter().enumerate() {
            if position > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope.as_str())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Scope::as_str)).finish()
    }
}

impl FromStr for Scopes {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::parse(text))
    }
}

impl From<Scope> for Scopes {
    fn from(scope: Scope) -> Self {
        Self::from([scope])
    }
}

impl<const N: usize> From<[Scope; N]> for Scopes {
    fn from(scopes: [Scope; N]) -> Self {
        scopes.into_iter().collect()
    }
}

impl From<&[Scope]> for Scopes {
    fn from(scopes: &[Scope]) -> Self {
        scopes.iter().cloned().collect()
    }
}

/// Parses names, as [`Scopes::parse`] does.
impl From<&str> for Scopes {
    fn from(text: &str) -> Self {
        Self::parse(text)
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

impl Extend<Scope> for Scopes {
    fn extend<I: IntoIterator<Item = Scope>>(&mut self, scopes: I) {
        self.0.extend(scopes);
    }
}

impl IntoIterator for Scopes {
    type Item = Scope;
    type IntoIter = btree_set::IntoIter<Scope>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Scopes {
    type Item = &'a Scope;
    type IntoIter = btree_set::Iter<'a, Scope>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Returns the union, as [`Scopes::union`] does.
impl BitOr for Scopes {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.union(&other)
    }
}

/// Returns the intersection, as [`Scopes::intersection`] does.
impl BitAnd for Scopes {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        self.intersection(&other)
    }
}

/// Returns the difference, as [`Scopes::difference`] does.
impl Sub for Scopes {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self.difference(&other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_parsed_with_spaces_commas_and_tabs() {
        let expected = Scopes::from([Scope::UserLibraryRead, Scope::UserTopRead]);
        for text in [
            "user-library-read user-top-read",
            "user-top-read,user-library-read",
            "  user-top-read,\tuser-library-read user-top-read ",
        ] {
            assert_eq!(Scopes::parse(text), expected, "{text:?}");
        }
        assert!(Scopes::parse(" ,, ").is_empty());
        assert_eq!(expected.to_string(), "user-library-read user-top-read");
    }

    #[test]
    fn unknown_scopes_round_trip() {
        let scopes = Scopes::parse("user-read-mind streaming");
        assert_eq!(scopes.to_string(), "streaming user-read-mind");
        assert_eq!(Scopes::parse(&scopes.to_string()), scopes);
    }

    #[test]
    fn scope_sets_support_union_intersection_and_difference() {
        let read = Scopes::from([Scope::UserLibraryRead, Scope::UserTopRead]);
        let write = Scopes::from([Scope::UserLibraryModify, Scope::UserTopRead]);
        let both = read.clone() | write.clone();
        assert_eq!(both.len(), 3);
        assert!(both.is_superset(&read) && write.is_subset(&both) && !read.is_superset(&write));
        assert_eq!(read.clone() & write.clone(), Scope::UserTopRead.into());
        assert_eq!(read - write, Scope::UserLibraryRead.into());
        assert!(Scopes::all().is_superset(&both));
    }
}
