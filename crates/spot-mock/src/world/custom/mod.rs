//! Custom test data: music, users and playlists that extend or replace the generated test data.
//!
//! ```
//! use spot_mock::{MockSpotify, custom};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let world = custom::World::new()
//!     .artist(custom::Artist::new("Ada Quill").genre("attic folk"))
//!     .album(
//!         custom::Album::new("Paper Boats", "Ada Quill")
//!             .released("2024-05-03")
//!             .track(custom::Track::new("Slip").duration_ms(181_000))
//!             .track(custom::Track::new("Keel").id("4keel4keel4keel4keel4k")),
//!     )
//!     .playlist(custom::Playlist::new("On water").item("Keel").item("Slip"))
//!     .saved_tracks(["Slip"]);
//! let mock = MockSpotify::builder().world(world).start().await?;
//! # let _ = mock;
//! # Ok(())
//! # }
//! ```
//!
//! [`World::read`] and the option `--world` of the program load test data from a JSON file. Most
//! fields of the JSON file have default values. The command `spot-mock schema` prints the JSON
//! Schema for files with custom test data.
//!
//! ```
//! # use spot_mock::custom::World;
//! let world = World::from_json(r#"{
//!     "artists": [{ "name": "Ada Quill", "genres": ["attic folk"], "popularity": 40 }],
//!     "albums": [{
//!         "name": "Paper Boats", "artist": "Ada Quill", "type": "album", "released": "2024-05-03",
//!         "tracks": [
//!             { "name": "Slip", "duration_ms": 181000, "explicit": false },
//!             { "name": "Keel", "id": "4keel4keel4keel4keel4k", "guest": "Ada Quill" }
//!         ]
//!     }],
//!     "shows": [{ "name": "Tide Tables", "episodes": [{ "name": "Low water" }] }],
//!     "audiobooks": [{ "name": "The Weir", "author": "B. Holm", "chapters": [{ "name": "One" }] }],
//!     "users": [{ "id": "ada", "display_name": "Ada" }],
//!     "playlists": [{ "name": "On water", "owner": "ada", "public": true, "items": ["Keel"] }],
//!     "saved_tracks": ["Slip"], "saved_albums": [], "followed_artists": ["Ada Quill"]
//! }"#)?;
//! # let _ = world;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! Entries refer to each other by name or id. If two entries have the same name, the name refers to
//! the entry that was added last. An entry without an id gets a generated id. A list of saved or
//! followed entries replaces the generated list of the default user. All other generated lists of
//! the default user stay as they are.
//!
//! [`World::read_backup`] loads test data from a backup of a user's Spotify library.
//!
//! With `"generated": false` or [`World::empty`], the mock has no generated music, podcasts or
//! playlists:
//!
//! ```
//! # use spot_mock::custom::World;
//! let world = World::from_json(r#"{
//!     "generated": false,
//!     "default_user": { "id": "ada", "display_name": "Ada", "premium": false },
//!     "artists": [{ "name": "Ada Quill" }],
//!     "albums": [{ "name": "Paper Boats", "artist": "Ada Quill", "tracks": [
//!         { "name": "Slip", "markets": ["SE", "NO"] },
//!         { "name": "Keel" },
//!         { "name": "Keel (remaster)", "relinked_to": "Keel" }
//!     ]}],
//!     "playlists": [
//!         { "name": "Mixed", "items": ["Keel", null, { "title": "Demo", "seconds": 61 }] },
//!         null
//!     ],
//!     "categories": [{ "name": "Boats" }],
//!     "genres": ["attic-folk"],
//!     "devices": [{ "id": "desk", "name": "Desk", "type": "Computer", "is_active": true }],
//!     "played": ["Keel", "Slip"], "top_tracks": ["Slip"], "top_artists": ["Ada Quill"]
//! }"#)?;
//! # let _ = world;
//! # Ok::<(), std::io::Error>(())
//! ```

mod backup;
mod catalog;
mod music;
mod names;
mod people;
mod saved;
mod spoken;

use std::{io, path::Path};

pub use music::{Album, AlbumType, Artist, Track};
pub(crate) use names::{Names, invalid, own_id};
pub(crate) use people::Item;
pub use people::{Category, LocalFile, Playlist, User};
pub use saved::Saved;
use serde::Deserialize;
pub use spoken::{Audiobook, Chapter, Episode, Show};

use crate::world::device::Device;

