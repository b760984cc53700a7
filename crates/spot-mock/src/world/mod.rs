//! The catalogue, the users, and custom test data.
//!
//! A [`World`] never changes while a mock uses it. Mutable data (libraries, playlists, players) is
//! in [`crate::state`].

mod arena;
mod catalog;
pub mod custom;
mod device;
mod generate;
mod id;
mod markets;
mod music;
mod names;
mod normalize;
mod people;
mod rng;
mod search_index;
mod spoken;

pub(crate) use arena::{Arena, Key};
pub(crate) use catalog::{Kind, World};
pub use device::Device;
pub(crate) use generate::{bare, generate};
pub(crate) use id::Id;
pub(crate) use markets::{Availability, HOME, MARKETS};
pub(crate) use music::{Album, AlbumKind, Artist, Image, Track};
pub(crate) use names::Name;
pub(crate) use normalize::normalize;
pub(crate) use people::{Category, User};
pub(crate) use rng::{Rng, mix};
pub(crate) use search_index::{SearchIndex, Texts};
pub(crate) use spoken::{Audiobook, Chapter, Episode, Show};
