//! Tests of longer scenarios with `spot-sdk`. These tests have a separate binary, because the
//! canary test reads all logs of its own binary.
// The tests may panic, because a panic makes a test fail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod blocking;
mod mistakes;