/// Custom test data, which extends or replaces the generated test data.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "control", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
#[must_use = "a `World` has no effect until you pass it to a `MockBuilder`"]
pub struct World {
    /// Whether the generated test data is included. Default: true.
    pub(crate) generated: bool,
    pub(crate) artists: Vec<Artist>,
    pub(crate) albums: Vec<Album>,
    pub(crate) shows: Vec<Show>,
    pub(crate) audiobooks: Vec<Audiobook>,
    /// The default user, for whom tokens are created. Default: `mockuser`.
    pub(crate) default_user: Option<User>,
    /// Other users.
    pub(crate) users: Vec<User>,
    /// Playlists, in the order in which they appear in the owner's list. `null` adds a hidden
    /// playlist to the list of the default user.
    pub(crate) playlists: Vec<Option<Playlist>>,
    /// Replaces the categories of the browse pages.
    pub(crate) categories: Option<Vec<Category>>,
    /// Replaces the genres that recommendations accept as seeds.
    pub(crate) genres: Option<Vec<String>>,
    /// Replaces the devices of the default user.
    pub(crate) devices: Option<Vec<Device>>,
    /// Recent plays of the default user, the latest first. A play is given by the name or id of the
    /// track.
    pub(crate) played: Option<Vec<String>>,
    /// Top tracks of the default user, by name or id.
    pub(crate) top_tracks: Option<Vec<String>>,
    /// Top artists of the default user, by name or id.
    pub(crate) top_artists: Option<Vec<String>>,
    /// All saved tracks of the default user, the most recently saved first. Each entry is a name,
    /// an id, or an object with `name` and `added_at`.
    pub(crate) saved_tracks: Option<Vec<Saved>>,
    /// All saved albums of the default user.
    pub(crate) saved_albums: Option<Vec<Saved>>,
    /// All saved shows of the default user.
    pub(crate) saved_shows: Option<Vec<Saved>>,
    /// All saved episodes of the default user.
    pub(crate) saved_episodes: Option<Vec<Saved>>,
    /// All saved audiobooks of the default user.
    pub(crate) saved_audiobooks: Option<Vec<Saved>>,
    /// All artists that the default user follows.
    pub(crate) followed_artists: Option<Vec<String>>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            generated: true,
            artists: Vec::new(),
            albums: Vec::new(),
            shows: Vec::new(),
            audiobooks: Vec::new(),
            default_user: None,
            users: Vec::new(),
            playlists: Vec::new(),
            categories: None,
            genres: None,
            devices: None,
            played: None,
            top_tracks: None,
            top_artists: None,
            saved_tracks: None,
            saved_albums: None,
            saved_shows: None,
            saved_episodes: None,
            saved_audiobooks: None,
            followed_artists: None,
        }
    }
}

impl World {
    /// Creates a `World` without custom entries: the mock serves the generated test data.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates test data that contains only the default user with three devices, and Spotify's own
    /// account.
    pub fn empty() -> Self {
        Self { generated: false, ..Self::default() }
    }

    /// Reads test data from JSON.
    ///
    /// # Errors
    ///
    /// Fails with `InvalidData` if `text` is not valid JSON, or if a field is missing, unknown or
    /// of the wrong type. The message contains the path of the field.
    pub fn from_json(text: &str) -> io::Result<Self> {
        let mut json = serde_json::Deserializer::from_str(text);
        let world = serde_path_to_error::deserialize(&mut json);
        let invalid = |message| io::Error::new(io::ErrorKind::InvalidData, message);
        let world = world.map_err(|error| match error.path().to_string().as_str() {
            // The path is `.` for the root, and `?` if the JSON ends too early.
            "." | "?" => invalid(error.into_inner().to_string()),
            path => invalid(format!("{path}: {}", error.inner())),
        })?;
        json.end().map_err(|error| invalid(error.to_string()))?;
        Ok(world)
    }

    /// Reads test data from a JSON file.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read, or if [`from_json`](Self::from_json) fails. The message
    /// contains the name of the file.
    pub fn read(file: impl AsRef<Path>) -> io::Result<Self> {
        read_text(file.as_ref(), Self::from_json)
    }

    /// Returns the JSON Schema for files with custom test data.
    #[cfg(feature = "control")]
    pub fn json_schema() -> String {
        // Serialization cannot fail: a schema has only string keys and finite numbers.
        serde_json::to_string_pretty(&schemars::schema_for!(Self)).unwrap_or_default()
    }

    /// Adds an artist.
    pub fn artist(mut self, artist: Artist) -> Self {
        self.artists.push(artist);
        self
    }

    /// Adds an album.
    pub fn album(mut self, album: Album) -> Self {
        self.albums.push(album);
        self
    }

