use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header;
use serde_json::Value;
use spot_model::{AccessMode, Operation, printable};

use crate::{
    AccessToken, Error, ErrorKind, PlayerReason,
    failure::{forbidden::explain, redact::redact, retry_after},
};

/// Maximum length of the server's message, in characters.
const WORDS: usize = 200;

/// Maximum number of bytes to read from a body.
const READ: usize = 64 * 1024;

/// Maximum number of bytes of an HTML page to search for the title.
const TITLE_WITHIN: usize = 16 * 1024;

/// If the `Retry-After` of a 429 is at least this long, a quota is exhausted, even if the body does
/// not say so.
const QUOTA_WAIT: Duration = Duration::from_secs(3600);

/// Maximum length of a reason code, in characters.
const CODE: usize = 64;

/// The content of the body of an error response.
///
/// [`read`](Self::read) supports plain text, HTML, an empty body, and the four JSON formats of
/// Spotify's errors. The message may repeat parts of the request. If the request contained a
/// secret, remove the secret from `message` before you convert the refusal into an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The server's message, as one line of at most 200 characters. Empty if the response has no
    /// message.
    pub message: String,
    /// The reason code, for example `NO_ACTIVE_DEVICE`, `QUOTA_EXCEEDED` or `invalid_grant`. A
    /// value with both uppercase and lowercase letters is ignored, because it could be a secret.
    pub reason: Option<String>,
}

impl Refusal {
    /// Reads the first 64 KiB of a body.
    pub fn read(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body.get(..READ).unwrap_or(body));
        let text = text.trim();
        let Self { message, reason } = match serde_json::from_str::<Value>(text) {
            Ok(value) => Self::from_json(&value),
            Err(_) => Self { message: without_markup(text), reason: None },
        };
        Self { message: printable(&message, WORDS), reason }
    }

    /// Reads an error in one of these JSON formats:
    ///
    /// - `{"error": {"status", "message", "reason"}}`
    /// - `{"status", "message", "reason"}`
    /// - `{"error": {"type", "description"}}`
    /// - `{"error": "..", "error_description": ".."}`
    fn from_json(value: &Value) -> Self {
        let error = value.get("error").unwrap_or(value);
        let text = |value: &Value, name: &str| {
            let text = value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
            text.map(str::to_owned)
        };
        if let Some(code) = error.as_str() {
            let description = text(value, "error_description");
            let message = description.unwrap_or_else(|| code.to_owned());
            return Self { message, reason: Some(code.to_owned()).filter(|code| is_code(code)) };
        }
        let message = text(error, "message").or_else(|| text(error, "description"));
        let reason = text(error, "reason").or_else(|| text(error, "type"));
        Self {
            message: message.unwrap_or_default(),
            reason: reason.filter(|reason| is_code(reason)),
        }
    }

    /// Returns the kind of the error, from the status and the message.
    pub fn kind(&self, status: u16) -> ErrorKind {
        let says = |words: &str| self.message.to_ascii_lowercase().contains(words);
        match (status, self.reason.as_deref()) {
            (429, Some("QUOTA_EXCEEDED")) => ErrorKind::QuotaExceeded,
            (429, _) => ErrorKind::RateLimited,
            (_, Some("invalid_grant")) => ErrorKind::ConsentExpired,
            // The configuration of the application is wrong: the client id, the client secret, or
            // the allowed flows.
            (_, Some("invalid_client" | "unauthorized_client")) => ErrorKind::Configuration,
            // Reasons of the player are in upper case. Reasons of the accounts service are in lower
            // case.
            (400..=499, Some(reason)) if !reason.bytes().any(|byte| byte.is_ascii_lowercase()) => {
                ErrorKind::Player(PlayerReason::from(reason))
            }
            (401 | 403, _) if says("scope") || says("permissions missing") => {
                ErrorKind::MissingScope
            }
            (401, _) => ErrorKind::Authentication,
            (403, _) => ErrorKind::Forbidden,
            (404 | 410, _) => ErrorKind::NotFound,
            (408, _) => ErrorKind::Timeout,
            // A final status below 200 violates HTTP.
            (500.. | 100..=199, _) => ErrorKind::Server,
            (300..=399, _) => ErrorKind::Configuration,
            _ => ErrorKind::BadRequest,
        }
    }

    /// Converts the refusal into an error with this status. The error does not contain the body.
    pub fn into_error(self, status: u16) -> Error {
        let kind = self.kind(status);
        let error = Error::new(kind, self.message).with_status(status);
        match self.reason {
            Some(reason) => error.with_reason(reason),
            None => error,
        }
    }
}

