//! Tests of longer scenarios with `spot-sdk`. These tests have a separate binary, because the test
//! `secrets` of the binary `it` reads every log line of its process.
// The tests may panic, because a panic makes a test fail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod blocking;
mod mistakes;
