//! Artists, albums and tracks in custom test data.

use serde::Deserialize;

/// An artist.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "control", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[must_use = "an artist has no effect until you add it to a `World`"]
pub struct Artist {
    /// Id of 22 characters, each a letter or a digit. Default: a generated id.
    pub(crate) id: Option<String>,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) genres: Vec<String>,
    /// Popularity, 0 to 100.
    #[serde(default)]
    pub(crate) popularity: u8,
    #[serde(default)]
    pub(crate) followers: u32,
}

/// An album with its tracks.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "control", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[must_use = "an album has no effect until you add it to a `World`"]
pub struct Album {
    /// Id of 22 characters, each a letter or a digit. Default: a generated id.
    pub(crate) id: Option<String>,
    pub(crate) name: String,
    /// Name or id of the artist.
    pub(crate) artist: String,
    /// Names or ids of further artists.
    #[serde(default)]
    pub(crate) other_artists: Vec<String>,
    #[serde(default, rename = "type")]
    pub(crate) kind: AlbumType,
    /// Release date: `2024`, `2024-05` or `2024-05-03`. Default: 2026-01-01.
    pub(crate) released: Option<String>,
    #[serde(default)]
    pub(crate) label: String,
    /// Popularity, 0 to 100.
    #[serde(default)]
    pub(crate) popularity: u8,
    /// Whether the album is unavailable in `GB`, the country of all users of the mock. Default:
    /// false.
    #[serde(default)]
    pub(crate) unavailable: bool,
    /// Country codes of the markets in which the album is available. Default: all markets.
    pub(crate) markets: Option<Vec<String>>,
    /// Value of `total_tracks` in responses. Default: the number of `tracks`.
    pub(crate) total_tracks: Option<u32>,
    /// Cover images, the largest first. Default: three images with invented URLs.
    pub(crate) images: Option<Vec<Image>>,
    #[serde(default)]
    pub(crate) tracks: Vec<Track>,
}

/// An image.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "control", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct Image {
    pub(crate) url: String,
    /// In pixels.
    pub(crate) width: Option<u32>,
    /// In pixels.
    pub(crate) height: Option<u32>,
}

/// Type of an album.
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
#[must_use = "a track has no effect until it is added to an album"]
pub struct Track {
    /// Id of 22 characters, each a letter or a digit. Default: a generated id.
    pub(crate) id: Option<String>,
    pub(crate) name: String,
    /// Names or ids of all artists. Default: the artist of the album, and the guest.
    #[serde(default)]
    pub(crate) artists: Vec<String>,
    /// Name or id of a second artist.
    pub(crate) guest: Option<String>,
    /// Number of the disc. Default: 1.
    #[serde(default = "first")]
    pub(crate) disc: u8,
    /// Track number on the disc. Default: the position in the album.
    pub(crate) number: Option<u16>,
    /// Default: 180000.
    #[serde(default = "three_minutes")]
    pub(crate) duration_ms: u32,
    #[serde(default)]
    pub(crate) explicit: bool,
    /// Popularity, 0 to 100.
    #[serde(default)]
    pub(crate) popularity: u8,
    /// Whether the track is unavailable in `GB`, the country of all users of the mock. Default:
    /// false.
    #[serde(default)]
    pub(crate) unavailable: bool,
    /// Country codes of the markets in which the track is available. Default: all markets.
    pub(crate) markets: Option<Vec<String>>,
    /// Name or id of the track that the mock returns instead of this track if the request has the
    /// parameter `market`.
    pub(crate) relinked_to: Option<String>,
    /// International Standard Recording Code. Default: a generated code.
    pub(crate) isrc: Option<String>,
}

const fn first() -> u8 {
    1
}

const fn three_minutes() -> u32 {
    180_000
}

impl Artist {
    /// An artist with this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { id: None, name: name.into(), genres: Vec::new(), popularity: 0, followers: 0 }
    }

    /// Id of 22 characters, each a letter or a digit.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Adds a genre.
    pub fn genre(mut self, genre: impl Into<String>) -> Self {
        self.genres.push(genre.into());
        self
    }

    /// Popularity, 0 to 100. Larger values are reduced to 100.
    pub fn popularity(mut self, popularity: u8) -> Self {
        self.popularity = popularity;
        self
    }

    /// Number of followers.
    pub fn followers(mut self, followers: u32) -> Self {
        self.followers = followers;
        self
    }
}

