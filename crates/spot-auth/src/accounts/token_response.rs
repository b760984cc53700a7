//! Tolerant parser for successful responses of the token endpoint (RFC 6749, section 5.1).

use std::{fmt, time::Duration};

use oauth2::basic::BasicTokenType;
use serde::{
    Deserialize, Serialize,
    de::{DeserializeSeed, Deserializer, MapAccess, Visitor},
};
use serde_json::{Value, value::RawValue};
use spot_http::{Error, ErrorKind};

use crate::scopes::Scopes;

/// The tokens of a response. A field that is absent, empty or malformed is `None`.
///
/// The refresh token is read even if the rest of the response is malformed. The accounts service
/// may have replaced the old refresh token, which then no longer works.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct TokenResponse {
    /// An empty string if the access token cannot be used.
    access_token: oauth2::AccessToken,
    /// Why the access token cannot be used.
    unusable: Option<String>,
    refresh_token: Option<oauth2::RefreshToken>,
    scope: Option<String>,
    lifetime: Duration,
}

/// Lifetime of an access token if the response does not contain the lifetime.
const LIFETIME: Duration = Duration::from_secs(3_600);

/// Longest plausible lifetime.
const MAX_LIFETIME: Duration = Duration::from_secs(86_400);

/// Maximum length of a field, in bytes.
const MAX_FIELD: usize = 64 * 1024;

impl TokenResponse {
    /// Reads the body of a response.
    ///
    /// # Errors
    ///
    /// Fails if the response contains neither an access token nor a refresh token. The error names
    /// the field, but does not quote the body, which may contain tokens.
    pub(crate) fn read(body: &[u8]) -> Result<Self, Error> {
        let text = String::from_utf8_lossy(body);
        let mut fields = Fields::default();
        let mut json = serde_json::Deserializer::from_str(text.trim_start_matches('\u{feff}'));
        // If parsing fails, the fields before the error are still used. Data after the object is
        // ignored.
        let read = fields.deserialize(&mut json);
        let Fields { access_token, refresh_token, scope, lifetime } = fields;
        let (access_token, unusable) = match access_token.unwrap_or(Err("has no `access_token`")) {
            Ok(token) => (token, None),
            Err(why) => (String::new(), Some(why)),
        };
        if let (Some(why), None) = (unusable, &refresh_token) {
            return Err(match read {
                Err(_) => undecodable("is not a JSON object", None),
                Ok(()) => undecodable(why, Some("access_token")),
            });
        }
        Ok(Self {
            access_token: oauth2::AccessToken::new(access_token),
            unusable: unusable.map(str::to_owned),
            refresh_token: refresh_token.map(oauth2::RefreshToken::new),
            scope,
            lifetime: lifetime.unwrap_or(LIFETIME),
        })
    }

    /// The access token.
    ///
    /// # Errors
    ///
    /// Fails if the response contains no usable access token.
    pub(crate) fn access_token(&self) -> Result<&str, Error> {
        match &self.unusable {
            None => Ok(self.access_token.secret()),
            Some(why) => Err(undecodable(why, Some("access_token"))),
        }
    }

    pub(crate) fn refresh_token(&self) -> Option<&str> {
        self.refresh_token.as_ref().map(|token| token.secret().as_str())
    }

    pub(crate) fn scopes(&self) -> Option<Scopes> {
        self.scope.as_deref().map(Scopes::parse)
    }

    pub(crate) fn lifetime(&self) -> Duration {
        self.lifetime
    }
}

fn undecodable(what: &str, field: Option<&str>) -> Error {
    let error = Error::new(ErrorKind::Decode, format!("the token endpoint's response {what}"));
    match field {
        Some(field) => error.with_path(field),
        None => error,
    }
}

/// The fields read so far.
#[derive(Default)]
struct Fields {
    access_token: Option<Result<String, &'static str>>,
    refresh_token: Option<String>,
    scope: Option<String>,
    lifetime: Option<Duration>,
}

impl<'de> DeserializeSeed<'de> for &mut Fields {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Fields {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            // `RawValue` accepts values of any nesting depth.
            let raw = map.next_value::<&RawValue>()?.get();
            self.read(&name, raw);
        }
        Ok(())
    }
}

impl Fields {
    /// Reads one field. If a field is repeated, the last usable value is used.
    fn read(&mut self, name: &str, raw: &str) {
        let value = || match raw.len() {
            ..=MAX_FIELD => serde_json::from_str(raw).unwrap_or(Value::Null),
            _ => Value::Null,
        };
        match name {
            "access_token" => {
                let token = access_token(value());
                if token.is_ok() || !matches!(self.access_token, Some(Ok(_))) {
                    self.access_token = Some(token);
                }
            }
            "refresh_token" => self.refresh_token = text(value()).or(self.refresh_token.take()),
            "scope" => self.scope = scope(value()).or(self.scope.take()),
            "expires_in" => self.lifetime = lifetime(&value()).or(self.lifetime),
            // The `token_type` is ignored: Spotify issues only bearer tokens, and this crate
            // supports no other type.
            _ => {}
        }
    }
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        _ => None,
    }
}

