//! What `spot-api` does, seen from outside, against a server that knows Spotify's rules.
// A panic is how a test fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod access;
mod backup;
mod bad_input;
mod chunks;
mod convenience;
mod devices;
mod extended;
mod items;
mod story;
mod streams;
mod sync;
mod watch;
mod whole;
