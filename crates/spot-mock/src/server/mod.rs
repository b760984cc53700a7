//! The server: a mock is built, listens, and answers.

mod builder;
mod exchange;
mod home;
mod instance;
mod listener;
mod mock;
mod recipe;
mod response;
mod site;
#[cfg(feature = "tls")]
mod tls;

pub use builder::MockBuilder;
pub(crate) use instance::{Instance, Live};
pub use mock::{MockSpotify, RegisteredApp};
pub(crate) use recipe::Recipe;
pub(crate) use site::Site;
