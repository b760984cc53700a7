use serde::Serialize;
use spot_model::{EpisodeId, PlayableUri, TrackId};

/// The item at which playback of a context starts.
///
/// A `u32` converts into [`Position`](Self::Position). An id or a URI converts into
/// [`Uri`](Self::Uri).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum PlaybackOffset {
    /// The item at this position, counted from 0.
    Position(u32),
    /// The item with this URI.
    Uri(PlayableUri),
}

impl From<u32> for PlaybackOffset {
    fn from(position: u32) -> Self {
        Self::Position(position)
    }
}

impl From<PlayableUri> for PlaybackOffset {
    fn from(uri: PlayableUri) -> Self {
        Self::Uri(uri)
    }
}

impl From<TrackId> for PlaybackOffset {
    fn from(id: TrackId) -> Self {
        Self::Uri(id.into())
    }
}

impl From<EpisodeId> for PlaybackOffset {
    fn from(id: EpisodeId) -> Self {
        Self::Uri(id.into())
    }
}
