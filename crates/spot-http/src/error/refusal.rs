//! What an answer that is no success means.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, header};
use serde_json::Value;
use spot_model::{Access, Operation, Scope};

use crate::{Error, ErrorKind, PlayerReason};

/// What the body of a refusal says, in whichever of the shapes it came.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    message: String,
    reason: Option<String>,
}

impl Error {
    /// Reads an answer that is no success: its status, and the body in any of the shapes that Spotify
    /// gives it (JSON of four kinds, text, HTML, nothing).
    ///
    /// For calls made through a [`Pipeline`](crate::Pipeline) this was done already.
    pub fn from_answer(status: u16, body: &[u8]) -> Self {
        let Said { message, reason } = said(body);
        let kind = kind(status, &message, reason.as_deref());
        let error = Self::new(kind, message).with_status(status).with_body(body);
        match reason {
            Some(reason) => error.with_reason(reason),
            None => error,
        }
    }

    /// The same, with what the headers and the operation tell.
    pub(crate) fn from_response(
        operation: &'static Operation,
        response: &http::Response<bytes::Bytes>,
    ) -> Self {
        let status = response.status().as_u16();
        let mut error = Self::from_answer(status, response.body()).with_operation(operation);
        if let Some(retry_after) = retry_after(response.headers(), SystemTime::now()) {
            error = error.with_retry_after(retry_after);
        }
        match error.kind() {
            ErrorKind::MissingScope => missing_scope(error, operation),
            ErrorKind::Forbidden | ErrorKind::NotFound if operation.access != Access::Any => {
                restricted(error, operation)
            }
            ErrorKind::Authentication if error.message().is_empty() => {
                let hint = response.headers().get(header::WWW_AUTHENTICATE);
                let hint = hint.and_then(|hint| hint.to_str().ok()).unwrap_or_default().to_owned();
                with_message(error, hint)
            }
            _ => error,
        }
    }
}

/// The same error with other words.
fn with_message(error: Error, message: String) -> Error {
    let mut other = Error::new(error.kind(), message);
    if let Some(operation) = error.operation() {
        other = other.with_operation(operation);
    }
    if let Some(status) = error.status() {
        other = other.with_status(status);
    }
    if let Some(reason) = error.reason() {
        other = other.with_reason(reason);
    }
    if let Some(body) = error.body() {
        other = other.with_body(body.as_bytes());
    }
    other
}

fn missing_scope(error: Error, operation: &Operation) -> Error {
    let scopes: Vec<&str> = operation.scopes.iter().map(Scope::as_str).collect();
    let needs = match scopes.as_slice() {
        [] => "the operation needs one that the token lacks".to_owned(),
        [scope] => format!("the operation needs `{scope}`"),
        scopes => format!("by its content the operation needs one of `{}`", scopes.join("`, `")),
    };
    let message = format!("{}; {needs}", error.message());
    with_message(error, message)
}

/// A refusal of an operation that is known to be closed to many applications.
fn restricted(error: Error, operation: &Operation) -> Error {
    // Whose playlist it is, or that there is no such thing, is said in words of its own.
    let words = error.message();
    let says_nothing = words.is_empty() || words.eq_ignore_ascii_case("forbidden");
    if error.kind() == ErrorKind::NotFound && !says_nothing {
        return error;
    }
    let since = operation.access.since().unwrap_or_default();
    let who = match operation.access {
        Access::Closed2024 => "applications registered since then",
        _ => "applications in Development Mode",
    };
    let instead = match operation.replacement {
        Some(replacement) => format!("; use {replacement}"),
        None => "; nothing takes its place".to_owned(),
    };
    let message = format!("the operation is closed to {who} since {since}{instead}");
    with_message(error, message).with_kind(ErrorKind::Restricted)
}

fn kind(status: u16, message: &str, reason: Option<&str>) -> ErrorKind {
    let says = |words: &str| message.to_ascii_lowercase().contains(words);
    match (status, reason) {
        (429, Some("QUOTA_EXCEEDED")) => ErrorKind::QuotaExceeded,
        (429, _) => ErrorKind::RateLimited,
        // The player's reasons are in capitals; the accounts service's are not.
        (400..=499, Some(reason)) if is_code(reason) => {
            ErrorKind::Player(PlayerReason::from(reason))
        }
        (_, Some("invalid_grant")) => ErrorKind::ConsentExpired,
        (_, Some("invalid_client" | "unauthorized_client")) => ErrorKind::Configuration,
        (401 | 403, _) if says("scope") || says("permissions missing") => ErrorKind::MissingScope,
        (401, _) => ErrorKind::Authentication,
        (403, _) => ErrorKind::Forbidden,
        (404 | 410, _) => ErrorKind::NotFound,
        (408, _) => ErrorKind::Timeout,
        (500.., _) => ErrorKind::Server,
        (300..=399, _) => ErrorKind::Configuration,
        _ => ErrorKind::BadRequest,
    }
}

