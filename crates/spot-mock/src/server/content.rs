//! The content of an instance.

use std::sync::OnceLock;

use crate::{
    accounts::Apps,
    render::TrackCache,
    world::{Rng, SearchIndex, World},
};

/// What does not change while requests are answered.
pub(crate) struct Content {
    pub(crate) world: World,
    pub(crate) apps: Apps,
    /// Makes the tokens; each state begins with a copy.
    pub(crate) rng: Rng,
    pub(crate) track_cache: TrackCache,
    pub(crate) search_index: OnceLock<SearchIndex>,
}
