//! How calls get there and back, seen from outside.
// A panic is how a test fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[cfg(feature = "cache")]
mod cache;
#[cfg(feature = "test")]
mod doubles;
mod exchanges;
mod faults;
mod forbidden;
mod freezes;
mod hostile;
mod hostile_code;
mod http2;
mod limits;
mod observer;
mod rate_limit_file;
mod retries;
mod script;
mod secrets;
mod simulation;
