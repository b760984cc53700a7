//! Compares the mock and the models with external data: Spotify's official document, or recorded
//! responses of Spotify. (`cargo xtask drift` compares the spec, and needs neither the mock nor the
//! models.)

pub(crate) mod answer;
pub(crate) mod conform;
pub(crate) mod payloads;
pub(crate) mod shapes;

mod recorded;
