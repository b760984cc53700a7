//! The callback: the URL to which Spotify redirects the browser.

use std::{borrow::Cow, fmt};

use secrecy::{ExposeSecret, SecretString};
use spot_http::{Error, failure::redact};
use subtle::ConstantTimeEq;
use url::form_urlencoded;

/// The content of a callback with the correct state.
#[derive(Debug)]
pub(crate) enum CallbackOutcome {
    /// The user has consented.
    Code(SecretString),
    /// The user or the service has declined.
    Declined {
        /// The error code of the service, such as `access_denied`.
        error: String,
    },
}

/// Why a URL is not the callback of the sign-in. An invalid callback does not end the sign-in,
/// because anyone can send a browser to the redirect URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InvalidCallback {
    NoQuery,
    Repeated(&'static str),
    NoState,
    WrongState,
    WrongIssuer,
    NoOutcome,
    TwoOutcomes,
}

/// The values that the callback must match.
pub(crate) struct Expected<'a> {
    pub(crate) state: &'a SecretString,
    pub(crate) issuer: &'a str,
}

/// Returns the query of a URL that a user pasted or a server received. The text can be a whole URL,
/// a path with a query, or only a query.
pub(crate) fn query(text: &str) -> Result<&str, InvalidCallback> {
    let text = text.trim().trim_matches(['"', '\'', '<', '>']);
    let text = text.split_once('#').map_or(text, |(before, _)| before);
    match text.split_once('?') {
        Some((_, query)) => Ok(query),
        None if text.contains('=') && !text.contains("://") => Ok(text),
        None => Err(InvalidCallback::NoQuery),
    }
}

/// Validates the query of a callback.
pub(crate) fn validate_callback(
    query: &str,
    expected: &Expected<'_>,
) -> Result<CallbackOutcome, InvalidCallback> {
    let mut code = None;
    let mut error = None;
    let mut state = None;
    let mut issuer = None;
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let (slot, name): (&mut Option<Cow<'_, str>>, _) = match &*name {
            "code" => (&mut code, "code"),
            "error" => (&mut error, "error"),
            "state" => (&mut state, "state"),
            "iss" => (&mut issuer, "iss"),
            _ => continue,
        };
        if slot.replace(value).is_some() {
            return Err(InvalidCallback::Repeated(name));
        }
    }
    let state = state.ok_or(InvalidCallback::NoState)?;
    if !bool::from(state.as_bytes().ct_eq(expected.state.expose_secret().as_bytes())) {
        return Err(InvalidCallback::WrongState);
    }
    if issuer.is_some_and(|issuer| issuer.trim_end_matches('/') != expected.issuer) {
        return Err(InvalidCallback::WrongIssuer);
    }
    let code = code.filter(|code| !code.is_empty());
    let error = error.filter(|error| !error.is_empty());
    match (code, error) {
        (Some(code), None) => Ok(CallbackOutcome::Code(code.into_owned().into())),
        (None, Some(error)) => Ok(CallbackOutcome::Declined {
            // The error may contain the state, which is secret.
            error: redact(&error, &[expected.state.expose_secret()])
                .chars()
                .filter(|c| !c.is_control())
                .take(64)
                .collect(),
        }),
        (None, None) => Err(InvalidCallback::NoOutcome),
        (Some(_), Some(_)) => Err(InvalidCallback::TwoOutcomes),
    }
}

/// Creates the error of a sign-in that the user or the service declined. The error's `reason`
/// method returns the error code of the accounts service.
pub(crate) fn declined(error: &str) -> Error {
    let message = match error {
        "access_denied" => "the user did not consent".to_owned(),
        _ => format!("the accounts service declined the sign-in: {error}"),
    };
    Error::authentication(message).with_reason(error)
}

impl InvalidCallback {
    pub(crate) fn into_error(self) -> Error {
        Error::authentication(self.to_string())
    }
}

