#![doc = include_str!("../README.md")]

#[doc(inline)]
pub use spot_api::{
    AccessMode, ApiRequest, CallOptions, Client, ClientBuilder, Error, ErrorKind, Items,
    LibraryChanges, Market, Optional, Paged, Pages, PlaybackChange, PlaybackEvent, PlaybackOffset,
    PlaybackWatch, PlayerDevice, PlayerReason, PlaylistContents, Position, Request, Response,
    SearchFor, SearchItem, SearchQuery, SyncPlan, SyncPlaylist, WatchHandle,
};

#[cfg(feature = "blocking")]
#[doc(inline)]
pub use spot_api::{Blocking, BlockingStream};

// No module is named like a crate that users have, such as `http` or `redis`: `use spot::*` would make
// the name ambiguous.

/// Typed requests for every endpoint; the methods of [`Client`] create them.
pub mod api {
    #[doc(inline)]
    pub use spot_api::*;
}

/// OAuth sign-in, token refresh and token stores.
pub mod auth {
    #[doc(inline)]
    pub use spot_auth::*;
}

/// Data types: ids, objects, pages, and the table of operations.
pub mod model {
    #[doc(inline)]
    pub use spot_model::*;
}

/// HTTP layer: transport, retries, rate limits, errors.
pub mod net {
    #[doc(inline)]
    pub use spot_http::*;
}

/// Rate limits and sessions that several machines share through Redis or Valkey.
#[cfg(feature = "redis")]
pub mod shared {
    #[doc(inline)]
    pub use spot_redis::*;
}

/// Coming from spotipy: every call of spotipy 2.0, and what it is here.
///
#[doc = include_str!("../docs/coming-from-spotipy.md")]
pub mod coming_from_spotipy {}

/// Watching playback: events of the player, found by polling.
///
#[doc = include_str!("../docs/watching-playback.md")]
pub mod watching_playback {}

/// Syncing playlists: making a playlist equal to a list, with few calls.
///
#[doc = include_str!("../docs/syncing-playlists.md")]
pub mod syncing_playlists {}

/// The examples of the project's own README compile.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
