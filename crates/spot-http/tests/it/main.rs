//! Integration tests of the HTTP layer: transport, retries and rate limits.
// Tests fail by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[cfg(feature = "cache")]
mod cache;
mod call_delays;
mod exchanges;
mod faults;
mod forbidden;
mod hostile_code;
mod http2;
mod limits;
mod malformed;
mod malicious_responses;
mod observer;
mod rate_limit_file;
mod retries;
mod script;
mod secrets;
mod simulation;
#[cfg(feature = "test")]
mod test_transports;
