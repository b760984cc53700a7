//! Calls through the cache.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header, request, response};
use http_cache_semantics::{AfterResponse, BeforeRequest, CacheOptions, CachePolicy};
use spot_model::Method;
use tokio::time::{Instant, timeout_at};

use crate::{
    Cache, Error, ErrorKind, Event, Request, Response,
    pipeline::{
        cache::{Kept, Key},
        call::Call,
        shared::{Caller, token},
    },
};

/// Responds from the cache, from an identical call in flight, or by sending the request.
pub(crate) async fn call(
    caller: &Caller<'_>,
    cache: &Cache,
    request: &Request,
) -> Result<Response<Bytes>, Error> {
    let (operation, shared) = (request.operation(), caller.shared);
    let latest = shared.deadline(request, Instant::now());
    let token = token(caller.tokens, latest).await;
    let token = token.map_err(|error| error.with_operation(operation))?;
    if operation.method != Method::Get {
        let response = Call::new(*caller, request).run().await;
        // A failed write may have changed the data.
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
        send(cache, caller, request, &key, kept, conditions)
    });
    let response = timeout_at(latest, response).await;
    let response = response.map_err(|_| {
        let message = "the deadline passed while the call waited for an identical call in flight";
        Error::new(ErrorKind::Timeout, message).with_operation(operation)
    })?;
    let response = response.clone()?;
    if !sends {
        shared.observe(|| Event::Cached { operation });
    }
    Ok(Response { cached: response.cached || !sends, token: Some(token), ..response })
}

/// Sends a request that several calls may share, and stores the response if its headers allow this.
async fn send(
    cache: &Cache,
    caller: &Caller<'_>,
    request: &Request,
    key: &Key,
    kept: Option<Kept>,
    conditions: HeaderMap,
) -> Result<Response<Bytes>, Error> {
    let writes = cache.memory.writes.load(Ordering::Acquire);
    let mut response = Call::new(*caller, request).with_conditions(conditions).run().await?;
    let Ok(asked) = request_head(key) else { return Ok(response) };
    let now = SystemTime::now();
    let keep = |policy: CachePolicy, body: &Bytes| {
        // A write after the start of this request may have changed the data.
        if cache.memory.writes.load(Ordering::Acquire) == writes {
            let kept = Kept { policy: Arc::new(policy), body: body.clone() };
            cache.memory.kept.insert(key.clone(), kept);
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
        // The 304 does not belong to the stored response, so the request is sent again without
        // conditions.
        response = Call::new(*caller, request).run().await?;
    }
    let head = response_head(&response);
    // Without an explicit lifetime in the headers, a response is not fresh. Private responses may
    // be stored, since the key contains the token.
    let options = CacheOptions { shared: false, cache_heuristic: 0.0, ..CacheOptions::default() };
    let policy = CachePolicy::new_options(&asked, &head, now, options);
    let can_be_validated =
        head.headers.contains_key(header::ETAG) || head.headers.contains_key(header::LAST_MODIFIED);
    if response.status == 200 && policy.is_storable() && (can_be_validated || !policy.is_stale(now))
    {
        keep(policy, &response.body);
    }
    Ok(response)
}

/// Returns the request head that the caching rules need for a cache key. The request head does not
/// contain the token, because the cache key already contains the token.
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
