use chrono::{DateTime, Utc};
use spot_http::Error;
use spot_model::SavedTrack;

use crate::Library;

/// The tracks that were saved since a point in time. Returned by [`Library::changes_since`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LibraryChanges {
    /// The tracks saved since the given point in time, newest first.
    pub added: Vec<SavedTrack>,
    /// Total number of saved tracks. If `total < previous_total + added.len()`, tracks were removed
    /// since the previous call.
    pub total: Option<u32>,
    /// Date of the newest track in `added`, or the given point in time if `added` is empty. Pass
    /// this date to the next call.
    pub newest: DateTime<Utc>,
}

impl Library {
    /// Reads the saved tracks that are newer than a point in time, without reading the whole
    /// library.
    ///
    /// The list starts with the newest track, so reading stops at the first track that is not newer
    /// than `since`. If fewer than 50 tracks are new, this method usually sends one request. Scope:
    /// `user-library-read`.
    ///
    /// Limitations:
    ///
    /// - The result does not list the removed tracks. To detect that tracks were removed, use
    ///   [`LibraryChanges::total`].
    /// - A new track is not detected if its date (`added_at`) is before `since`. For example, an
    ///   application that saves a track can set `added_at` to a time in the past.
    /// - A new track is not detected if it was saved in the same second as `since`. Spotify's dates
    ///   (`added_at`) are whole seconds.
    ///
    /// ```no_run
    /// # async fn example(client: spot_api::Client, last: chrono::DateTime<chrono::Utc>)
    /// # -> Result<(), spot_api::Error> {
    /// let changes = client.library().changes_since(last).await?;
    /// for saved in &changes.added {
    ///     println!("{}", saved.track.name);
    /// }
    /// let last = changes.newest;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// Any failure of a call.
    pub async fn changes_since(&self, since: DateTime<Utc>) -> Result<LibraryChanges, Error> {
        // The first page is usually sufficient.
        let mut saved = self.tracks().stream().prefetch(0);
        let mut added = Vec::new();
        while let Some(track) = saved.try_next().await? {
            match track.added_at {
                Some(at) if at > since => added.push(track),
                Some(_) => break,
                // A track without a date may be older or newer than `since`. The loop therefore
                // continues with the next track.
                None => {}
            }
        }
        let newest = added.iter().filter_map(|saved| saved.added_at).max().unwrap_or(since);
        Ok(LibraryChanges { added, total: saved.total(), newest })
    }
}
