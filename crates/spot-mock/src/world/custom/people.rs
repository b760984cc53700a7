//! Users and playlists of one's own.

use serde::Deserialize;

/// Somebody with an account.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "control", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[must_use = "a user exists once it was added to a world"]
pub struct User {
    pub(crate) id: String,
    pub(crate) display_name: Option<String>,
    #[serde(default)]
    pub(crate) followers: u32,
}

/// A playlist, which its owner sees first in their list.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "control", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[must_use = "a playlist exists once it was added to a world"]
pub struct Playlist {
    pub(crate) id: Option<String>,
    pub(crate) name: String,
    pub(crate) owner: Option<String>,
    pub(crate) description: Option<String>,
    #[serde(default = "yes")]
    pub(crate) public: bool,
    #[serde(default)]
    pub(crate) collaborators: Vec<String>,
    #[serde(default)]
    pub(crate) items: Vec<String>,
}

const fn yes() -> bool {
    true
}

impl User {
    /// A user with this id, which may be any text.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), display_name: None, followers: 0 }
    }

    /// The name that is shown. Default: none, as with accounts that never set one.
    pub fn display_name(mut self, name: impl Into<String>) -> Self {
        self.display_name = Some(name.into());
        self
    }

    /// How many follow the user.
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

    /// The id, 22 letters and digits.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// The id of its owner.
    pub fn owner(mut self, user: impl Into<String>) -> Self {
        self.owner = Some(user.into());
        self
    }

    /// The description.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = Some(text.into());
        self
    }

    /// Whether it is on its owner's profile. Default: yes; not if it has collaborators.
    pub fn public(mut self, public: bool) -> Self {
        self.public = public;
        self
    }

    /// Lets another user, of this id, change what is in it.
    pub fn collaborator(mut self, user: impl Into<String>) -> Self {
        self.collaborators.push(user.into());
        self
    }

    /// Adds a track or an episode, by its name or id, behind the others.
    pub fn item(mut self, item: impl Into<String>) -> Self {
        self.items.push(item.into());
        self
    }
}
