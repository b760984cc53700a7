//! Tests of longer scenarios with `spot-sdk`. These tests are in a separate binary. Otherwise, the
//! test that reads all logs would also read the logs of these tests.
// The tests may panic, because a panic makes a test fail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod blocking;
mod mistakes;
