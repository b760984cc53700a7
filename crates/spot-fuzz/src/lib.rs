//! Fuzz targets for all code that parses untrusted text.
//!
//! Each target accepts any bytes, and panics if the tested code breaks a rule. `cargo xtask fuzz`
//! runs the targets with libFuzzer. The test of this crate runs each target with the seed corpus.
//! The seeds of a target are in a directory below `corpus/`.
// A target panics if the tested code breaks a rule, and the fuzzer reports the panic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod auth;
mod calls;
mod generated;
mod ids;
mod mock;
mod models;
mod round_trip;
mod streams;

/// A target: its name, and the function that receives the bytes.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: &[Target] = &[
    ("callback", auth::callback),
    ("ids", ids::ids),
    ("links", calls::links),
    ("listener", auth::listener),
    ("mock_http", mock::http),
    ("mock_world", mock::world),
    ("models", models::models),
    ("refusal", calls::refusal),
    ("retry_after", calls::retry_after_header),
    ("streams", streams::streams),
    ("token_file", auth::token_file),
    ("token_response", auth::token_response),
];

/// Runs the target with this name.
///
/// # Panics
///
/// Panics if no target has this name, or if the tested code breaks a rule of the target.
pub fn run(name: &str, data: &[u8]) {
    let target = TARGETS.iter().find(|(known, _)| *known == name);
    let (_, target) = target.unwrap_or_else(|| panic!("there is no target {name}"));
    target(data);
}

/// Checks that the text of an error is one printable line of at most 500 characters.
fn check_line(text: &str) {
    assert!(text.chars().count() <= 500, "{} characters", text.chars().count());
    assert!(!text.contains(char::is_control), "{text:?}");
}
