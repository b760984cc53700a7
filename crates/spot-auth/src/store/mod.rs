//! Token stores, which save the tokens of sessions.

mod callbacks;
mod file;
#[cfg(feature = "keyring")]
mod keyring;
mod locks;
mod memory;
mod private_file;
mod record;
mod rspotify_cache;
mod spotipy_cache;
mod token_store;

/// The [`reason`](spot_http::Error::reason) of the error that a store returns when it has renamed a
/// broken record.
pub(crate) const SET_ASIDE: &str = "record_set_aside";

#[cfg(feature = "fuzzing")]
pub(crate) use self::file::parse_for_fuzzing;
#[cfg(feature = "keyring")]
pub use self::keyring::KeyringStore;
pub use self::{
    callbacks::CallbackStore,
    file::FileStore,
    memory::MemoryStore,
    record::TokenRecord,
    token_store::{SaveOutcome, StoreKey, StoreLock, Stored, TokenStore},
};
