//! What the token endpoint answers when it says yes, read tolerantly.

use std::{fmt, time::Duration};

use oauth2::basic::BasicTokenType;
use serde::{
    Deserialize, Serialize,
    de::{Deserializer, Error as _},
    ser::{Error as _, Serializer},
};
use serde_json::{Map, Value};
use spot_http::{Error, ErrorKind};

use crate::Scopes;

/// The tokens of an answer. What is absent or empty is `None`, and means: as before.
#[derive(Clone)]
pub(crate) struct TokenResponse {
    access_token: oauth2::AccessToken,
    refresh_token: Option<oauth2::RefreshToken>,
    scopes: Option<Scopes>,
    lifetime: Duration,
}

/// How long an access token lives when the answer does not say.
const LIFETIME: Duration = Duration::from_secs(3_600);

/// No access token is believed to live longer than this, whatever the answer says.
const LONGEST: Duration = Duration::from_secs(86_400);

impl TokenResponse {
    /// Reads an answer. The error names the field and never quotes the body, which may hold tokens.
    pub(crate) fn read(body: &[u8]) -> Result<Self, Error> {
        let value: Value = serde_json::from_slice(body)
            .map_err(|_| undecodable("the answer is not JSON", None))?;
        Self::from_value(&value)
    }

    fn from_value(value: &Value) -> Result<Self, Error> {
        let fields =
            value.as_object().ok_or_else(|| undecodable("the answer is not an object", None))?;
        let access_token = text(fields, "access_token")?
            .ok_or_else(|| undecodable("it is missing or empty", Some("access_token")))?;
        if access_token.bytes().any(|byte| !byte.is_ascii_graphic()) {
            return Err(undecodable("it is not what a header can hold", Some("access_token")));
        }
        let token_type = text(fields, "token_type")?.unwrap_or("Bearer");
        if !token_type.eq_ignore_ascii_case("bearer") {
            return Err(undecodable("it is not `Bearer`", Some("token_type")));
        }
        Ok(Self {
            access_token: oauth2::AccessToken::new(access_token.to_owned()),
            refresh_token: text(fields, "refresh_token")?
                .map(|token| oauth2::RefreshToken::new(token.to_owned())),
            scopes: scopes(fields)?,
            lifetime: lifetime(fields)?,
        })
    }

    pub(crate) fn access_token(&self) -> &str {
        self.access_token.secret()
    }

    pub(crate) fn refresh_token(&self) -> Option<&str> {
        self.refresh_token.as_ref().map(|token| token.secret().as_str())
    }

    pub(crate) fn scopes(&self) -> Option<&Scopes> {
        self.scopes.as_ref()
    }

    pub(crate) fn lifetime(&self) -> Duration {
        self.lifetime
    }
}

fn undecodable(what: &str, field: Option<&str>) -> Error {
    let error = Error::new(ErrorKind::Decode, format!("the token endpoint's answer: {what}"));
    match field {
        Some(field) => error.with_path(field),
        None => error,
    }
}

fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Error> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.trim()).filter(|text| !text.is_empty())),
        Some(_) => Err(undecodable("it is not a string", Some(name))),
    }
}

fn scopes(fields: &Map<String, Value>) -> Result<Option<Scopes>, Error> {
    let scopes = match fields.get("scope") {
        Some(Value::Array(names)) => {
            names.iter().filter_map(Value::as_str).flat_map(Scopes::parse).collect()
        }
        _ => text(fields, "scope")?.map(Scopes::parse).unwrap_or_default(),
    };
    Ok(Some(scopes).filter(|scopes| !scopes.is_empty()))
}

fn lifetime(fields: &Map<String, Value>) -> Result<Duration, Error> {
    let seconds = match fields.get("expires_in") {
        None | Some(Value::Null) => return Ok(LIFETIME),
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(_) => None,
    };
    let seconds = seconds.filter(|seconds| seconds.is_finite());
    let seconds =
        seconds.ok_or_else(|| undecodable("it is not a number of seconds", Some("expires_in")))?;
    Ok(Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(LONGEST).min(LONGEST))
}

impl fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenResponse")
            .field("refresh_token", &self.refresh_token.is_some())
            .field("scopes", &self.scopes)
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
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

impl<'de> Deserialize<'de> for TokenResponse {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Self::from_value(&value).map_err(D::Error::custom)
    }
}

/// The `oauth2` crate asks for this and never uses it. Tokens are not written from here.
impl Serialize for TokenResponse {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("answers of the token endpoint are not written"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_null_and_empty_mean_as_before() {
        for body in [
            r#"{"access_token":"a"}"#,
            r#"{"access_token":"a","refresh_token":"","scope":"","token_type":""}"#,
            r#"{"access_token":"a","refresh_token":null,"scope":null,"token_type":null,"expires_in":null}"#,
            r#"{"access_token":"a","refresh_token":" ","scope":[],"token_type":"bearer"}"#,
        ] {
            let answer = TokenResponse::read(body.as_bytes()).expect(body);
            assert_eq!(answer.access_token(), "a");
            assert_eq!(answer.refresh_token(), None, "{body}");
            assert_eq!(answer.scopes(), None, "{body}");
            assert_eq!(answer.lifetime(), LIFETIME, "{body}");
        }
    }

    #[test]
    fn a_full_answer_is_read_in_every_way_numbers_and_scopes_come() {
        for (lifetime, seconds) in
            [("3600", 3_600), ("3600.0", 3_600), ("\"120\"", 120), ("-5", 0), ("1e300", 86_400)]
        {
            for scope in [r#""streaming user-top-read""#, r#"["streaming","user-top-read"]"#] {
                let body = format!(
                    r#"{{"access_token":"a","token_type":"BEARER","refresh_token":"r","extra":[1],
                        "scope":{scope},"expires_in":{lifetime}}}"#
                );
                let answer = TokenResponse::read(body.as_bytes()).expect(&body);
                assert_eq!(answer.refresh_token(), Some("r"));
                assert_eq!(answer.scopes(), Some(&Scopes::parse("streaming user-top-read")));
                assert_eq!(answer.lifetime().as_secs(), seconds, "{body}");
            }
        }
    }

    #[test]
    fn what_cannot_be_read_is_named_and_never_quoted() {
        for (body, path) in [
            (r#"{"token_type":"Bearer","refresh_token":"CANARY"}"#, Some("access_token")),
            (r#"{"access_token":"","refresh_token":"CANARY"}"#, Some("access_token")),
            (r#"{"access_token":["CANARY"]}"#, Some("access_token")),
            (r#"{"access_token":"CANARY\nCANARY"}"#, Some("access_token")),
            (r#"{"access_token":"CANARY","token_type":"mac"}"#, Some("token_type")),
            (r#"{"access_token":"CANARY","expires_in":"CANARY"}"#, Some("expires_in")),
            (r#"{"access_token":"CANARY","refresh_token":7}"#, Some("refresh_token")),
            (r#"{"access_token":"CANARY","scope":{}}"#, Some("scope")),
            (r#""CANARY""#, None),
            (r#"{"access_token":"CANARY""#, None),
            ("<html>CANARY</html>", None),
            ("", None),
        ] {
            let error = TokenResponse::read(body.as_bytes()).expect_err(body);
            assert_eq!(error.kind(), ErrorKind::Decode);
            assert_eq!(error.path(), path, "{body}");
            assert!(!format!("{error} {error:?}").contains("CANARY"), "{error:?}");
        }
    }
}
