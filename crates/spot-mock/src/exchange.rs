//! One request on its way through the mock.

use std::hash::Hasher;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::body::{Body as HttpBody, to_bytes};
use axum::extract::{ConnectInfo, Request, State as Extract};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version, header};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustc_hash::FxHasher;
use tokio::sync::watch;

use crate::accounts::{self, Apps};
use crate::call::{Call, Market, Mode, Settings};
use crate::faults::{Fault, Oddity};
use crate::gate;
use crate::limits::Full;
use crate::listener::Line;
use crate::log::RecordedRequest;
use crate::oddities::alter;
use crate::page;
use crate::query::Query;
use crate::render::Kept;
use crate::reply::{Answer, Body, Refusal, Reply};
use crate::state::State;
use crate::table::{Operation, Route, route};
use crate::world::World;

/// Larger bodies than this are of no operation.
const MAX_BODY: usize = 2 * 1024 * 1024;

/// What all requests share.
pub(crate) struct Shared {
    pub(crate) world: World,
    pub(crate) apps: Apps,
    pub(crate) settings: Settings,
    pub(crate) kept: Kept,
    pub(crate) latency: Duration,
    pub(crate) state: Mutex<State>,
    /// Becomes true when the mock stops, so that nobody is kept waiting.
    pub(crate) stopped: watch::Receiver<bool>,
}

impl Shared {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // A panic of another thread is that test's failure, not this one's.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits, but not beyond the end of the mock.
    async fn pause(&self, duration: Duration) {
        let mut stopped = self.stopped.clone();
        tokio::select! {
            () = tokio::time::sleep(duration) => {}
            _ = stopped.wait_for(|stopped| *stopped) => {}
        }
    }
}

/// Where a request is going.
enum Target {
    /// The page that says what is served here.
    Page,
    Authorize,
    Token,
    Api(&'static Operation, Vec<(&'static str, String)>),
    WrongMethod,
    Unknown,
}

impl Target {
    fn of(method: &str, path: &str) -> Self {
        match (method, path) {
            ("GET", "/") => return Self::Page,
            ("GET", "/authorize") => return Self::Authorize,
            ("POST", "/api/token") => return Self::Token,
            (_, "/authorize" | "/api/token") => return Self::WrongMethod,
            _ => {}
        }
        match path.strip_prefix("/v1").map(|path| route(method, path)) {
            Some(Route::Operation(operation, parameters)) => Self::Api(operation, parameters),
            Some(Route::WrongMethod) => Self::WrongMethod,
            Some(Route::Unknown) | None => Self::Unknown,
        }
    }

    fn operation(&self) -> Option<&'static str> {
        match self {
            Self::Authorize => Some("authorize"),
            Self::Token => Some("token"),
            Self::Api(operation, _) => Some(operation.id),
            Self::Page | Self::WrongMethod | Self::Unknown => None,
        }
    }
}

/// Answers a request.
pub(crate) async fn answer(
    Extract(shared): Extract<Arc<Shared>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
) -> Response {
    let began = Instant::now();
    let (parts, body) = request.into_parts();
    let target = Target::of(parts.method.as_str(), parts.uri.path());
    let (number, fault) = {
        let mut state = shared.state();
        let number = state.log.begin(RecordedRequest {
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            status: 0,
            operation: target.operation(),
        });
        (number, state.faults.take(target.operation()))
    };
    if !shared.latency.is_zero() {
        shared.pause(shared.latency).await;
    }
    let body = to_bytes(body, MAX_BODY).await;
    let reply = match (&fault, body) {
        (Some(Fault::Reset), _) => {
            line.reset();
            return Response::new(HttpBody::empty());
        }
        (Some(Fault::Status { status, body, content_type, retry_after }), _) => {
            ordered(*status, body, content_type.as_deref(), retry_after.as_deref())
        }
        (_, Err(_)) => Refusal::new(413, "Request body too large").into_reply(),
        (Some(Fault::Delay(delay)), Ok(body)) => {
            shared.pause(*delay).await;
            carry_out(&shared, target, &parts, &body)
        }
        (_, Ok(body)) => carry_out(&shared, target, &parts, &body),
    };
    let (response, length) = respond(reply, &parts, fault.as_ref());
    match fault {
        Some(Fault::LostAnswer) => line.reset(),
        Some(Fault::TruncatedBody) if length == 0 => line.cut_after(0),
        Some(Fault::TruncatedBody) => line.cut_after(head_length(&response, length) + length / 2),
        _ => shared.state().log.finish(number, response.status().as_u16()),
    }
    tracing::info!(
        target: "spot_mock::access",
        "{} {} {} {length} bytes {:.1?}{}",
        parts.method,
        parts.uri,
        response.status().as_u16(),
        began.elapsed(),
        if fault.is_some() { " (fault)" } else { "" },
    );
    response
}

