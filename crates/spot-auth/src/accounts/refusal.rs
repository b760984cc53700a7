//! What the token endpoint answers when it says no, or nothing.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use http::{HeaderMap, StatusCode, header::RETRY_AFTER};
use serde_json::Value;
use spot_http::{Error, ErrorKind, TransportError, TransportErrorKind};
use url::form_urlencoded;

/// Why a request to the token endpoint brought no tokens: an error for the user, and what may be
/// done about it.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) class: Class,
    pub(crate) error: Error,
}

/// What may be done about a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// The request did not arrive.
    NotSent,
    /// The request may have arrived.
    Unknown,
    /// The accounts service failed.
    Server,
    /// Too many requests.
    Limited,
    /// The code or the refresh token is not good, or not any more.
    InvalidGrant,
    /// Asking again brings the same answer.
    Final,
}

/// How much of the service's own words goes into a message, in characters.
const WORDS: usize = 200;

impl Refusal {
    pub(crate) fn new(class: Class, error: Error) -> Self {
        Self { class, error }
    }

    pub(crate) fn unsent(error: TransportError) -> Self {
        let class = match error.kind() {
            TransportErrorKind::NotSent => Class::NotSent,
            TransportErrorKind::BodyTooLarge => Class::Final,
            _ => Class::Unknown,
        };
        Self::new(class, Error::transport(error))
    }

    pub(crate) fn timeout(after: Duration) -> Self {
        let message = format!("the accounts service did not answer within {after:?}");
        Self::new(Class::Unknown, Error::new(ErrorKind::Timeout, message))
    }

    /// Reads an answer that is not a success. `sent` is the form that was sent: what was secret in
    /// it is taken out of the service's words.
    pub(crate) fn read(
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
        sent: &[u8],
        now: SystemTime,
    ) -> Self {
        let words = Words::read(body, sent);
        let says = words.to_string();
        let (class, kind, message) = match words.code.as_deref() {
            _ if status == StatusCode::TOO_MANY_REQUESTS => (
                Class::Limited,
                ErrorKind::RateLimited,
                format!("the accounts service has had too many requests{says}"),
            ),
            _ if status.is_server_error() || status.is_redirection() => {
                (Class::Server, ErrorKind::Server, format!("the accounts service failed{says}"))
            }
            Some("invalid_grant") => (
                Class::InvalidGrant,
                ErrorKind::Authentication,
                format!("the accounts service refuses the code or refresh token{says}"),
            ),
            Some("invalid_client") => (
                Class::Final,
                ErrorKind::Authentication,
                format!(
                    "the accounts service does not know the client id, or not with this secret{says}"
                ),
            ),
            _ => (
                Class::Final,
                ErrorKind::BadRequest,
                format!("the accounts service refuses the request{says}"),
            ),
        };
        let mut error = Error::new(kind, message).with_status(status.as_u16());
        if let Some(code) = words.code {
            error = error.with_reason(code);
        }
        if matches!(class, Class::Limited | Class::Server)
            && let Some(wait) = retry_after(headers, now)
        {
            error = error.with_retry_after(wait);
        }
        Self::new(class, error)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Refusal {}

/// The service's own words.
struct Words {
    code: Option<String>,
    description: Option<String>,
}

impl Words {
    /// Both hosts of Spotify are read: `{"error": "code", "error_description": "text"}` of the
    /// accounts service, and `{"error": {"status": 400, "message": "text"}}` of the API.
    fn read(body: &[u8], sent: &[u8]) -> Self {
        let Ok(value) = serde_json::from_slice::<Value>(body) else {
            return Self { code: None, description: None };
        };
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let error = value.get("error");
        let message = error.and_then(|error| error.get("message"));
        let code = text(error).filter(|code| {
            code.len() <= 64 && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
        });
        let description = text(value.get("error_description"))
            .or_else(|| text(message))
            .or_else(|| text(error).filter(|_| code.is_none()))
            .map(|words| without_secrets(words, sent));
        Self { code, description }
    }
}

/// Prints as the end of a sentence, or not at all.
impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.code, &self.description) {
            (None, None) => Ok(()),
            (Some(words), None) | (None, Some(words)) => write!(f, ": {words}"),
            (Some(code), Some(description)) => write!(f, ": {code} ({description})"),
        }
    }
}

/// The words without what was secret in the form, without line breaks, and not too many of them.
fn without_secrets(words: String, sent: &[u8]) -> String {
    let mut words = words;
    for (name, value) in form_urlencoded::parse(sent) {
        if matches!(&*name, "code" | "code_verifier" | "refresh_token" | "client_secret")
            && !value.is_empty()
        {
            words = words.replace(&*value, "[secret]");
        }
    }
    words.chars().map(|c| if c.is_control() { ' ' } else { c }).take(WORDS).collect()
}

/// `Retry-After` as seconds, with or without decimals, or as a date. Anything else is `None`.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<f64>()
        && seconds.is_finite()
    {
        return Duration::try_from_secs_f64(seconds.max(0.0)).ok();
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    fn read(status: u16, body: &str) -> Refusal {
        let status = StatusCode::from_u16(status).unwrap();
        let sent = b"grant_type=refresh_token&refresh_token=CANARY-r&code=CANARY%2Fc";
        Refusal::read(status, &HeaderMap::new(), body.as_bytes(), sent, UNIX_EPOCH)
    }

    #[test]
    fn every_shape_has_a_class_a_kind_and_a_sentence() {
        let shapes = [
            (400, r#"{"error":"invalid_grant"}"#),
            (400, r#"{"error":"invalid_grant","error_description":"Refresh token revoked"}"#),
            (400, r#"{"error":"invalid_client","error_description":"Invalid client"}"#),
            (400, r#"{"error":"unsupported_grant_type","error_description":"no"}"#),
            (401, r#"{"error":{"status":401,"message":"Not here"}}"#),
            (403, "Forbidden"),
            (404, ""),
            (429, ""),
            (429, r#"{"error":"invalid_grant"}"#),
            (302, ""),
            (500, r#"{"error":"server_error"}"#),
            (502, "<html><title>Bad gateway</title></html>"),
            (503, "upstream connect error"),
        ];
        let lines: Vec<String> = shapes
            .into_iter()
            .map(|(status, body)| {
                let refusal = read(status, body);
                format!("{body}\n  {:?}: {}", refusal.class, refusal.error)
            })
            .collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn secrets_that_are_echoed_do_not_get_through() {
        for body in [
            r#"{"error":"invalid_grant","error_description":"token CANARY-r is dead\nreally"}"#,
            r#"{"error":"Code CANARY/c was used"}"#,
            r#"{"error":{"message":"CANARY-r CANARY/c"}}"#,
        ] {
            let refusal = read(400, body);
            let printed = format!("{refusal} {refusal:?}");
            assert!(!printed.contains("CANARY"), "{printed}");
            assert!(printed.contains("[secret]"), "{printed}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let wait = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers, UNIX_EPOCH + Duration::from_secs(784_111_767))
        };
        assert_eq!(wait("7"), Some(Duration::from_secs(7)));
        assert_eq!(wait(" 1.5 "), Some(Duration::from_millis(1_500)));
        assert_eq!(wait("-3"), Some(Duration::ZERO));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::from_secs(10)));
        assert_eq!(wait("Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO), "past");
        for garbage in ["soon", "NaN", "inf", "1e99", ""] {
            assert_eq!(wait(garbage), None, "{garbage}");
        }
    }
}
