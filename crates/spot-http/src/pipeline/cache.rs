//! The cache of responses, and calls in flight that share one request.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header, request, response};
use http_cache_semantics::{AfterResponse, BeforeRequest, CacheOptions, CachePolicy};
use quick_cache::{OptionsBuilder, Weighter, sync::DefaultLifecycle};
use spot_model::Method;
use tokio::{
    sync::OnceCell,
    time::{Instant, timeout_at},
};

use crate::{
    AccessToken, Error, ErrorKind, Event, Request, Response,
    pipeline::{call::Call, shared::Caller},
};

/// A cache of responses in memory, by the rules of HTTP caching (RFC 9111), limited in bytes.
///
/// The key is the token, the URL and the language, so that no user receives a response meant for
/// another; a renewed token has an empty cache. Identical `GET`s in flight share one request. A write
/// removes the responses about the user's library and about playlists that belong to its token.
///
/// Clones share the memory, also between clients:
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
#[derive(Clone)]
pub struct Cache {
    memory: Arc<Memory>,
}

struct Memory {
    kept: quick_cache::sync::Cache<Key, Kept, Weigh>,
    flights: Mutex<Flights>,
    /// The number of writes so far. A response requested before a write is not kept after it.
    writes: AtomicU64,
}

/// The requests in flight. Those that ended or were cancelled leave an entry, which is removed when
/// there are twice as many entries as at the last removal, so that a call does not pay for all others.
#[derive(Default)]
struct Flights {
    by_key: HashMap<Key, Weak<Flight>>,
    /// The number of entries at which the next removal takes place.
    full: usize,
}

impl Flights {
    fn insert(&mut self, key: Key, flight: &Arc<Flight>) {
        /// Fewer entries are not worth a removal.
        const FEW: usize = 64;
        if self.by_key.len() >= self.full.max(FEW) {
            self.by_key.retain(|_, flight| flight.strong_count() > 0);
            self.full = 2 * self.by_key.len();
        }
        self.by_key.insert(key, Arc::downgrade(flight));
    }
}

/// One request in flight, and the calls that wait for its response.
type Flight = OnceCell<Result<Response<Bytes>, Error>>;

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    token: HeaderValue,
    language: Option<HeaderValue>,
    url: Arc<str>,
}

#[derive(Clone)]
struct Kept {
    policy: Arc<CachePolicy>,
    body: Bytes,
}

#[derive(Clone)]
struct Weigh;

impl Weighter<Key, Kept> for Weigh {
    fn weight(&self, key: &Key, kept: &Kept) -> u64 {
        /// The headers of a request and its response, roughly.
        const HEADERS: usize = 2048;
        (kept.body.len() + key.url.len() + key.token.len() + HEADERS) as u64
    }
}

