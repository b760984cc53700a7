//! One request on its way through the mock.

use std::{sync::Arc, time::Instant};

use axum::{
    body::{Body as HttpBody, to_bytes},
    extract::{ConnectInfo, Request, State as Extract},
    http::{Version, header, request::Parts},
    response::Response,
};

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
        listener::ConnectionHandle,
        response::{head_length, media_type, respond, text_of},
        shared::Shared,
    },
    settings::{Market, Mode},
    state::{LimitReached, State},
};

/// Larger bodies than this are of no operation.
const MAX_BODY: usize = 2 * 1024 * 1024;

/// Where a request is going.
enum Target {
    /// The page that says what is served here.
    Page,
    Authorize,
    Token,
    Api(&'static Operation, Handler, Vec<(&'static str, String)>),
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
            Self::Page | Self::WrongMethod | Self::Unknown => None,
        }
    }
}

/// Answers a request.
pub(crate) async fn answer(
    Extract(shared): Extract<Arc<Shared>>,
    ConnectInfo(connection): ConnectInfo<ConnectionHandle>,
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
            connection.reset();
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
        Some(Fault::LostAnswer) => connection.reset(),
        Some(Fault::TruncatedBody) if length == 0 => connection.cut_after(0),
        Some(Fault::TruncatedBody) => {
            connection.cut_after(head_length(&response, length) + length / 2)
        }
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
        Target::Page => home_page(shared),
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
        Target::Api(operation, handler, parameters) => {
            let call = admit(shared, &mut state, operation, parameters, query, parts, body);
            call.and_then(|mut call| handler(&mut call)).unwrap_or_else(Refusal::into_reply)
        }
    }
}

/// Checks a call against the rules of its operation, and reads what all calls share.
fn admit<'a>(
    shared: &'a Shared,
    state: &'a mut State,
    operation: &'static Operation,
    parameters: Vec<(&'static str, String)>,
    query: Query,
    parts: &'a Parts,
    body: &'a [u8],
) -> Result<Call<'a>, Refusal> {
    let now = state.clock.now();
    if lacks_length(parts, body) {
        return Err(gate::length_required());
    }
    let caller = gate::caller(state, text_of(&parts.headers, &header::AUTHORIZATION))?;
    let app = shared.apps.get(caller.app);
    let developer = (app.mode == Mode::Development).then_some(app.developer);
    state.limiter.admit(caller.app, developer, operation.id, operation.path, now).map_err(
        |full| match full {
            LimitReached::Window(seconds) => Refusal::rate_limited(seconds),
            LimitReached::Quota(seconds) => Refusal::quota_exceeded(seconds),
        },
    )?;
    gate::access(operation, app, &caller)?;
    let mut call = Call {
        world: &shared.world,
        state,
        settings: &shared.settings,
        app,
        track_cache: &shared.track_cache,
        search_index: &shared.search_index,
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

/// HTTP/2 says by itself where a body ends.
fn lacks_length(parts: &Parts, body: &[u8]) -> bool {
    let sends = parts.method == "PUT" || parts.method == "POST";
    sends
        && body.is_empty()
        && parts.version < Version::HTTP_2
        && !parts.headers.contains_key(header::CONTENT_LENGTH)
        && !parts.headers.contains_key(header::TRANSFER_ENCODING)
}
