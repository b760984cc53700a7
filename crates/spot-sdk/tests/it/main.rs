//! Tests of `spot-sdk` that no other crate can contain.
// A test fails by a panic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod canary;
mod coming_from;
mod glob;
