//! Artists, albums and tracks of one's own.

use serde::Deserialize;

/// Somebody who makes music.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "control", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[must_use = "an artist exists once it was added to a world"]
pub struct Artist {
    pub(crate) id: Option<String>,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) genres: Vec<String>,
    #[serde(default)]
    pub(crate) popularity: u8,
    #[serde(default)]
    pub(crate) followers: u32,
}

/// An album with its tracks.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "control", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[must_use = "an album exists once it was added to a world"]
pub struct Album {
    pub(crate) id: Option<String>,
    pub(crate) name: String,
    pub(crate) artist: String,
    #[serde(default, rename = "type")]
    pub(crate) kind: AlbumType,
    pub(crate) released: Option<String>,
    #[serde(default)]
    pub(crate) label: String,
    #[serde(default)]
    pub(crate) popularity: u8,
    #[serde(default)]
    pub(crate) tracks: Vec<Track>,
}

/// What a discography lists an album as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "control", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum AlbumType {
    /// An album.
    #[default]
    Album,
    /// A single or an EP.
    Single,
    /// A compilation.
    Compilation,
}

/// A track of an album.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "control", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[must_use = "a track exists once it was added to an album"]
pub struct Track {
    pub(crate) id: Option<String>,
    pub(crate) name: String,
    pub(crate) guest: Option<String>,
    #[serde(default = "three_minutes")]
    pub(crate) duration_ms: u32,
    #[serde(default)]
    pub(crate) explicit: bool,
    #[serde(default)]
    pub(crate) popularity: u8,
    #[serde(default)]
    pub(crate) unavailable: bool,
}

const fn three_minutes() -> u32 {
    180_000
}

impl Artist {
    /// An artist of this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { id: None, name: name.into(), genres: Vec::new(), popularity: 0, followers: 0 }
    }

    /// The id, 22 letters and digits.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Adds a genre.
    pub fn genre(mut self, genre: impl Into<String>) -> Self {
        self.genres.push(genre.into());
        self
    }

    /// The popularity, 0 to 100; larger numbers count as 100.
    pub fn popularity(mut self, popularity: u8) -> Self {
        self.popularity = popularity;
        self
    }

    /// How many follow the artist.
    pub fn followers(mut self, followers: u32) -> Self {
        self.followers = followers;
        self
    }
}

impl Album {
    /// An album of this artist, who is named or of whom the id is given.
    pub fn new(name: impl Into<String>, artist: impl Into<String>) -> Self {
        Self {
            id: None,
            name: name.into(),
            artist: artist.into(),
            kind: AlbumType::Album,
            released: None,
            label: String::new(),
            popularity: 0,
            tracks: Vec::new(),
        }
    }

    /// The id, 22 letters and digits.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// What it is listed as. Default: an album.
    pub fn kind(mut self, kind: AlbumType) -> Self {
        self.kind = kind;
        self
    }

    /// The date of release: `2024`, `2024-05` or `2024-05-03`. Default: 2026-01-01.
    pub fn released(mut self, date: impl Into<String>) -> Self {
        self.released = Some(date.into());
        self
    }

    /// The label.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// The popularity, 0 to 100; larger numbers count as 100.
    pub fn popularity(mut self, popularity: u8) -> Self {
        self.popularity = popularity;
        self
    }

    /// Adds a track behind the others.
    pub fn track(mut self, track: Track) -> Self {
        self.tracks.push(track);
        self
    }
}

impl Track {
    /// A track of this title.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            id: None,
            name: name.into(),
            guest: None,
            duration_ms: three_minutes(),
            explicit: false,
            popularity: 0,
            unavailable: false,
        }
    }

    /// The id, 22 letters and digits.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// A second artist.
    pub fn guest(mut self, artist: impl Into<String>) -> Self {
        self.guest = Some(artist.into());
        self
    }

    /// The length in milliseconds. Default: three minutes.
    pub fn duration_ms(mut self, duration: u32) -> Self {
        self.duration_ms = duration;
        self
    }

    /// Whether it is marked as explicit. Default: no.
    pub fn explicit(mut self, explicit: bool) -> Self {
        self.explicit = explicit;
        self
    }

    /// The popularity, 0 to 100; larger numbers count as 100.
    pub fn popularity(mut self, popularity: u8) -> Self {
        self.popularity = popularity;
        self
    }

    /// Whether it cannot be played in the country of the users. Default: it can.
    pub fn unavailable(mut self, unavailable: bool) -> Self {
        self.unavailable = unavailable;
        self
    }
}
