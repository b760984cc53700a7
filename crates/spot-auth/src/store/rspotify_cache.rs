//! Sessions of programs that used rspotify.

use std::path::Path;

use serde::Deserialize;
use spot_http::Error;

use crate::{
    scopes::Scopes,
    store::{
        record::TokenRecord,
        spotipy_cache::{read, wrong},
    },
};

/// The fields of rspotify's cache that are read.
#[derive(Deserialize)]
struct Cache {
    #[serde(default)]
    refresh_token: Option<String>,
    #[serde(default)]
    scope: Option<String>,
}

impl TokenRecord {
    /// Reads the file in which rspotify keeps a session, `.spotify_token_cache.json` unless the
    /// program sets another path. The user need not sign in again, if the application is the same.
    /// The first call gets a new access token. The file does not tell when the user consented.
    ///
    /// # Errors
    ///
    /// [`Configuration`](crate::ErrorKind::Configuration) if the file cannot be read, or has no
    /// refresh token, as after client credentials.
    pub fn from_rspotify_cache(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let cache: Cache = read("rspotify", path)?;
        let refresh_token = cache.refresh_token.filter(|token| !token.is_empty());
        let refresh_token =
            refresh_token.ok_or_else(|| wrong("rspotify", path, "has no refresh token"))?;
        let scopes = Scopes::parse(&cache.scope.unwrap_or_default());
        Ok(Self::from_refresh_token(refresh_token).with_granted_scopes(scopes))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use secrecy::ExposeSecret;

    use super::*;

    fn record_of(text: &str) -> Result<TokenRecord, Error> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(".spotify_token_cache.json");
        fs::write(&path, text).unwrap();
        TokenRecord::from_rspotify_cache(path)
    }

    #[test]
    fn a_cache_of_rspotify_becomes_a_record() {
        let record = record_of(
            r#"{"access_token": "BQa", "expires_in": 3600, "expires_at": "2026-01-01T00:00:00Z",
                "refresh_token": "AQr", "scope": "user-library-read user-top-read"}"#,
        )
        .unwrap();
        assert_eq!(record.refresh_token().unwrap().expose_secret(), "AQr");
        assert_eq!(record.granted_scopes().len(), 2);
        assert!(record.access_token().is_none());
    }

    #[test]
    fn a_cache_without_a_session_is_an_error_without_its_text() {
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
