//! Renders entries of the test data as JSON. In Development Mode, objects have fewer fields.

mod fields;
mod music;
mod page;
mod people;
mod player;
mod playlist;
mod renderer;
mod spoken;
mod track_cache;

pub(crate) use fields::Fields;
pub(crate) use page::page;
pub(crate) use playlist::Viewer;
pub(crate) use renderer::Render;
pub(crate) use track_cache::TrackCache;
