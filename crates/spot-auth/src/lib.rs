#![doc = include_str!("../README.md")]

mod answer;
mod app;
mod callback;
mod clock;
mod credentials;
mod endpoint;
mod env;
mod event;
#[cfg(feature = "loopback")]
mod loopback;
mod pending;
mod record;
#[cfg_attr(
    not(feature = "loopback"),
    allow(dead_code, reason = "only the listener asks for ports")
)]
mod redirect;
mod refusal;
mod renewal;
mod scopes;
mod session;
mod sign_in;
mod spotipy;
mod store;
mod user;

pub use app::{App, AppBuilder};
pub use credentials::ClientCredentials;
pub use event::{SessionEvent, SessionEventKind};
pub use pending::PendingSignIn;
pub use record::TokenRecord;
pub use scopes::Scopes;
pub use secrecy::{ExposeSecret, SecretString};
pub use session::Session;
pub use sign_in::{SignIn, sign_in_from_env};
pub use spot_http::{AccessToken, Error, ErrorKind, TokenSource, async_trait};
pub use spot_model::Scope;
#[cfg(feature = "keyring")]
pub use store::KeyringStore;
pub use store::{
    CallbackStore, FileStore, MemoryStore, SaveOutcome, StoreKey, StoreLock, Stored, TokenStore,
};
