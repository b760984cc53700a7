//! A world of one's own: music, users and playlists to add to the made-up ones.
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
//! The same as a file, for [`World::read`] and the program's `--world`; every field but a name may
//! be left out:
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
//! Things are referred to by their names, or by the ids they have or were given. What has no id
//! of its own gets one like the made-up things. The default user's library stays as it is made
//! up, but for the lists that are given: those are all the user has of that kind.

mod catalog;
mod music;
mod names;
mod people;
mod spoken;

use std::{io, path::Path};

pub use music::{Album, AlbumType, Artist, Track};
pub(crate) use names::{Names, invalid, own_id};
pub use people::{Playlist, User};
use serde::Deserialize;
pub use spoken::{Audiobook, Chapter, Episode, Show};

/// What is added to the made-up world.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "control", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
#[must_use = "a world is of no use before a builder has it"]
pub struct World {
    pub(crate) artists: Vec<Artist>,
    pub(crate) albums: Vec<Album>,
    pub(crate) shows: Vec<Show>,
    pub(crate) audiobooks: Vec<Audiobook>,
    pub(crate) users: Vec<User>,
    pub(crate) playlists: Vec<Playlist>,
    pub(crate) saved_tracks: Option<Vec<String>>,
    pub(crate) saved_albums: Option<Vec<String>>,
    pub(crate) saved_shows: Option<Vec<String>>,
    pub(crate) saved_episodes: Option<Vec<String>>,
    pub(crate) saved_audiobooks: Option<Vec<String>>,
    pub(crate) followed_artists: Option<Vec<String>>,
}

impl World {
    /// Nothing but what is made up.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a world from JSON.
    ///
    /// # Errors
    ///
    /// `InvalidData` if it is no JSON, or a field is missing, unknown or of the wrong type; the
    /// message names it.
    pub fn from_json(text: &str) -> io::Result<Self> {
        let mut json = serde_json::Deserializer::from_str(text);
        let world = serde_path_to_error::deserialize(&mut json);
        let invalid = |message| io::Error::new(io::ErrorKind::InvalidData, message);
        let world = world.map_err(|error| match error.path().to_string().as_str() {
            // The top, or a place that has no name because the text ends there.
            "." | "?" => invalid(error.into_inner().to_string()),
            path => invalid(format!("{path}: {}", error.inner())),
        })?;
        json.end().map_err(|error| invalid(error.to_string()))?;
        Ok(world)
    }

    /// Reads a world from a JSON file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, and those of [`from_json`](Self::from_json). The message names
    /// the file.
    pub fn read(file: impl AsRef<Path>) -> io::Result<Self> {
        let file = file.as_ref();
        let text = std::fs::read_to_string(file);
        let world = text.and_then(|text| Self::from_json(&text));
        world.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", file.display())))
    }

    /// The JSON Schema of a world file, as text.
    #[cfg(feature = "control")]
    pub fn json_schema() -> String {
        // A schema has text keys and finite numbers only, which always become JSON.
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

    /// Adds a user.
    pub fn user(mut self, user: User) -> Self {
        self.users.push(user);
        self
    }

    /// Adds a playlist.
    pub fn playlist(mut self, playlist: Playlist) -> Self {
        self.playlists.push(playlist);
        self
    }

    /// All tracks the default user has saved, the last saved first, by names or ids.
    pub fn saved_tracks<S: Into<String>>(mut self, tracks: impl IntoIterator<Item = S>) -> Self {
        self.saved_tracks = Some(texts(tracks));
        self
    }

    /// All albums the default user has saved.
    pub fn saved_albums<S: Into<String>>(mut self, albums: impl IntoIterator<Item = S>) -> Self {
        self.saved_albums = Some(texts(albums));
        self
    }

    /// All shows the default user has saved.
    pub fn saved_shows<S: Into<String>>(mut self, shows: impl IntoIterator<Item = S>) -> Self {
        self.saved_shows = Some(texts(shows));
        self
    }

    /// All episodes the default user has saved.
    pub fn saved_episodes<S: Into<String>>(
        mut self,
        episodes: impl IntoIterator<Item = S>,
    ) -> Self {
        self.saved_episodes = Some(texts(episodes));
        self
    }

    /// All audiobooks the default user has saved.
    pub fn saved_audiobooks<S: Into<String>>(
        mut self,
        audiobooks: impl IntoIterator<Item = S>,
    ) -> Self {
        self.saved_audiobooks = Some(texts(audiobooks));
        self
    }

    /// All artists the default user follows.
    pub fn followed_artists<S: Into<String>>(
        mut self,
        artists: impl IntoIterator<Item = S>,
    ) -> Self {
        self.followed_artists = Some(texts(artists));
        self
    }
}

fn texts<S: Into<String>>(texts: impl IntoIterator<Item = S>) -> Vec<String> {
    texts.into_iter().map(Into::into).collect()
}
