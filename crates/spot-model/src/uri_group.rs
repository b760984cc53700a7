//! Groups of URIs, for calls that accept several kinds of objects.

use std::{fmt, str::FromStr};

use crate::{
    AlbumId, ArtistId, AudiobookId, ChapterId, EpisodeId, Id, LocalFile, OtherUri, ParseIdError,
    PlaylistId, ShowId, TrackId, Uri, UserId,
    reference::{Problem, Reference},
    text::text_serde,
    uri::parse,
};

/// Defines a group of URIs and the conversions into it.
macro_rules! group {
    (
        $(#[$meta:meta])*
        $name:ident, $expected:literal, bare: $bare:expr;
        $($(#[$variant_meta:meta])* $variant:ident($held:ty) $(= $print:literal)?,)*
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
                let bare: fn(&str) -> Option<Result<Self, Problem>> = $bare;
                if let Reference::Bare(id) = Reference::parse(text)
                    && !id.is_empty()
                    && let Some(parsed) = bare(id)
                {
                    return parsed
                        .map_err(|problem| ParseIdError::new(text, $expected, problem));
                }
                parse(text, $expected)?.try_into()
            }
        }

        impl TryFrom<Uri> for $name {
            type Error = ParseIdError;

            fn try_from(uri: Uri) -> Result<Self, ParseIdError> {
                match uri {
                    $(Uri::$variant(held) => Ok(Self::$variant(held)),)*
                    other => Err(other.unexpected($expected)),
                }
            }
        }

        impl TryFrom<&Uri> for $name {
            type Error = ParseIdError;

            fn try_from(uri: &Uri) -> Result<Self, ParseIdError> {
                uri.clone().try_into()
            }
        }

        impl From<$name> for Uri {
            fn from(uri: $name) -> Self {
                match uri {
                    $($name::$variant(held) => Self::$variant(held),)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$variant(held) => group!(@write held, f $(, $print)?),)*
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
    (@write $held:ident, $f:ident) => {
        $held.write_uri($f)
    };
    (@write $held:ident, $f:ident, $print:literal) => {
        write!($f, $print, $held)
    };
}

group! {
    /// An item to play or to add to a playlist. An id that is not part of a URI or URL is parsed as
    /// the id of a track.
    PlayableUri, "a track or an episode", bare: |id| Some(TrackId::from_bare(id).map(Self::Track));
    /// A track.
    Track(TrackId),
    /// An episode.
    Episode(EpisodeId),
    /// A chapter of an audiobook.
    Chapter(ChapterId),
    /// A local file of a user. A local file can be in a playlist, but no call can add a local file.
    Local(LocalFile),
}

group! {
    /// A context for playback: an object that contains tracks or episodes.
    ContextUri, "an album, an artist, a playlist, a show or an audiobook", bare: |_| None;
    /// An album.
    Album(AlbumId),
    /// An artist.
    Artist(ArtistId),
    /// A playlist.
    Playlist(PlaylistId),
    /// A show.
    Show(ShowId),
    /// An audiobook.
    Audiobook(AudiobookId),
    /// A context of any other kind, for example the user's saved tracks.
    Other(OtherUri),
}

group! {
    /// An object that a user can save or follow.
    LibraryUri, "a track, an album, an episode, a show, an audiobook, an artist, a user or a playlist",
        bare: |_| None;
    /// A track.
    Track(TrackId),
    /// An album.
    Album(AlbumId),
    /// An episode.
    Episode(EpisodeId),
    /// A show.
    Show(ShowId),
    /// An audiobook. Library calls send the URI of an audiobook as `spotify:audiobook:ID`.
    Audiobook(AudiobookId) = "spotify:audiobook:{}",
    /// An artist.
    Artist(ArtistId),
    /// A user.
    User(UserId),
    /// A playlist.
    Playlist(PlaylistId),
}
