//! URIs, which identify objects of any kind.

use std::{fmt, str::FromStr, time::Duration};

use crate::{
    AlbumId, ArtistId, AudiobookId, ChapterId, EpisodeId, Id, ParseIdError, PlaylistId, ShowId,
    TrackId, UserId,
    id::Base62,
    percent,
    reference::{Kind, Problem, Reference, strip_prefix_ignoring_case},
    text::text_serde,
};

/// A Spotify URI.
///
/// A `Uri` can be parsed from every known form of URI and URL. `Display` writes the form of the URI
/// that Spotify uses today: `spotify:user:NAME:playlist:ID` becomes `spotify:playlist:ID`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Uri {
    /// `spotify:track:ID`
    Track(TrackId),
    /// `spotify:album:ID`
    Album(AlbumId),
    /// `spotify:artist:ID`
    Artist(ArtistId),
    /// `spotify:playlist:ID`
    Playlist(PlaylistId),
    /// `spotify:show:ID`. Spotify also uses `spotify:show:ID` for audiobooks.
    Show(ShowId),
    /// `spotify:episode:ID`. Spotify also uses `spotify:episode:ID` for chapters.
    Episode(EpisodeId),
    /// An audiobook. Parsing accepts `spotify:audiobook:ID`. `Display` writes `spotify:show:ID`,
    /// the form that Spotify uses.
    Audiobook(AudiobookId),
    /// A chapter. Parsing accepts `spotify:chapter:ID`. `Display` writes `spotify:episode:ID`, the
    /// form that Spotify uses.
    Chapter(ChapterId),
    /// `spotify:user:NAME`
    User(UserId),
    /// `spotify:local:ARTIST:ALBUM:TITLE:SECONDS`
    Local(LocalFile),
    /// Any other URI, unchanged: `spotify:collection:tracks`, `spotify:user:NAME:collection`.
    Other(OtherUri),
}

const EXPECTED: &str = "a Spotify URI or URL";

impl FromStr for Uri {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        parse(text, EXPECTED)
    }
}

/// Parses a URI. `expected` describes the expected text, for the error message.
pub(crate) fn parse(text: &str, expected: &'static str) -> Result<Uri, ParseIdError> {
    let parsed = match Reference::parse(text) {
        Reference::Thing(kind, name) => named(kind, name),
        Reference::Uri(uri) => Ok(match LocalFile::read(uri) {
            Some(file) => Uri::Local(file),
            None => Uri::Other(OtherUri(uri.into())),
        }),
        Reference::CollectionPage(rest) => {
            let uri = format!("spotify:collection{}", rest.replace('/', ":"));
            // Parsing removes spaces around a URI, so the stored URI must not end with a space.
            Ok(Uri::Other(OtherUri(uri.trim().into())))
        }
        Reference::Bare("") => Err(Problem::Empty),
        Reference::Bare(_) => Err(Problem::NoKind),
        Reference::ShortLink => Err(Problem::ShortLink),
        Reference::ForeignUrl => Err(Problem::ForeignUrl),
    };
    parsed.map_err(|problem| ParseIdError::new(text, expected, problem))
}

/// Returns the URI of an object.
fn named(kind: Kind, name: &str) -> Result<Uri, Problem> {
    Ok(match kind {
        Kind::Track => Uri::Track(TrackId::from_bare(name)?),
        Kind::Album => Uri::Album(AlbumId::from_bare(name)?),
        Kind::Artist => Uri::Artist(ArtistId::from_bare(name)?),
        Kind::Playlist => Uri::Playlist(PlaylistId::from_bare(name)?),
        Kind::Show => Uri::Show(ShowId::from_bare(name)?),
        Kind::Episode => Uri::Episode(EpisodeId::from_bare(name)?),
        Kind::Audiobook => Uri::Audiobook(AudiobookId::from_bare(name)?),
        Kind::Chapter => Uri::Chapter(ChapterId::from_bare(name)?),
        Kind::User => Uri::User(UserId::from_encoded(name)?),
    })
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Track(id) => id.write_uri(f),
            Self::Album(id) => id.write_uri(f),
            Self::Artist(id) => id.write_uri(f),
            Self::Playlist(id) => id.write_uri(f),
            Self::Show(id) => id.write_uri(f),
            Self::Episode(id) => id.write_uri(f),
            Self::Audiobook(id) => id.write_uri(f),
            Self::Chapter(id) => id.write_uri(f),
            Self::User(id) => id.write_uri(f),
            Self::Local(file) => file.write_uri(f),
            Self::Other(uri) => uri.write_uri(f),
        }
    }
}

