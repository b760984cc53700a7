//! How a mock and its applications are set up.

/// How the mock behaves in this run.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Whether the listener pays, without which the player takes no commands.
    pub(crate) premium: bool,
    /// Whether the player keeps its reasons to itself.
    pub(crate) vague_player: bool,
    /// The base of every link: `http://127.0.0.1:8080/v1`.
    pub(crate) api_url: String,
}

/// The access mode of an application.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// Development Mode: what an individual gets. Deprecated operations are refused, and objects
    /// lack the fields that were removed in February 2026.
    #[default]
    Development,
    /// Extended Quota Mode: all operations and all fields.
    Extended,
}

/// For which country an answer is made.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Market {
    /// The user's country, else the one asked for; neither if there is neither.
    pub(crate) code: Option<&'static str>,
    /// Whether one was asked for.
    pub(crate) asked: bool,
}

/// Under which names an application is given what is in a playlist: Spotify renamed `tracks` to
/// `items`, and `track` in each of them to `item`, in February 2026.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlaylistFields {
    /// `items` and `item`.
    New,
    /// `tracks` and `track`.
    Old,
    /// Each under both of its names.
    Both,
}

impl PlaylistFields {
    pub(crate) const fn new_names(self) -> bool {
        matches!(self, Self::New | Self::Both)
    }

    pub(crate) const fn old_names(self) -> bool {
        matches!(self, Self::Old | Self::Both)
    }
}
