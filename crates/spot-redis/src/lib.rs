#![doc = include_str!("../README.md")]

mod connection;

pub use connection::{Redis, RedisBuilder};