impl Uri {
    /// Returns the kind and the id of the object, if ids of this kind are base-62 text.
    pub(crate) fn thing(&self) -> Option<(Kind, Base62)> {
        Some(match self {
            Self::Track(id) => (Kind::Track, id.base62()),
            Self::Album(id) => (Kind::Album, id.base62()),
            Self::Artist(id) => (Kind::Artist, id.base62()),
            Self::Playlist(id) => (Kind::Playlist, id.base62()),
            Self::Show(id) => (Kind::Show, id.base62()),
            Self::Episode(id) => (Kind::Episode, id.base62()),
            Self::Audiobook(id) => (Kind::Audiobook, id.base62()),
            Self::Chapter(id) => (Kind::Chapter, id.base62()),
            Self::User(_) | Self::Local(_) | Self::Other(_) => return None,
        })
    }

    /// Creates the error for a URI of a kind that was not expected.
    pub(crate) fn unexpected(&self, expected: &'static str) -> ParseIdError {
        let problem = self.kind().map_or(Problem::OtherUri, Problem::Kind);
        ParseIdError::new(&self.to_string(), expected, problem)
    }

    /// Returns the kind of the object, for messages.
    fn kind(&self) -> Option<Kind> {
        match self {
            Self::User(_) => Some(Kind::User),
            _ => self.thing().map(|(kind, _)| kind),
        }
    }
}

/// Defines the conversions between `Uri` and the types of its variants.
macro_rules! parts {
    ($($(#[$meta:meta])* $method:ident: $variant:ident($held:ty);)*) => {
        impl Uri {
            $($(#[$meta])*
            pub fn $method(&self) -> Option<&$held> {
                match self {
                    Self::$variant(held) => Some(held),
                    _ => None,
                }
            })*
        }

        $(impl From<$held> for Uri {
            fn from(held: $held) -> Self {
                Self::$variant(held)
            }
        })*
    };
}

parts! {
    /// Returns the track; `None` for other kinds.
    as_track: Track(TrackId);
    /// Returns the album; `None` for other kinds.
    as_album: Album(AlbumId);
    /// Returns the artist; `None` for other kinds.
    as_artist: Artist(ArtistId);
    /// Returns the playlist; `None` for other kinds.
    as_playlist: Playlist(PlaylistId);
    /// Returns the show; `None` for other kinds. The show may be an audiobook, because Spotify also
    /// uses `spotify:show:ID` for audiobooks.
    as_show: Show(ShowId);
    /// Returns the episode; `None` for other kinds. The episode may be a chapter, because Spotify
    /// also uses `spotify:episode:ID` for chapters.
    as_episode: Episode(EpisodeId);
    /// Returns the audiobook if the URI has the kind `audiobook`. Spotify also uses URIs of the
    /// kind `show` for audiobooks. A URI of the kind `show` can be converted into an
    /// [`AudiobookId`].
    as_audiobook: Audiobook(AudiobookId);
    /// Returns the chapter if the URI has the kind `chapter`. Spotify also uses URIs of the kind
    /// `episode` for chapters. A URI of the kind `episode` can be converted into a [`ChapterId`].
    as_chapter: Chapter(ChapterId);
    /// Returns the user; `None` for other kinds.
    as_user: User(UserId);
    /// Returns the local file; `None` for other kinds.
    as_local: Local(LocalFile);
    /// Returns the URI if its kind has no variant in [`Uri`].
    as_other: Other(OtherUri);
}

/// A URI of a kind that has no variant in [`Uri`]. The text of the URI is unchanged.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OtherUri(Box<str>);

impl OtherUri {
    /// The complete URI.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn write_uri(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for OtherUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A local file of a user, as described by its URI. Spotify returns only the data that the URI
/// contains.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct LocalFile {
    /// The artist; may be empty.
    pub artist: String,
    /// The album; may be empty.
    pub album: String,
    /// The title; may be empty.
    pub title: String,
    /// Duration in whole seconds; `None` if the URI does not contain it.
    pub duration: Option<Duration>,
    /// The original URI. Only the exact URI identifies the file, because the same data can be
    /// encoded in different ways.
    uri: Box<str>,
}

impl LocalFile {
    /// Parses the URI of a local file. Returns `None` for other URIs.
    pub(crate) fn read(uri: &str) -> Option<Self> {
        let mut parts = strip_prefix_ignoring_case(uri, "spotify:local:")?.split(':');
        let mut text = || percent::decode_form(parts.next().unwrap_or_default());
        let (artist, album, title) = (text(), text(), text());
        let duration = text().parse().ok().map(Duration::from_secs);
        Some(Self { artist, album, title, duration, uri: uri.into() })
    }

    pub(crate) fn write_uri(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.uri)
    }
}

impl FromStr for LocalFile {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        const EXPECTED: &str = "the URI of a local file";
        let text = text.trim();
        Self::read(text).ok_or_else(|| match text {
            "" => ParseIdError::new(text, EXPECTED, Problem::Empty),
            _ => ParseIdError::new(text, EXPECTED, Problem::OtherUri),
        })
    }
}

/// Prints the URI.
impl fmt::Display for LocalFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.uri)
    }
}

text_serde! {
    Uri: "a Spotify URI";
    LocalFile: "the URI of a local file";
}

impl Id for Uri {
    const EXPECTED: &'static str = EXPECTED;
}