/// The answer of a fault.
fn ordered(status: u16, body: &str, media_type: Option<&str>, retry_after: Option<&str>) -> Reply {
    let body = match media_type {
        Some(media_type) => Body::Text { media_type: media_type.to_owned(), text: body.to_owned() },
        None if body.is_empty() => Body::Empty,
        None => Body::Text { media_type: String::new(), text: body.to_owned() },
    };
    let reply = Reply::new(status, body);
    match retry_after {
        Some(value) => reply.with_header("retry-after", value),
        None => reply,
    }
}

/// Does what the request asks for, under the lock.
fn carry_out(shared: &Shared, target: Target, parts: &Parts, body: &[u8]) -> Reply {
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    let mut state = shared.state();
    let now = state.clock.now();
    match target {
        Target::Page => page::page(shared),
        Target::Authorize => {
            accounts::authorize(&mut state.auth, &shared.apps, &shared.world, &query, now)
        }
        Target::Token => {
            let is_form =
                media_type(&parts.headers).starts_with("application/x-www-form-urlencoded");
            let text = if is_form { std::str::from_utf8(body).unwrap_or_default() } else { "" };
            let authorization = text_of(&parts.headers, &header::AUTHORIZATION);
            accounts::token(&mut state.auth, &shared.apps, authorization, &Query::parse(text), now)
        }
        Target::WrongMethod => Refusal::bare(405).into_reply(),
        Target::Unknown => Refusal::new(404, "Service not found").into_reply(),
        Target::Api(operation, parameters) => {
            api(shared, &mut state, operation, parameters, query, parts, body)
                .unwrap_or_else(Refusal::into_reply)
        }
    }
}