impl fmt::Display for InvalidCallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this is not the callback URL of the sign-in: ")?;
        match self {
            Self::NoQuery => f.write_str("the URL has no query"),
            Self::Repeated(name) => write!(f, "the URL contains `{name}` more than once"),
            Self::NoState => f.write_str("`state` is missing"),
            Self::WrongState => f.write_str(
                "`state` belongs to another sign-in; use the address of the latest sign-in",
            ),
            Self::WrongIssuer => {
                f.write_str("`iss` is not the URL of the expected accounts service")
            }
            Self::NoOutcome => f.write_str("the URL contains neither `code` nor `error`"),
            Self::TwoOutcomes => f.write_str("the URL contains both `code` and `error`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STATE: &str = "b3f-9_xQ";

    fn read(text: &str) -> Result<CallbackOutcome, InvalidCallback> {
        let state = SecretString::from(STATE);
        let expected = Expected { state: &state, issuer: "https://accounts.spotify.com" };
        validate_callback(query(text)?, &expected)
    }

    fn code(text: &str) -> String {
        match read(text) {
            Ok(CallbackOutcome::Code(code)) => code.expose_secret().to_owned(),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn every_callback_format_is_parsed() {
        for text in [
            "http://127.0.0.1:4444/callback?code=AQ%2Fx&state=b3f-9_xQ",
            "/callback?state=b3f-9_xQ&code=AQ%2Fx&foo=1&foo=2",
            "code=AQ%2Fx&state=b3f-9_xQ",
            "  \"https://example.org/?code=AQ%2Fx&state=b3f-9_xQ#_=_\"\n",
            "?code=AQ%2Fx&state=b3f-9_xQ&iss=https://accounts.spotify.com/",
            "?code=AQ%2Fx&error=&state=b3f-9_xQ",
        ] {
            assert_eq!(code(text), "AQ/x", "{text}");
        }
        match read("/?error=access_denied&state=b3f-9_xQ") {
            Ok(CallbackOutcome::Declined { error }) => assert_eq!(error, "access_denied"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_declined_callback_error_redacts_the_state() {
        match read(&format!("/?error=x%5E{STATE}.d&state={STATE}")) {
            Ok(CallbackOutcome::Declined { error }) => assert_eq!(error, "x^<redacted>.d"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_invalid_callback_is_rejected_with_the_reason() {
        for (text, invalid) in [
            ("", InvalidCallback::NoQuery),
            ("AQDbareCode", InvalidCallback::NoQuery),
            ("https://example.org/=", InvalidCallback::NoQuery),
            ("/?code=x", InvalidCallback::NoState),
            ("/?code=x&state=", InvalidCallback::WrongState),
            ("/?code=x&state=B3F-9_XQ", InvalidCallback::WrongState),
            ("/?code=x&state=b3f-9_x", InvalidCallback::WrongState),
            ("/?error=access_denied&state=other", InvalidCallback::WrongState),
            ("/?code=x&state=b3f-9_xQ&state=b3f-9_xQ", InvalidCallback::Repeated("state")),
            ("/?code=x&code=x&state=b3f-9_xQ", InvalidCallback::Repeated("code")),
            ("/?state=b3f-9_xQ", InvalidCallback::NoOutcome),
            ("/?code=&state=b3f-9_xQ", InvalidCallback::NoOutcome),
            ("/?code=x&error=y&state=b3f-9_xQ", InvalidCallback::TwoOutcomes),
            ("/?code=x&state=b3f-9_xQ&iss=https://evil.example", InvalidCallback::WrongIssuer),
        ] {
            assert_eq!(read(text).expect_err(text), invalid, "{text}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_without_the_state_is_an_invalid_callback(text in "\\PC{0,200}") {
            let read = read(&text);
            if !text.contains(STATE) && !text.contains('%') {
                prop_assert!(read.is_err(), "{text}");
            }
        }

        #[test]
        fn only_valid_parameter_combinations_give_an_outcome(
            parts in proptest::collection::vec(
                prop_oneof![
                    Just("code=x"), Just("code="), Just("error=e"), Just("error="), Just("x=y"),
                    Just("state=b3f-9_xQ"), Just("state=b3f-9_xq"), Just("state"), Just("&"),
                    Just("iss=https%3A%2F%2Faccounts.spotify.com"), Just("iss=a"),
                ],
                0..6,
            ),
        ) {
            let count = |part: &str| parts.iter().filter(|known| **known == part).count();
            let named = |name: &str| parts.iter().filter(|part| part.starts_with(name)).count();
            let state = count("state=b3f-9_xQ") == 1 && named("state") == 1;
            let issuer = count("iss=a") == 0 && named("iss") <= 1;
            let once = named("code") <= 1 && named("error") <= 1;
            let read = read(&format!("/callback?{}", parts.join("&")));
            let yes = state && issuer && once && count("code=x") == 1 && count("error=e") == 0;
            let no = state && issuer && once && count("code=x") == 0 && count("error=e") == 1;
            prop_assert_eq!(matches!(read, Ok(CallbackOutcome::Code(_))), yes);
            prop_assert_eq!(matches!(read, Ok(CallbackOutcome::Declined { .. })), no);
        }

        #[test]
        fn any_authorization_code_is_decoded_unchanged(value in "\\PC{1,80}") {
            let query: String = form_urlencoded::Serializer::new(String::new())
                .append_pair("code", &value)
                .append_pair("state", STATE)
                .finish();
            prop_assert_eq!(code(&format!("http://127.0.0.1/?{query}")), value);
        }
    }
}
