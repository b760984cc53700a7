//! The tokens of a user.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use spot_http::Error;

use crate::{
    Scopes,
    accounts::IssuedTokens,
    clock::{Deadline, from_unix, to_unix},
};

/// The tokens of a user, the scopes that the user granted, the time of the consent, and the time at
/// which the access token expires. `Debug` does not print the tokens.
///
/// Stores encode a record with [`to_json`](Self::to_json), and decode it with
/// [`from_json`](Self::from_json).
#[derive(Clone)]
pub struct TokenRecord {
    access_token: Option<SecretString>,
    refresh_token: Option<SecretString>,
    granted: Scopes,
    requested: Scopes,
    expires_at: Option<SystemTime>,
    lifetime: Duration,
    /// When the access token was refreshed. `None` if the token came from a sign-in or from the
    /// program.
    refreshed_at: Option<SystemTime>,
    consented_at: Option<SystemTime>,
}

/// Shortest duration of a consent: six calendar months have at least 181 days.
const CONSENT: Duration = Duration::from_secs(181 * 86_400);

/// Default lifetime of an access token.
const LIFETIME: Duration = Duration::from_secs(3_600);

impl TokenRecord {
    /// Creates a record from a refresh token. The record contains neither the granted scopes nor
    /// the time of the consent; set them with [`with_granted_scopes`](Self::with_granted_scopes)
    /// and [`with_consented_at`](Self::with_consented_at).
    pub fn from_refresh_token(refresh_token: impl Into<SecretString>) -> Self {
        Self {
            access_token: None,
            refresh_token: Some(refresh_token.into()),
            granted: Scopes::new(),
            requested: Scopes::new(),
            expires_at: None,
            lifetime: LIFETIME,
            refreshed_at: None,
            consented_at: None,
        }
    }

    /// Sets the scopes that the user granted.
    #[must_use]
    pub fn with_granted_scopes(mut self, granted: impl Into<Scopes>) -> Self {
        self.granted = granted.into();
        self
    }

    /// Sets the time at which the user consented.
    #[must_use]
    pub fn with_consented_at(mut self, consented_at: SystemTime) -> Self {
        self.consented_at = Some(consented_at);
        self
    }

    /// Sets an access token and the time at which it expires.
    #[must_use]
    pub fn with_access_token(
        mut self,
        access_token: impl Into<SecretString>,
        expires_at: SystemTime,
    ) -> Self {
        self.access_token = Some(access_token.into());
        self.expires_at = Some(expires_at);
        self.refreshed_at = None;
        self
    }

    /// The access token, if there is one. The token may have expired.
    pub fn access_token(&self) -> Option<&SecretString> {
        self.access_token.as_ref()
    }

    /// The refresh token, if there is one.
    pub fn refresh_token(&self) -> Option<&SecretString> {
        self.refresh_token.as_ref()
    }

    /// The granted scopes. Empty if unknown.
    pub fn granted_scopes(&self) -> &Scopes {
        &self.granted
    }

    /// The requested scopes. Empty if unknown.
    pub fn requested_scopes(&self) -> &Scopes {
        &self.requested
    }

