//! URIs: what names a thing of any kind.

use std::{fmt, str::FromStr, time::Duration};

use crate::{
    AlbumId, ArtistId, AudiobookId, ChapterId, EpisodeId, Id, ParseIdError, PlaylistId, ShowId,
    TrackId, UserId, percent,
    reference::{Kind, Problem, Reference, strip_prefix_ignoring_case},
    text::text_serde,
};

/// A Spotify URI.
///
/// It parses from a URI or a URL in every form that is about. Forms of old come back as those of
/// today: `spotify:user:NAME:playlist:ID` prints as `spotify:playlist:ID`.
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
    /// `spotify:show:ID`; Spotify writes audiobooks like this too.
    Show(ShowId),
    /// `spotify:episode:ID`; Spotify writes chapters like this too.
    Episode(EpisodeId),
    /// An audiobook. It reads from `spotify:audiobook:ID` and prints as Spotify writes it:
    /// `spotify:show:ID`.
    Audiobook(AudiobookId),
    /// A chapter. It reads from `spotify:chapter:ID` and prints as Spotify writes it:
    /// `spotify:episode:ID`.
    Chapter(ChapterId),
    /// `spotify:user:NAME`
    User(UserId),
    /// `spotify:local:ARTIST:ALBUM:TITLE:SECONDS`
    Local(LocalFile),
    /// Anything else, as it came: `spotify:collection:tracks`, `spotify:user:NAME:collection`.
    Other(OtherUri),
}

const EXPECTED: &str = "a Spotify URI or URL";

impl FromStr for Uri {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        parse(text, EXPECTED)
    }
}

fn parse(text: &str, expected: &'static str) -> Result<Uri, ParseIdError> {
    let fail = |problem| Err(ParseIdError::new(text, expected, problem));
    Ok(match Reference::parse(text) {
        Reference::Thing(Kind::Track, id) => Uri::Track(TrackId::from_bare(id)?),
        Reference::Thing(Kind::Album, id) => Uri::Album(AlbumId::from_bare(id)?),
        Reference::Thing(Kind::Artist, id) => Uri::Artist(ArtistId::from_bare(id)?),
        Reference::Thing(Kind::Playlist, id) => Uri::Playlist(PlaylistId::from_bare(id)?),
        Reference::Thing(Kind::Show, id) => Uri::Show(ShowId::from_bare(id)?),
        Reference::Thing(Kind::Episode, id) => Uri::Episode(EpisodeId::from_bare(id)?),
        Reference::Thing(Kind::Audiobook, id) => Uri::Audiobook(AudiobookId::from_bare(id)?),
        Reference::Thing(Kind::Chapter, id) => Uri::Chapter(ChapterId::from_bare(id)?),
        Reference::Thing(Kind::User, name) => Uri::User(UserId::from_name(percent::decode(name))),
        Reference::Uri(uri) => match LocalFile::read(uri) {
            Some(file) => Uri::Local(file),
            None => Uri::Other(OtherUri(uri.into())),
        },
        Reference::Bare("") => return fail(Problem::Empty),
        Reference::Bare(_) => return fail(Problem::NoKind),
        Reference::ShortLink => return fail(Problem::ShortLink),
        Reference::ForeignUrl => return fail(Problem::ForeignUrl),
    })
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Track(id) => write!(f, "spotify:track:{id}"),
            Self::Album(id) => write!(f, "spotify:album:{id}"),
            Self::Artist(id) => write!(f, "spotify:artist:{id}"),
            Self::Playlist(id) => write!(f, "spotify:playlist:{id}"),
            Self::Show(id) => write!(f, "spotify:show:{id}"),
            Self::Episode(id) => write!(f, "spotify:episode:{id}"),
            Self::Audiobook(id) => write!(f, "spotify:show:{id}"),
            Self::Chapter(id) => write!(f, "spotify:episode:{id}"),
            Self::User(id) => write!(f, "spotify:user:{}", percent::encode(id.as_str())),
            Self::Local(file) => file.fmt(f),
            Self::Other(uri) => uri.fmt(f),
        }
    }
}

impl Uri {
    /// What kind of thing it names, for messages.
    fn problem(&self) -> Problem {
        match self {
            Self::Track(_) => Problem::Kind(Kind::Track),
            Self::Album(_) => Problem::Kind(Kind::Album),
            Self::Artist(_) => Problem::Kind(Kind::Artist),
            Self::Playlist(_) => Problem::Kind(Kind::Playlist),
            Self::Show(_) => Problem::Kind(Kind::Show),
            Self::Episode(_) => Problem::Kind(Kind::Episode),
            Self::Audiobook(_) => Problem::Kind(Kind::Audiobook),
            Self::Chapter(_) => Problem::Kind(Kind::Chapter),
            Self::User(_) => Problem::Kind(Kind::User),
            Self::Local(_) | Self::Other(_) => Problem::OtherUri,
        }
    }
}

