//! Finds the cause of a forbidden call from Spotify's message, the operation and the access mode.

use spot_model::{Access, AccessMode, Operation, Scope};

use crate::{Error, ErrorKind, ForbiddenCause, PlayerReason};

/// Adds the cause and the advice to the error of a call that Spotify forbids.
///
/// For an operation that is unavailable, Spotify may also respond with 404, 405 or 410 without a
/// message.
pub(crate) fn explain(error: Error, operation: &Operation, mode: AccessMode) -> Error {
    let cause = match error.status() {
        Some(401 | 403) => cause(&error, operation, mode),
        Some(404 | 405 | 410) => closed(&error, operation, mode),
        _ => None,
    };
    let Some(cause) = cause else { return error };
    let explanation = match cause {
        ForbiddenCause::DevelopmentMode | ForbiddenCause::ClosedIn2024 => closed_since(operation),
        ForbiddenCause::MissingScope => needed_scopes(operation),
        ForbiddenCause::Other if is_silent(&error) && is_doubtful(operation, mode) => {
            let closed = closed_since(operation);
            format!("check the mode of the application in the dashboard: {closed}")
        }
        // The reason code already explains the refusal.
        ForbiddenCause::PlayerRestriction => String::new(),
        cause => cause.advice().to_owned(),
    };
    let kind = match cause {
        ForbiddenCause::DevelopmentMode | ForbiddenCause::ClosedIn2024 => ErrorKind::Restricted,
        _ => error.kind(),
    };
    let message = match (error.message(), &*explanation) {
        ("", explanation) => explanation.to_owned(),
        (words, "") => words.to_owned(),
        (words, explanation) => format!("{}; {explanation}", words.trim_end_matches('.')),
    };
    error.with_message(message).with_kind(kind).with_forbidden_cause(cause)
}

fn cause(error: &Error, operation: &Operation, mode: AccessMode) -> Option<ForbiddenCause> {
    match error.kind() {
        ErrorKind::Player(PlayerReason::PremiumRequired) => {
            return Some(ForbiddenCause::UserNeedsPremium);
        }
        ErrorKind::Player(_) => return Some(ForbiddenCause::PlayerRestriction),
        ErrorKind::MissingScope => return Some(ForbiddenCause::MissingScope),
        ErrorKind::Forbidden => {}
        _ => return None,
    }
    let words = error.message().to_ascii_lowercase();
    let says = |text: &str| words.contains(text);
    let is_playlist = operation.path.starts_with("/playlists/");
    Some(if says("premium") && says("owner") {
        ForbiddenCause::OwnerNeedsPremium
    } else if says("premium") {
        ForbiddenCause::UserNeedsPremium
    } else if says("registered") || says("dashboard") || says("allowlist") {
        ForbiddenCause::UserNotRegistered
    } else if let Some(cause) = closed(error, operation, mode) {
        cause
    } else if is_playlist && (says("own") || says("collaborat") || is_silent(error)) {
        ForbiddenCause::PlaylistOfOthers
    } else {
        ForbiddenCause::Other
    })
}

/// Returns the cause of a refusal without a message, if the operation is not available to the
/// application.
fn closed(error: &Error, operation: &Operation, mode: AccessMode) -> Option<ForbiddenCause> {
    match operation.access {
        _ if !is_silent(error) => None,
        Access::Extended if mode == AccessMode::Development => {
            Some(ForbiddenCause::DevelopmentMode)
        }
        Access::Closed2024 => Some(ForbiddenCause::ClosedIn2024),
        _ => None,
    }
}

/// Whether the message is empty, or contains nothing but the name of an HTTP status.
fn is_silent(error: &Error) -> bool {
    let words = error.message();
    ["", "forbidden", "not found", "gone", "method not allowed"]
        .iter()
        .any(|name| words.eq_ignore_ascii_case(name))
}

/// Whether the operation is unavailable in Development Mode, but another access mode is configured.
fn is_doubtful(operation: &Operation, mode: AccessMode) -> bool {
    operation.access == Access::Extended && mode != AccessMode::Development
}

fn closed_since(operation: &Operation) -> String {
    let since = operation.access.since().unwrap_or_default();
    let who = match operation.access {
        Access::Closed2024 => "applications that had no extended access at that time",
        _ => "applications in Development Mode",
    };
    let instead = match operation.replacement {
        Some(replacement) => format!("use {replacement}"),
        None => "there is no replacement".to_owned(),
    };
    format!("since {since}, the operation is not available to {who}; {instead}")
}

fn needed_scopes(operation: &Operation) -> String {
    let scopes: Vec<&str> = operation.scopes.iter().map(Scope::as_str).collect();
    match scopes.as_slice() {
        [] => "the operation needs a scope that the token lacks".to_owned(),
        [scope] => format!("sign the user in with the scope `{scope}`"),
        scopes => format!(
            "sign the user in with one of these scopes, depending on the item: `{}`",
            scopes.join("`, `")
        ),
    }
}
