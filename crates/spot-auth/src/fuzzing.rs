//! Entry points for fuzzing of all code that parses untrusted input. Not part of the public API.
//!
//! Each function panics if the parser under test gives a wrong result.

use secrecy::{ExposeSecret, SecretString};

use crate::{TokenRecord, accounts::TokenResponse, sign_in, store};

/// The `state` parameter that [`listener`] expects in a callback.
pub const STATE: &str = "b3f-9_xQ";

/// Reads bytes as a request to the listener. A callback without the right state must be rejected.
/// Returns whether the listener accepts the bytes as the callback.
pub fn listener(bytes: &[u8]) -> bool {
    let outcome = sign_in::read_for_fuzzing(bytes, &SecretString::from(STATE));
    if let Some(sign_in::FuzzedOutcome::Declined { error }) = &outcome {
        assert!(error.len() <= 4 * 64 && !error.chars().any(char::is_control));
    }
    // The state may be percent-encoded.
    let has_state = |text: &str| text.contains(STATE) || text.contains('%');
    assert!(outcome.is_none() || has_state(&String::from_utf8_lossy(bytes)));
    outcome.is_some()
}

/// Parses a string as the callback URL that a user pasted.
pub fn pasted_address(text: &str) {
    if let Ok(query) = sign_in::query(text) {
        assert!(text.contains(query));
    }
}

/// Reads bytes as a response of the token endpoint. An accepted response must contain a refresh
/// token, or an access token that an HTTP header can contain. Returns whether the response was
/// accepted.
pub fn token_response(bytes: &[u8]) -> bool {
    let Ok(response) = TokenResponse::read(bytes) else { return false };
    match response.access_token() {
        Ok(token) => {
            assert!(!token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()));
        }
        Err(_) => assert!(response.refresh_token().is_some()),
    }
    assert!(response.refresh_token() != Some(""));
    assert!(!response.lifetime().is_zero());
    true
}

/// Reads bytes as a file of `FileStore` for the client id `client`, the account `account` and the
/// scope `streaming`. If the file contains a record, the record must stay the same after encoding
/// and decoding. Returns whether the file contains a record.
pub fn token_file(bytes: &[u8]) -> bool {
    let Some(record) = store::parse_for_fuzzing(bytes) else { return false };
    let json = record.to_json();
    let again = TokenRecord::from_json(json.expose_secret());
    assert!(again.is_ok_and(|again| again.to_json().expose_secret() == json.expose_secret()));
    true
}
