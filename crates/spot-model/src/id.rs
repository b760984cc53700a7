//! Ids, which identify objects in paths and links.

use std::{cmp::Ordering, fmt, hash::Hash, num::NonZeroU8, str::FromStr};

use crate::{
    ParseIdError, Uri,
    percent::{self, Encoded},
    reference::{Kind, Problem, Reference},
    text::text_serde,
};

/// A base-62 string of 1 to 22 characters, stored inline.
///
/// Because `length` is a `NonZeroU8`, an `Option<Base62>` has the same size as a `Base62`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Base62 {
    length: NonZeroU8,
    bytes: [u8; Self::MOST],
}

impl Base62 {
    const MOST: usize = 22;

    /// Parses an id of 22 characters, the length of nearly all ids. The loop has no early exit, so
    /// that the compiler can vectorize it.
    fn usual(text: &str) -> Option<Self> {
        let bytes: [u8; Self::MOST] = text.as_bytes().try_into().ok()?;
        let all = bytes.iter().fold(true, |all, byte| all & byte.is_ascii_alphanumeric());
        let length = const { NonZeroU8::new(Self::MOST as u8) }?;
        all.then_some(Self { length, bytes })
    }

    fn parse(text: &str) -> Result<Self, Problem> {
        if let Some(id) = Self::usual(text) {
            return Ok(id);
        }
        if !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            let wrong = text.chars().find(|char| !char.is_ascii_alphanumeric());
            return Err(wrong.map_or(Problem::Empty, Problem::Character));
        }
        let mut bytes = [0; Self::MOST];
        let length = u8::try_from(text.len()).ok().and_then(NonZeroU8::new);
        match (bytes.get_mut(..text.len()), length) {
            (Some(place), Some(length)) => {
                place.copy_from_slice(text.as_bytes());
                Ok(Self { length, bytes })
            }
            _ if text.is_empty() => Err(Problem::Empty),
            _ => Err(Problem::Length(text.len())),
        }
    }

    fn as_str(&self) -> &str {
        // The defaults are never used, because `length` is at most 22 and all bytes are ASCII.
        let used = self.bytes.get(..usize::from(self.length.get())).unwrap_or_default();
        std::str::from_utf8(used).unwrap_or_default()
    }
}

