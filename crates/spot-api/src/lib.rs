#![doc = include_str!("../README.md")]

mod access;
mod arrival;
mod chunks;
mod client;
mod fields;
mod generated;
mod input;
mod items;
mod links;
mod market;
mod pages;
mod plan;
mod playback;
mod playlists;
mod search;
mod sync;
mod watch;

pub use spot_http::{CallOptions, Error, ErrorKind, Lane, PlayerReason, Request, Response};
pub use spot_model as model;

pub use access::AccessMode;
pub use client::Client;
pub use fields::Fields;
pub use generated::*;
pub use items::Items;
pub use market::Market;
pub use pages::{Paged, Pages, Position};
pub use playback::PlaybackOffset;
pub use search::{SearchFor, SearchItem, SearchQuery};
pub use sync::{PlaylistContents, SyncPlan, SyncPlaylist};
pub use watch::{PlaybackChange, PlaybackEvent, PlaybackWatch, WatchHandle};
