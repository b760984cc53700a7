//! Playlists: entries, versions and permissions.

use std::collections::HashMap;

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    clock::Moment,
    world::{Arena, Episode, Id, Key, Track, User, World, mix},
};

/// Maximum number of entries of a playlist.
pub(crate) const PLAYLIST_CAPACITY: usize = 11_000;

/// All playlists of all users.
#[derive(Debug)]
pub(crate) struct Playlists {
    all: Arena<Playlist>,
    by_id: HashMap<Id, Key<Playlist>>,
}

/// A playlist.
#[derive(Debug)]
pub(crate) struct Playlist {
    pub(crate) id: Id,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) owner: Key<User>,
    pub(crate) public: bool,
    pub(crate) collaborative: bool,
    pub(crate) collaborators: Vec<Key<User>>,
    /// Whether this is one of Spotify's own playlists. Spotify's playlists are hidden from most
    /// applications.
    pub(crate) editorial: bool,
    pub(crate) followers: u32,
    pub(crate) entries: Vec<PlaylistEntry>,
    /// Name of the uploaded cover.
    pub(crate) cover: Option<String>,
    /// Version of the contents, which increases with every change.
    revision: u32,
}

/// An entry of a playlist.
#[derive(Clone, Debug)]
pub(crate) struct PlaylistEntry {
    pub(crate) item: Item,
    /// The time at which the entry was added, and the user who added it. Entries of very old
    /// playlists do not have this data.
    pub(crate) added: Option<(Moment, Key<User>)>,
}

/// Content of a playlist entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Track(Key<Track>),
    Episode(Key<Episode>),
    Local(Box<LocalFile>),
    /// An item that was removed from the catalogue; the entry remains.
    Removed,
}

/// A local file, identified by its tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LocalFile {
    pub(crate) artist: String,
    pub(crate) album: String,
    pub(crate) title: String,
    pub(crate) seconds: u32,
}

impl Item {
    /// The URI that identifies the item in a `DELETE` request; `None` for removed items.
    pub(crate) fn uri(&self, world: &World) -> Option<String> {
        match self {
            Self::Track(key) => Some(format!("spotify:track:{}", world.tracks[*key].id)),
            Self::Episode(key) => Some(format!("spotify:episode:{}", world.episodes[*key].id)),
            Self::Local(file) => Some(file.uri()),
            Self::Removed => None,
        }
    }
}

impl LocalFile {
    pub(crate) fn uri(&self) -> String {
        let part =
            |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        format!(
            "spotify:local:{}:{}:{}:{}",
            part(&self.artist),
            part(&self.album),
            part(&self.title),
            self.seconds
        )
    }
}

impl Playlist {
    pub(crate) fn new(id: Id, name: String, owner: Key<User>) -> Self {
        Self {
            id,
            name,
            description: None,
            owner,
            public: true,
            collaborative: false,
            collaborators: Vec::new(),
            editorial: false,
            followers: 0,
            entries: Vec::new(),
            cover: None,
            revision: 1,
        }
    }

    /// Whether the user may change the items. In Development Mode, only users who may change the
    /// items may see them.
    pub(crate) fn is_written_by(&self, user: Key<User>) -> bool {
        self.owner == user || (self.collaborative && self.collaborators.contains(&user))
    }

    /// Snapshot id of the current version.
    pub(crate) fn snapshot_id(&self) -> String {
        self.snapshot_of(self.revision)
    }

    /// Whether the playlist has or had a version with this snapshot id.
    pub(crate) fn had_snapshot(&self, snapshot_id: &str) -> bool {
        (1..=self.revision).any(|revision| self.snapshot_of(revision) == snapshot_id)
    }

    /// Records a change of the contents or the details.
    pub(crate) fn changed(&mut self) {
        self.revision = self.revision.saturating_add(1);
    }

    /// Moves `length` entries, starting at `start`, before the entry at `before`. The caller must
    /// check that the positions exist.
    pub(crate) fn reorder(&mut self, start: usize, length: usize, before: usize) {
        let end = start.saturating_add(length).min(self.entries.len());
        let moved: Vec<_> = self.entries.drain(start..end).collect();
        let target = match before {
            before if before >= end => before - moved.len(),
            before => before.min(start),
        };
        self.entries.splice(target..target, moved);
        self.changed();
    }

    fn snapshot_of(&self, revision: u32) -> String {
        let text = self.id.as_str().bytes().fold(0, |state, byte| mix(state ^ u64::from(byte)));
        let mut bytes = revision.to_be_bytes().to_vec();
        for part in 0..3 {
            bytes.extend(mix(text ^ (u64::from(revision) << 8) ^ part).to_be_bytes());
        }
        bytes.truncate(24);
        STANDARD.encode(bytes)
    }
}

impl Playlists {
    pub(crate) fn add(&mut self, playlist: Playlist) -> Key<Playlist> {
        let id = playlist.id;
        let key = self.all.push(playlist);
        self.by_id.insert(id, key);
        key
    }

    pub(crate) fn find(&self, id: &Id) -> Option<Key<Playlist>> {
        self.by_id.get(id).copied()
    }

    pub(crate) fn get(&self, key: Key<Playlist>) -> &Playlist {
        &self.all[key]
    }

    pub(crate) fn get_mut(&mut self, key: Key<Playlist>) -> &mut Playlist {
        &mut self.all[key]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key<Playlist>, &Playlist)> {
        self.all.iter()
    }

    /// Generates an unused id. Two runs that create playlists in the same order generate the same
    /// ids.
    pub(crate) fn fresh_id(&self) -> Id {
        Id::numbered("Playlist", self.all.next_key().place())
    }
}

impl Default for Playlists {
    fn default() -> Self {
        Self { all: Arena::with_capacity(128), by_id: HashMap::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::generate;

    fn playlist(count: u32) -> Playlist {
        let world = generate(1);
        let mut playlist =
            Playlist::new(Id::numbered("Playlist", 0), "P".to_owned(), world.listener());
        for key in world.tracks.keys().take(count as usize) {
            playlist.entries.push(PlaylistEntry { item: Item::Track(key), added: None });
        }
        playlist
    }

    fn places(playlist: &Playlist) -> Vec<u32> {
        let place = |entry: &PlaylistEntry| match entry.item {
            Item::Track(key) => key.place(),
            _ => u32::MAX,
        };
        playlist.entries.iter().map(place).collect()
    }

    #[test]
    fn reorder_moves_a_range_forwards_and_backwards() {
        let mut list = playlist(6);
        list.reorder(0, 2, 5);
        assert_eq!(places(&list), [2, 3, 4, 0, 1, 5]);
        list.reorder(3, 2, 0);
        assert_eq!(places(&list), [0, 1, 2, 3, 4, 5]);
        list.reorder(1, 1, 6);
        assert_eq!(places(&list), [0, 2, 3, 4, 5, 1]);
    }

    #[test]
    fn reorder_creates_a_new_snapshot_id_and_old_ids_stay_known() {
        let mut list = playlist(3);
        let first = list.snapshot_id();
        list.reorder(0, 1, 3);
        assert_ne!(list.snapshot_id(), first);
        assert!(list.had_snapshot(&first));
        assert!(!list.had_snapshot("AAAAAAAA"));
        assert_eq!(first.len(), 32);
    }
}
