//! Answers that are kept, and calls that share one.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
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
    AccessToken, Error, ErrorKind, Event, Pipeline, Request, Response,
    pipeline::{
        Inner,
        call::{Call, deadline},
    },
};

/// Answers in memory, kept and asked for again as their headers say (RFC 9111), up to a number of
/// bytes.
///
/// An answer is kept for one token, one address and one language, so that nobody is given what
/// another was told; a renewed token starts anew. Identical `GET`s in flight share one request. A
/// write forgets what was kept of the user's library and of playlists for its token.
///
/// Clones share the memory, and so may several clients:
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
    shared: Arc<Shared>,
}

struct Shared {
    kept: quick_cache::sync::Cache<Key, Kept, Weigh>,
    flights: Mutex<HashMap<Key, Weak<Flight>>>,
    /// How many writes went through: what was asked for before one is not kept after it.
    writes: AtomicU64,
}

/// One request, and all who wait for its answer.
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
        /// The headers of a request and of its answer, about.
        const HEADERS: usize = 2048;
        (kept.body.len() + key.url.len() + key.token.len() + HEADERS) as u64
    }
}

impl Cache {
    /// An empty cache for so many bytes.
    pub fn new(bytes: u64) -> Self {
        /// What an answer is expected to weigh; only a hint.
        const TYPICAL: u64 = 16 * 1024;
        let items = usize::try_from(bytes / TYPICAL).unwrap_or(usize::MAX).max(16);
        let options = OptionsBuilder::new()
            .estimated_items_capacity(items)
            .weight_capacity(bytes)
            // In one piece, so that a large answer finds room.
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
            // Both numbers were given; they are all that it misses.
            Err(_) => quick_cache::sync::Cache::with(
                items,
                bytes,
                Weigh,
                random,
                DefaultLifecycle::default(),
            ),
        };
        let shared =
            Shared { kept, flights: Mutex::new(HashMap::new()), writes: AtomicU64::new(0) };
        Self { shared: Arc::new(shared) }
    }

    /// How much is kept now, in bytes.
    pub fn bytes(&self) -> u64 {
        self.shared.kept.weight()
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.shared.writes.fetch_add(1, Ordering::AcqRel);
        self.shared.kept.clear();
    }

    pub(crate) async fn call(
        &self,
        pipeline: &Pipeline,
        request: &Request,
    ) -> Result<Response<Bytes>, Error> {
        let inner = pipeline.inner();
        let latest = deadline(inner, request, Instant::now());
        let wrap = |error: Error| error.with_operation(request.operation());
        let late = |what: &str| wrap(Error::new(ErrorKind::Timeout, what.to_owned()));
        let token = timeout_at(latest, inner.tokens.token()).await;
        let token = token.map_err(|_| late("no token before the deadline"))?.map_err(wrap)?;
        if request.operation().method != Method::Get {
            let answer = Call::new(inner, request).run().await;
            // Even a write that failed may have been carried out.
            self.forget_private(&token);
            return answer;
        }
        let url = request.url(&inner.settings.base_url).into();
        let language = inner.accept_language.clone();
        let key = Key { token: token.header().clone(), language, url };
        let kept = self.shared.kept.get(&key);
        let mut conditions = HeaderMap::new();
        if let Some(kept) = &kept
            && let Ok(asked) = asked(&key)
        {
            match kept.policy.before_request(&asked, SystemTime::now()) {
                BeforeRequest::Fresh(head) => {
                    inner.observe(|| Event::Cached { operation: request.operation() });
                    return Ok(kept_answer(head, kept.body.clone()));
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
        let flight = self.flight(&key);
        let mut asks = false;
        let answer = flight.get_or_init(|| {
            asks = true;
            self.ask(inner, request, &key, kept, conditions)
        });
        let answer = timeout_at(latest, answer).await;
        let answer =
            answer.map_err(|_| late("the call it shared took longer than the deadline"))?;
        if !asks {
            inner.observe(|| Event::Cached { operation: request.operation() });
        }
        match answer {
            Ok(answer) => Ok(Response { cached: answer.cached || !asks, ..answer.clone() }),
            Err(error) => Err(error.share()),
        }
    }

    /// The request under way for a key, or the place for one.
    fn flight(&self, key: &Key) -> Arc<Flight> {
        let mut flights = self.shared.flights.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = flights.get(key).and_then(Weak::upgrade)
            && !flight.initialized()
        {
            return flight;
        }
        // What ended or was cancelled leaves a name only.
        if flights.len() >= 64 {
            flights.retain(|_, flight| flight.strong_count() > 0);
        }
        let flight = Arc::default();
        flights.insert(key.clone(), Arc::downgrade(&flight));
        flight
    }

    async fn ask(
        &self,
        inner: &Inner,
        request: &Request,
        key: &Key,
        kept: Option<Kept>,
        conditions: HeaderMap,
    ) -> Result<Response<Bytes>, Error> {
        let writes = self.shared.writes.load(Ordering::Acquire);
        let mut answer = Call::new(inner, request).with_conditions(conditions).run().await?;
        let Ok(asked) = asked(key) else { return Ok(answer) };
        let now = SystemTime::now();
        let keep = |policy: CachePolicy, body: &Bytes| {
            // A write that went through meanwhile may have changed it.
            if self.shared.writes.load(Ordering::Acquire) == writes {
                let kept = Kept { policy: Arc::new(policy), body: body.clone() };
                self.shared.kept.insert(key.clone(), kept);
            }
        };
        if let (Some(kept), 304) = (kept, answer.status) {
            let after = kept.policy.after_response(&asked, &head(&answer), now);
            if let AfterResponse::NotModified(policy, head) = after {
                keep(policy, &kept.body);
                let Response { attempts, waited, .. } = answer;
                return Ok(Response { attempts, waited, ..kept_answer(head, kept.body) });
            }
            // It speaks of another answer than the one that is kept.
            answer = Call::new(inner, request).run().await?;
        }
        let head = head(&answer);
        // Freshness is not guessed, and what is one user's is for him only, by the key.
        let options =
            CacheOptions { shared: false, cache_heuristic: 0.0, ..CacheOptions::default() };
        let policy = CachePolicy::new_options(&asked, &head, now, options);
        let can_be_asked_for = head.headers.contains_key(header::ETAG)
            || head.headers.contains_key(header::LAST_MODIFIED);
        if answer.status == 200
            && policy.is_storable()
            && (can_be_asked_for || !policy.is_stale(now))
        {
            keep(policy, &answer.body);
        }
        Ok(answer)
    }

    /// Forgets what a write of this user may have changed.
    fn forget_private(&self, token: &AccessToken) {
        self.shared.writes.fetch_add(1, Ordering::AcqRel);
        self.shared.kept.retain(|key, _| {
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

/// The request of a key as the rules see it. The token is left out: it is part of the key.
fn asked(key: &Key) -> Result<request::Parts, http::Error> {
    let mut request = http::Request::get(&*key.url);
    if let Some(language) = &key.language {
        request = request.header(header::ACCEPT_LANGUAGE, language);
    }
    Ok(request.body(())?.into_parts().0)
}

fn head(answer: &Response<Bytes>) -> response::Parts {
    let (mut head, ()) = http::Response::new(()).into_parts();
    head.status = StatusCode::from_u16(answer.status).unwrap_or_default();
    head.headers = answer.headers.clone();
    head
}

fn kept_answer(head: response::Parts, body: Bytes) -> Response<Bytes> {
    Response {
        body,
        status: head.status.as_u16(),
        headers: head.headers,
        attempts: 0,
        waited: std::time::Duration::ZERO,
        cached: true,
    }
}
