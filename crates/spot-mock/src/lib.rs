#![doc = include_str!("../README.md")]
// Shows on docs.rs which feature an item needs.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod accounts;
mod api;
mod clock;
#[cfg(feature = "control")]
mod control;
mod faults;
mod http;
mod render;
mod server;
mod settings;
mod state;
mod world;

/// Entry points for fuzzing. Not part of the public API.
#[cfg(feature = "fuzzing")]
pub mod fuzzing {
    pub use crate::server::InMemory;
}

pub use accounts::{App, Consent, RefreshPolicy};
pub use faults::{Corruption, Fault, RandomFaults};
pub use http::log::RecordedRequest;
pub use server::{MockBuilder, MockSpotify, RegisteredApp};
pub use settings::{Mode, PlaylistFields};
pub use state::{EarlyRetryPolicy, WorldIds};
pub use world::{Device, custom};
