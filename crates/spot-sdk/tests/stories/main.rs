//! Whole stories through the facade. They are apart from the test that reads every log, which would
//! hear of them.
// A panic is how a test fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod blocking;
mod mistakes;
