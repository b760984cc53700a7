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
mod behaviour;
mod browser;
mod catalogue;
#[cfg(feature = "control")]
mod control;
mod custom;
mod faults;
mod fields;
mod gate;
mod library;
mod player;
mod player_reasons;
mod playlists;
#[cfg(feature = "cli")]
mod program;
mod search;
mod spoken;
mod support;
#[cfg(feature = "tls")]
mod tls;
mod whole_table;
mod whole_worlds;