    /// Adds a show.
    pub fn show(mut self, show: Show) -> Self {
        self.shows.push(show);
        self
    }

    /// Adds an audiobook.
    pub fn audiobook(mut self, audiobook: Audiobook) -> Self {
        self.audiobooks.push(audiobook);
        self
    }

    /// Sets the default user, for whom tokens are created. Default: a user with the id `mockuser`.
    pub fn default_user(mut self, user: User) -> Self {
        self.default_user = Some(user);
        self
    }

    /// Adds a user.
    pub fn user(mut self, user: User) -> Self {
        self.users.push(user);
        self
    }

    /// Adds a playlist.
    pub fn playlist(mut self, playlist: Playlist) -> Self {
        self.playlists.push(Some(playlist));
        self
    }

    /// Adds a hidden playlist to the list of the default user, where it appears as `null`.
    pub fn hidden_playlist(mut self) -> Self {
        self.playlists.push(None);
        self
    }

    /// Adds a category. The added categories replace the generated categories.
    pub fn category(mut self, category: Category) -> Self {
        self.categories.get_or_insert_default().push(category);
        self
    }

    /// Replaces the genres that recommendations accept as seeds.
    pub fn genres<S: Into<String>>(mut self, genres: impl IntoIterator<Item = S>) -> Self {
        self.genres = Some(texts(genres));
        self
    }

    /// Adds a device of the default user. The added devices replace the three default devices.
    pub fn device(mut self, device: Device) -> Self {
        self.devices.get_or_insert_default().push(device);
        self
    }

    /// Sets the recent plays of the default user, the latest first. A play is given by the name or
    /// id of the track.
    pub fn played<S: Into<String>>(mut self, tracks: impl IntoIterator<Item = S>) -> Self {
        self.played = Some(texts(tracks));
        self
    }

    /// Sets the top tracks of the default user, by name or id.
    pub fn top_tracks<S: Into<String>>(mut self, tracks: impl IntoIterator<Item = S>) -> Self {
        self.top_tracks = Some(texts(tracks));
        self
    }

    /// Sets the top artists of the default user, by name or id.
    pub fn top_artists<S: Into<String>>(mut self, artists: impl IntoIterator<Item = S>) -> Self {
        self.top_artists = Some(texts(artists));
        self
    }

    /// Sets all saved tracks of the default user, the most recently saved first. Each entry is the
    /// name or the id of a track. [`Saved::at`] also sets the time at which the track was saved.
    pub fn saved_tracks<S: Into<Saved>>(mut self, tracks: impl IntoIterator<Item = S>) -> Self {
        self.saved_tracks = Some(saved(tracks));
        self
    }

    /// Sets all saved albums of the default user.
    pub fn saved_albums<S: Into<Saved>>(mut self, albums: impl IntoIterator<Item = S>) -> Self {
        self.saved_albums = Some(saved(albums));
        self
    }

    /// Sets all saved shows of the default user.
    pub fn saved_shows<S: Into<Saved>>(mut self, shows: impl IntoIterator<Item = S>) -> Self {
        self.saved_shows = Some(saved(shows));
        self
    }

    /// Sets all saved episodes of the default user.
    pub fn saved_episodes<S: Into<Saved>>(mut self, episodes: impl IntoIterator<Item = S>) -> Self {
        self.saved_episodes = Some(saved(episodes));
        self
    }

    /// Sets all saved audiobooks of the default user.
    pub fn saved_audiobooks<S: Into<Saved>>(
        mut self,
        audiobooks: impl IntoIterator<Item = S>,
    ) -> Self {
        self.saved_audiobooks = Some(saved(audiobooks));
        self
    }

    /// Sets all artists that the default user follows.
    pub fn followed_artists<S: Into<String>>(
        mut self,
        artists: impl IntoIterator<Item = S>,
    ) -> Self {
        self.followed_artists = Some(texts(artists));
        self
    }
}

fn saved<S: Into<Saved>>(entries: impl IntoIterator<Item = S>) -> Vec<Saved> {
    entries.into_iter().map(Into::into).collect()
}

/// Reads test data from a file. An error message contains the name of the file.
pub(crate) fn read_text(
    file: &Path,
    parse: impl FnOnce(&str) -> io::Result<World>,
) -> io::Result<World> {
    let world = std::fs::read_to_string(file).and_then(|text| parse(&text));
    world.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", file.display())))
}

fn texts<S: Into<String>>(texts: impl IntoIterator<Item = S>) -> Vec<String> {
    texts.into_iter().map(Into::into).collect()
}
