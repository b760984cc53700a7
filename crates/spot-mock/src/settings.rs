//! Settings of a mock and of its applications.

/// Settings of a mock.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Whether the users have Premium.
    pub(crate) premium: bool,
    /// Whether the player gives the reason `UNKNOWN` for every refused command.
    pub(crate) vague_player: bool,
    /// Whether responses contain the `null` values that sometimes occur in real responses.
    pub(crate) null_values: bool,
    /// Base URL of all links: `http://127.0.0.1:8080/v1`.
    pub(crate) api_url: String,
}

/// Access mode of an application.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    feature = "control",
    derive(serde::Deserialize, schemars::JsonSchema),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum Mode {
    /// Development Mode, the mode for individuals. Deprecated operations are refused, and objects
    /// lack the fields that Spotify removed in February 2026.
    #[default]
    Development,
    /// Extended Quota Mode. All operations and all fields are available.
    Extended,
}

/// The market for which a response is rendered.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Market {
    /// Country code of the user, or the requested country if the call has no user.
    pub(crate) code: Option<&'static str>,
    /// Whether the call has the parameter `market`.
    pub(crate) asked: bool,
}

/// Field names in playlist objects. Spotify renamed `tracks` to `items`, and `track` in each entry
/// to `item`, in February 2026.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    feature = "control",
    derive(serde::Deserialize, schemars::JsonSchema),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum PlaylistFields {
    /// `items` and `item`.
    New,
    /// `tracks` and `track`.
    Old,
    /// Both names.
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
