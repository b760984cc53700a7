//! Methods of tracks.

use crate::{LocalFile, PlayableUri, Track};

impl Track {
    /// URI for playing the track or adding it to a playlist. A local file has a URI too, although
    /// it has no id. `None` if the filter of the request (`fields`) excluded the id.
    pub fn uri(&self) -> Option<PlayableUri> {
        let local = || Some(LocalFile::clone(self.local.as_ref()?).into());
        self.id.map(PlayableUri::from).or_else(local)
    }
}
