//! Builds HTTP responses with their headers, caching and faults.

use std::hash::Hasher;

use axum::{
    body::Body as HttpBody,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::Response,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use rustc_hash::FxHasher;

use crate::{
    faults::{Corruption, Fault, corrupt},
    http::reply::{Body, Reply},
};

/// Converts a [`Reply`] to an HTTP response. Returns the response and the length of its body.
pub(super) fn respond(reply: Reply, parts: &Parts, fault: Option<&Fault>) -> (Response, usize) {
    let (mut media_type, mut bytes) = match reply.body {
        Body::Empty => (String::new(), Vec::new()),
        // The API indents its errors; the accounts service does not.
        Body::Json(json) if reply.status >= 400 && parts.uri.path().starts_with("/v1") => {
            let bytes = serde_json::to_vec_pretty(&json).unwrap_or_default();
            ("application/json; charset=utf-8".to_owned(), bytes)
        }
        Body::Json(json) => ("application/json; charset=utf-8".to_owned(), json.to_bytes()),
        Body::Text { media_type, text } => (media_type, text.into_bytes()),
    };
    if let Some(Fault::Corrupted(corruption)) = fault {
        match corruption {
            Corruption::WrongContentType if !bytes.is_empty() => {
                "text/html".clone_into(&mut media_type)
            }
            corruption => bytes = corrupt(bytes, *corruption),
        }
    }
    let length = bytes.len();
    let mut status =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut headers = HeaderMap::new();
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    if !media_type.is_empty() {
        set("content-type", &media_type);
    }
    let mut cached = false;
    let is_ordered = matches!(fault, Some(Fault::Status { .. }));
    if parts.uri.path().starts_with("/v1/") && !is_ordered {
        let class = CacheClass::of(parts, status);
        set("cache-control", class.control());
        if class == CacheClass::Private {
            set("vary", "Authorization");
        }
        if class.has_etag() && status == StatusCode::OK {
            let tag = etag(&bytes);
            let known = text_of(&parts.headers, &header::IF_NONE_MATCH).unwrap_or_default();
            cached = known.split(',').any(|known| known.trim().trim_start_matches("W/") == tag);
            set("etag", &tag);
        }
    }
    for (name, value) in reply.headers {
        set(name, &value);
    }
    if parts.headers.contains_key(header::ORIGIN) && is_shared(parts.uri.path()) {
        // Spotify sends no CORS headers with a 429, so a web page sees a network error.
        if status != StatusCode::TOO_MANY_REQUESTS {
            set("access-control-allow-origin", "*");
        }
        if parts.method == "OPTIONS" {
            set("access-control-allow-methods", "GET, POST, OPTIONS, PUT, DELETE, PATCH");
            set("access-control-allow-headers", CORS_HEADERS);
            set("access-control-max-age", "604800");
        }
    }
    if cached {
        status = StatusCode::NOT_MODIFIED;
        headers.remove(header::CONTENT_TYPE);
    }
    let body = if cached { HttpBody::empty() } else { HttpBody::from(bytes) };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    (response, length)
}

/// Whether pages of other origins may read responses from this path.
fn is_shared(path: &str) -> bool {
    path == "/api/token" || path.starts_with("/v1/")
}

/// Request headers that pages of other origins may send.
const CORS_HEADERS: &str = "Accept, App-Platform, Authorization, Content-Type, Origin, \
    Retry-After, Spotify-App-Version, X-Cloud-Trace-Context, client-token, content-access-token";

/// The caching rules of a response, which determine `Cache-Control` and `ETag`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CacheClass {
    Catalogue,
    Search,
    Private,
    /// Responses to write requests, and errors.
    Never,
}

impl CacheClass {
    fn of(parts: &Parts, status: StatusCode) -> Self {
        let path = parts.uri.path();
        if parts.method != "GET" || !status.is_success() {
            Self::Never
        } else if path == "/v1/search" {
            Self::Search
        } else if path == "/v1/me" || path.starts_with("/v1/me/") {
            Self::Private
        } else {
            Self::Catalogue
        }
    }

    const fn control(self) -> &'static str {
        match self {
            Self::Catalogue => "public, max-age=0",
            Self::Search => "public, max-age=7200",
            Self::Private | Self::Never => "private, max-age=0",
        }
    }

    const fn has_etag(self) -> bool {
        matches!(self, Self::Catalogue | Self::Private)
    }
}

/// Entity tag of a body.
fn etag(bytes: &[u8]) -> String {
    let mut hasher = FxHasher::default();
    hasher.write(bytes);
    format!("\"MC-{}\"", STANDARD.encode(hasher.finish().to_be_bytes()))
}

/// Number of bytes that hyper writes before a body of this length. The bytes contain the status
/// line and the headers of `response`, and also the headers `content-length` and `date`, which
/// hyper adds. A truncated response ends after these bytes and half of the body.
pub(super) fn head_length(response: &Response, length: usize) -> usize {
    let reason = response.status().canonical_reason().map_or(0, str::len);
    let headers = response.headers().iter();
    let headers: usize = headers.map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    let content_length = "content-length: \r\n".len() + length.to_string().len();
    let date = "date: Mon, 23 Nov 2026 09:00:00 GMT\r\n".len();
    "HTTP/1.1 200 \r\n".len() + reason + headers + content_length + date + "\r\n".len()
}

pub(super) fn media_type(headers: &HeaderMap) -> &str {
    text_of(headers, &header::CONTENT_TYPE).unwrap_or_default()
}

pub(super) fn text_of<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
