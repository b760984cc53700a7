//! Tests of longer scenarios with `spot-sdk`. The tests are in a separate binary, so that the
//! canary test, which reads all logs of its binary, does not read their logs.
// The tests may panic, because a panic makes a test fail.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod blocking;
mod mistakes;