macro_rules! ids {
    ($($(#[$meta:meta])* $name:ident, $kind:ident, $word:literal, $uri_word:literal, $expected:literal;)*) => {$(
        $(#[$meta])*
        ///
        /// The type is `Copy` and allocates no memory. Parsing accepts the id, and every known form
        /// of its URI and URL. `Display` writes the id without a URI or URL.
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $name(Base62);

        impl $name {
            /// The id as a string, without a URI or URL.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }

            /// Returns the URI.
            pub fn uri(&self) -> Uri {
                Uri::$kind(*self)
            }

            /// Returns the URL of the page in the web player.
            pub fn url(&self) -> String {
                format!(concat!("https://open.spotify.com/", $uri_word, "/{}"), self.as_str())
            }

            /// Returns the URL in the Web API.
            pub fn href(&self) -> String {
                format!(concat!("https://api.spotify.com/v1/", $word, "s/{}"), self.as_str())
            }

            pub(crate) fn from_bare(text: &str) -> Result<Self, Problem> {
                Base62::parse(text).map(Self)
            }

            /// The id as base-62 text, without its kind.
            pub(crate) fn base62(&self) -> Base62 {
                self.0
            }

            pub(crate) fn write_uri(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!("spotify:", $uri_word, ":{}"), self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                // Fast path for the three forms in responses: the bare id, the URI and the API URL.
                let known = text
                    .strip_prefix(concat!("spotify:", $uri_word, ":"))
                    .or_else(|| {
                        text.strip_prefix(concat!("https://api.spotify.com/v1/", $word, "s/"))
                    })
                    .unwrap_or(text);
                if let Some(id) = Base62::usual(known) {
                    return Ok(Self(id));
                }
                match Reference::parse(text) {
                    Reference::Bare(id) => Self::from_bare(id),
                    Reference::Thing(kind, id) if Kind::$kind.takes(kind) => Self::from_bare(id),
                    Reference::Thing(kind, _) => Err(Problem::Kind(kind)),
                    Reference::Uri(_) | Reference::CollectionPage(_) => Err(Problem::OtherUri),
                    Reference::ShortLink => Err(Problem::ShortLink),
                    Reference::ForeignUrl => Err(Problem::ForeignUrl),
                }
                .map_err(|problem| ParseIdError::new(text, $expected, problem))
            }
        }

        impl TryFrom<&Uri> for $name {
            type Error = ParseIdError;

            fn try_from(uri: &Uri) -> Result<Self, ParseIdError> {
                match uri.thing() {
                    Some((kind, id)) if Kind::$kind.takes(kind) => Ok(Self(id)),
                    _ => Err(uri.unexpected($expected)),
                }
            }
        }

        impl TryFrom<Uri> for $name {
            type Error = ParseIdError;

            fn try_from(uri: Uri) -> Result<Self, ParseIdError> {
                (&uri).try_into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:?})"), self.as_str())
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> Ordering {
                self.as_str().cmp(other.as_str())
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Id for $name {
            const EXPECTED: &'static str = $expected;
        }

        impl Linked for $name {
            fn id(&self) -> &str {
                self.as_str()
            }

            fn links(&self) -> Links {
                Links { uri: self.uri().to_string(), href: self.href(), url: self.url() }
            }
        }

        text_serde! { $name: $expected, as_str; }
    )*};
}

ids! {
    /// The id of a track.
    TrackId, Track, "track", "track", "a track id, URI or URL";
    /// The id of an album.
    AlbumId, Album, "album", "album", "an album id, URI or URL";
    /// The id of an artist.
    ArtistId, Artist, "artist", "artist", "an artist id, URI or URL";
    /// The id of a playlist.
    PlaylistId, Playlist, "playlist", "playlist", "a playlist id, URI or URL";
    /// The id of a show.
    ShowId, Show, "show", "show", "a show id, URI or URL";
    /// The id of an episode.
    EpisodeId, Episode, "episode", "episode", "an episode id, URI or URL";
    /// The id of an audiobook. In URIs and web URLs, Spotify uses the type `show` for audiobooks.
    AudiobookId, Audiobook, "audiobook", "show", "an audiobook id, URI or URL";
    /// The id of a chapter. In URIs and web URLs, Spotify uses the type `episode` for chapters.
    ChapterId, Chapter, "chapter", "episode", "a chapter id, URI or URL";
}

/// The id of a track or an episode, if the kind is not known yet.
#[derive(Clone, Copy)]
pub(crate) struct AnyId {
    /// The kind, if the id comes from a URI or a link; `None` for a bare id.
    kind: Option<Kind>,
    id: Base62,
}

impl AnyId {
    pub(crate) fn track(self) -> Option<TrackId> {
        self.names(Kind::Track).then_some(TrackId(self.id))
    }

    pub(crate) fn episode(self) -> Option<EpisodeId> {
        self.names(Kind::Episode).then_some(EpisodeId(self.id))
    }

    fn names(self, wanted: Kind) -> bool {
        self.kind.is_none_or(|kind| wanted.takes(kind))
    }
}

impl FromStr for AnyId {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let known = [
            ("spotify:track:", Kind::Track),
            ("https://api.spotify.com/v1/tracks/", Kind::Track),
            ("spotify:episode:", Kind::Episode),
            ("https://api.spotify.com/v1/episodes/", Kind::Episode),
        ];
        let known = known.iter().find_map(|(prefix, kind)| {
            Some(Self { kind: Some(*kind), id: Base62::usual(text.strip_prefix(prefix)?)? })
        });
        if let Some(id) = known.or_else(|| Some(Self { kind: None, id: Base62::usual(text)? })) {
            return Ok(id);
        }
        match Reference::parse(text) {
            Reference::Bare(id) => Ok(Self { kind: None, id: Base62::parse(id)? }),
            Reference::Thing(kind, id) => Ok(Self { kind: Some(kind), id: Base62::parse(id)? }),
            _ => Err(Problem::OtherUri),
        }
    }
}

macro_rules! names {
    ($($(#[$meta:meta])* $name:ident, $expected:literal, |$text:ident| $parse:expr;)*) => {$(
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Box<str>);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str($text: &str) -> Result<Self, ParseIdError> {
                let fail = |problem| ParseIdError::new($text, $expected, problem);
                let parsed: Result<Box<str>, Problem> = $parse;
                match parsed.map_err(fail)? {
                    name if name.is_empty() => Err(fail(Problem::Empty)),
                    name => Ok(Self(name)),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:?})"), self.as_str())
            }
        }

        impl Id for $name {
            const EXPECTED: &'static str = $expected;
        }

        text_serde! { $name: $expected, as_str; }
    )*};
}

