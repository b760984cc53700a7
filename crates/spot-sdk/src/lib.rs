//! The Spotify Web API for Rust.
