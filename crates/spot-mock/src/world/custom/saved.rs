//! Saved entries of the default user in custom test data.

use serde::Deserialize;

/// A saved entry of the default user: a name or an id, and the time at which the entry was saved.
///
/// The time can be left out: `"Slip".into()`. Without a time, the entry at index `n` of a list was
/// saved `n` seconds before the start time of the mock's clock.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "control", derive(schemars::JsonSchema))]
#[serde(transparent)]
#[must_use = "a saved item has no effect until you add it to a `World`"]
pub struct Saved(Entry);

#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "control", derive(schemars::JsonSchema))]
#[serde(untagged, expecting = "must be a name, an id, or an object with `name` and `added_at`")]
enum Entry {
    /// Name or id.
    Named(String),
    Dated(Dated),
}

/// A name or an id, and the time at which the entry was saved.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "control", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct Dated {
    /// Name or id.
    name: String,
    /// `2024-05-03T10:00:00Z`.
    added_at: String,
}

impl Saved {
    /// A saved entry: a name or an id, and the time of saving in the format `2024-05-03T10:00:00Z`.
    pub fn at(name: impl Into<String>, added_at: impl Into<String>) -> Self {
        Self(Entry::Dated(Dated { name: name.into(), added_at: added_at.into() }))
    }

    pub(crate) fn name(&self) -> &str {
        match &self.0 {
            Entry::Named(name) => name,
            Entry::Dated(dated) => &dated.name,
        }
    }

    pub(crate) fn added_at(&self) -> Option<&str> {
        match &self.0 {
            Entry::Named(_) => None,
            Entry::Dated(dated) => Some(&dated.added_at),
        }
    }
}

impl From<&str> for Saved {
    fn from(name: &str) -> Self {
        Self(Entry::Named(name.to_owned()))
    }
}

impl From<String> for Saved {
    fn from(name: String) -> Self {
        Self(Entry::Named(name))
    }
}
