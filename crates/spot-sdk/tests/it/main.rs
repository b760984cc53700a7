//! Tests of `spot-sdk` that no other crate can contain.
// The tests may panic, because a panic makes a test fail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod coming_from;
mod glob;
mod secrets;
