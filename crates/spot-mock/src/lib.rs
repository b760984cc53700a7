#![doc = include_str!("../README.md")]

mod accounts;
mod builder;
mod call;
mod clock;
pub mod custom;
mod device;
mod exchange;
mod faults;
mod fields;
mod gate;
mod handlers;
mod html;
mod json;
mod limits;
mod listener;
mod log;
mod oddities;
mod page;
mod query;
mod render;
mod reply;
mod server;
mod state;
mod table;
mod world;
mod world_ids;

pub use accounts::{App, Consent, PlaylistFields, RefreshPolicy};
pub use builder::MockBuilder;
pub use call::Mode;
pub use device::Device;
pub use faults::{Fault, Oddity, RandomFaults};
pub use limits::Ignored;
pub use log::RecordedRequest;
pub use server::{MockSpotify, RegisteredApp};
pub use world_ids::WorldIds;
