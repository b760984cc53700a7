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
mod behaviour;
mod catalogue;
mod custom;
mod faults;
mod fields;
mod gate;
mod library;
mod player;
mod player_reasons;
mod playlists;
mod program;
mod search;
mod spoken;
mod support;
mod whole_table;
