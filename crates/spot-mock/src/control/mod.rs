//! The control interface: tests in other languages control a mock with JSON over HTTP.
//!
//! Each operation is a row of [`table::OPERATIONS`]. Routing and the OpenAPI document use this
//! table.

mod bodies;
mod openapi;
mod operation;
mod operations;
mod table;

use axum::http::{header, request::Parts};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    http::{
        query::Query,
        reply::{Body, Reply},
    },
    server::{Instance, Site},
};

/// A request to the control interface.
pub(crate) struct Request<'a> {
    site: &'a Site,
    instance: &'a Instance,
    /// The key in `/worlds/{key}`.
    key: &'a str,
    query: Query,
    body: &'a [u8],
}

/// An error in a request.
pub(crate) struct Failure {
    status: u16,
    message: String,
}

type Outcome = Result<Reply, Failure>;

/// Handles a request whose path begins with `/_mock`.
pub(crate) fn answer(site: &Site, instance: &Instance, parts: &Parts, body: &[u8]) -> Reply {
    let path = parts.uri.path().strip_prefix("/_mock").unwrap_or_default().trim_end_matches('/');
    let is_default = std::ptr::eq(instance, &raw const *site.default);
    let mut known = false;
    for operation in table::OPERATIONS {
        let Some(key) = matched(operation.path, path) else { continue };
        // Only the default instance creates isolated instances.
        if operation.path.starts_with("/worlds") && !is_default {
            continue;
        }
        known = true;
        if parts.method != operation.method {
            continue;
        }
        let is_json = parts.headers.get(header::CONTENT_TYPE).is_some_and(|media_type| {
            media_type.to_str().is_ok_and(|text| text.starts_with("application/json"))
        });
        let outcome = if body.is_empty() || is_json {
            let query = Query::parse(parts.uri.query().unwrap_or_default());
            (operation.run)(&Request { site, instance, key, query, body })
        } else {
            // JSON is required, since web pages can send `text/plain` without a CORS preflight
            // request.
            Err(Failure::new(415, "The Content-Type of a body must be application/json"))
        };
        return outcome.unwrap_or_else(|failure| {
            json(failure.status, &serde_json::json!({ "error": failure.message }))
        });
    }
    let (status, message) = match known {
        true => (405, format!("The path does not support the method {}", parts.method)),
        false => (
            404,
            "There is no operation at this path; /_mock/openapi.json lists all operations"
                .to_owned(),
        ),
    };
    json(status, &serde_json::json!({ "error": message }))
}

/// Returns the value of the template's parameter, or an empty string if the template has no
/// parameter. Returns `None` if the path does not match the template.
fn matched<'a>(template: &str, path: &'a str) -> Option<&'a str> {
    match template.split_once('{') {
        None => (template == path).then_some(""),
        Some((start, _)) => {
            let value = path.strip_prefix(start)?;
            (!value.is_empty() && !value.contains('/')).then_some(value)
        }
    }
}

impl Request<'_> {
    /// Parses the body. An error message contains the path of the invalid field.
    fn body<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        let body = if self.body.is_empty() { b"{}" } else { self.body };
        let mut json = serde_json::Deserializer::from_slice(body);
        serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let path = error.path().to_string();
            let inner = error.into_inner();
            let message = if path == "." { inner.to_string() } else { format!("{path}: {inner}") };
            Failure::new(400, message)
        })
    }
}

impl Failure {
    fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }
}

fn json(status: u16, body: &impl Serialize) -> Reply {
    // Serialization cannot fail: bodies have only string keys and finite numbers.
    let text = serde_json::to_string_pretty(body).unwrap_or_default();
    let media_type = "application/json; charset=utf-8".to_owned();
    Reply::new(status, Body::Text { media_type, text })
}
