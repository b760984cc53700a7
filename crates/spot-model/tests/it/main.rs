//! What the models do, seen from outside.
// A panic is how a test fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod binary;
mod fixtures;
mod generated;
mod ids;
mod mutations;
mod pages;
mod tolerance;
