//! The server: a mock is built, listens, and answers.

mod builder;
mod exchange;
mod home;
mod listener;
mod mock;
mod response;
mod shared;

pub use builder::MockBuilder;
pub use mock::{MockSpotify, RegisteredApp};
