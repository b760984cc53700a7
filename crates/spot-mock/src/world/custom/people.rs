//! Users, playlists and categories in custom test data.

use serde::Deserialize;

/// A user.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "control", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[must_use = "a user has no effect until you add it to a `World`"]
pub struct User {
    /// The id, which can be any string.
    pub(crate) id: String,
    /// Display name. Default: none, as for accounts that never set a display name.
    pub(crate) display_name: Option<String>,
    /// Number of followers.
    #[serde(default)]
    pub(crate) followers: u32,
    /// Whether the user has Premium. Without Premium, the player refuses all commands. Default:
    /// true.
    #[serde(default = "yes")]
    pub(crate) premium: bool,
}

/// A playlist.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "control", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[must_use = "a playlist has no effect until you add it to a `World`"]
pub struct Playlist {
    /// Id of 22 characters, each a letter or a digit. Default: a generated id.
    pub(crate) id: Option<String>,
    pub(crate) name: String,
    /// Id of the owner. Default: the default user.
    pub(crate) owner: Option<String>,
    pub(crate) description: Option<String>,
    /// Whether the playlist is shown on its owner's profile. Default: true, except for
    /// collaborative playlists.
    #[serde(default = "yes")]
    pub(crate) public: bool,
    /// Ids of users who may change the playlist.
    #[serde(default)]
    pub(crate) collaborators: Vec<String>,
    /// Items of the playlist: names or ids of tracks and episodes, objects for local files, and
    /// `null` for items that were removed from the catalogue.
    #[serde(default)]
    pub(crate) items: Vec<Option<Item>>,
}

/// An item of a playlist.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "control", derive(schemars::JsonSchema))]
#[serde(
    untagged,
    expecting = "must be a name, an id, null, or an object with the `title` of a local file"
)]
pub(crate) enum Item {
    /// Name or id of a track or an episode.
    Named(String),
    Local(LocalFile),
}

/// A local file in a playlist.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "control", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[must_use = "a local file has no effect until it is added to a playlist"]
pub struct LocalFile {
    pub(crate) title: String,
    #[serde(default)]
    pub(crate) artist: String,
    #[serde(default)]
    pub(crate) album: String,
    /// Length in seconds. Default: 180.
    #[serde(default = "three_minutes")]
    pub(crate) seconds: u32,
}

/// A category of the browse pages.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "control", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[must_use = "a category has no effect until you add it to a `World`"]
pub struct Category {
    /// Default: the name in lower case, with `_` for spaces.
    pub(crate) id: Option<String>,
    pub(crate) name: String,
}

const fn three_minutes() -> u32 {
    180
}

const fn yes() -> bool {
    true
}

impl User {
    /// A user with this id. Any string is a valid id.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), display_name: None, followers: 0, premium: true }
    }

    /// Whether the user has Premium. Without Premium, the player refuses all commands. Default:
    /// yes.
    pub fn premium(mut self, premium: bool) -> Self {
        self.premium = premium;
        self
    }

    /// Display name. Default: none, as for accounts that never set a display name.
    pub fn display_name(mut self, name: impl Into<String>) -> Self {
        self.display_name = Some(name.into());
        self
    }

    /// Number of followers.
    pub fn followers(mut self, followers: u32) -> Self {
        self.followers = followers;
        self
    }
}

impl Playlist {
    /// An empty, public playlist of the default user.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            id: None,
            name: name.into(),
            owner: None,
            description: None,
            public: true,
            collaborators: Vec::new(),
            items: Vec::new(),
        }
    }

    /// Id of 22 characters, each a letter or a digit.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Id of the owner. Default: the default user.
    pub fn owner(mut self, user: impl Into<String>) -> Self {
        self.owner = Some(user.into());
        self
    }

    /// Description.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = Some(text.into());
        self
    }

    /// Whether the playlist is shown on its owner's profile. Default: yes, except for collaborative
    /// playlists.
    pub fn public(mut self, public: bool) -> Self {
        self.public = public;
        self
    }

    /// Lets the user with this id change the playlist.
    pub fn collaborator(mut self, user: impl Into<String>) -> Self {
        self.collaborators.push(user.into());
        self
    }

    /// Appends a track or an episode by its name or id.
    pub fn item(mut self, item: impl Into<String>) -> Self {
        self.items.push(Some(Item::Named(item.into())));
        self
    }

    /// Appends a local file.
    pub fn local_file(mut self, file: LocalFile) -> Self {
        self.items.push(Some(Item::Local(file)));
        self
    }

    /// Appends an item that was removed from the catalogue and appears as `null`.
    pub fn removed_item(mut self) -> Self {
        self.items.push(None);
        self
    }
}

impl LocalFile {
    /// A local file with this title and no other tags.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            artist: String::new(),
            album: String::new(),
            seconds: three_minutes(),
        }
    }

    /// Artist.
    pub fn artist(mut self, artist: impl Into<String>) -> Self {
        self.artist = artist.into();
        self
    }

    /// Album.
    pub fn album(mut self, album: impl Into<String>) -> Self {
        self.album = album.into();
        self
    }

    /// Length in seconds. Default: 180.
    pub fn seconds(mut self, seconds: u32) -> Self {
        self.seconds = seconds;
        self
    }
}

impl Category {
    /// A category with this name. The id of the category is the name in lower case, with `_` for
    /// spaces.
    pub fn new(name: impl Into<String>) -> Self {
        Self { id: None, name: name.into() }
    }

    /// Id.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }
}
