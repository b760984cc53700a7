use spot_model::{Page, PlayableItem, PlayableUri, PlaylistItem, SnapshotId};

use crate::{Error, ErrorKind, Fields, GetPlaylist, Market};

/// Maximum number of attempts to read a playlist that changes while it is read.
const READS: usize = 3;

/// All items of one version of a playlist.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PlaylistContents {
    /// The version; `None` if Spotify does not return the version.
    pub snapshot_id: Option<SnapshotId>,
    /// The items, in order. Entries that Spotify returns as `null` are skipped.
    pub items: Vec<PlaylistItem>,
    /// The URI at each position; `None` for entries without a URI, such as removed items.
    pub(crate) uris: Vec<Option<PlayableUri>>,
}

impl PlaylistContents {
    /// Reads the whole playlist. If `fields` is `None`, reads all fields of each item. A playlist
    /// of up to 100 items is read with one request. Longer playlists are read in pages of 50, and
    /// the version is checked at the end.
    pub(crate) async fn read(
        playlist: &GetPlaylist,
        fields: Option<Fields>,
    ) -> Result<Self, Error> {
        for _ in 0..READS {
            let first = unrelinked(playlist).await?;
            let mut contents =
                Self { snapshot_id: first.snapshot_id, items: Vec::new(), uris: Vec::new() };
            let mut rest = playlist.items().market(Market::UNSET);
            if let Some(page) = first.items {
                let (offset, is_last) = (page.next_offset(), page.is_last());
                contents.append(page);
                if is_last {
                    return Ok(contents);
                }
                rest = rest.offset(offset);
            }
            if let Some(fields) = &fields {
                rest = rest.fields(fields.clone());
            }
            let mut pages = rest.stream().pages();
            while let Some(page) = pages.try_next().await? {
                contents.append(page);
            }
            if version(playlist).await? == contents.snapshot_id {
                return Ok(contents);
            }
        }
        let message = format!("the playlist changed during each of {READS} attempts to read it");
        Err(Error::new(ErrorKind::Conflict, message))
    }

    fn append(&mut self, page: Page<PlaylistItem>) {
        let mut items = page.items.into_iter();
        let mut skipped = page.skipped.iter().map(|skipped| skipped.index).peekable();
        let start = self.uris.len();
        loop {
            if skipped.next_if_eq(&(self.uris.len() - start)).is_some() {
                self.uris.push(None);
            } else if let Some(item) = items.next() {
                self.uris.push(item.item.as_ref().and_then(entry_uri));
                self.items.push(item);
            } else {
                break;
            }
        }
    }
}

/// Requests the playlist without a market. With a market, Spotify replaces tracks with versions
/// that are available in the market (relinking). Calls that change the playlist accept only the
/// original tracks.
fn unrelinked(playlist: &GetPlaylist) -> GetPlaylist {
    GetPlaylist { fields: None, ..playlist.clone() }.market(Market::UNSET)
}

/// Returns the URI that the playlist stores for an entry. For a relinked track, returns the URI of
/// the original track.
fn entry_uri(item: &PlayableItem) -> Option<PlayableUri> {
    let original = item.as_track().and_then(|track| track.linked_from.as_ref()?.id);
    original.map_or_else(|| item.uri(), |id| Some(id.into()))
}

/// Returns the current version of a playlist.
pub(crate) async fn version(playlist: &GetPlaylist) -> Result<Option<SnapshotId>, Error> {
    let playlist = playlist.clone().fields("snapshot_id").await?;
    Ok(playlist.snapshot_id)
}