impl Album {
    /// An album with this name. `artist` is the name or id of the artist.
    pub fn new(name: impl Into<String>, artist: impl Into<String>) -> Self {
        Self {
            id: None,
            name: name.into(),
            artist: artist.into(),
            kind: AlbumType::Album,
            released: None,
            other_artists: Vec::new(),
            label: String::new(),
            popularity: 0,
            unavailable: false,
            markets: None,
            total_tracks: None,
            images: None,
            tracks: Vec::new(),
        }
    }

    /// Id of 22 characters, each a letter or a digit.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Type. Default: an album.
    pub fn kind(mut self, kind: AlbumType) -> Self {
        self.kind = kind;
        self
    }

    /// Release date: `2024`, `2024-05` or `2024-05-03`. Default: 2026-01-01.
    pub fn released(mut self, date: impl Into<String>) -> Self {
        self.released = Some(date.into());
        self
    }

    /// Label.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Popularity, 0 to 100. Larger values are reduced to 100.
    pub fn popularity(mut self, popularity: u8) -> Self {
        self.popularity = popularity;
        self
    }

    /// Appends an artist, by name or id.
    pub fn other_artist(mut self, artist: impl Into<String>) -> Self {
        self.other_artists.push(artist.into());
        self
    }

    /// Whether the album is unavailable in `GB`, the country of all users of the mock. Default: no.
    pub fn unavailable(mut self, unavailable: bool) -> Self {
        self.unavailable = unavailable;
        self
    }

    /// Country codes of the markets in which the album is available. Default: all markets.
    pub fn markets<S: Into<String>>(mut self, codes: impl IntoIterator<Item = S>) -> Self {
        self.markets = Some(codes.into_iter().map(Into::into).collect());
        self
    }

    /// Value of `total_tracks` in responses. Default: the number of the album's tracks.
    pub fn total_tracks(mut self, total: u32) -> Self {
        self.total_tracks = Some(total);
        self
    }

    /// Appends a cover image with its width and height in pixels. The first appended image replaces
    /// the three default images, which have invented URLs.
    pub fn image(mut self, url: impl Into<String>, width: u32, height: u32) -> Self {
        let image = Image { url: url.into(), width: Some(width), height: Some(height) };
        self.images.get_or_insert_default().push(image);
        self
    }

    /// Appends a track.
    pub fn track(mut self, track: Track) -> Self {
        self.tracks.push(track);
        self
    }
}

impl Track {
    /// A track with this title.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            id: None,
            name: name.into(),
            artists: Vec::new(),
            guest: None,
            disc: first(),
            number: None,
            duration_ms: three_minutes(),
            explicit: false,
            popularity: 0,
            unavailable: false,
            markets: None,
            relinked_to: None,
            isrc: None,
        }
    }

    /// Id of 22 characters, each a letter or a digit.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Second artist, by name or id.
    pub fn guest(mut self, artist: impl Into<String>) -> Self {
        self.guest = Some(artist.into());
        self
    }

    /// Appends an artist, by name or id. If no artist is appended, the track has the artist of its
    /// album.
    pub fn artist(mut self, artist: impl Into<String>) -> Self {
        self.artists.push(artist.into());
        self
    }

    /// Number of the disc. Default: 1.
    pub fn disc(mut self, disc: u8) -> Self {
        self.disc = disc;
        self
    }

    /// Track number on the disc. Default: the position in the album.
    pub fn number(mut self, number: u16) -> Self {
        self.number = Some(number);
        self
    }

    /// International Standard Recording Code. Default: a generated code.
    pub fn isrc(mut self, code: impl Into<String>) -> Self {
        self.isrc = Some(code.into());
        self
    }

    /// Length in milliseconds. Default: three minutes.
    pub fn duration_ms(mut self, duration: u32) -> Self {
        self.duration_ms = duration;
        self
    }

    /// Whether the track is explicit. Default: no.
    pub fn explicit(mut self, explicit: bool) -> Self {
        self.explicit = explicit;
        self
    }

    /// Popularity, 0 to 100. Larger values are reduced to 100.
    pub fn popularity(mut self, popularity: u8) -> Self {
        self.popularity = popularity;
        self
    }

    /// Whether the track is unavailable in `GB`, the country of all users of the mock. Default: no.
    pub fn unavailable(mut self, unavailable: bool) -> Self {
        self.unavailable = unavailable;
        self
    }

    /// Country codes of the markets in which the track is available. Default: all markets.
    pub fn markets<S: Into<String>>(mut self, codes: impl IntoIterator<Item = S>) -> Self {
        self.markets = Some(codes.into_iter().map(Into::into).collect());
        self
    }

    /// Name or id of the track that the mock returns instead of this track if the request has the
    /// parameter `market`.
    pub fn relinked_to(mut self, track: impl Into<String>) -> Self {
        self.relinked_to = Some(track.into());
        self
    }
}
