//! Reads the sessions of rspotify.

use std::{path::Path, time::SystemTime};

use chrono::DateTime;
use serde::Deserialize;
use serde_json::Value;
use spot_http::Error;

use crate::{
    clock::from_unix,
    scopes::Scopes,
    store::{
        record::TokenRecord,
        spotipy_cache::{read, wrong},
    },
};

/// The fields of rspotify's cache that are used.
#[derive(Deserialize)]
struct Cache {
    #[serde(default)]
    access_token: Option<String>,
    /// A date. Old versions of rspotify wrote seconds since 1970.
    #[serde(default)]
    expires_at: Option<Value>,
    #[serde(default)]
    refresh_token: Option<String>,
    #[serde(default)]
    scope: Option<String>,
}

impl TokenRecord {
    /// Reads the file in which rspotify stores a session. The file is `.spotify_token_cache.json`,
    /// unless the program sets another path. The user does not have to sign in again if your
    /// program uses the client id that it used with rspotify. The access token is used until it
    /// expires. The file does not contain the time of the consent.
    ///
    /// # Errors
    ///
    /// Returns a [`Configuration`](crate::ErrorKind::Configuration) error if the file cannot be
    /// read, or if it has no refresh token. If the token comes from the client credentials flow,
    /// the file has no refresh token.
    pub fn from_rspotify_cache(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let cache: Cache = read("rspotify", path)?;
        let refresh_token = cache.refresh_token.filter(|token| !token.is_empty());
        let refresh_token =
            refresh_token.ok_or_else(|| wrong("rspotify", path, "has no refresh token"))?;
        let scopes = Scopes::parse(&cache.scope.unwrap_or_default());
        let record = Self::from_refresh_token(refresh_token).with_granted_scopes(scopes);
        let access_token = cache.access_token.filter(|token| !token.is_empty());
        Ok(match (access_token, cache.expires_at.as_ref().and_then(time)) {
            (Some(access_token), Some(expires_at)) => {
                record.with_access_token(access_token, expires_at)
            }
            // If the file has no expiry time, the access token is not used, because the token may
            // have expired. The first call requests a new access token.
            _ => record,
        })
    }
}

fn time(value: &Value) -> Option<SystemTime> {
    let seconds = match value {
        Value::String(date) => DateTime::parse_from_rfc3339(date).ok()?.timestamp(),
        value => value.as_i64()?,
    };
    from_unix(u64::try_from(seconds).ok()?)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use secrecy::ExposeSecret;

    use super::*;
    use crate::clock::to_unix;

    fn record_of(text: &str) -> Result<TokenRecord, Error> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(".spotify_token_cache.json");
        fs::write(&path, text).unwrap();
        TokenRecord::from_rspotify_cache(path)
    }

    #[test]
    fn an_rspotify_cache_is_converted_to_a_token_record() {
        let record = record_of(
            r#"{"access_token": "BQa", "expires_in": 3600,
                "expires_at": "2026-11-26T12:00:00.123456789Z",
                "refresh_token": "AQr", "scope": "user-library-read user-top-read"}"#,
        )
        .unwrap();
        assert_eq!(record.refresh_token().unwrap().expose_secret(), "AQr");
        assert_eq!(record.access_token().unwrap().expose_secret(), "BQa");
        assert_eq!(record.expires_at().map(to_unix), Some(1_795_694_400));
        assert_eq!(record.granted_scopes().to_string(), "user-library-read user-top-read");
        assert_eq!(record.consented_at(), None);
    }

    #[test]
    fn an_access_token_without_a_valid_expiry_is_dropped() {
        for (expires_at, expected) in [
            ("1795694400", Some(1_795_694_400)),
            ("null", None),
            ("\"tomorrow\"", None),
            ("-1", None),
            ("{}", None),
        ] {
            let record = record_of(&format!(
                r#"{{"access_token": "BQa", "expires_at": {expires_at}, "refresh_token": "AQr"}}"#
            ));
            let record = record.unwrap();
            assert_eq!(record.expires_at().map(to_unix), expected, "{expires_at}");
            assert_eq!(record.access_token().is_some(), expected.is_some(), "{expires_at}");
            assert!(record.granted_scopes().is_empty());
        }
    }

    #[test]
    fn an_invalid_rspotify_cache_gives_an_error_without_secrets() {
        for (text, why) in [
            ("CANARY", "line 1"),
            (r#"{"access_token": "CANARY", "refresh_token": null}"#, "no refresh token"),
        ] {
            let error = record_of(text).unwrap_err();
            assert!(error.message().contains(why), "{error}");
            assert!(error.message().contains("rspotify"), "{error}");
            assert!(!format!("{error:?}").contains("CANARY"), "{error:?}");
        }
    }
}
