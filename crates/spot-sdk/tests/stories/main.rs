//! Tests of longer scenarios with `spot-sdk`. They are in a separate binary, because the test that
//! reads all logs would also read their logs.
// A test fails by a panic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod blocking;
mod mistakes;
