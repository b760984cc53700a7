#![doc = include_str!("../README.md")]
// Shows on docs.rs which feature an item needs.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod callback_tokens;
mod error;
pub mod failure;
mod pipeline;
mod rate_limit;
mod request;
mod response;
mod task;
mod token;
mod transport;

pub use async_trait::async_trait;
#[doc(hidden)]
pub use rate_limit::parts as limiter_parts;

#[cfg(feature = "cache")]
pub use pipeline::Cache;
#[cfg(feature = "test")]
pub use transport::test;
#[cfg(feature = "reqwest")]
pub use transport::{ReqwestTransport, ReqwestTransportBuilder};
pub use {
    callback_tokens::CallbackTokens,
    error::{Error, ErrorKind, ForbiddenCause, PlayerReason},
    pipeline::{CallOptions, Event, Observer, ObserverQueue, Pipeline, PipelineBuilder},
    rate_limit::{
        AttemptEnd, ClosedOperation, Feedback, FileLimiter, Limits, LocalLimiter, Permit,
        PermitRequest, Priority, RateLimit, RateLimiter,
    },
    request::{Body, Request},
    response::Response,
    token::{AccessToken, TokenSource},
    transport::{Transport, TransportError, TransportErrorKind},
};
