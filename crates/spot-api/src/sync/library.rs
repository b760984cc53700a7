use chrono::{DateTime, Utc};
use spot_http::Error;
use spot_model::SavedTrack;

use crate::Library;

/// The tracks that were saved since a point in time, from [`Library::changes_since`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct LibraryChanges {
    /// The tracks saved since, the newest first.
    pub added: Vec<SavedTrack>,
    /// How many tracks are saved in all. If that is fewer than before and `added` together, tracks
    /// were removed.
    pub total: Option<u32>,
    /// The date of the newest saved track, or the point that was given: give it to the next call.
    pub newest: DateTime<Utc>,
}

impl Library {
    /// The saved tracks that are newer than a point in time, without reading the whole library.
    ///
    /// The list comes newest first, so that reading ends at the first track that is not newer:
    /// mostly one request, and one more for each further 50 new tracks. Scope: `user-library-read`.
    ///
    /// What it cannot see:
    ///
    /// - Which tracks were removed. [`LibraryChanges::total`] shows that some were.
    /// - Tracks saved with an older date, as programs that import libraries do.
    /// - Tracks saved later in the same second as `since`: Spotify's dates are in seconds.
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
    /// As any call.
    pub async fn changes_since(&self, since: DateTime<Utc>) -> Result<LibraryChanges, Error> {
        // Most of the time the first page is the only one.
        let mut saved = self.tracks().stream().prefetch(0);
        let mut added = Vec::new();
        while let Some(track) = saved.try_next().await? {
            match track.added_at {
                Some(at) if at > since => added.push(track),
                Some(_) => break,
                // Without a date it may be old or new; the next one tells.
                None => {}
            }
        }
        let newest = added.iter().filter_map(|saved| saved.added_at).max().unwrap_or(since);
        Ok(LibraryChanges { added, total: saved.total(), newest })
    }
}
