//! Spans that follow OpenTelemetry's conventions for HTTP clients. Each call has a span, which
//! contains one span for each attempt.
//!
//! The spans contain no secrets. Query parameters are recorded by name, without their values, since
//! search terms are private.

use std::{fmt, time::Duration};

use bytes::Bytes;
use tracing::{Span, field};

use crate::{
    Error, ErrorKind, Request, TransportError, TransportErrorKind, pipeline::shared::Shared,
};

/// Creates the span of a call.
pub(crate) fn call(request: &Request) -> Span {
    tracing::info_span!(
        "spotify.call",
        spotify.operation = request.operation().name,
        spotify.attempts = field::Empty,
        spotify.waited_ms = field::Empty,
        "error.type" = field::Empty,
        otel.status_code = field::Empty,
    )
}

pub(crate) fn end_call(span: &Span, attempts: u32, waited: Duration, error: Option<&Error>) {
    if span.is_disabled() {
        return;
    }
    span.record("spotify.attempts", attempts);
    span.record("spotify.waited_ms", u64::try_from(waited.as_millis()).unwrap_or(u64::MAX));
    if let Some(error) = error {
        span.record("error.type", field::debug(Kind(&error.kind())));
        span.record("otel.status_code", "ERROR");
    }
}

/// Creates the span of an attempt.
pub(crate) fn attempt(shared: &Shared, request: &Request, attempt: u32) -> Span {
    let operation = request.operation();
    let span = tracing::info_span!(
        "spotify.attempt",
        otel.kind = "client",
        otel.name = %operation,
        otel.status_code = field::Empty,
        http.request.method = operation.method.as_str(),
        http.request.resend_count = field::Empty,
        http.response.status_code = field::Empty,
        url.template = operation.path,
        url.full = %Redacted { base: &shared.settings.base_url, request },
        server.address = shared.host,
        server.port = shared.port,
        network.protocol.version = field::Empty,
        "error.type" = field::Empty,
    );
    if attempt > 1 {
        span.record("http.request.resend_count", attempt - 1);
    }
    span
}

pub(crate) fn end_attempt(span: &Span, sent: &Result<http::Response<Bytes>, TransportError>) {
    if span.is_disabled() {
        return;
    }
    match sent {
        Ok(response) => {
            let status = response.status();
            span.record("http.response.status_code", status.as_u16());
            span.record("network.protocol.version", version(response.version()));
            if status.is_client_error() || status.is_server_error() {
                span.record("error.type", status.as_str());
                span.record("otel.status_code", "ERROR");
            }
        }
        Err(error) => {
            let what = match error.kind() {
                TransportErrorKind::NotSent => "not_sent",
                TransportErrorKind::Reset => "reset",
                TransportErrorKind::Timeout => "timeout",
                TransportErrorKind::BodyTooLarge => "body_too_large",
                TransportErrorKind::Other => "_OTHER",
            };
            span.record("error.type", what);
            span.record("otel.status_code", "ERROR");
        }
    }
}

fn version(version: http::Version) -> &'static str {
    match version {
        http::Version::HTTP_2 => "2",
        http::Version::HTTP_3 => "3",
        http::Version::HTTP_10 => "1.0",
        _ => "1.1",
    }
}

/// Prints the name of an error kind without its content.
struct Kind<'a>(&'a ErrorKind);

impl fmt::Debug for Kind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ErrorKind::Player(reason) => write!(f, "Player({})", reason.as_str()),
            kind => write!(f, "{kind:?}"),
        }
    }
}

/// Prints the URL of a request without the values of its query.
struct Redacted<'a> {
    base: &'a str,
    request: &'a Request,
}

impl fmt::Display for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.request.path_and_query();
        let (path, query) = path.split_once('?').unwrap_or((&path, ""));
        write!(f, "{}{path}", self.base)?;
        let names = query.split('&').filter_map(|pair| pair.split('=').next());
        for (at, name) in names.filter(|name| !name.is_empty()).enumerate() {
            write!(f, "{}{name}=REDACTED", if at == 0 { '?' } else { '&' })?;
        }
        Ok(())
    }
}
