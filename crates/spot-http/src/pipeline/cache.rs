//! The response cache.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use http::HeaderValue;
use http_cache_semantics::CachePolicy;
use quick_cache::{OptionsBuilder, Weighter, sync::DefaultLifecycle};
use tokio::sync::OnceCell;

use crate::{AccessToken, Error, Response};

/// An in-memory cache of responses that follows HTTP caching (RFC 9111), with a limit in bytes.
///
/// The key consists of the token, the URL and the language, so that users never receive each
/// other's responses. A new token changes the key, so the earlier responses are not used after a
/// token refresh. If several identical `GET` calls run at the same time, the pipeline sends one
/// request, and all these calls get its response. After every `POST`, `PUT` or `DELETE`, the cache
/// removes the responses for URLs that contain `/me` or `/playlists/`. Responses to requests with
/// other tokens remain in the cache.
///
/// Clones of a cache share the stored responses, even if different clients use the clones:
///
/// ```
/// use spot_http::{AccessToken, Cache, Pipeline};
///
/// # fn main() -> Result<(), spot_http::Error> {
/// let cache = Cache::new(32 * 1024 * 1024);
/// let pipeline = Pipeline::builder(AccessToken::new("a token")?).cache(cache.clone()).build()?;
/// assert_eq!(cache.bytes(), 0);
/// # Ok(()) }
/// ```
// The compiler does not need this `cfg`, but the docs of `spot-sdk` need it to show the feature.
#[cfg(feature = "cache")]
#[derive(Clone)]
pub struct Cache {
    pub(crate) memory: Arc<Memory>,
}

pub(crate) struct Memory {
    pub(crate) kept: quick_cache::sync::Cache<Key, Kept, Weigh>,
    flights: Mutex<Flights>,
    /// The number of writes so far. If a write occurs while a request is in flight, the response to
    /// that request is not stored.
    pub(crate) writes: AtomicU64,
}

/// The requests in flight. Entries of finished or cancelled requests remain until the next cleanup.
/// A cleanup runs when the map has doubled in size since the previous cleanup, so most calls run no
/// cleanup.
#[derive(Default)]
struct Flights {
    by_key: HashMap<Key, Weak<Flight>>,
    /// Number of entries that triggers the next cleanup.
    full: usize,
}

impl Flights {
    fn insert(&mut self, key: Key, flight: &Arc<Flight>) {
        /// Minimum number of entries for a cleanup.
        const FEW: usize = 64;
        if self.by_key.len() >= self.full.max(FEW) {
            self.by_key.retain(|_, flight| flight.strong_count() > 0);
            self.full = 2 * self.by_key.len();
        }
        self.by_key.insert(key, Arc::downgrade(flight));
    }
}

/// The response to a request in flight. Several calls may wait for the response.
pub(crate) type Flight = OnceCell<Result<Response<Bytes>, Error>>;

#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) token: HeaderValue,
    pub(crate) language: Option<HeaderValue>,
    pub(crate) url: Arc<str>,
}

#[derive(Clone)]
pub(crate) struct Kept {
    pub(crate) policy: Arc<CachePolicy>,
    pub(crate) body: Bytes,
}

#[derive(Clone)]
pub(crate) struct Weigh;

impl Weighter<Key, Kept> for Weigh {
    fn weight(&self, key: &Key, kept: &Kept) -> u64 {
        /// Estimated size of the headers of a request and its response.
        const HEADERS: usize = 2048;
        (kept.body.len() + key.url.len() + key.token.len() + HEADERS) as u64
    }
}

impl Cache {
    /// Creates an empty cache that stores at most this number of bytes.
    pub fn new(bytes: u64) -> Self {
        /// Expected size of a response. The size is only a hint.
        const TYPICAL: u64 = 16 * 1024;
        let items = usize::try_from(bytes / TYPICAL).unwrap_or(usize::MAX).max(16);
        let options = OptionsBuilder::new()
            .estimated_items_capacity(items)
            .weight_capacity(bytes)
            // With several shards, each shard would have a part of the capacity, and a large
            // response would not fit.
            .shards(1)
            .build();
        let random = std::hash::RandomState::new();
        let kept = match options {
            Ok(options) => quick_cache::sync::Cache::with_options(
                options,
                Weigh,
                random,
                DefaultLifecycle::default(),
            ),
            // Building the options fails only if a capacity is not set. Both capacities are set
            // above.
            Err(_) => quick_cache::sync::Cache::with(
                items,
                bytes,
                Weigh,
                random,
                DefaultLifecycle::default(),
            ),
        };
        let memory = Memory { kept, flights: Mutex::default(), writes: AtomicU64::new(0) };
        Self { memory: Arc::new(memory) }
    }

    /// Size of all stored responses, in bytes.
    pub fn bytes(&self) -> u64 {
        self.memory.kept.weight()
    }

    /// Removes all responses.
    pub fn clear(&self) {
        self.memory.writes.fetch_add(1, Ordering::AcqRel);
        self.memory.kept.clear();
    }

    /// Returns the request in flight for a key, or adds a new request.
    pub(crate) fn flight(&self, key: &Key) -> Arc<Flight> {
        let mut flights = self.memory.flights.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = flights.by_key.get(key).and_then(Weak::upgrade)
            && !flight.initialized()
        {
            return flight;
        }
        let flight = Arc::default();
        flights.insert(key.clone(), &flight);
        flight
    }

    /// Removes the responses that a write of this user may have changed.
    pub(crate) fn forget_private(&self, token: &AccessToken) {
        self.memory.writes.fetch_add(1, Ordering::AcqRel);
        self.memory.kept.retain(|key, _| {
            let changes = key.url.contains("/me") || key.url.contains("/playlists/");
            key.token != token.header() || !changes
        });
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("bytes", &self.bytes()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tracking_of_requests_in_flight_is_fast_and_bounded() {
        let cache = Cache::new(1024);
        let key = |at: usize| Key {
            token: HeaderValue::from_static("token"),
            language: None,
            url: at.to_string().into(),
        };
        let start = std::time::Instant::now();
        let waiting: Vec<_> = (0..40_000).map(|at| cache.flight(&key(at))).collect();
        let took = start.elapsed();
        assert!(
            took.as_secs() < 5,
            "tracking 40000 simultaneous calls took {took:?}; expected less than 5 s"
        );
        drop(waiting);
        // Cleanups remove the entries of finished requests.
        for at in 40_000..200_000 {
            cache.flight(&key(at));
        }
        let entries = cache.memory.flights.lock().unwrap().by_key.len();
        assert!(entries <= 100_000, "{entries} entries");
    }
}
