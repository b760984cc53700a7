//! Checks each call against the table of operations, before the handler runs.

use serde_json::Value;

use crate::{
    accounts::Registered,
    api::{
        call::{Call, Caller, json_body},
        operation::{Access, ClosedAnswer, List, Operation},
    },
    http::{
        query::Query,
        reply::{Body, Refusal, Reply},
    },
    settings::{Market, Mode},
    state::State,
    world::{HOME, MARKETS},
};

/// Determines the caller from the `Authorization` header.
pub(crate) fn caller(state: &State, authorization: Option<&str>) -> Result<Caller, Refusal> {
    let unauthorized = |error: &str, description: &str| {
        let challenge = format!(
            r#"Bearer realm="spotify", error="{error}", error_description="{description}""#
        );
        Refusal::new(401, "Missing/invalid/expired access token")
            .with_header("www-authenticate", challenge)
    };
    let Some(header) = authorization.filter(|header| !header.is_empty()) else {
        return Err(unauthorized("missing_token", "The access token is missing"));
    };
    let token = match header.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => return Err(Refusal::bad_request("Only valid bearer authentication supported")),
    };
    let grant =
        state.auth.access(token, state.clock.now()).cloned().ok_or_else(|| {
            unauthorized("invalid_token", "The access token is invalid or expired")
        })?;
    Ok(Caller { app: grant.app, user: grant.user, scopes: grant.scopes })
}

/// The response to a request without a `Content-Length`. Spotify's front end sends this response
/// before the token is checked. The header is required even if the body is empty.
pub(crate) fn length_required() -> Refusal {
    let text = "<!DOCTYPE html><html lang=\"en\"><title>411 Length Required</title>\
                <p>A PUT or POST needs a Content-Length, even if it is 0.</p></html>";
    let media_type = "text/html; charset=UTF-8".to_owned();
    Refusal::other(Reply::new(411, Body::Text { media_type, text: text.to_owned() }))
}

/// Checks whether the application may call the operation.
pub(crate) fn access(
    operation: &Operation,
    app: &Registered,
    caller: &Caller,
) -> Result<(), Refusal> {
    if app.is_unpaid() {
        let text = "Active premium subscription required for the owner of the app.";
        return Err(Refusal::new(403, text));
    }
    if !app.admits(caller.user) {
        // The body of this error response is plain text, not JSON.
        let text = "Check settings on developer.spotify.com/dashboard, the user may not be \
                    registered.";
        let media_type = "text/plain; charset=utf-8".to_owned();
        return Err(Refusal::other(Reply::new(
            403,
            Body::Text { media_type, text: text.to_owned() },
        )));
    }
    match operation.access {
        Access::Extended if app.mode == Mode::Development => Err(Refusal::forbidden()),
        Access::Closed(answer) if app.closed_2024 => Err(match answer {
            ClosedAnswer::Forbidden => Refusal::forbidden(),
            ClosedAnswer::ForbiddenWithoutMessage => Refusal::without_message(403),
            ClosedAnswer::NotFoundWithoutBody => Refusal::bare(404),
        }),
        Access::Any | Access::Extended | Access::Closed(_) => Ok(()),
    }
}

/// Checks whether the token permits the operation.
pub(crate) fn scope(call: &Call<'_>) -> Result<(), Refusal> {
    if call.operation.needs_user() {
        call.user()?;
    }
    let scopes = call.operation.scopes;
    if !scopes.is_empty() && !call.caller.scopes.has_any(scopes) {
        return Err(Refusal::scope());
    }
    if call.operation.is_player_command() && !call.has_premium() {
        return Err(Refusal::player(403, "Premium required", "PREMIUM_REQUIRED"));
    }
    Ok(())
}

/// Reads the parameters that many operations share.
pub(crate) fn parameters(call: &mut Call<'_>) -> Result<(), Refusal> {
    call.market = market(&call.query, call.caller.user.is_some())?;
    if let Some(limits) = call.operation.limit {
        let (default, max) =
            if call.extended() { limits.extended } else { (limits.default, limits.max) };
        call.limit = match call.query.get("limit") {
            Some(text) => text
                .parse()
                .ok()
                .filter(|limit| (1..=max).contains(limit))
                .ok_or_else(|| Refusal::bad_request("Invalid limit"))?,
            None => default,
        };
        call.offset = match call.query.get("offset") {
            Some(text) => text
                .parse::<i64>()
                .ok()
                .filter(|offset| (0..=call.operation.offset).contains(offset))
                .and_then(|offset| u32::try_from(offset).ok())
                .ok_or_else(|| Refusal::bad_request("Invalid offset"))?,
            None => 0,
        };
    }
    if let Some(list) = call.operation.list {
        call.list = entries(&list, &call.query, call.body)?;
    }
    Ok(())
}

/// Returns the entries of a list parameter. Fails if the list is empty or too long.
fn entries(list: &List, query: &Query, body: &[u8]) -> Result<Vec<String>, Refusal> {
    let entries = match query.list(list.name) {
        Some(entries) => entries,
        // If the body is a JSON array, Spotify treats the list of ids as missing.
        None if list.in_body && is_array(body) => Vec::new(),
        None if list.in_body => entries_of_body(list.name, &json_body(body)?),
        None => Vec::new(),
    };
    if entries.is_empty() {
        return Err(Refusal::missing(list.name));
    }
    if entries.len() > list.max {
        return Err(Refusal::bad_request(format!("Too many {} requested", list.name)));
    }
    Ok(entries)
}

fn is_array(body: &[u8]) -> bool {
    matches!(serde_json::from_slice(body), Ok(Value::Array(_)))
}

/// Reads the ids of `{"ids": [..]}`, or of `{"timestamped_ids": [{"id": ..}, ..]}`.
fn entries_of_body(name: &str, body: &Value) -> Vec<String> {
    let entries = |name: &str| body.get(name).and_then(Value::as_array).into_iter().flatten();
    let plain = entries(name).filter_map(Value::as_str);
    let dated = entries("timestamped_ids").filter_map(|entry| entry.get("id")?.as_str());
    plain.chain(dated).map(ToOwned::to_owned).collect()
}

/// The market of a call. The country of the user takes precedence over the requested country.
fn market(query: &Query, has_user: bool) -> Result<Market, Refusal> {
    let invalid = || Refusal::bad_request("Invalid market code");
    let asked = match query.get("market") {
        Some("from_token") if has_user => Some(HOME),
        Some(code) if code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
            // An unknown code is treated as a country in which no entry can be played.
            let known = MARKETS.iter().find(|market| market.eq_ignore_ascii_case(code));
            Some(known.copied().unwrap_or("ZZ"))
        }
        Some(_) => return Err(invalid()),
        None => None,
    };
    let code = if has_user { Some(HOME) } else { asked };
    Ok(Market { code, asked: asked.is_some() })
}
