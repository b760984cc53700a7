//! Makes a playlist equal to a given list, and detects changes of playlists and saved tracks.

mod contents;
mod library;
mod plan;
mod planner;
mod request;
mod sequence;
mod steps;

use spot_model::{IntoId, PlayableUri, SnapshotId};

use crate::{Error, GetPlaylist};

pub use contents::PlaylistContents;
pub use library::LibraryChanges;
pub use plan::SyncPlan;
pub use request::SyncPlaylist;

impl GetPlaylist {
    /// Changes the playlist so that it contains exactly the entries of the list `wanted`, in the
    /// same order and with the same duplicates.
    ///
    /// By default, the sync adds, moves and removes individual entries. All other entries keep
    /// their dates (`added_at`). `.await` on the returned request changes the playlist.
    /// [`plan`](SyncPlaylist::plan) returns the changes without applying them.
    ///
    /// ```no_run
    /// # async fn example(client: spot_api::Client) -> Result<(), spot_api::Error> {
    /// let wanted = ["spotify:track:spotmockTrack000000001", "spotify:track:spotmockTrack000000002"];
    /// let plan = client.playlist("spotmockPlaylist000001").sync(wanted).plan().await?;
    /// println!("{plan}");
    /// if plan.calls() < 20 {
    ///     plan.apply().await?;
    /// }
    /// # Ok(()) }
    /// ```
    pub fn sync(&self, wanted: impl IntoIterator<Item = impl IntoId<PlayableUri>>) -> SyncPlaylist {
        let wanted = wanted.into_iter().map(IntoId::into_id).collect();
        SyncPlaylist::new(self.clone(), request::Goal::Equal(wanted))
    }

    /// Removes the items at these positions, counted from 0.
    ///
    /// The Web API can remove an item only together with all its copies. If you pass the positions
    /// of some copies of an item, the SDK removes all copies of the item. The SDK then adds the
    /// other copies again, with new dates (`added_at`). [`SyncPlan::readded`] returns the number of
    /// entries that the SDK removes and adds again.
    ///
    /// The SDK first reads the playlist. One request removes up to 100 different items, or adds up
    /// to 100 consecutive entries.
    ///
    /// ```no_run
    /// # async fn example(client: spot_api::Client) -> Result<(), spot_api::Error> {
    /// client.playlist("spotmockPlaylist000001").remove_at([0, 7]).await?;
    /// # Ok(()) }
    /// ```
    #[doc(alias(
        "user_playlist_remove_specific_occurrences_of_tracks",
        "playlist_remove_specific_occurrences_of_items"
    ))]
    pub fn remove_at(&self, positions: impl IntoIterator<Item = u32>) -> SyncPlaylist {
        SyncPlaylist::new(self.clone(), request::Goal::Without(positions.into_iter().collect()))
    }

    /// Returns the items of the playlist if the playlist has changed since the given version.
    /// Returns `None` if the playlist has not changed.
    ///
    /// If the playlist has not changed, the call takes one small request.
    ///
    /// ```no_run
    /// # async fn example(client: spot_api::Client, kept: spot_api::model::SnapshotId)
    /// # -> Result<(), spot_api::Error> {
    /// if let Some(contents) = client.playlist("spotmockPlaylist000001").if_changed(kept).await? {
    ///     println!("{} items now", contents.items.len());
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if a request that reads the playlist fails. Fails with
    /// [`Conflict`](crate::ErrorKind::Conflict) if the playlist keeps changing while the method
    /// reads it.
    pub async fn if_changed(
        self,
        since: impl IntoId<SnapshotId>,
    ) -> Result<Option<PlaylistContents>, Error> {
        let since = since.into_id().map_err(|error| Error::bad_request(error.to_string()))?;
        if contents::version(&self).await?.as_ref() == Some(&since) {
            return Ok(None);
        }
        PlaylistContents::read(&self, None).await.map(Some)
    }
}
