//! Integration tests over HTTP. The client does not use the internals of the mock.

// Tests fail by panicking, also in shared functions.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

mod accounts;
mod apps;
mod backup;
mod browser;
mod catalogue;
#[cfg(feature = "cli")]
mod command_line;
#[cfg(feature = "control")]
mod control;
mod custom;
mod custom_only_worlds;
mod every_operation;
mod faults;
mod fields;
mod gate;
mod library;
mod player;
mod player_reasons;
mod playlists;
mod search;
mod spoken;
mod spotify_quirks;
mod support;
#[cfg(feature = "tls")]
mod tls;