impl Cache {
    /// An empty cache for this many bytes.
    pub fn new(bytes: u64) -> Self {
        /// The expected size of a response; only a hint.
        const TYPICAL: u64 = 16 * 1024;
        let items = usize::try_from(bytes / TYPICAL).unwrap_or(usize::MAX).max(16);
        let options = OptionsBuilder::new()
            .estimated_items_capacity(items)
            .weight_capacity(bytes)
            // One shard, so that a large response fits.
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
            // The options lack nothing: both numbers were given.
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

    /// The size of all kept responses, in bytes.
    pub fn bytes(&self) -> u64 {
        self.memory.kept.weight()
    }

    /// Removes everything.
    pub fn clear(&self) {
        self.memory.writes.fetch_add(1, Ordering::AcqRel);
        self.memory.kept.clear();
    }

    /// The request in flight for a key, or a new one.
    fn flight(&self, key: &Key) -> Arc<Flight> {
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

    /// Sends the request of a flight, and keeps its response if the headers allow it.
    async fn send(
        &self,
        caller: &Caller<'_>,
        request: &Request,
        key: &Key,
        kept: Option<Kept>,
        conditions: HeaderMap,
    ) -> Result<Response<Bytes>, Error> {
        let writes = self.memory.writes.load(Ordering::Acquire);
        let mut response = Call::new(*caller, request).with_conditions(conditions).run().await?;
        let Ok(asked) = request_head(key) else { return Ok(response) };
        let now = SystemTime::now();
        let keep = |policy: CachePolicy, body: &Bytes| {
            // A write since then may have changed it.
            if self.memory.writes.load(Ordering::Acquire) == writes {
                let kept = Kept { policy: Arc::new(policy), body: body.clone() };
                self.memory.kept.insert(key.clone(), kept);
            }
        };
        if let (Some(kept), 304) = (kept, response.status) {
            let head = response_head(&response);
            let after = kept.policy.after_response(&asked, &head, now);
            if let AfterResponse::NotModified(policy, head) = after {
                keep(policy, &kept.body);
                let Response { attempts, waited, .. } = response;
                return Ok(Response { attempts, waited, ..kept_response(head, kept.body) });
            }
            // It is about another response than the one that is kept.
            response = Call::new(*caller, request).run().await?;
        }
        let head = response_head(&response);
        // A lifetime is never guessed. Private responses may be kept, since the key holds the token.
        let options =
            CacheOptions { shared: false, cache_heuristic: 0.0, ..CacheOptions::default() };
        let policy = CachePolicy::new_options(&asked, &head, now, options);
        let can_be_validated = head.headers.contains_key(header::ETAG)
            || head.headers.contains_key(header::LAST_MODIFIED);
        if response.status == 200
            && policy.is_storable()
            && (can_be_validated || !policy.is_stale(now))
        {
            keep(policy, &response.body);
        }
        Ok(response)
    }

    /// Removes what a write of this user may have changed.
    fn forget_private(&self, token: &AccessToken) {
        self.memory.writes.fetch_add(1, Ordering::AcqRel);
        self.memory.kept.retain(|key, _| {
            let changes = key.url.contains("/me") || key.url.contains("/playlists/");
            key.token != token.header() || !changes
        });
    }
}

/// Answers a call from the cache, from an identical call in flight, or by sending the request.
pub(crate) async fn call(
    caller: &Caller<'_>,
    cache: &Cache,
    request: &Request,
) -> Result<Response<Bytes>, Error> {
    let (operation, shared) = (request.operation(), caller.shared);
    let latest = shared.deadline(request, Instant::now());
    let late = |what: &str| Error::new(ErrorKind::Timeout, what).with_operation(operation);
    let token = timeout_at(latest, caller.tokens.token()).await;
    let token = token
        .map_err(|_| late("no token before the deadline"))?
        .map_err(|error| error.with_operation(operation))?;
    if operation.method != Method::Get {
        let response = Call::new(*caller, request).run().await;
        // A write that failed may have been carried out.
        cache.forget_private(&token);
        return response;
    }
    let url = request.url(&shared.settings.base_url).into();
    let language = shared.accept_language.clone();
    let key = Key { token: token.header().clone(), language, url };
    let kept = cache.memory.kept.get(&key);
    let mut conditions = HeaderMap::new();
    if let Some(kept) = &kept
        && let Ok(asked) = request_head(&key)
    {
        match kept.policy.before_request(&asked, SystemTime::now()) {
            BeforeRequest::Fresh(head) => {
                shared.observe(|| Event::Cached { operation });
                let kept = kept_response(head, kept.body.clone());
                return Ok(Response { token: Some(token), ..kept });
            }
            BeforeRequest::Stale { request, .. } => {
                for name in [header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE] {
                    if let Some(value) = request.headers.get(&name) {
                        conditions.insert(name, value.clone());
                    }
                }
            }
        }
    }
    let flight = cache.flight(&key);
    let mut sends = false;
    let response = flight.get_or_init(|| {
        sends = true;
        cache.send(caller, request, &key, kept, conditions)
    });
    let response = timeout_at(latest, response).await;
    let response =
        response.map_err(|_| late("the call it shared took longer than the deadline"))?.clone()?;
    if !sends {
        shared.observe(|| Event::Cached { operation });
    }
    Ok(Response { cached: response.cached || !sends, token: Some(token), ..response })
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("bytes", &self.bytes()).finish_non_exhaustive()
    }
}

/// The head of a key's request, for the rules of caching. The token is left out: the key holds it.
fn request_head(key: &Key) -> Result<request::Parts, http::Error> {
    let mut request = http::Request::get(&*key.url);
    if let Some(language) = &key.language {
        request = request.header(header::ACCEPT_LANGUAGE, language);
    }
    Ok(request.body(())?.into_parts().0)
}

fn response_head(response: &Response<Bytes>) -> response::Parts {
    let (mut head, ()) = http::Response::new(()).into_parts();
    head.status = StatusCode::from_u16(response.status).unwrap_or_default();
    head.headers = response.headers.clone();
    head
}

fn kept_response(head: response::Parts, body: Bytes) -> Response<Bytes> {
    Response {
        body,
        status: head.status.as_u16(),
        headers: head.headers,
        attempts: 0,
        waited: Duration::ZERO,
        cached: true,
        token: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flight_does_not_pay_for_all_others() {
        let cache = Cache::new(1024);
        let key = |at: usize| Key {
            token: HeaderValue::from_static("token"),
            language: None,
            url: at.to_string().into(),
        };
        let start = std::time::Instant::now();
        let waiting: Vec<_> = (0..40_000).map(|at| cache.flight(&key(at))).collect();
        let took = start.elapsed();
        assert!(took.as_secs() < 5, "{took:?} for 40000 calls in flight");
        drop(waiting);
        // Entries of ended flights are removed in time.
        for at in 40_000..200_000 {
            cache.flight(&key(at));
        }
        let entries = cache.memory.flights.lock().unwrap().by_key.len();
        assert!(entries <= 100_000, "{entries} entries");
    }
}
