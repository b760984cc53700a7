//! The content of an instance.

use std::sync::OnceLock;

use crate::{
    accounts::Apps,
    render::TrackCache,
    world::{Rng, SearchIndex, World},
};

/// The immutable part of an instance.
pub(crate) struct Content {
    pub(crate) world: World,
    pub(crate) apps: Apps,
    /// Generates the tokens. Each state starts with a copy of this generator.
    pub(crate) rng: Rng,
    pub(crate) track_cache: TrackCache,
    pub(crate) search_index: OnceLock<SearchIndex>,
}