/// A URI of a kind that has no name here, as it came.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OtherUri(Box<str>);

impl OtherUri {
    /// The whole URI.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OtherUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A file of the user's, as its URI describes it. Nothing else is known of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct LocalFile {
    /// The artist; may be empty.
    pub artist: String,
    /// The album; may be empty.
    pub album: String,
    /// The title; may be empty.
    pub title: String,
    /// How long it is, in whole seconds; `None` if the URI does not say it.
    pub duration: Option<Duration>,
    /// The URI as it came: encodings differ, and the file is found by the very text.
    uri: Box<str>,
}

impl LocalFile {
    fn read(uri: &str) -> Option<Self> {
        let mut parts = strip_prefix_ignoring_case(uri, "spotify:local:")?.split(':');
        let mut text = || percent::decode_form(parts.next().unwrap_or_default());
        let (artist, album, title) = (text(), text(), text());
        let duration = text().parse().ok().map(Duration::from_secs);
        Some(Self { artist, album, title, duration, uri: uri.into() })
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

/// Defines a group of URIs that a call takes, and what it is made from.
macro_rules! group {
    (
        $(#[$meta:meta])*
        $name:ident, $expected:literal, bare: $bare:expr;
        $($(#[$variant_meta:meta])* $variant:ident($held:ty) = $print:literal,)*
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_meta])* $variant($held),)*
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                let bare: fn(&str) -> Option<Result<Self, ParseIdError>> = $bare;
                if let Reference::Bare(id) = Reference::parse(text)
                    && !id.is_empty()
                    && let Some(parsed) = bare(id)
                {
                    return parsed;
                }
                parse(text, $expected)?.try_into()
            }
        }

        impl TryFrom<Uri> for $name {
            type Error = ParseIdError;

            fn try_from(uri: Uri) -> Result<Self, ParseIdError> {
                match uri {
                    $(Uri::$variant(held) => Ok(Self::$variant(held)),)*
                    other => Err(ParseIdError::new(&other.to_string(), $expected, other.problem())),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$variant(held) => write!(f, $print, held),)*
                }
            }
        }

        $(impl From<$held> for $name {
            fn from(held: $held) -> Self {
                Self::$variant(held)
            }
        })*

        impl Id for $name {
            const EXPECTED: &'static str = $expected;
        }

        text_serde! { $name: $expected; }
    };
}

group! {
    /// Something to play or to put into a playlist. A bare id counts as that of a track.
    PlayableUri, "a track or an episode", bare: |id| Some(TrackId::from_bare(id).map(Self::Track));
    /// A track.
    Track(TrackId) = "spotify:track:{}",
    /// An episode.
    Episode(EpisodeId) = "spotify:episode:{}",
    /// A chapter of an audiobook.
    Chapter(ChapterId) = "spotify:episode:{}",
    /// A file of the user's. It can be in a playlist, though no call adds one.
    Local(LocalFile) = "{}",
}

group! {
    /// Something to play from: what holds tracks or episodes.
    ContextUri, "an album, an artist, a playlist, a show or an audiobook", bare: |_| None;
    /// An album.
    Album(AlbumId) = "spotify:album:{}",
    /// An artist.
    Artist(ArtistId) = "spotify:artist:{}",
    /// A playlist.
    Playlist(PlaylistId) = "spotify:playlist:{}",
    /// A show.
    Show(ShowId) = "spotify:show:{}",
    /// An audiobook.
    Audiobook(AudiobookId) = "spotify:show:{}",
    /// Something else, such as the tracks the user saved.
    Other(OtherUri) = "{}",
}

group! {
    /// Something that a library holds or a user follows.
    LibraryUri, "a track, an album, an episode, a show, an audiobook, an artist, a user or a playlist",
        bare: |_| None;
    /// A track.
    Track(TrackId) = "spotify:track:{}",
    /// An album.
    Album(AlbumId) = "spotify:album:{}",
    /// An episode.
    Episode(EpisodeId) = "spotify:episode:{}",
    /// A show.
    Show(ShowId) = "spotify:show:{}",
    /// An audiobook, which the library's calls name as such.
    Audiobook(AudiobookId) = "spotify:audiobook:{}",
    /// An artist.
    Artist(ArtistId) = "spotify:artist:{}",
    /// A user.
    User(UserId) = "spotify:user:{}",
    /// A playlist.
    Playlist(PlaylistId) = "spotify:playlist:{}",
}
