use std::{collections::HashMap, fmt};

use spot_model::{PlayableUri, SnapshotId};

use crate::{
    Error, ErrorKind, GetPlaylist,
    sync::{
        contents,
        planner::{self, Edits},
        steps::{CHUNK, Step, replacement},
    },
};

/// Default limit for a sync that changes single entries. The sync may make this many more calls
/// than a replacement of the whole list.
const EXTRA_CALLS: usize = 100;

/// Restrictions set by the caller.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Terms {
    pub(crate) allow_replace: bool,
    pub(crate) max_calls: Option<usize>,
}

/// The calls that make the changes of a sync. [`SyncPlaylist::plan`](crate::SyncPlaylist::plan)
/// returns this plan.
///
/// `Display` prints one line: the numbers of retained, moved, added and removed entries, and the
/// number of calls.
///
/// ```no_run
/// # async fn example(client: spot_api::Client, wanted: Vec<spot_api::model::TrackId>)
/// # -> Result<(), spot_api::Error> {
/// let plan = client.playlist("spotmockPlaylist000001").sync(wanted).plan().await?;
/// println!("{plan}"); // entries: 412 retained (3 moved), 7 added, 2 removed; 5 calls
/// if plan.readded() == 0 && !plan.replaces() {
///     plan.apply().await?;
/// }
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct SyncPlan {
    playlist: GetPlaylist,
    snapshot_id: Option<SnapshotId>,
    uris: Vec<PlayableUri>,
    steps: Vec<Step>,
    counts: Counts,
    replaces: bool,
}

/// Number of entries by type of change.
#[derive(Clone, Copy, Debug)]
struct Counts {
    kept: usize,
    moved: usize,
    added: usize,
    removed: usize,
    readded: usize,
}

impl SyncPlan {
    pub(crate) fn new(
        playlist: GetPlaylist,
        snapshot_id: Option<SnapshotId>,
        present: &[Option<PlayableUri>],
        wanted: &[Option<PlayableUri>],
        terms: Terms,
    ) -> Result<Self, Error> {
        let mut keys = Keys::default();
        let wanted_keys = keys.all(wanted);
        let present_keys = keys.all(present);
        let edits = (!keys.must_remove_unnamed(&present_keys, &wanted_keys))
            .then(|| Edits::new(&present_keys, &wanted_keys))
            .filter(|edits| edits.new_keys().all(|key| keys.can_add(key)));
        let can_replace = wanted_keys.iter().all(|key| keys.can_add(*key));
        let whole = can_replace.then_some(wanted_keys.len().div_ceil(CHUNK).max(1));
        let (steps, counts, replaces) = match choose(edits, whole, terms)? {
            Some(edits) => {
                let Edits { kept, removed, added, readded, .. } = edits;
                let counts = Counts { kept, moved: edits.moved(), added, removed, readded };
                (edits.steps(), counts, false)
            }
            None => {
                let readded = planner::common(&present_keys, &wanted_keys);
                let (added, removed) = (wanted.len() - readded, present.len() - readded);
                let counts = Counts { kept: 0, moved: 0, added, removed, readded };
                (replacement(&wanted_keys), counts, true)
            }
        };
        Ok(Self { playlist, snapshot_id, uris: keys.uris, steps, counts, replaces })
    }

    /// Number of calls that change the playlist. Calls that read the playlist or check its version
    /// are not included.
    pub fn calls(&self) -> usize {
        self.steps.len()
    }

    /// Whether the playlist needs no change.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Number of entries that the sync does not remove. These entries keep their dates
    /// (`added_at`). The number includes moved entries.
    pub fn kept(&self) -> usize {
        self.counts.kept
    }

    /// Number of entries that are moved.
    pub fn moved(&self) -> usize {
        self.counts.moved
    }

    /// Number of new entries.
    pub fn added(&self) -> usize {
        self.counts.added
    }

    /// Number of entries that are removed permanently.
    pub fn removed(&self) -> usize {
        self.counts.removed
    }

