#![doc = include_str!("../README.md")]
// Shows on docs.rs which feature an item needs.
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "blocking")]
mod blocking;
mod chunks;
mod client;
mod client_builder;
mod device;
mod fields;
mod generated;
mod input;
mod items;
mod links;
mod market;
mod optional;
mod page;
mod page_plan;
mod pages;
mod playback;
mod playlists;
mod search;
mod search_query;
mod send;
mod sync;
mod task;
mod watch;
mod whole;

pub use spot_http::{
    CallOptions, ClosedOperation, Error, ErrorKind, ForbiddenCause, Limits, PlayerReason, Priority,
    Request, Response,
};
pub use spot_model as model;
pub use spot_model::AccessMode;

#[cfg(feature = "blocking")]
pub use blocking::{Blocking, BlockingIter, BlockingStream};
pub use client::Client;
pub use client_builder::ClientBuilder;
pub use device::PlayerDevice;
pub use fields::Fields;
pub use generated::*;
pub use items::Items;
pub use market::Market;
pub use optional::Optional;
pub use page::Paged;
pub use page_plan::Position;
pub use pages::Pages;
pub use playback::PlaybackOffset;
pub use search::{SearchFor, SearchItem};
pub use search_query::SearchQuery;
pub use send::ApiRequest;
pub use sync::{LibraryChanges, PlaylistContents, SyncPlan, SyncPlaylist};
pub use watch::{PlaybackChange, PlaybackEvent, PlaybackWatch, WatchHandle};
pub use whole::Whole;
