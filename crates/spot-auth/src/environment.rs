//! Reads an application from environment variables.

use std::env;

use spot_http::Error;

use crate::{App, AppBuilder};

impl AppBuilder {
    /// Like [`App::from_env`], but returns the builder.
    ///
    /// # Errors
    ///
    /// Returns a [`Configuration`](crate::ErrorKind::Configuration) error if there is no client id.
    pub fn from_env() -> Result<Self, Error> {
        Self::from_variables(|name| env::var(name).ok())
    }

    /// Like [`from_env`](Self::from_env), but calls a function to look up the variables. The
    /// function can read a file, for example, or return test values.
    ///
    /// # Errors
    ///
    /// Returns a [`Configuration`](crate::ErrorKind::Configuration) error if there is no client id.
    pub fn from_variables(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let value = |name: &str| {
            ["SPOTIFY_", "SPOTIPY_"].into_iter().find_map(|prefix| {
                let value = lookup(&format!("{prefix}{name}"))?;
                let value = value.trim();
                (!value.is_empty()).then(|| value.to_owned())
            })
        };
        let client_id = value("CLIENT_ID").ok_or_else(|| {
            Error::configuration(
                "SPOTIFY_CLIENT_ID is not set: copy the client id from \
                 developer.spotify.com/dashboard",
            )
        })?;
        let mut builder = App::builder(client_id);
        if let Some(secret) = value("CLIENT_SECRET") {
            builder = builder.secret(secret);
        }
        if let Some(redirect_uri) = value("REDIRECT_URI") {
            builder = builder.redirect_uri(redirect_uri);
        }
        Ok(builder)
    }
}

#[cfg(test)]
mod tests {
    use spot_http::ErrorKind;

    use super::*;

    fn from(variables: &[(&str, &str)]) -> Result<App, Error> {
        let find = |name: &str| {
            let (_, value) = variables.iter().find(|(known, _)| *known == name)?;
            Some((*value).to_owned())
        };
        AppBuilder::from_variables(find)?.build()
    }

    #[test]
    fn spotify_variables_take_precedence_over_spotipy_variables() {
        let app = from(&[
            ("SPOTIPY_CLIENT_ID", "theirs"),
            ("SPOTIFY_CLIENT_ID", " ours "),
            ("SPOTIFY_REDIRECT_URI", ""),
            ("SPOTIPY_REDIRECT_URI", "http://127.0.0.1:8888/callback"),
        ])
        .unwrap();
        assert_eq!(app.client_id(), "ours");
        assert_eq!(app.redirect_uri(), Some("http://127.0.0.1:8888/callback"));
        assert!(app.client_credentials().is_err(), "the application has no client secret");
        let app = from(&[("SPOTIPY_CLIENT_ID", "a"), ("SPOTIPY_CLIENT_SECRET", "b")]).unwrap();
        assert!(app.client_credentials().is_ok());
        assert_eq!(app.redirect_uri(), None);
    }

    #[test]
    fn errors_describe_missing_and_invalid_variables() {
        let error = from(&[("SPOTIFY_CLIENT_SECRET", "CANARY")]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.message().contains("SPOTIFY_CLIENT_ID"), "{error}");
        let error =
            from(&[("SPOTIFY_CLIENT_ID", "a"), ("SPOTIFY_REDIRECT_URI", "http://localhost:1")])
                .unwrap_err();
        assert!(error.message().contains("localhost"), "{error}");
    }
}
