//! Handles one HTTP request, from routing to the response.

use std::{sync::Arc, time::Instant};

use axum::{
    body::{Body as HttpBody, to_bytes},
    extract::{ConnectInfo, Request, State as Extract},
    http::{Uri, Version, header, request::Parts},
    response::Response,
};

#[cfg(feature = "control")]
use crate::control;
use crate::{
    accounts,
    api::{
        call::Call,
        gate,
        operation::Operation,
        table::{Handler, Route, route},
    },
    faults::Fault,
    http::{
        log::RecordedRequest,
        query::Query,
        reply::{Body, Refusal, Reply},
    },
    server::{
        home::home_page,
        instance::{Instance, Live},
        listener::ConnectionHandle,
        response::{head_length, media_type, respond, text_of},
        site::{Place, Site},
    },
    settings::{Market, Mode},
    state::LimitReached,
};

/// Maximum length of a body in bytes. No operation accepts a longer body.
const MAX_BODY: usize = 2 * 1024 * 1024;
/// Maximum length of a body for the control interface, in bytes. A file with the test data of a
/// real library is large.
const MAX_CONTROL_BODY: usize = 64 * 1024 * 1024;
const ICON: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 16 16\">\
    <circle cx=\"8\" cy=\"8\" r=\"8\" fill=\"#246\"/><path d=\"M4 6q4-2 8 0M5 9q3-1.5 6 0\" \
    stroke=\"#fff\" fill=\"none\"/></svg>";

/// Target of a request.
enum Target {
    /// The page that lists the addresses, applications, users and operations.
    Page,
    Icon,
    /// A CORS preflight request.
    Preflight,
    /// The control interface.
    Control,
    Authorize,
    Token,
    Api(&'static Operation, Handler, Vec<(&'static str, String)>),
    WrongMethod,
    Unknown,
}

impl Target {
    fn of(method: &str, path: &str, control: bool) -> Self {
        if control && (path == "/_mock" || path.starts_with("/_mock/")) {
            return Self::Control;
        }
        match (method, path) {
            ("GET" | "HEAD", "/") => return Self::Page,
            ("GET" | "HEAD", "/favicon.ico") => return Self::Icon,
            ("GET", "/authorize") => return Self::Authorize,
            ("OPTIONS", "/api/token") => return Self::Preflight,
            ("OPTIONS", path) if path.starts_with("/v1/") => return Self::Preflight,
            ("POST", "/api/token") => return Self::Token,
            (_, "/authorize" | "/api/token") => return Self::WrongMethod,
            _ => {}
        }
        match path.strip_prefix("/v1").map(|path| route(method, path)) {
            Some(Route::Operation(operation, handler, parameters)) => {
                Self::Api(operation, handler, parameters)
            }
            Some(Route::WrongMethod) => Self::WrongMethod,
            Some(Route::Unknown) | None => Self::Unknown,
        }
    }

    fn operation(&self) -> Option<&'static str> {
        match self {
            Self::Authorize => Some("authorize"),
            Self::Token => Some("token"),
            Self::Api(operation, ..) => Some(operation.id),
            Self::Page
            | Self::Icon
            | Self::Preflight
            | Self::Control
            | Self::WrongMethod
            | Self::Unknown => None,
        }
    }
}

/// Handles a request and returns the response.
pub(crate) async fn answer(
    Extract(site): Extract<Arc<Site>>,
    ConnectInfo(connection): ConnectInfo<ConnectionHandle>,
    request: Request,
) -> Response {
    let began = Instant::now();
    let (mut parts, body) = request.into_parts();
    let uri = parts.uri.clone();
    let instance = match site.place(uri.path()) {
        Place::Instance(instance, path) => {
            if path.len() != uri.path().len() {
                parts.uri = below(path, &uri);
            }
            instance
        }
        Place::NoWorld(key) => {
            let message =
                format!("There is no isolated instance {key}; PUT /_mock/worlds/{key} creates it");
            return respond(Refusal::new(404, message).into_reply(), &parts, None).0;
        }
    };
    let target = Target::of(parts.method.as_str(), parts.uri.path(), site.control);
    if let Target::Preflight | Target::Icon | Target::Control = target {
        let reply = match to_bytes(body, MAX_CONTROL_BODY).await {
            Ok(body) => aside(&site, &instance, &target, &parts, &body),
            Err(_) => Refusal::new(413, "Request body too large").into_reply(),
        };
        return respond(reply, &parts, None).0;
    }
    let (number, fault) = {
        let state = &mut instance.live().state;
        let number = state.log.begin(RecordedRequest {
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            status: 0,
            operation: target.operation(),
        });
        (number, state.faults.take(target.operation()))
    };
    if !site.latency.is_zero() {
        site.pause(site.latency).await;
    }
    let body = to_bytes(body, MAX_BODY).await;
    let reply = match (&fault, body) {
        (Some(Fault::Reset), _) => {
            connection.reset();
            return Response::new(HttpBody::empty());
        }
        (Some(Fault::Status { status, body, content_type, retry_after }), _) => {
            injected(*status, body, content_type.as_deref(), retry_after.as_deref())
        }
        (_, Err(_)) => Refusal::new(413, "Request body too large").into_reply(),
        (Some(Fault::Delay(delay)), Ok(body)) => {
            site.pause(*delay).await;
            carry_out(&instance, target, &parts, &body)
        }
        (_, Ok(body)) => carry_out(&instance, target, &parts, &body),
    };
    let (response, length) = respond(reply, &parts, fault.as_ref());
    match fault {
        Some(Fault::LostAnswer) => connection.reset(),
        Some(Fault::TruncatedBody) if length == 0 => connection.cut_after(0),
        Some(Fault::TruncatedBody) => {
            connection.cut_after(head_length(&response, length) + length / 2)
        }
        _ => instance.live().state.log.finish(number, response.status().as_u16()),
    }
    tracing::info!(
        target: "spot_mock::access",
        "{} {} {} {length} bytes {:.1?}{}",
        parts.method,
        uri,
        response.status().as_u16(),
        began.elapsed(),
        if fault.is_some() { " (fault)" } else { "" },
    );
    response
}

