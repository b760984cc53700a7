#![doc = include_str!("../README.md")]

mod accounts;
mod builder;
mod call;
mod clock;
mod device;
mod exchange;
mod faults;
mod fields;
mod gate;
mod handlers;
mod json;
mod limits;
mod listener;
mod log;
mod query;
mod render;
mod reply;
mod server;
mod state;
mod table;
mod world;
mod world_ids;

pub use accounts::{Consent, RefreshPolicy};
pub use builder::MockBuilder;
pub use call::Mode;
pub use device::Device;
pub use faults::Fault;
pub use log::RecordedRequest;
pub use server::MockSpotify;
pub use world_ids::WorldIds;
