//! A cache of rendered tracks, stored as JSON.
//!
//! Most requests read pages of tracks, and rendering a page takes longer than sending it. Cached
//! tracks stay valid, because the catalogue never changes.

use std::{fmt, sync::Arc};

use quick_cache::{Weighter, sync::Cache};
use serde_json::value::RawValue;

use crate::http::json::Json;

/// Maximum number of bytes in the cache.
const CAPACITY: u64 = 24 * 1024 * 1024;
/// Approximate length of a rendered track.
const TRACK: u64 = 2 * 1024;

/// The cached tracks.
pub(crate) struct TrackCache(Cache<TrackForm, Arc<RawValue>, Length>);

/// Cache key: the track, and all settings that affect its JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct TrackForm {
    pub(super) place: u32,
    /// Whether the track is in a playlist.
    pub(super) in_playlist: bool,
    pub(super) extended: bool,
    pub(super) previews: bool,
    pub(super) playability: bool,
    /// Whether the track is rendered for the users' country. `false` if the call has no market.
    pub(super) at_home: bool,
    pub(super) market_asked: bool,
}

#[derive(Clone)]
struct Length;

impl Weighter<TrackForm, Arc<RawValue>> for Length {
    fn weight(&self, _: &TrackForm, text: &Arc<RawValue>) -> u64 {
        u64::try_from(text.get().len()).unwrap_or(u64::MAX)
    }
}

impl TrackCache {
    pub(crate) fn new() -> Self {
        let count = usize::try_from(CAPACITY / TRACK).unwrap_or(usize::MAX);
        Self(Cache::with_weighter(count, CAPACITY, Length))
    }

    /// Returns the cached JSON, or renders the track and stores its JSON.
    pub(super) fn get_or_render(&self, form: TrackForm, render: impl FnOnce() -> Json) -> Json {
        if let Some(text) = self.0.get(&form) {
            return Json::Shared(text);
        }
        let json = render();
        match serde_json::value::to_raw_value(&json) {
            Ok(text) => {
                let text: Arc<RawValue> = text.into();
                self.0.insert(form, Arc::clone(&text));
                Json::Shared(text)
            }
            Err(_) => json,
        }
    }
}

impl fmt::Debug for TrackCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrackCache").field("tracks", &self.0.len()).finish_non_exhaustive()
    }
}
