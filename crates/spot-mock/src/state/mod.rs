//! Mutable state of a mock: libraries, playlists, players, tokens, limits.

mod account;
mod custom;
mod history;
mod library;
mod limits;
mod permissions;
mod playback;
mod player;
mod playlist;
mod restriction;
mod seed;
mod store;
mod world_ids;

pub(crate) use account::Account;
pub(crate) use history::Play;
pub(crate) use library::{Library, ListSlot, Saved};
pub use limits::EarlyRetryPolicy;
pub(crate) use limits::{LimitReached, Limits, RateLimiter};
pub(crate) use playback::{Context, ContextKind, Playable, Repeat};
pub(crate) use player::Player;
pub(crate) use playlist::{Item, LocalFile, PLAYLIST_CAPACITY, Playlist, PlaylistEntry};
pub(crate) use restriction::{Command, Restriction};
pub(crate) use store::State;
pub use world_ids::WorldIds;