fn access_token(value: Value) -> Result<String, &'static str> {
    if !matches!(value, Value::String(_) | Value::Null) {
        return Err("has an `access_token` that is not a string");
    }
    let token = text(value).ok_or("has no `access_token`")?;
    if token.bytes().any(|byte| !byte.is_ascii_graphic()) {
        return Err("has an `access_token` with characters that a header cannot contain");
    }
    Ok(token)
}

fn scope(value: Value) -> Option<String> {
    match value {
        Value::Array(names) => {
            let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
            text(Value::String(names.join(" ")))
        }
        value => text(value),
    }
}

/// Reads a lifetime in seconds. A lifetime below one second is ignored, because the token would be
/// refreshed at every use.
fn lifetime(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse::<f64>().ok(),
        _ => None,
    };
    let seconds = seconds.filter(|seconds| *seconds >= 1.0)?;
    Some(Duration::try_from_secs_f64(seconds).unwrap_or(MAX_LIFETIME).min(MAX_LIFETIME))
}

impl fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenResponse")
            .field("access_token", &self.unusable.as_deref().unwrap_or("<redacted>"))
            .field("refresh_token", &self.refresh_token.as_ref().map(|_| "<redacted>"))
            .field("scope", &self.scope)
            .field("lifetime", &self.lifetime)
            .finish()
    }
}

impl oauth2::TokenResponse for TokenResponse {
    type TokenType = BasicTokenType;

    fn access_token(&self) -> &oauth2::AccessToken {
        &self.access_token
    }

    fn token_type(&self) -> &BasicTokenType {
        &BasicTokenType::Bearer
    }

    fn expires_in(&self) -> Option<Duration> {
        Some(self.lifetime)
    }

    fn refresh_token(&self) -> Option<&oauth2::RefreshToken> {
        self.refresh_token.as_ref()
    }

    fn scopes(&self) -> Option<&Vec<oauth2::Scope>> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_null_and_empty_fields_count_as_missing() {
        for body in [
            r#"{"access_token":"a"}"#,
            r#"{"access_token":"a","refresh_token":"","scope":"","token_type":""}"#,
            r#"{"access_token":"a","refresh_token":null,"scope":null,"token_type":null,"expires_in":null}"#,
            r#"{"access_token":"a","refresh_token":" ","scope":[],"token_type":"bearer"}"#,
        ] {
            let response = TokenResponse::read(body.as_bytes()).expect(body);
            assert_eq!(response.access_token().unwrap(), "a");
            assert_eq!(response.refresh_token(), None, "{body}");
            assert_eq!(response.scopes(), None, "{body}");
            assert_eq!(response.lifetime(), LIFETIME, "{body}");
        }
    }

    #[test]
    fn expires_in_and_scope_are_parsed_in_every_format() {
        for (lifetime, seconds) in
            [("3600", 3_600), ("3600.0", 3_600), ("\"120\"", 120), ("-5", 3_600), ("1e300", 86_400)]
        {
            for scope in [r#""streaming user-top-read""#, r#"["streaming","user-top-read"]"#] {
                let body = format!(
                    r#"{{"access_token":"a","token_type":"BEARER","refresh_token":"r","extra":[1],
                        "scope":{scope},"expires_in":{lifetime}}}"#
                );
                let response = TokenResponse::read(body.as_bytes()).expect(&body);
                assert_eq!(response.refresh_token(), Some("r"));
                assert_eq!(response.scopes(), Some(Scopes::parse("streaming user-top-read")));
                assert_eq!(response.lifetime().as_secs(), seconds, "{body}");
            }
        }
    }

    #[test]
    fn invalid_token_responses_give_errors_without_secrets() {
        for (body, path) in [
            (r#"{"token_type":"Bearer","id_token":"CANARY"}"#, Some("access_token")),
            (r#"{"access_token":"","id_token":"CANARY"}"#, Some("access_token")),
            (r#"{"access_token":["CANARY"]}"#, Some("access_token")),
            (r#"{"access_token":"CANARY\nCANARY"}"#, Some("access_token")),
            (r#"{"access_token":7,"refresh_token":["CANARY"]}"#, Some("access_token")),
            (r#""CANARY""#, None),
            (r#"["CANARY"]"#, None),
            (r#"{"access_token":"CANARY"#, None),
            ("<html>CANARY</html>", None),
            ("", None),
        ] {
            let error = TokenResponse::read(body.as_bytes()).expect_err(body);
            assert_eq!(error.kind(), ErrorKind::Decode);
            assert_eq!(error.path(), path, "{body}");
            assert!(!format!("{error} {error:?}").contains("CANARY"), "{error:?}");
        }
        let response = TokenResponse::read(br#"{"refresh_token":"CANARY"}"#).unwrap();
        assert_eq!(response.access_token().unwrap_err().path(), Some("access_token"));
        assert!(!format!("{response:?}").contains("CANARY"));
    }

    #[test]
    fn the_last_usable_value_of_a_repeated_field_is_used() {
        let body = r#"{"access_token":"a","refresh_token":"r","access_token":"b","access_token":7,
            "refresh_token":null}"#;
        let response = TokenResponse::read(body.as_bytes()).unwrap();
        assert_eq!((response.access_token().unwrap(), response.refresh_token()), ("b", Some("r")));
    }
}
