//! Request and response bodies of the control interface.

use std::{collections::BTreeMap, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    accounts::{Consent, RefreshPolicy},
    faults::{Corruption, Fault},
    http::log::RecordedRequest,
    settings::{Mode, PlaylistFields},
    state::EarlyRetryPolicy,
    world::{Device, custom},
};

/// Moves the clock forward.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Advance {
    /// Seconds to add to the clock, with or without a fraction.
    pub(super) advance_seconds: f64,
}

/// The clock of the mock.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Time {
    /// For example `2026-11-02T09:00:00.000Z`.
    pub(super) now: String,
}

/// URLs and credentials of an instance.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Info {
    pub(super) version: &'static str,
    /// Base URL of the Web API, in place of `https://api.spotify.com/v1`.
    pub(super) api_url: String,
    /// Base URL of the accounts service, in place of `https://accounts.spotify.com`.
    pub(super) accounts_url: String,
    /// Base URL of the control interface of this instance.
    pub(super) control_url: String,
    pub(super) seed: u64,
    /// The registered applications. The default application comes first.
    pub(super) applications: Vec<Application>,
    /// Ids of users.
    pub(super) users: Vec<String>,
    /// Id of the user who signs in.
    pub(super) signed_in: String,
}

/// A registered application.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Application {
    pub(super) name: String,
    pub(super) client_id: String,
    pub(super) client_secret: String,
    /// `development` or `extended`.
    pub(super) mode: &'static str,
    pub(super) redirect_uris: Vec<String>,
}

/// The requests that an instance received, oldest first.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Requests {
    pub(super) requests: Vec<Seen>,
}

/// A request that an instance received.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Seen {
    pub(super) method: String,
    /// Path below the base URL, percent-encoded.
    pub(super) path: String,
    pub(super) query: String,
    /// Status of the response; 0 before the response is sent.
    pub(super) status: u16,
    /// Operation id in Spotify's reference. In the accounts service, the ids are `authorize` and
    /// `token`. Null if the request calls no operation.
    pub(super) operation: Option<&'static str>,
}

impl From<RecordedRequest> for Seen {
    fn from(request: RecordedRequest) -> Self {
        let RecordedRequest { method, path, query, status, operation } = request;
        Self { method, path, query, status, operation }
    }
}

/// A fault that affects one request.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum FaultBody {
    /// Returns this response instead of processing the request.
    Status {
        /// HTTP status, 200 to 599.
        #[schemars(range(min = 200, max = 599))]
        status: u16,
        /// Body. Default: Spotify's error object.
        body: Option<String>,
        /// Media type of the body. Default: `application/json`.
        content_type: Option<String>,
        /// Value of `Retry-After`.
        retry_after: Option<String>,
    },
    /// A response with status 429, as if the rate limit were exceeded.
    RateLimited { seconds: u64 },
    /// A response with status 429 and the reason `QUOTA_EXCEEDED`.
    QuotaExceeded { seconds: u64 },
    /// Resets the connection without processing the request.
    Reset,
    /// Processes the request, and resets the connection before the response is sent.
    LostAnswer,
    /// Processes the request, and closes the connection in the middle of the response body.
    TruncatedBody,
    /// Delays the request.
    Delay { milliseconds: u64 },
    /// Alters the response.
    Corrupted { corruption: Corruption },
}

impl FaultBody {
    pub(super) fn fault(self) -> Result<Fault, String> {
        Ok(match self {
            Self::Status { status, .. } if !(200..=599).contains(&status) => {
                return Err(format!("status: {status} is out of range; expected 200 to 599"));
            }
            Self::Status { status, body, content_type, retry_after } => {
                let mut fault = Fault::status(status);
                if body.is_some() || content_type.is_some() {
                    let media_type = content_type.as_deref().unwrap_or("application/json");
                    fault = fault.body(media_type, body.unwrap_or_default());
                }
                match retry_after {
                    Some(value) => fault.retry_after(value),
                    None => fault,
                }
            }
            Self::RateLimited { seconds } => Fault::rate_limited(seconds),
            Self::QuotaExceeded { seconds } => Fault::quota_exceeded(seconds),
            Self::Reset => Fault::Reset,
            Self::LostAnswer => Fault::LostAnswer,
            Self::TruncatedBody => Fault::TruncatedBody,
            Self::Delay { milliseconds } => Fault::Delay(Duration::from_millis(milliseconds)),
            Self::Corrupted { corruption } => Fault::Corrupted(corruption),
        })
    }
}