    /// Number of entries that the sync removes and adds again. These entries get new dates
    /// (`added_at`).
    pub fn readded(&self) -> usize {
        self.counts.readded
    }

    /// Whether the whole playlist is replaced.
    pub fn replaces(&self) -> bool {
        self.replaces
    }

    /// The version for which the plan was made.
    pub fn snapshot_id(&self) -> Option<&SnapshotId> {
        self.snapshot_id.as_ref()
    }

    /// Makes the calls, one after another, and returns the new version of the playlist.
    ///
    /// First, this method sends one small request that reads the current version of the playlist.
    /// If the plan is empty, this method sends nothing. This method does not detect a change that
    /// somebody else makes between two calls of the plan.
    ///
    /// # Errors
    ///
    /// Fails with [`Conflict`](ErrorKind::Conflict) if the playlist has changed since the plan was
    /// made. The conflict is detected before the first change. If a call fails, [`Error::done`] is
    /// the number of calls that succeeded before the failure. If a call failed, or if its outcome
    /// is unknown, sync the playlist again. The second sync reads the playlist again, and does not
    /// repeat the changes that were already made.
    pub async fn apply(self) -> Result<Option<SnapshotId>, Error> {
        if !self.is_empty() && contents::version(&self.playlist).await? != self.snapshot_id {
            let message = "the playlist has changed since the plan was made; make a new plan";
            return Err(Error::new(ErrorKind::Conflict, message).with_done(0));
        }
        self.carry_out().await
    }

    /// Makes the calls without checking the version.
    pub(crate) async fn carry_out(self) -> Result<Option<SnapshotId>, Error> {
        let mut snapshot = self.snapshot_id.clone();
        for (done, step) in self.steps.iter().enumerate() {
            let changed = self.carry_out_step(step).await.map_err(|error| error.with_done(done))?;
            snapshot = changed.or(snapshot);
        }
        Ok(snapshot)
    }

    async fn carry_out_step(&self, step: &Step) -> Result<Option<SnapshotId>, Error> {
        let number = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        match step {
            Step::Remove(keys) => self.playlist.remove(self.named(keys)).await,
            Step::Add { keys, position } => {
                self.playlist.add(self.named(keys)).position(number(*position)).await
            }
            Step::Move { start, length, before } => {
                let moved = self.playlist.reorder(number(*start), number(*before));
                moved.range_length(number(*length)).await.map(Some)
            }
            Step::Replace(keys) => self.playlist.replace(self.named(keys)).await.map(Some),
        }
    }

    fn named(&self, keys: &[u32]) -> Vec<PlayableUri> {
        let uri = |key: &u32| self.uris.get(usize::try_from(*key).ok()?).cloned();
        keys.iter().filter_map(uri).collect()
    }
}

/// Prints one line: `entries: 412 retained (3 moved), 7 added, 2 removed; 5 calls`.
impl fmt::Display for SyncPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { kept, moved, added, removed, readded } = self.counts;
        if self.is_empty() {
            return write!(
                f,
                "nothing to do: the playlist already has the wanted entries ({kept})"
            );
        }
        write!(f, "entries: {kept} retained ({moved} moved), {added} added, {removed} removed")?;
        if readded > 0 {
            write!(f, ", {readded} added again with new dates")?;
        }
        let replaced = if self.replaces { "; the whole playlist is replaced" } else { "" };
        let calls = self.calls();
        write!(f, "{replaced}; {calls} call{}", if calls == 1 { "" } else { "s" })
    }
}

impl fmt::Debug for SyncPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("SyncPlan");
        out.field("playlist", &self.playlist.id).field("snapshot_id", &self.snapshot_id);
        out.field("counts", &self.counts).field("steps", &self.steps).finish_non_exhaustive()
    }
}

