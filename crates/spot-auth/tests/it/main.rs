//! Integration tests of sign-in, sessions and token stores.

// Tests and their helper functions fail by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[cfg(feature = "loopback")]
mod browser;
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
mod pending_sign_in;
mod processes;
mod rejected_access_tokens;
mod runtimes;
mod scripted_accounts;
mod secrets;
mod short_lived_programs;
mod sign_in_scenarios;
mod single_flight;
mod stores;
mod stores_without_locks;
mod unusual_token_responses;
