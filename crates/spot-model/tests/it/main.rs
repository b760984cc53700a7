//! Tests of the public API of `spot-model`.
// The tests may panic, because a panic makes a test fail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod binary;
mod fixtures;
mod generated;
mod ids;
mod mutations;
mod pages;
mod tolerance;