/// Chooses between edits and a replacement. The choice depends on what the API can do, on the
/// caller's restrictions, and on the number of calls. Returns the edits, or `None` for a
/// replacement. `whole` is the number of calls that a replacement of the whole playlist takes;
/// `None` if a replacement is impossible.
fn choose<'a>(
    edits: Option<Edits<'a>>,
    whole: Option<usize>,
    terms: Terms,
) -> Result<Option<Edits<'a>>, Error> {
    let refusal = |why: String| Err(Error::bad_request(why));
    match (edits, whole) {
        (None, None) => refusal(
            "the playlist cannot be changed into this list: the API cannot add local files, and \
             cannot remove single items without a URI"
                .to_owned(),
        ),
        (None, Some(_)) if terms.allow_replace => Ok(None),
        (None, Some(_)) => refusal(
            "items without a URI can only be removed by replacing the whole playlist, but a \
             replacement gives every item a new date: allow this with `allow_replace()`"
                .to_owned(),
        ),
        (Some(edits), whole) => {
            let calls = edits.calls();
            // If the edits would preserve no dates, a replacement needs no permission from the
            // caller.
            let may_replace = terms.allow_replace || edits.kept == 0;
            if may_replace && whole.is_some_and(|whole| whole < calls) {
                return Ok(None);
            }
            let most = whole.unwrap_or_default() + EXTRA_CALLS;
            let most = terms.max_calls.unwrap_or(most);
            if calls <= most {
                return Ok(Some(edits));
            }
            let instead = match whole {
                Some(whole) => format!(
                    "; replacing the whole playlist takes {whole} calls, but gives every item a new \
                     date: allow this with `allow_replace()`, or raise the maximum with `max_calls()`"
                ),
                None => ": raise the maximum with `max_calls()`".to_owned(),
            };
            refusal(format!(
                "the sync needs {calls} calls to keep the dates of the entries, but the maximum is \
                 {most} calls{instead}"
            ))
        }
    }
}

/// Maps URIs to numbers, counting from 0. In each list, the entries without a URI are numbered
/// separately, from `UNNAMED + 1`.
#[derive(Default)]
struct Keys {
    uris: Vec<PlayableUri>,
    /// The keys are URI strings. An episode and a chapter with the same id are different values,
    /// but have the same URI string.
    numbers: HashMap<String, u32>,
    unnamed: u32,
}

/// Every number below this value stands for a URI. Every number above this value stands for an
/// entry without a URI.
const UNNAMED: u32 = 1 << 31;

impl Keys {
    fn all(&mut self, uris: &[Option<PlayableUri>]) -> Vec<u32> {
        self.unnamed = 0;
        uris.iter().map(|uri| self.key(uri.as_ref())).collect()
    }

    fn key(&mut self, uri: Option<&PlayableUri>) -> u32 {
        let Some(uri) = uri else {
            self.unnamed += 1;
            return UNNAMED + self.unnamed;
        };
        let text = uri.to_string();
        if let Some(number) = self.numbers.get(&text) {
            return *number;
        }
        let number = u32::try_from(self.uris.len()).unwrap_or(u32::MAX);
        self.uris.push(uri.clone());
        self.numbers.insert(text, number);
        number
    }

    /// Whether the sync has to remove an entry without a URI. If an entry has no URI, no call of
    /// the API can remove it individually.
    fn must_remove_unnamed(&self, present: &[u32], wanted: &[u32]) -> bool {
        let unnamed = |keys: &[u32]| keys.iter().filter(|key| **key >= UNNAMED).count();
        unnamed(wanted) < unnamed(present)
    }

    /// Whether a call can add the entry. The entry must have a URI, and must not be a local file.
    fn can_add(&self, key: u32) -> bool {
        let uri = usize::try_from(key).ok().and_then(|key| self.uris.get(key));
        uri.is_some_and(|uri| !matches!(uri, PlayableUri::Local(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chapter_and_an_episode_with_the_same_id_have_equal_keys() {
        let id = "spotmockEpisode0000001";
        let episode: PlayableUri = format!("spotify:episode:{id}").parse().unwrap();
        let chapter = PlayableUri::Chapter(id.parse().unwrap());
        assert_ne!(episode, chapter);
        let mut keys = Keys::default();
        assert_eq!(keys.all(&[Some(episode)]), keys.all(&[Some(chapter)]));
    }
}
