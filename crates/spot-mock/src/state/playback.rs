//! What is played, and from where.

use std::time::Duration;

use crate::world::{Chapter, Episode, Key, Track, World};

/// From where the current thing is played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Context {
    pub(crate) kind: ContextKind,
    /// The id; of a collection the user's.
    pub(crate) id: String,
}

/// What can be played as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ContextKind {
    Album,
    Artist,
    Playlist,
    /// A podcast, or an audiobook, which is a show underneath.
    Show,
    Collection,
    /// What goes well with an artist, without an end.
    Station,
}

impl ContextKind {
    /// Whether it goes on for ever, in an order of its own.
    pub(crate) fn is_endless(self) -> bool {
        self == Self::Station
    }
}

/// Something with sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Playable {
    Track(Key<Track>),
    Episode(Key<Episode>),
    Chapter(Key<Chapter>),
}

/// What happens at the end.
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
