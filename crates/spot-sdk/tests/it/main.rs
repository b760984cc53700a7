//! What the facade promises beyond its parts.
// A panic is how a test fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod canary;
mod coming_from;
mod glob;
