//! Integration tests of sign-in, sessions and token stores.

// Tests and their helper functions fail by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[cfg(feature = "loopback")]
mod browser;
mod canary;
mod client_credentials;
mod crash;
mod environment;
mod examples;
mod files;
#[cfg(feature = "fuzzing")]
mod fuzzing;
mod hostile_code;
mod hostile_files;
#[cfg(feature = "keyring")]
mod keyring;
#[cfg(feature = "loopback")]
mod listener_fuzz;
mod odd_answers;
mod pending_sign_in;
mod processes;
mod refused_tokens;
mod runtimes;
mod script;
mod short_programs;
mod single_flight;
mod stores;
mod stories;
mod without_locks;
