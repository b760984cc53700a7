//! Stories told over HTTP, by a client that knows nothing of the mock's insides.

// Tests end by panicking; helpers outside of test functions do so as well.
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