/// A fault to inject.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Inject {
    pub(super) fault: FaultBody,
    /// Operation id in Spotify's reference. In the accounts service, the ids are `authorize` and
    /// `token`. Default: any request gets the fault.
    pub(super) operation: Option<String>,
    /// Number of requests that get this fault. Default: 1.
    #[serde(default = "once")]
    #[schemars(range(min = 1, max = 1000))]
    pub(super) times: u32,
}

fn once() -> u32 {
    1
}

/// Faults that happen at random.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RandomBody {
    /// Share of the requests that get a fault, from 0 to 1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub(super) share: f64,
    /// The same seed and the same requests give the same faults. Default: 7.
    #[serde(default = "seed")]
    pub(super) seed: u64,
    /// Kinds of faults. Default: all.
    #[serde(default)]
    pub(super) faults: Vec<FaultBody>,
    /// Operation ids. Default: all.
    #[serde(default)]
    pub(super) operations: Vec<String>,
}

fn seed() -> u64 {
    7
}

/// A token to create.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TokenBody {
    /// Kind of the token. Default: `user`.
    pub(super) kind: TokenKind,
    /// Id of the user. Default: the default user.
    pub(super) user: Option<String>,
    /// Scopes. Default: all.
    pub(super) scopes: Option<Vec<String>>,
    /// Name of the application. Default: the default application.
    pub(super) application: Option<String>,
}

/// Kind of a token.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum TokenKind {
    /// An access token of a user.
    #[default]
    User,
    /// An access token without a user.
    Application,
    /// A refresh token of a user.
    Refresh,
}

/// A token.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Token {
    pub(super) token: String,
}

/// Settings of the sign-in. A missing field leaves the setting unchanged.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SignIn {
    /// Id of the user who signs in.
    pub(super) user: Option<String>,
    /// The user's decision at sign-in.
    pub(super) consent: Option<Consent>,
    /// The refresh token in the response to a refresh request.
    pub(super) refresh: Option<RefreshPolicy>,
}

/// Limits. A missing limit is not enforced.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct LimitsBody {
    /// Maximum number of calls of an application in a rate limit window.
    pub(super) calls: Option<usize>,
    /// Length of the rate limit window in seconds. Default: 30.
    pub(super) window_seconds: Option<u64>,
    /// For each operation id, the maximum number of calls in a rate limit window.
    pub(super) operations: BTreeMap<String, usize>,
    /// Maximum number of calls per day to a group of operations.
    pub(super) quota: Option<usize>,
    /// Policy for calls that a client sends before the time in `Retry-After` has passed.
    pub(super) early_retries: EarlyRetryPolicy,
}

/// A device to add. The new device replaces a device with the same id.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DeviceBody {
    /// Id of the user. Default: the default user.
    pub(super) user: Option<String>,
    pub(super) device: Device,
}

/// An advertisement.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AdvertisementBody {
    /// Id of the user. Default: the default user.
    pub(super) user: Option<String>,
    /// Length of the advertisement in seconds, with or without a fraction.
    pub(super) seconds: f64,
}

/// Settings of an isolated instance. A missing setting has the value of the default instance.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct WorldBody {
    /// Custom test data. Default: the custom test data of the default instance.
    pub(super) world: Option<custom::World>,
    /// Seed of the generated test data. Default: the seed of the default instance.
    pub(super) seed: Option<u64>,
    /// Access mode of the default application. Default: the mode of the default instance.
    pub(super) mode: Option<Mode>,
    /// If true, the mock refuses all calls of the default application to operations that Spotify
    /// restricted in 2024.
    pub(super) closed_2024: Option<bool>,
    /// Whether playlists have new field names (`items`), old field names (`tracks`), or both.
    pub(super) playlist_fields: Option<PlaylistFields>,
    /// Redirect URIs to register for the default application.
    pub(super) redirect_uris: Vec<String>,
    /// Whether responses contain null values: hidden playlists are null, and one device has a null
    /// id and a null volume.
    pub(super) null_values: Option<bool>,
    /// Whether the instance starts without playback.
    pub(super) idle: Option<bool>,
    /// Whether the reason of every refused player command is `UNKNOWN`.
    pub(super) vague_player: Option<bool>,
}

/// The keys of the isolated instances.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Worlds {
    pub(super) worlds: Vec<String>,
}

/// An error in a request.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ErrorBody {
    /// Description of the error, with the path of the field.
    pub(super) error: String,
}
