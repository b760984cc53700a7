#![doc = include_str!("../README.md")]

mod answer;
mod error;
mod gate;
mod options;
mod pipeline;
mod player_reason;
mod request;
#[cfg(feature = "reqwest")]
mod reqwest_transport;
mod response;
mod retry;
mod token;
mod transport;

pub use async_trait::async_trait;
pub use error::{Error, ErrorKind};
pub use options::CallOptions;
pub use pipeline::{Pipeline, PipelineBuilder};
pub use player_reason::PlayerReason;
pub use request::{Body, Request};
#[cfg(feature = "reqwest")]
pub use reqwest_transport::{ReqwestTransport, ReqwestTransportBuilder};
pub use response::Response;
pub use token::{AccessToken, TokenSource};
pub use transport::{Transport, TransportError, TransportErrorKind};
