#![doc = include_str!("../README.md")]
// Shows on docs.rs which feature an item needs.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod connection;
mod limiter;
mod script;
mod store;
#[cfg(feature = "test")]
pub mod test;

pub use connection::{Redis, RedisBuilder};
pub use limiter::{RedisLimiter, RedisLimiterBuilder};
pub use store::RedisStore;
