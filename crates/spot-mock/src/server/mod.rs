//! The server: configures a mock, listens, and handles requests.

mod builder;
mod content;
mod exchange;
mod home;
#[cfg(feature = "fuzzing")]
mod in_memory;
mod instance;
mod listener;
mod mock;
mod recipe;
mod response;
mod site;
#[cfg(feature = "tls")]
mod tls;

pub use builder::MockBuilder;
#[cfg(feature = "fuzzing")]
pub use in_memory::InMemory;
#[cfg(feature = "control")]
pub(crate) use instance::{Instance, Live};
pub use mock::{MockSpotify, RegisteredApp};
#[cfg(feature = "control")]
pub(crate) use recipe::Recipe;
#[cfg(feature = "control")]
pub(crate) use site::Site;