/// Lets a call of the API through the gate and to its handler.
fn api(
    shared: &Shared,
    state: &mut State,
    operation: &'static Operation,
    parameters: Vec<(&'static str, String)>,
    query: Query,
    parts: &Parts,
    body: &[u8],
) -> Answer {
    let now = state.clock.now();
    if lacks_length(parts, body) {
        return Err(gate::length_required());
    }
    let caller = gate::caller(state, text_of(&parts.headers, &header::AUTHORIZATION))?;
    let app = shared.apps.get(caller.app);
    let developer = (app.mode == Mode::Development).then_some(app.developer);
    state.limiter.admit(caller.app, developer, operation, now).map_err(|full| match full {
        Full::Window(seconds) => Refusal::rate_limited(seconds),
        Full::Quota(seconds) => Refusal::quota_exceeded(seconds),
    })?;
    gate::access(operation, app, &caller)?;
    let mut call = Call {
        world: &shared.world,
        state,
        settings: &shared.settings,
        app,
        kept: &shared.kept,
        operation,
        caller,
        path: parts.uri.path().strip_prefix("/v1").unwrap_or_default(),
        parameters,
        query,
        media_type: media_type(&parts.headers),
        body,
        now,
        limit: 0,
        offset: 0,
        list: Vec::new(),
        market: Market::default(),
    };
    gate::scope(&call)?;
    gate::parameters(&mut call)?;
    (operation.handler)(&mut call)
}

/// HTTP/2 says by itself where a body ends.
fn lacks_length(parts: &Parts, body: &[u8]) -> bool {
    let sends = parts.method == "PUT" || parts.method == "POST";
    sends
        && body.is_empty()
        && parts.version < Version::HTTP_2
        && !parts.headers.contains_key(header::CONTENT_LENGTH)
        && !parts.headers.contains_key(header::TRANSFER_ENCODING)
}

/// Makes HTTP of an answer, and says how long its body is.
fn respond(reply: Reply, parts: &Parts, fault: Option<&Fault>) -> (Response, usize) {
    let (mut media_type, mut bytes) = match reply.body {
        Body::Empty => (String::new(), Vec::new()),
        Body::Json(json) => ("application/json; charset=utf-8".to_owned(), json.to_bytes()),
        Body::Text { media_type, text } => (media_type, text.into_bytes()),
    };
    if let Some(Fault::Altered(oddity)) = fault {
        match oddity {
            Oddity::WrongContentType if !bytes.is_empty() => {
                "text/html".clone_into(&mut media_type)
            }
            oddity => bytes = alter(bytes, *oddity),
        }
    }
    let length = bytes.len();
    let mut status =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut headers = HeaderMap::new();
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    if !media_type.is_empty() {
        set("content-type", &media_type);
    }
    let mut cached = false;
    let is_ordered = matches!(fault, Some(Fault::Status { .. }));
    if parts.uri.path().starts_with("/v1/") && !is_ordered {
        let class = CacheClass::of(parts, status);
        set("cache-control", class.control());
        if class == CacheClass::Private {
            set("vary", "Authorization");
        }
        if class.has_etag() && status == StatusCode::OK {
            let tag = etag(&bytes);
            let known = text_of(&parts.headers, &header::IF_NONE_MATCH).unwrap_or_default();
            cached = known.split(',').any(|known| known.trim().trim_start_matches("W/") == tag);
            set("etag", &tag);
        }
    }
    for (name, value) in reply.headers {
        set(name, &value);
    }
    if cached {
        status = StatusCode::NOT_MODIFIED;
        headers.remove(header::CONTENT_TYPE);
    }
    let body = if cached { HttpBody::empty() } else { HttpBody::from(bytes) };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    (response, length)
}

/// How an answer may be kept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CacheClass {
    Catalogue,
    Search,
    Private,
    /// Writes and errors.
    Never,
}

impl CacheClass {
    fn of(parts: &Parts, status: StatusCode) -> Self {
        let path = parts.uri.path();
        if parts.method != "GET" || !status.is_success() {
            Self::Never
        } else if path == "/v1/search" {
            Self::Search
        } else if path == "/v1/me" || path.starts_with("/v1/me/") {
            Self::Private
        } else {
            Self::Catalogue
        }
    }

    const fn control(self) -> &'static str {
        match self {
            Self::Catalogue => "public, max-age=0",
            Self::Search => "public, max-age=7200",
            Self::Private | Self::Never => "private, max-age=0",
        }
    }

    const fn has_etag(self) -> bool {
        matches!(self, Self::Catalogue | Self::Private)
    }
}

/// The name of this version of a body.
fn etag(bytes: &[u8]) -> String {
    let mut hasher = FxHasher::default();
    hasher.write(bytes);
    format!("\"MC-{}\"", STANDARD.encode(hasher.finish().to_be_bytes()))
}

/// How many bytes hyper writes before a body of this length, so that a connection can be cut
/// behind them: the status line, the headers, and the two it adds itself.
fn head_length(response: &Response, length: usize) -> usize {
    let reason = response.status().canonical_reason().map_or(0, str::len);
    let headers = response.headers().iter();
    let headers: usize = headers.map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    let content_length = "content-length: \r\n".len() + length.to_string().len();
    let date = "date: Mon, 23 Nov 2026 09:00:00 GMT\r\n".len();
    "HTTP/1.1 200 \r\n".len() + reason + headers + content_length + date + "\r\n".len()
}

fn media_type(headers: &HeaderMap) -> &str {
    text_of(headers, &header::CONTENT_TYPE).unwrap_or_default()
}

fn text_of<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