/// Combines the path below a base URL with the query of the full URI.
fn below(path: &str, uri: &Uri) -> Uri {
    let text = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    // Parsing cannot fail, because both parts come from a parsed URI.
    text.parse().unwrap_or_default()
}

/// Handles requests that are not logged and never get a fault.
#[cfg_attr(
    not(feature = "control"),
    expect(unused_variables, reason = "only the feature `control` uses these parameters")
)]
fn aside(site: &Site, instance: &Instance, target: &Target, parts: &Parts, body: &[u8]) -> Reply {
    match target {
        #[cfg(feature = "control")]
        Target::Control => control::answer(site, instance, parts, body),
        Target::Icon => {
            let media_type = "image/svg+xml".to_owned();
            Reply::new(200, Body::Text { media_type, text: ICON.to_owned() })
        }
        _ => Reply::no_content(),
    }
}

/// The response that a fault injects.
fn injected(status: u16, body: &str, media_type: Option<&str>, retry_after: Option<&str>) -> Reply {
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

/// Executes the request while holding the lock of the instance.
fn carry_out(instance: &Instance, target: Target, parts: &Parts, body: &[u8]) -> Reply {
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    let mut live = instance.live();
    let Live { content, state, .. } = &mut *live;
    let now = state.clock.now();
    match target {
        Target::Page => home_page(instance, content),
        Target::Authorize => {
            accounts::authorize(&mut state.auth, &content.apps, &content.world, &query, now)
        }
        Target::Token => {
            let media_type = media_type(&parts.headers).to_ascii_lowercase();
            let is_form = media_type.starts_with("application/x-www-form-urlencoded");
            let text = if is_form { std::str::from_utf8(body).unwrap_or_default() } else { "" };
            let authorization = text_of(&parts.headers, &header::AUTHORIZATION);
            accounts::token(&mut state.auth, &content.apps, authorization, &Query::parse(text), now)
        }
        Target::Icon | Target::Preflight | Target::Control => Reply::no_content(),
        Target::WrongMethod => Refusal::bare(405).into_reply(),
        Target::Unknown => Refusal::new(404, "Service not found").into_reply(),
        Target::Api(operation, handler, parameters) => {
            let call = admit(instance, &mut live, operation, parameters, query, parts, body);
            call.and_then(|mut call| handler(&mut call)).unwrap_or_else(Refusal::into_reply)
        }
    }
}

/// Checks a call against the rules of its operation, and reads the parameters that many operations
/// share.
fn admit<'a>(
    instance: &'a Instance,
    live: &'a mut Live,
    operation: &'static Operation,
    parameters: Vec<(&'static str, String)>,
    query: Query,
    parts: &'a Parts,
    body: &'a [u8],
) -> Result<Call<'a>, Refusal> {
    let Live { content, state, .. } = live;
    let now = state.clock.now();
    if lacks_length(parts, body) {
        return Err(gate::length_required());
    }
    let caller = gate::caller(state, text_of(&parts.headers, &header::AUTHORIZATION))?;
    let app = content.apps.get(caller.app);
    let developer = (app.mode == Mode::Development).then_some(app.developer);
    state.limiter.admit(caller.app, developer, operation.id, operation.path, now).map_err(
        |full| match full {
            LimitReached::Window(seconds) => Refusal::rate_limited(seconds),
            LimitReached::Quota(seconds) => Refusal::quota_exceeded(seconds),
        },
    )?;
    gate::access(operation, app, &caller)?;
    let mut call = Call {
        world: &content.world,
        state,
        settings: &instance.settings,
        app,
        track_cache: &content.track_cache,
        search_index: &content.search_index,
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
    Ok(call)
}

/// Whether a `PUT` or `POST` request lacks a `Content-Length`. HTTP/2 does not need this header,
/// since HTTP/2 frames mark the end of the body.
fn lacks_length(parts: &Parts, body: &[u8]) -> bool {
    let sends = parts.method == "PUT" || parts.method == "POST";
    sends
        && body.is_empty()
        && parts.version < Version::HTTP_2
        && !parts.headers.contains_key(header::CONTENT_LENGTH)
        && !parts.headers.contains_key(header::TRANSFER_ENCODING)
}
