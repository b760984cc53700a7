use std::collections::HashSet;

use futures::future::BoxFuture;
use spot_model::{OptionalId, ParseIdError, PlayableUri, SnapshotId};

use crate::{
    Error, ErrorKind, Fields, GetPlaylist,
    sync::{
        contents::PlaylistContents,
        plan::{SyncPlan, Terms},
    },
};

/// A request that changes the items of a playlist. [`GetPlaylist::sync`] and
/// [`GetPlaylist::remove_at`] create such requests.
///
/// `.await` changes the playlist and returns the new version of the playlist.
///
/// Calls that add, move or remove entries do not affect other entries. Replacing the whole playlist
/// can take fewer calls than changing single entries, but gives every entry a new date
/// (`added_at`). By default, the request replaces the whole playlist only if every current entry
/// has to be removed. To permit a replacement in other cases, use
/// [`allow_replace`](Self::allow_replace).
///
/// ```no_run
/// # async fn example(client: spot_api::Client, wanted: Vec<spot_api::model::TrackId>)
/// # -> Result<(), spot_api::Error> {
/// let playlist = client.playlist("spotmockPlaylist000001");
/// let version = playlist.sync(wanted).max_calls(20).allow_replace().await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until it is awaited"]
pub struct SyncPlaylist {
    playlist: GetPlaylist,
    goal: Goal,
    contents: Option<PlaylistContents>,
    snapshot_id: Option<Result<SnapshotId, ParseIdError>>,
    terms: Terms,
}

/// The wanted contents of the playlist.
#[derive(Clone, Debug)]
pub(crate) enum Goal {
    Equal(Result<Vec<PlayableUri>, ParseIdError>),
    Without(Vec<u32>),
}

impl SyncPlaylist {
    pub(crate) fn new(playlist: GetPlaylist, goal: Goal) -> Self {
        Self { playlist, goal, contents: None, snapshot_id: None, terms: Terms::default() }
    }

    /// Allows the request to replace the whole playlist. A replacement gives every entry a new date
    /// (`added_at`). The request replaces the playlist in two cases:
    ///
    /// - Replacing the whole playlist takes fewer calls than adding, moving and removing single
    ///   entries.
    /// - At least one of the entries to remove has no URI. To remove a single entry, the Web API
    ///   needs the URI of the entry.
    pub fn allow_replace(mut self) -> Self {
        self.terms.allow_replace = true;
        self
    }

    /// Sets the maximum number of calls that change the playlist. The maximum does not apply to a
    /// replacement of the whole playlist. By default, a sync may make at most 100 more calls than a
    /// replacement of the whole playlist needs.
    pub fn max_calls(mut self, calls: usize) -> Self {
        self.terms.max_calls = Some(calls);
        self
    }

    /// Sets the expected version. If the playlist does not have the expected version, the request
    /// fails with a [`Conflict`](ErrorKind::Conflict).
    pub fn snapshot_id(mut self, snapshot_id: impl OptionalId<SnapshotId>) -> Self {
        self.snapshot_id = snapshot_id.into_optional_id();
        self
    }

    /// Passes the contents that [`GetPlaylist::if_changed`] returned, so that the request does not
    /// read the items of the playlist again. If the playlist has changed since you read the
    /// contents, [`SyncPlan::apply`] fails with a [`Conflict`](ErrorKind::Conflict), unless the
    /// plan is empty.
    pub fn known(mut self, contents: PlaylistContents) -> Self {
        self.contents = Some(contents);
        self
    }

    /// Reads the playlist and plans the calls, without making them.
    ///
    /// Reading the playlist takes one request for the first 100 items, and one more request for
    /// every 50 further items.
    ///
    /// # Errors
    ///
    /// - Fails with [`BadRequest`](ErrorKind::BadRequest) if an id is invalid, or if a position
    ///   does not exist.
    /// - Fails with [`BadRequest`](ErrorKind::BadRequest) if the plan would have to add a local
    ///   file. The API cannot add local files.
    /// - Fails with [`BadRequest`](ErrorKind::BadRequest) if the request has to replace the
    ///   playlist, but [`allow_replace`](Self::allow_replace) is not set.
    /// - Fails with [`BadRequest`](ErrorKind::BadRequest) if the plan needs more calls than
    ///   [`max_calls`](Self::max_calls) allows.
    /// - Fails with [`Conflict`](ErrorKind::Conflict) if the version of the playlist is not
    ///   [`snapshot_id`](Self::snapshot_id), or if the playlist keeps changing during the read.
    /// - Fails if a request that reads the playlist fails.
    pub async fn plan(self) -> Result<SyncPlan, Error> {
        let invalid =
            |name: &str, error: ParseIdError| Error::bad_request(format!("`{name}`: {error}"));
        let expected =
            self.snapshot_id.transpose().map_err(|error| invalid("snapshot_id", error))?;
        let contents = match self.contents {
            Some(contents) => contents,
            None => {
                let fields = Fields::from("items(is_local,item(id,is_local,linked_from,type,uri))");
                PlaylistContents::read(&self.playlist, Some(fields)).await?
            }
        };
        if expected.is_some() && expected != contents.snapshot_id {
            let message = "the playlist has changed: its version is not the given `snapshot_id`";
            return Err(Error::new(ErrorKind::Conflict, message));
        }
        let wanted = match self.goal {
            Goal::Equal(wanted) => {
                wanted.map_err(|error| invalid("wanted", error))?.into_iter().map(Some).collect()
            }
            Goal::Without(positions) => without(&contents.uris, &positions)?,
        };
        SyncPlan::new(self.playlist, contents.snapshot_id, &contents.uris, &wanted, self.terms)
    }
}

/// Returns the contents without the entries at these positions.
fn without(
    uris: &[Option<PlayableUri>],
    positions: &[u32],
) -> Result<Vec<Option<PlayableUri>>, Error> {
    let length = uris.len();
    let mut gone = HashSet::new();
    for position in positions {
        let at = usize::try_from(*position).ok().filter(|at| *at < length).ok_or_else(|| {
            let message =
                format!("position {position} does not exist: the playlist has {length} items");
            Error::bad_request(message)
        })?;
        gone.insert(at);
    }
    let left = uris.iter().enumerate().filter(|(at, _)| !gone.contains(at));
    Ok(left.map(|(_, uri)| uri.clone()).collect())
}

impl IntoFuture for SyncPlaylist {
    type Output = Result<Option<SnapshotId>, Error>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    // With `#[inline]`, only programs that call this method compile the code that decodes the JSON.
    #[inline]
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let is_fresh = self.contents.is_none();
            let plan = self.plan().await?;
            // Contents that were just read need no second check of the version.
            if is_fresh { plan.carry_out().await } else { plan.apply().await }
        })
    }
}
