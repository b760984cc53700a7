//! Adds advice to the errors of refused calls if Spotify's message contains no advice.

use spot_model::{Access, AccessMode, Operation, Paging};

use crate::{Error, ErrorKind, PlayerReason};

/// The path prefix of playlists that Spotify itself creates.
const EDITORIAL: &str = "/playlists/37i9dQZF1";

/// Adds advice after the server's message.
pub(crate) fn advise(
    error: Error,
    operation: &'static Operation,
    mode: AccessMode,
    path: &str,
) -> Error {
    let Some(advice) = advice(&error, operation, mode, path) else { return error };
    let words = error.message();
    let message = if words.is_empty() { advice } else { format!("{words}; {advice}") };
    error.with_message(message)
}

fn advice(
    error: &Error,
    operation: &'static Operation,
    mode: AccessMode,
    path: &str,
) -> Option<String> {
    let words = error.message().to_ascii_lowercase();
    let says = |part: &str| words.contains(part);
    let advice = match (error.kind(), error.status()) {
        (ErrorKind::Player(PlayerReason::NoActiveDevice), _) => {
            "name a device: `.device(id)`, see `client.player().devices()`"
        }
        (ErrorKind::Player(PlayerReason::DeviceNotControllable), _) => {
            "use Spotify on the device itself, or name another device"
        }
        (ErrorKind::NotFound, _) if says("device") => "see `client.player().devices()`",
        (ErrorKind::NotFound, _) if path.starts_with(EDITORIAL) => {
            "playlists made by Spotify itself are not available to applications registered since \
             2024-11-27"
        }
        (ErrorKind::Authentication, _) if says("user authentication") => {
            "the operation needs the token of a user: sign a user in instead of using client \
             credentials"
        }
        (ErrorKind::BadRequest, Some(400)) if says("limit") => {
            return limit(operation, mode);
        }
        (ErrorKind::BadRequest, Some(400)) if says("offset") => {
            let Paging::Offset { last_offset: Some(last), .. } = operation.paging else {
                return None;
            };
            return Some(format!("`offset` must be 0 to {last}"));
        }
        (ErrorKind::BadRequest, Some(400)) if says("out of bounds") => {
            "a position must be from 0 to the number of items"
        }
        _ if !words.is_empty() => return None,
        (ErrorKind::NotFound, Some(410)) => "Spotify removed the operation from its API",
        (ErrorKind::NotFound, _) => {
            "Spotify gives no reason: the item does not exist, or the application is not allowed \
             to see it"
        }
        (ErrorKind::BadRequest, Some(405)) => "the path does not support this method",
        (ErrorKind::Server, _) => "Spotify gives no reason",
        (ErrorKind::Configuration, Some(300..=399)) => {
            "the server redirects to another address; check `base_url`"
        }
        _ => return None,
    };
    Some(advice.to_owned())
}

fn limit(operation: &Operation, mode: AccessMode) -> Option<String> {
    let max = operation.paging.max_limit(mode)?;
    let extended = operation.paging.max_limit(AccessMode::Extended).filter(|large| *large != max);
    let open = operation.access == Access::Any && mode == AccessMode::Development;
    Some(match extended.filter(|_| open) {
        Some(large) => format!(
            "`limit` must be 1 to {max} in Development Mode, and 1 to {large} in Extended Quota \
             Mode"
        ),
        None => format!("`limit` must be 1 to {max}"),
    })
}
