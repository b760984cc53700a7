//! Methods of tracks.

use crate::{LocalFile, PlayableUri, Track};

impl Track {
    /// URI for playing the track or adding it to a playlist. Local files also have a URI. `None` if
    /// a filter excluded the id.
    pub fn uri(&self) -> Option<PlayableUri> {
        let local = || Some(LocalFile::clone(self.local.as_ref()?).into());
        self.id.map(PlayableUri::from).or_else(local)
    }
}