names! {
    /// The id of a user: free text, which may contain spaces, `#` and letters of any script.
    UserId, "a user id, URI or URL", |text| match Reference::parse(text) {
        Reference::Bare(name) => Ok(name.into()),
        Reference::Thing(Kind::User, name) => UserId::from_encoded(name).map(|user| user.0),
        Reference::Thing(kind, _) => Err(Problem::Kind(kind)),
        Reference::Uri(_) | Reference::CollectionPage(_) => Err(Problem::OtherUri),
        Reference::ShortLink => Err(Problem::ShortLink),
        Reference::ForeignUrl => Err(Problem::ForeignUrl),
    };
    /// The id of a category: a word, or 22 base-62 characters.
    CategoryId, "a category id", |text| Ok(text.trim().into());
    /// The id of a playback device. The id may change at any time.
    DeviceId, "a device id", |text| Ok(text.into());
    /// The id of a version of a playlist.
    SnapshotId, "a snapshot id", |text| Ok(text.into());
}

impl UserId {
    /// Returns the URI.
    pub fn uri(&self) -> Uri {
        Uri::User(self.clone())
    }

    /// Returns the URL of the page in the web player.
    pub fn url(&self) -> String {
        format!("https://open.spotify.com/user/{}", Encoded(&self.0))
    }

    /// Returns the URL in the Web API.
    pub fn href(&self) -> String {
        format!("https://api.spotify.com/v1/users/{}", Encoded(&self.0))
    }

    /// Decodes the percent-encoded user name in a URI or a URL.
    ///
    /// `Display` writes the decoded name, and parsing the decoded name must return the same id. The
    /// function therefore removes spaces around the name. The function returns an error if the
    /// decoded name is itself a URI or a URL.
    pub(crate) fn from_encoded(name: &str) -> Result<Self, Problem> {
        match Reference::parse(&percent::decode(name)) {
            Reference::Bare("") => Err(Problem::Empty),
            Reference::Bare(name) => Ok(Self(name.into())),
            _ => Err(Problem::OtherUri),
        }
    }

    pub(crate) fn write_uri(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "spotify:user:{}", Encoded(&self.0))
    }
}

impl TryFrom<&Uri> for UserId {
    type Error = ParseIdError;

    fn try_from(uri: &Uri) -> Result<Self, ParseIdError> {
        match uri {
            Uri::User(id) => Ok(id.clone()),
            _ => Err(uri.unexpected(Self::EXPECTED)),
        }
    }
}

impl TryFrom<Uri> for UserId {
    type Error = ParseIdError;

    fn try_from(uri: Uri) -> Result<Self, ParseIdError> {
        match uri {
            Uri::User(id) => Ok(id),
            _ => Err(uri.unexpected(Self::EXPECTED)),
        }
    }
}

impl Linked for UserId {
    fn id(&self) -> &str {
        self.as_str()
    }

    fn links(&self) -> Links {
        Links { uri: self.uri().to_string(), href: self.href(), url: self.url() }
    }
}

impl CategoryId {
    /// Returns the URL in the Web API.
    pub fn href(&self) -> String {
        format!("https://api.spotify.com/v1/browse/categories/{}", Encoded(&self.0))
    }
}

/// A type that identifies a Spotify object and can be parsed from text.
pub trait Id: Clone + FromStr<Err = ParseIdError> {
    /// Description of the accepted input for error messages, for example `a track id, URI or URL`.
    const EXPECTED: &'static str;
}

/// An id from which the links of an object are derived.
pub(crate) trait Linked {
    fn id(&self) -> &str;
    fn links(&self) -> Links;
}

pub(crate) struct Links {
    pub(crate) uri: String,
    pub(crate) href: String,
    pub(crate) url: String,
}
