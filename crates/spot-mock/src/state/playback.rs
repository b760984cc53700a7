//! Playable items and contexts.

use std::time::Duration;

use crate::world::{Chapter, Episode, Key, Track, World};

/// Context of the current playback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Context {
    pub(crate) kind: ContextKind,
    /// Id of the context; for a collection, the id of the user.
    pub(crate) id: String,
}

/// Type of a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ContextKind {
    Album,
    Artist,
    Playlist,
    /// A podcast or an audiobook. Spotify treats audiobooks as shows.
    Show,
    Collection,
    /// An endless station of similar tracks for an artist.
    Station,
}

impl ContextKind {
    /// Whether the context is endless. The order of an endless context cannot be changed.
    pub(crate) fn is_endless(self) -> bool {
        self == Self::Station
    }
}

/// An item that can be played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Playable {
    Track(Key<Track>),
    Episode(Key<Episode>),
    Chapter(Key<Chapter>),
}

/// Repeat mode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Repeat {
    #[default]
    Off,
    Context,
    Track,
}

impl Repeat {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Context => "context",
            Self::Track => "track",
        }
    }
}

impl Playable {
    pub(crate) fn duration(self, world: &World) -> Duration {
        Duration::from_millis(u64::from(match self {
            Self::Track(key) => world.tracks[key].duration_ms,
            Self::Episode(key) => world.episodes[key].duration_ms,
            Self::Chapter(key) => world.chapters[key].duration_ms,
        }))
    }
}
