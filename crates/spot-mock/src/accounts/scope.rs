//! The scopes a user can grant.

/// All scopes of the Web API.
pub(crate) const SCOPES: &[&str] = &[
    "app-remote-control",
    "playlist-modify-private",
    "playlist-modify-public",
    "playlist-read-collaborative",
    "playlist-read-private",
    "streaming",
    "ugc-image-upload",
    "user-follow-modify",
    "user-follow-read",
    "user-library-modify",
    "user-library-read",
    "user-modify-playback-state",
    "user-read-currently-playing",
    "user-read-email",
    "user-read-playback-position",
    "user-read-playback-state",
    "user-read-private",
    "user-read-recently-played",
    "user-top-read",
];

/// Scopes that were granted together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ScopeSet(Vec<&'static str>);

impl ScopeSet {
    /// Parses scopes, and removes duplicates. If a name is not a scope, returns this name as the
    /// error.
    pub(crate) fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, &'a str> {
        let mut scopes = Vec::new();
        for name in names {
            let known = SCOPES.iter().find(|scope| **scope == name).ok_or(name)?;
            if !scopes.contains(known) {
                scopes.push(*known);
            }
        }
        Ok(Self(scopes))
    }

    /// The scopes, in the order of the request.
    pub(crate) fn names(&self) -> &[&'static str] {
        &self.0
    }

    pub(crate) fn has(&self, scope: &str) -> bool {
        self.0.contains(&scope)
    }

    pub(crate) fn has_any(&self, scopes: &[&str]) -> bool {
        scopes.iter().any(|scope| self.has(scope))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the names of the scopes, separated by spaces.
    pub(crate) fn text(&self) -> String {
        self.0.join(" ")
    }
}