    /// The time at which the access token expires.
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.expires_at
    }

    /// The time at which the user consented; `None` if unknown. A stored time has a precision of
    /// one second.
    pub fn consented_at(&self) -> Option<SystemTime> {
        self.consented_at
    }

    /// The time at which the user's consent expires; `None` if unknown. The SDK counts the six
    /// months of the consent as 181 days. A refresh of the tokens does not extend the consent.
    pub fn consent_expires_at(&self) -> Option<SystemTime> {
        self.consented_at?.checked_add(CONSENT)
    }

    /// Returns the record as JSON. The JSON contains the tokens: anyone who reads it can act as the
    /// user.
    pub fn to_json(&self) -> SecretString {
        let secret =
            |secret: &Option<SecretString>| secret.as_ref().map(|s| s.expose_secret().to_owned());
        let form = RecordJson {
            access_token: secret(&self.access_token),
            refresh_token: secret(&self.refresh_token),
            granted: self.granted.to_string(),
            requested: self.requested.to_string(),
            expires_at: self.expires_at.map(to_unix),
            lifetime: self.lifetime.as_secs(),
            refreshed_at: self.refreshed_at.map(to_unix),
            consented_at: self.consented_at.map(to_unix),
        };
        // Text and numbers can always be serialized.
        serde_json::to_string(&form).unwrap_or_default().into()
    }

    /// Reads a record from the JSON that [`to_json`](Self::to_json) returns.
    ///
    /// # Errors
    ///
    /// Returns a [`Configuration`](crate::ErrorKind::Configuration) error if `json` is not the JSON
    /// of a token record. The error does not quote `json`.
    pub fn from_json(json: &str) -> Result<Self, Error> {
        let form: RecordJson = serde_json::from_str(json).map_err(|error| {
            Error::configuration(format!(
                "the token record is malformed at line {}, column {}",
                error.line(),
                error.column(),
            ))
        })?;
        let secret = |text: Option<String>| text.filter(|text| !text.is_empty()).map(Into::into);
        let record = Self {
            access_token: secret(form.access_token),
            refresh_token: secret(form.refresh_token),
            granted: Scopes::parse(&form.granted),
            requested: Scopes::parse(&form.requested),
            expires_at: form.expires_at.and_then(from_unix),
            lifetime: Duration::from_secs(form.lifetime),
            refreshed_at: form.refreshed_at.and_then(from_unix),
            consented_at: form.consented_at.and_then(from_unix),
        };
        if record.access_token.is_none() && record.refresh_token.is_none() {
            return Err(Error::configuration("the token record contains no token"));
        }
        Ok(record)
    }

    /// Creates the record of a new consent. If the response does not list the scopes, the user has
    /// granted all requested scopes (RFC 6749, section 5.1).
    pub(crate) fn granted(issued: &IssuedTokens, requested: Scopes) -> Self {
        let nothing = Self {
            access_token: None,
            refresh_token: None,
            granted: requested.clone(),
            requested,
            expires_at: None,
            lifetime: LIFETIME,
            refreshed_at: None,
            consented_at: Some(issued.requested_at.wall),
        };
        Self { refreshed_at: None, ..nothing.refreshed(issued) }
    }

    /// Returns a copy of this record that contains the issued tokens. Fields that are missing in
    /// the response keep their values.
    pub(crate) fn refreshed(&self, issued: &IssuedTokens) -> Self {
        let response = &issued.response;
        let mut record = self.clone();
        if let Ok(access_token) = response.access_token() {
            record.access_token = Some(access_token.into());
            record.lifetime = response.lifetime();
            record.refreshed_at = Some(issued.requested_at.wall);
            record.expires_at = Some(Deadline::after(issued.requested_at, record.lifetime).wall());
        }
        if let Some(refresh_token) = response.refresh_token() {
            record.refresh_token = Some(refresh_token.into());
        }
        if let Some(scopes) = response.scopes() {
            record.granted = scopes;
        }
        record
    }

    /// The lifetime of the access token when it was issued.
    pub(crate) fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// Time since the access token was refreshed; `None` if it was never refreshed.
    pub(crate) fn since_refresh(&self, now: SystemTime) -> Option<Duration> {
        now.duration_since(self.refreshed_at?).ok()
    }

    #[cfg(feature = "keyring")]
    pub(crate) fn without_access_token(&self) -> Self {
        Self { access_token: None, expires_at: None, refreshed_at: None, ..self.clone() }
    }

    pub(crate) fn same_refresh_token(&self, other: &Self) -> bool {
        same(self.refresh_token.as_ref(), other.refresh_token.as_ref())
    }

    pub(crate) fn same_access_token(&self, other: &Self) -> bool {
        same(self.access_token.as_ref(), other.access_token.as_ref())
    }
}

fn same(one: Option<&SecretString>, other: Option<&SecretString>) -> bool {
    one.map(ExposeSecret::expose_secret) == other.map(ExposeSecret::expose_secret)
}

impl fmt::Debug for TokenRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRecord")
            .field("access_token", &self.access_token.as_ref().map(|_| "<redacted>"))
            .field("refresh_token", &self.refresh_token.as_ref().map(|_| "<redacted>"))
            .field("granted", &self.granted)
            .field("requested", &self.requested)
            .field("expires_at", &self.expires_at.map(to_unix))
            .field("consented_at", &self.consented_at.map(to_unix))
            .finish_non_exhaustive()
    }
}

/// The JSON of a record. Times are seconds since 1970.
#[derive(Serialize, Deserialize)]
struct RecordJson {
    #[serde(default)]
    access_token: Option<String>,
    #[serde(default)]
    refresh_token: Option<String>,
    #[serde(default)]
    granted: String,
    #[serde(default)]
    requested: String,
    #[serde(default)]
    expires_at: Option<u64>,
    #[serde(default = "lifetime")]
    lifetime: u64,
    #[serde(default)]
    refreshed_at: Option<u64>,
    #[serde(default)]
    consented_at: Option<u64>,
}

fn lifetime() -> u64 {
    LIFETIME.as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> TokenRecord {
        TokenRecord::from_refresh_token("CANARY-refresh")
            .with_access_token("CANARY-access", from_unix(1_795_003_600).unwrap())
            .with_granted_scopes("streaming user-read-mind")
            .with_consented_at(from_unix(1_795_000_000).unwrap())
    }

    #[test]
    fn a_token_record_round_trips_through_json() {
        let json = record().to_json();
        let back = TokenRecord::from_json(json.expose_secret()).unwrap();
        assert_eq!(back.to_json().expose_secret(), json.expose_secret());
        assert_eq!(back.granted_scopes().to_string(), "streaming user-read-mind");
        assert!(back.same_access_token(&record()) && back.same_refresh_token(&record()));
        let earliest = back.consent_expires_at().unwrap();
        assert_eq!(to_unix(earliest), 1_795_000_000 + 181 * 86_400);
    }

    #[test]
    fn invalid_record_json_is_rejected_and_not_quoted() {
        for json in [
            "",
            "{}",
            "[]",
            r#"{"access_token":""}"#,
            r#"{"refresh_token":["CANARY"]}"#,
            r#"{"refresh_token":"CANARY","expires_at":"CANARY"}"#,
            r#"{"refresh_token":"CANARY""#,
        ] {
            let error = TokenRecord::from_json(json).expect_err(json);
            assert!(error.message().starts_with("the token record "), "{error}");
            assert!(!format!("{error:?}").contains("CANARY"), "{error:?}");
        }
    }
}
