//! Compares the mock and the models with something outside the project: an official document, or
//! recorded responses of Spotify. (`cargo xtask drift` compares the spec; it needs neither.)

pub(crate) mod answer;
pub(crate) mod conform;
pub(crate) mod payloads;
pub(crate) mod shapes;

mod recorded;
