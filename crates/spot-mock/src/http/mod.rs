//! HTTP messages: queries, replies, JSON, and the log of requests.

pub(crate) mod html;
pub(crate) mod json;
pub(crate) mod log;
pub(crate) mod query;
pub(crate) mod reply;
