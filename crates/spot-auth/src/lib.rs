#![doc = include_str!("../README.md")]
// Shows on docs.rs which feature an item needs.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod accounts;
mod app;
mod application;
mod client_credentials;
mod clock;
mod environment;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod scopes;
mod session;
mod sign_in;
mod store;
#[cfg(feature = "test")]
pub mod test;
mod user_code;

pub use app::{App, AppBuilder};
pub use client_credentials::ClientCredentials;
pub use scopes::Scopes;
pub use secrecy::{ExposeSecret, SecretString};
pub use session::{Session, SessionEvent, SessionEventKind};
pub use sign_in::{PendingSignIn, SignIn, sign_in_from_env};
pub use spot_http::{AccessToken, Error, ErrorKind, TokenSource, async_trait};
pub use spot_model::Scope;
#[cfg(feature = "keyring")]
pub use store::KeyringStore;
pub use store::{
    CallbackStore, FileStore, MemoryStore, SaveOutcome, StoreKey, StoreLock, Stored, TokenRecord,
    TokenStore,
};
