#![doc = include_str!("../README.md")]
// Shows on docs.rs which feature an item needs.
#![cfg_attr(docsrs, feature(doc_cfg))]

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

// No module has the name of a crate that users may depend on, such as `http` or `redis`. With such
// a module, `use spot::*` would make the name ambiguous.

/// Typed requests for every endpoint. The methods of [`Client`] create the requests.
pub mod api {
    // Items of the crate root are documented only in the root, so that the search lists each item
    // once.
    #[doc(no_inline)]
    pub use crate::{
        AccessMode, ApiRequest, CallOptions, Client, ClientBuilder, Error, ErrorKind, Items,
        LibraryChanges, Market, Optional, Paged, Pages, PlaybackChange, PlaybackEvent,
        PlaybackOffset, PlaybackWatch, PlayerDevice, PlayerReason, PlaylistContents, Position,
        Request, Response, SearchFor, SearchItem, SearchQuery, SyncPlan, SyncPlaylist, WatchHandle,
    };
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

/// Guides: one page for each task.
///
/// | to do | page |
/// |---|---|
/// | sign in users, or read public data | [`sign_in`](guide::sign_in) |
/// | find out which operations your application may call | [`access_mode`](guide::access_mode) |
/// | read lists, page by page or as a stream | [`lists`](guide::lists) |
/// | handle errors: retry, show, give up | [`errors`](guide::errors) |
/// | make many calls | [`limits`](guide::limits) |
/// | serve many users | [`many_users`](guide::many_users) |
/// | run on several machines | [`several_machines`](guide::several_machines) |
/// | test a program, in any language | [`testing`](guide::testing) |
/// | keep objects and tokens in a database | [`database`](guide::database) |
/// | call an endpoint that is missing, replace the transport | [`extending`](guide::extending) |
/// | write a program without `async` | [`blocking`](guide::blocking) |
/// | watch the current playback | [`watching_playback`](guide::watching_playback) |
/// | make a playlist equal to a list | [`syncing_playlists`](guide::syncing_playlists) |
/// | port a program from rspotify | [`coming_from_rspotify`](guide::coming_from_rspotify) |
/// | port a program from spotipy | [`coming_from_spotipy`](guide::coming_from_spotipy) |
// The guides link to items of these features.
#[cfg_attr(
    not(all(feature = "blocking", feature = "redis")),
    allow(rustdoc::broken_intra_doc_links)
)]
pub mod guide {
    /// Choosing a sign-in.
    ///
    #[doc = include_str!("../docs/choosing-a-sign-in.md")]
    pub mod sign_in {}

    /// Which operations your application may call in Development Mode and in Extended Quota Mode.
    ///
    #[doc = include_str!("../docs/development-or-extended-mode.md")]
    pub mod access_mode {}

    /// Lists and streams.
    ///
    #[doc = include_str!("../docs/lists-and-streams.md")]
    pub mod lists {}

    /// Errors: which errors to retry, and which errors to show to the user.
    ///
    #[doc = include_str!("../docs/errors.md")]
    pub mod errors {}

    /// Rate limits and quotas.
    ///
    #[doc = include_str!("../docs/rate-limits-and-quotas.md")]
    pub mod limits {}

    /// A service with many users.
    ///
    #[doc = include_str!("../docs/many-users.md")]
    pub mod many_users {}

    /// Running on several machines.
    ///
    // The code on this page needs the feature `redis`.
    #[cfg_attr(
        any(not(doctest), feature = "redis"),
        doc = include_str!("../docs/several-machines.md")
    )]
    pub mod several_machines {}

    /// How to test a program that calls Spotify, in Rust or in another language.
    ///
    #[doc = include_str!("../docs/testing.md")]
    pub mod testing {}

    /// Keeping objects and tokens in your database.
    ///
    #[doc = include_str!("../docs/database.md")]
    pub mod database {}

    /// Your own endpoints and transports.
    ///
    #[doc = include_str!("../docs/extending.md")]
    pub mod extending {}

    /// Programs without `async`.
    ///
    // The code on this page needs the feature `blocking`.
    #[cfg_attr(
        any(not(doctest), feature = "blocking"),
        doc = include_str!("../docs/blocking.md")
    )]
    pub mod blocking {}

    /// How to receive an event when the playback of a user changes.
    ///
    #[doc = include_str!("../docs/watching-playback.md")]
    pub mod watching_playback {}

    /// How to change a playlist so that it contains exactly the entries of your list, with few
    /// calls.
    ///
    #[doc = include_str!("../docs/syncing-playlists.md")]
    pub mod syncing_playlists {}

    /// Coming from rspotify: every method of its clients, and the equivalent in this SDK.
    ///
    #[doc = include_str!("../docs/coming-from-rspotify.md")]
    pub mod coming_from_rspotify {}

    /// Coming from spotipy: every call of spotipy 2.0, and the equivalent in this SDK.
    ///
    #[doc = include_str!("../docs/coming-from-spotipy.md")]
    pub mod coming_from_spotipy {}
}

/// Checks that the examples in the project's README compile.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
