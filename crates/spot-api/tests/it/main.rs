//! Tests of the public API of `spot-api`, with a server that applies Spotify's rules.
// The tests may panic, because a panic makes a test fail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod access;
mod backup;
mod bad_input;
mod convenience;
mod devices;
mod extended;
mod items;
mod long_lists;
mod streams;
mod support;
mod sync;
mod watch;
mod with_tracks_and_items;