impl Error {
    /// Creates an error from the status and the body of a response that is not a success. The error
    /// contains the beginning of the body.
    ///
    /// A [`Pipeline`](crate::Pipeline) uses this function for the errors of its calls. If the
    /// response may contain a token, use [`Refusal`], not this method.
    pub fn from_response(status: u16, body: &[u8]) -> Self {
        Refusal::read(body).into_error(status).with_body(body)
    }
}

/// Creates the error of a response, with details from the headers and the operation. Redacts the
/// token of the call.
pub(crate) fn refused(
    operation: &'static Operation,
    mode: AccessMode,
    response: &http::Response<Bytes>,
    token: &AccessToken,
) -> Error {
    let status = response.status().as_u16();
    // Replaces the token before the text is truncated, so that no part of the token remains.
    let body = String::from_utf8_lossy(response.body().get(..READ).unwrap_or(response.body()));
    let body = redact(&body, &[token.expose()]);
    let mut error = Error::from_response(status, body.as_bytes()).with_operation(operation);
    if let Some(wait) = retry_after(response.headers(), SystemTime::now()) {
        error = error.with_retry_after(wait);
        // When the rolling window is full, the wait is a few seconds. Only a quota leads to a wait
        // of hours.
        if error.kind() == ErrorKind::RateLimited && wait >= QUOTA_WAIT {
            error = error.with_kind(ErrorKind::QuotaExceeded);
        }
    }
    if error.kind() == ErrorKind::Authentication && error.message().is_empty() {
        let hint = response.headers().get(header::WWW_AUTHENTICATE);
        let hint = hint.and_then(|hint| hint.to_str().ok()).unwrap_or_default();
        error = error.with_message(redact(hint, &[token.expose()]));
    }
    explain(error, operation, mode)
}

fn is_code(reason: &str) -> bool {
    !reason.is_empty()
        && reason.len() <= CODE
        && (reason.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'_'))
            || reason.bytes().all(|byte| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'_')))
}

/// Returns plain text unchanged. For an HTML page, returns the title.
fn without_markup(text: &str) -> String {
    match html_title(text) {
        Some(title) if title.is_empty() => "the response is an HTML page".to_owned(),
        Some(title) => format!("the response is an HTML page: {title}"),
        None => text.to_owned(),
    }
}

/// Returns the beginning of a text: at most `most` bytes, and only whole characters.
pub(crate) fn start_of(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or_default()).unwrap_or_default()
}

/// Returns the title of an HTML page; `None` if the text is not HTML.
pub(crate) fn html_title(text: &str) -> Option<String> {
    let start: String = text.trim_start().chars().take(15).collect::<String>().to_ascii_lowercase();
    if !start.starts_with("<!doctype html") && !start.starts_with("<html") {
        return None;
    }
    // A title is near the beginning of a page.
    let text = start_of(text, TITLE_WITHIN);
    let lower = text.to_ascii_lowercase();
    let title = lower.find("<title>").and_then(|at| {
        let from = at + "<title>".len();
        let to = lower.get(from..)?.find("</title>")? + from;
        Some(text.get(from..to)?.trim().to_owned())
    });
    Some(title.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_truncated_at_a_character_boundary() {
        for (most, expected) in [(0, ""), (1, "a"), (2, "a"), (3, "aß"), (4, "aßc"), (9, "aßc")]
        {
            assert_eq!(start_of("aßc", most), expected);
        }
    }

    fn read(status: u16, body: &str) -> (ErrorKind, String, Option<String>) {
        let error = Error::from_response(status, body.as_bytes());
        (error.kind(), error.message().to_owned(), error.reason().map(str::to_owned))
    }

    #[test]
    fn error_responses_of_every_format_are_parsed() {
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
    fn error_text_that_is_not_a_code_becomes_the_message() {
        let refusal = Refusal::read(br#"{"error":"Code abc/123 was used before"}"#);
        assert_eq!(refusal.reason, None);
        assert_eq!(refusal.message, "Code abc/123 was used before");
        let refusal = Refusal::read(br#"{"error":{"message":"line one\nline two"}}"#);
        assert_eq!(refusal.message, "line one line two");
        assert_eq!(Refusal::read("é".repeat(500).as_bytes()).message.chars().count(), 200);
        let deep = format!("{{\"a\":{}", "[".repeat(100_000));
        assert!(Refusal::read(deep.as_bytes()).message.starts_with("{\"a\":[["));
    }
}
