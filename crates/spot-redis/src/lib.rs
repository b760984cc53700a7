#![doc = include_str!("../README.md")]

#[cfg(feature = "test")]
pub mod test;
