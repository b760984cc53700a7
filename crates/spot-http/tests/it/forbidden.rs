//! Tests how an error describes the cause of a refused call.

use spot_http::{ForbiddenCause, Request};
use spot_model::{AccessMode, Operation};

use crate::script::{Script, body};

/// Refusals that name no cause. The error derives the cause from the operation and the access mode.
const SILENT: [(u16, &str); 6] = [
    (403, ""),
    (403, "Forbidden"),
    (403, r#"{"error":{"status":403}}"#),
    (404, ""),
    (405, ""),
    (410, r#"{"error":{"status":410,"message":""}}"#),
];

fn playlist(operation: &'static Operation) -> Request {
    Request::new(operation).path("playlist_id", "spotmockPlaylist000001")
}

/// Returns the lines of the snapshot for one refused call.
async fn line(request: Request, mode: AccessMode, status: u16, refusal: &str) -> String {
    let script = Script::new([body(status, refusal)]);
    let pipeline = script.pipeline().build().unwrap().with_access_mode(mode);
    let error = pipeline.call(request).await.unwrap_err();
    let words = error.message();
    let cause = error.forbidden_cause().map(|cause| format!("{cause:?}"));
    let cause = cause.as_deref().unwrap_or("-");
    format!("{status} {refusal}\n  = {cause}, {:?}: {words}\n", error.kind())
}

#[tokio::test(start_paused = true)]
async fn errors_of_refused_calls_explain_the_cause() {
    let me = || Request::new(Operation::GET_MY_PROFILE);
    let player = || Request::new(Operation::PAUSE_PLAYBACK);
    let items = || playlist(Operation::GET_PLAYLIST_ITEMS);
    let tracks = || Request::new(Operation::GET_TRACKS).query("ids", "spotmockTrack000000001");
    let features =
        || Request::new(Operation::GET_TRACK_AUDIO_FEATURES).path("id", "spotmockTrack000000001");
    let mut table = String::new();
    // In these refusals, Spotify's message names the cause, so the operation does not matter.
    for (request, status, refusal) in [
        (me(), 403, "User not registered in the Developer Dashboard"),
        (
            tracks(),
            403,
            "Check settings on developer.spotify.com/dashboard, the user may not be registered.",
        ),
        (
            me(),
            403,
            r#"{"error":{"status":403,"message":"Active premium subscription required for the owner of the app."}}"#,
        ),
        (
            player(),
            403,
            r#"{"error":{"status":403,"message":"Player command failed: Premium required","reason":"PREMIUM_REQUIRED"}}"#,
        ),
        (player(), 403, r#"{"error":{"status":403,"message":"Premium required"}}"#),
        (
            player(),
            403,
            r#"{"error":{"status":403,"message":"Player command failed: Restriction violated","reason":"UNKNOWN"}}"#,
        ),
        (items(), 403, r#"{"error":{"status":403,"message":"Insufficient client scope"}}"#),
        (me(), 401, r#"{"error":{"status":401,"message":"Permissions missing"}}"#),
        (
            playlist(Operation::ADD_PLAYLIST_ITEMS),
            403,
            r#"{"error":{"status":403,"message":"You cannot add tracks to a playlist you don't own."}}"#,
        ),
        (tracks(), 403, r#"{"error":{"status":403,"message":"Something else"}}"#),
        (tracks(), 404, r#"{"error":{"status":404,"message":"Resource not found"}}"#),
    ] {
        let operation = request.operation();
        table.push_str(&format!("{operation}: "));
        table.push_str(&line(request, AccessMode::Development, status, refusal).await);
    }
    for request in [me(), items(), tracks(), features()] {
        for mode in [AccessMode::Development, AccessMode::Extended] {
            table.push_str(&format!("\n{} in {mode:?} Mode\n", request.operation()));
            for (status, refusal) in SILENT {
                table.push_str(&line(request.clone(), mode, status, refusal).await);
            }
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn every_forbidden_cause_has_advice() {
    for cause in [
        ForbiddenCause::DevelopmentMode,
        ForbiddenCause::ClosedIn2024,
        ForbiddenCause::MissingScope,
        ForbiddenCause::OwnerNeedsPremium,
        ForbiddenCause::UserNotRegistered,
        ForbiddenCause::UserNeedsPremium,
        ForbiddenCause::PlayerRestriction,
        ForbiddenCause::PlaylistOfOthers,
        ForbiddenCause::Other,
    ] {
        assert!(cause.advice().len() > 20, "{cause:?}");
    }
}
