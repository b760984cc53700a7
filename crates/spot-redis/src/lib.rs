#![doc = include_str!("../README.md")]

mod connection;
mod limiter;
mod store;
#[cfg(feature = "test")]
pub mod test;

pub use connection::{Redis, RedisBuilder};
pub use limiter::{RedisLimiter, RedisLimiterBuilder};
pub use store::RedisStore;
