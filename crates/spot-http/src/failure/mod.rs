//! Interprets failures, and decides whether and when a retry is allowed.
//!
//! The pipeline uses this module for calls, and `spot-auth` uses it for token requests, so that
//! both crates treat a failure in the same way. An [`Outcome`] describes what may have happened to
//! the request. A [`Refusal`] contains the message of an error response. [`retry_after`] returns
//! the wait that the server requested, and [`Backoff`] computes the wait that the client chooses.

mod advice;
mod backoff;
mod forbidden;
mod jitter;
mod outcome;
mod redact;
mod refusal;
mod retry_after;

pub use {
    backoff::Backoff,
    jitter::{jitter, random_number},
    outcome::Outcome,
    redact::redact,
    refusal::Refusal,
    retry_after::retry_after,
};

pub(crate) use advice::advise;
pub(crate) use jitter::Jitter;
pub(crate) use refusal::{html_title, refused, start_of};