fn is_code(reason: &str) -> bool {
    !reason.is_empty() && reason.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

fn said(body: &[u8]) -> Said {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    if text.is_empty() {
        return Said::default();
    }
    if let Ok(value) = serde_json::from_str::<Value>(text) {
        return said_as_json(&value);
    }
    let message = match html_title(text) {
        Some(title) if title.is_empty() => "the answer is a page of HTML".to_owned(),
        Some(title) => format!("the answer is a page of HTML: {title}"),
        None => text.chars().take(200).collect(),
    };
    Said { message, reason: None }
}

/// `{"error": {"status", "message", "reason"}}`, the same without the wrapping,
/// `{"error": {"type", "description"}}`, and `{"error": "..", "error_description": ".."}`.
fn said_as_json(value: &Value) -> Said {
    let error = value.get("error").unwrap_or(value);
    let text = |value: &Value, name: &str| {
        value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    if let Some(code) = error.as_str() {
        let message = text(value, "error_description").unwrap_or_else(|| code.to_owned());
        return Said { message, reason: Some(code.to_owned()) };
    }
    Said {
        message: text(error, "message").or_else(|| text(error, "description")).unwrap_or_default(),
        reason: text(error, "reason").or_else(|| text(error, "type")),
    }
}

/// The title of a page, if the text is one.
pub(crate) fn html_title(text: &str) -> Option<String> {
    let start: String = text.trim_start().chars().take(15).collect::<String>().to_ascii_lowercase();
    if !start.starts_with("<!doctype html") && !start.starts_with("<html") {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    let title = lower.find("<title>").and_then(|at| {
        let from = at + "<title>".len();
        let to = lower.get(from..)?.find("</title>")? + from;
        Some(text.get(from..to)?.trim().to_owned())
    });
    Some(title.unwrap_or_default())
}

/// How long to wait, from `Retry-After` as seconds, seconds with a fraction, or a date. `None` if
/// there is none, or it is neither.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = httpdate::parse_http_date(text).ok()?;
    // A date that is past says to go on now.
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> (ErrorKind, String, Option<String>) {
        let error = Error::from_answer(status, body.as_bytes());
        (error.kind(), error.message().to_owned(), error.reason().map(str::to_owned))
    }

    #[test]
    fn every_shape_of_a_refusal_is_read() {
        let cases = [
            (404, r#"{"error":{"status":404,"message":"Resource not found"}}"#),
            (400, r#"{"status":400,"message":"Missing required field: uris"}"#),
            (404, r#"{"error":{"type":"not_found","description":"non existing id"}}"#),
            (400, r#"{"error":"invalid_grant","error_description":"Refresh token revoked"}"#),
            (400, r#"{"error":"invalid_client"}"#),
            (403, r#"{"error":{"status":403}}"#),
            (403, r#"{"error":{"status":403,"message":"Insufficient client scope"}}"#),
            (401, r#"{"error":{"status":401,"message":"Permissions missing"}}"#),
            (401, r#"{"error":{"status":401,"message":"The access token expired"}}"#),
            (404, r#"{"error":{"status":404,"message":"No device","reason":"NO_ACTIVE_DEVICE"}}"#),
            (403, r#"{"error":{"status":403,"message":"No","reason":"SOMETHING_NEW"}}"#),
            (429, r#"{"error":{"status":429,"message":"Too many","reason":"QUOTA_EXCEEDED"}}"#),
            (429, "Too many requests"),
            (429, "{}"),
            (403, "User not registered in the Developer Dashboard"),
            (502, "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head></html>"),
            (503, ""),
            (410, ""),
            (302, ""),
            (405, ""),
        ];
        let read: Vec<_> =
            cases.iter().map(|(status, body)| (status, read(*status, body))).collect();
        insta::assert_debug_snapshot!(read);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let wait = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers, now)
        };
        assert_eq!(wait("5"), Some(Duration::from_secs(5)));
        assert_eq!(wait(" 0.5 "), Some(Duration::from_millis(500)));
        assert_eq!(wait("86400"), Some(Duration::from_secs(86_400)));
        assert_eq!(wait("Sun, 06 Nov 1994 08:50:07 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(wait("Sun, 06 Nov 1994 08:40:00 GMT"), Some(Duration::ZERO));
        for garbage in ["", "soon", "-5", "NaN", "inf", "1e400"] {
            assert_eq!(wait(garbage), None, "{garbage}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
