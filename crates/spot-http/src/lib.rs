#![doc = include_str!("../README.md")]

#[cfg(feature = "reqwest")]
mod address;
mod answer;
mod budget;
mod builder;
#[cfg(feature = "cache")]
mod cache;
mod call;
mod error;
mod gate;
mod observer;
mod options;
mod pipeline;
mod place;
mod player_reason;
mod rate_limit;
mod request;
#[cfg(feature = "reqwest")]
mod reqwest_transport;
mod response;
mod retry;
#[cfg(feature = "test")]
pub mod test;
mod token;
mod trace;
mod transport;
mod window;

pub use async_trait::async_trait;
pub use builder::PipelineBuilder;
#[cfg(feature = "cache")]
pub use cache::Cache;
pub use error::{Error, ErrorKind};
pub use observer::{Event, Observer};
pub use options::CallOptions;
pub use pipeline::Pipeline;
pub use player_reason::PlayerReason;
pub use rate_limit::{Lane, RateLimit, RateLimitState};
pub use request::{Body, Request};
#[cfg(feature = "reqwest")]
pub use reqwest_transport::{ReqwestTransport, ReqwestTransportBuilder};
pub use response::Response;
pub use token::{AccessToken, TokenSource};
pub use transport::{Transport, TransportError, TransportErrorKind};
