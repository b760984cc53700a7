//! Compares the mock and the models with Spotify's official document or with recorded responses of
//! Spotify. `cargo xtask drift` is in the package `xtask`, because that comparison does not use the
//! mock or the models.

pub(crate) mod answer;
pub(crate) mod conform;
pub(crate) mod payloads;
pub(crate) mod shapes;

mod recorded;
