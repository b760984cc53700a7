#![doc = include_str!("../README.md")]

mod connection;
mod store;
#[cfg(feature = "test")]
pub mod test;

pub use connection::{Redis, RedisBuilder};
pub use store::RedisStore;
