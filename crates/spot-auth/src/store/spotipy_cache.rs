//! Reads the sessions of spotipy.

use std::{
    fs,
    io::{self, Read},
    path::Path,
    time::SystemTime,
};

use serde::{Deserialize, de::DeserializeOwned};
use spot_http::Error;

use crate::{clock::from_unix, scopes::Scopes, store::record::TokenRecord};

/// The fields of spotipy's cache that are used.
#[derive(Deserialize)]
struct Cache {
    #[serde(default)]
    access_token: Option<String>,
    #[serde(default)]
    refresh_token: Option<String>,
    #[serde(default)]
    scope: Option<String>,
    #[serde(default)]
    expires_at: Option<f64>,
}

/// Maximum number of bytes that are read from a file.
const MAX_LEN: u64 = 1024 * 1024;

impl TokenRecord {
    /// Reads the file in which spotipy stores a session. The file is `.cache` or `.cache-NAME` in
    /// the working directory of the program. The user does not have to sign in again if your
    /// program uses the client id that it used with spotipy. The file does not contain the time of
    /// the consent.
    ///
    /// # Errors
    ///
    /// Returns a [`Configuration`](crate::ErrorKind::Configuration) error if the file cannot be
    /// read, or if it has no refresh token. If the token comes from the client credentials flow,
    /// the file has no refresh token.
    pub fn from_spotipy_cache(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let wrong = |why: &str| wrong("spotipy", path, why);
        let cache: Cache = read("spotipy", path)?;
        let refresh_token = cache
            .refresh_token
            .filter(|token| !token.is_empty())
            .ok_or_else(|| wrong("has no refresh token"))?;
        let scopes = Scopes::parse(&cache.scope.unwrap_or_default());
        let mut record = Self::from_refresh_token(refresh_token).with_granted_scopes(scopes);
        if let (Some(access_token), Some(expires_at)) = (cache.access_token, cache.expires_at)
            && let Some(expires_at) = unix(expires_at)
        {
            record = record.with_access_token(access_token, expires_at);
        }
        Ok(record)
    }
}

/// Reads the cache file of another program.
pub(super) fn read<T: DeserializeOwned>(program: &str, path: &Path) -> Result<T, Error> {
    let unreadable = |error: io::Error| {
        wrong(program, path, &format!("cannot be read: {error}")).with_source(error)
    };
    // Opening a FIFO would wait for a writer.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(wrong(program, path, "is not a regular file"));
    }
    let mut text = Vec::new();
    let file = fs::File::open(path).map_err(unreadable)?;
    file.take(MAX_LEN).read_to_end(&mut text).map_err(unreadable)?;
    serde_json::from_slice(&text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        wrong(program, path, &format!("is malformed at line {line}, column {column}"))
    })
}

/// Creates the error about a cache file of another program.
pub(super) fn wrong(program: &str, path: &Path, why: &str) -> Error {
    Error::configuration(format!("the {program} cache {} {why}", path.display()))
}

fn unix(seconds: f64) -> Option<SystemTime> {
    // Casting an out-of-range float gives 0 or the maximum. The access token is then treated as
    // expired.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
    from_unix(seconds as u64)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;
    use crate::clock::to_unix;

    fn record_of(text: &str) -> Result<TokenRecord, Error> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(".cache");
        fs::write(&path, text).unwrap();
        TokenRecord::from_spotipy_cache(path)
    }

    #[test]
    fn a_spotipy_cache_is_converted_to_a_token_record() {
        let record = record_of(
            r#"{"access_token": "BQa", "token_type": "Bearer", "expires_in": 3600,
                "refresh_token": "AQr", "scope": "user-library-read user-top-read",
                "expires_at": 1795000000}"#,
        )
        .unwrap();
        assert_eq!(record.refresh_token().unwrap().expose_secret(), "AQr");
        assert_eq!(record.access_token().unwrap().expose_secret(), "BQa");
        assert_eq!(record.expires_at().map(to_unix), Some(1_795_000_000));
        assert_eq!(record.granted_scopes().len(), 2);
        assert_eq!(record.consented_at(), None);
        let record = record_of(r#"{"refresh_token": "AQr", "scope": null}"#).unwrap();
        assert!(record.access_token().is_none() && record.granted_scopes().is_empty());
    }

    #[test]
    fn an_invalid_spotipy_cache_gives_an_error_without_secrets() {
        for (text, why) in [
            ("", "line 1"),
            ("CANARY", "line 1"),
            (r#"{"refresh_token": ["CANARY"]}"#, "line 1"),
            (r#"{"access_token": "CANARY", "refresh_token": ""}"#, "no refresh token"),
        ] {
            let error = record_of(text).unwrap_err();
            assert!(error.message().contains(why) && error.message().contains(".cache"), "{error}");
            assert!(!format!("{error:?}").contains("CANARY"), "{error:?}");
        }
        assert!(TokenRecord::from_spotipy_cache("/no/such/.cache").is_err());
    }
}
