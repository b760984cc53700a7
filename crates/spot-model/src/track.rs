//! What tracks have beyond their fields.

use crate::{LocalFile, PlayableUri, Track};

impl Track {
    /// URI to play the track or to add it to a playlist, also of a local file. `None` if a filter
    /// left the id out.
    pub fn uri(&self) -> Option<PlayableUri> {
        let local = || Some(LocalFile::clone(self.local.as_ref()?).into());
        self.id.map(PlayableUri::from).or_else(local)
    }
}
