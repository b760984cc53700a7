//! All operations of the Web API, one per row, with their scopes, limits and other rules.
//!
//! The gate ([`crate::api::gate`]) checks the rules in the table. The handlers check the rules that
//! are not in the table.

use crate::{
    api::{
        call::Call,
        handlers::{
            albums, analysis, artists, audiobooks, browse, following, library, player,
            playlist_items, playlists, saved, search, shows, tracks, users,
        },
        operation::{ClosedAnswer, Operation},
    },
    http::reply::Answer,
};

const fn get(path: &'static str, id: &'static str) -> Operation {
    Operation::new("GET", path, id)
}

const fn put(path: &'static str, id: &'static str) -> Operation {
    Operation::new("PUT", path, id)
}

const fn post(path: &'static str, id: &'static str) -> Operation {
    Operation::new("POST", path, id)
}

const fn delete(path: &'static str, id: &'static str) -> Operation {
    Operation::new("DELETE", path, id)
}

const LIB_READ: &[&str] = &["user-library-read"];
const LIB_WRITE: &[&str] = &["user-library-modify"];
const ANY_LIBRARY_READ: &[&str] =
    &["user-library-read", "user-follow-read", "playlist-read-private"];
const ANY_LIBRARY_WRITE: &[&str] = &[
    "user-library-modify",
    "user-follow-modify",
    "playlist-modify-public",
    "playlist-modify-private",
];
const FOLLOW_READ: &[&str] = &["user-follow-read"];
const FOLLOW_WRITE: &[&str] = &["user-follow-modify"];
const LIST_WRITE: &[&str] = &["playlist-modify-public", "playlist-modify-private"];
const COVER_WRITE: &[&str] = &["ugc-image-upload"];
const PLAYBACK_READ: &[&str] = &["user-read-playback-state"];
const PLAYING_READ: &[&str] = &["user-read-currently-playing"];
const QUEUE_READ: &[&str] = &["user-read-currently-playing", "user-read-playback-state"];
const COMMAND: &[&str] = &["user-modify-playback-state"];
const HISTORY_READ: &[&str] = &["user-read-recently-played"];
const TOP_READ: &[&str] = &["user-top-read"];

/// Executes an operation, after the [gate](crate::api::gate) has checked the call.
pub(crate) type Handler = fn(&mut Call<'_>) -> Answer;

/// The table. The rows can be in any order.
#[rustfmt::skip]
pub(crate) static OPERATIONS: &[(Operation, Handler)] = &[
    (get("/albums/{id}", "get-an-album"), albums::one),
    (get("/albums", "get-multiple-albums").extended().list("ids", 20), albums::several),
    (get("/albums/{id}/tracks", "get-an-albums-tracks").limit(20, 50), albums::tracks),
    (get("/browse/new-releases", "get-new-releases").extended().limit(20, 50), albums::new_releases),
    (get("/me/albums", "get-users-saved-albums").scopes(LIB_READ).limit(20, 50), library::albums),
    (put("/me/albums", "save-albums-user").extended().scopes(LIB_WRITE).list_or_body("ids", 20), saved::save_albums),
    (delete("/me/albums", "remove-albums-user").extended().scopes(LIB_WRITE).list_or_body("ids", 20), saved::remove_albums),
    (get("/me/albums/contains", "check-users-saved-albums").extended().scopes(LIB_READ).list("ids", 20), saved::has_albums),

    (get("/artists/{id}", "get-an-artist"), artists::one),
    (get("/artists", "get-multiple-artists").extended().list("ids", 50), artists::several),
    (get("/artists/{id}/albums", "get-an-artists-albums").limit(5, 10).extended_limit(20, 50), artists::albums),
    (get("/artists/{id}/top-tracks", "get-an-artists-top-tracks").extended(), artists::top_tracks),
    (get("/artists/{id}/related-artists", "get-an-artists-related-artists").closed(ClosedAnswer::Forbidden), artists::related),

    (get("/tracks/{id}", "get-track"), tracks::one),
    (get("/tracks", "get-several-tracks").extended().list("ids", 50), tracks::several),
    (get("/me/tracks", "get-users-saved-tracks").scopes(LIB_READ).limit(20, 50), library::tracks),
    (put("/me/tracks", "save-tracks-user").extended().scopes(LIB_WRITE).list_or_body("ids", 50), saved::save_tracks),
    (delete("/me/tracks", "remove-tracks-user").extended().scopes(LIB_WRITE).list_or_body("ids", 50), saved::remove_tracks),
    (get("/me/tracks/contains", "check-users-saved-tracks").extended().scopes(LIB_READ).list("ids", 50), saved::has_tracks),
    (get("/audio-features", "get-several-audio-features").closed(ClosedAnswer::ForbiddenWithoutMessage).list("ids", 100), analysis::several_features),
    (get("/audio-features/{id}", "get-audio-features").closed(ClosedAnswer::ForbiddenWithoutMessage), analysis::features),
    (get("/audio-analysis/{id}", "get-audio-analysis").closed(ClosedAnswer::ForbiddenWithoutMessage), analysis::analysis),
    (get("/recommendations", "get-recommendations").closed(ClosedAnswer::NotFoundWithoutBody).limit(20, 100), analysis::recommendations),
    (get("/recommendations/available-genre-seeds", "get-recommendation-genres").closed(ClosedAnswer::NotFoundWithoutBody), analysis::genre_seeds),

    (get("/shows/{id}", "get-a-show"), shows::show),
    (get("/shows", "get-multiple-shows").extended().list("ids", 50), shows::several_shows),
    (get("/shows/{id}/episodes", "get-a-shows-episodes").limit(20, 50), shows::episodes),
    (get("/me/shows", "get-users-saved-shows").scopes(LIB_READ).limit(20, 50), library::shows),
    (put("/me/shows", "save-shows-user").extended().scopes(LIB_WRITE).list_or_body("ids", 50), saved::save_shows),
    (delete("/me/shows", "remove-shows-user").extended().scopes(LIB_WRITE).list_or_body("ids", 50), saved::remove_shows),
    (get("/me/shows/contains", "check-users-saved-shows").extended().scopes(LIB_READ).list("ids", 50), saved::has_shows),
    (get("/episodes/{id}", "get-an-episode"), shows::episode),
    (get("/episodes", "get-multiple-episodes").extended().list("ids", 50), shows::several_episodes),
    (get("/me/episodes", "get-users-saved-episodes").scopes(LIB_READ).limit(20, 50), library::episodes),
    (put("/me/episodes", "save-episodes-user").extended().scopes(LIB_WRITE).list_or_body("ids", 50), saved::save_episodes),
    (delete("/me/episodes", "remove-episodes-user").extended().scopes(LIB_WRITE).list_or_body("ids", 50), saved::remove_episodes),
    (get("/me/episodes/contains", "check-users-saved-episodes").extended().scopes(LIB_READ).list("ids", 50), saved::has_episodes),

    (get("/audiobooks/{id}", "get-an-audiobook"), audiobooks::one),
    (get("/audiobooks", "get-multiple-audiobooks").extended().list("ids", 50), audiobooks::several),
    (get("/audiobooks/{id}/chapters", "get-audiobook-chapters").limit(20, 50), audiobooks::chapters),
    (get("/me/audiobooks", "get-users-saved-audiobooks").scopes(LIB_READ).limit(20, 50), library::audiobooks),
    (put("/me/audiobooks", "save-audiobooks-user").extended().scopes(LIB_WRITE).list_or_body("ids", 50), saved::save_audiobooks),
    (delete("/me/audiobooks", "remove-audiobooks-user").extended().scopes(LIB_WRITE).list_or_body("ids", 50), saved::remove_audiobooks),
    (get("/me/audiobooks/contains", "check-users-saved-audiobooks").extended().scopes(LIB_READ).list("ids", 50), saved::has_audiobooks),
    (get("/chapters/{id}", "get-a-chapter"), audiobooks::chapter),
    (get("/chapters", "get-several-chapters").extended().list("ids", 50), audiobooks::several_chapters),

    (get("/search", "search").limit(5, 10).extended_limit(20, 50).offset(1_000), search::search),

    (get("/me", "get-current-users-profile"), users::me),
    (get("/me/top/{type}", "get-users-top-artists-and-tracks").scopes(TOP_READ).limit(20, 50), users::top),
    (get("/users/{user_id}", "get-users-profile").extended(), users::one),

    (put("/me/library", "save-library-items").scopes(ANY_LIBRARY_WRITE).list("uris", 40), library::save),
    (delete("/me/library", "remove-library-items").scopes(ANY_LIBRARY_WRITE).list("uris", 40), library::remove),
    (get("/me/library/contains", "check-library-contains").scopes(ANY_LIBRARY_READ).list("uris", 40), library::contains),

    (get("/me/following", "get-followed").scopes(FOLLOW_READ).limit(20, 50), following::followed),
    (put("/me/following", "follow-artists-users").extended().scopes(FOLLOW_WRITE).list_or_body("ids", 50), following::follow),
    (delete("/me/following", "unfollow-artists-users").extended().scopes(FOLLOW_WRITE).list_or_body("ids", 50), following::unfollow),
    (get("/me/following/contains", "check-current-user-follows").extended().scopes(FOLLOW_READ).list("ids", 50), following::follows),
    (put("/playlists/{playlist_id}/followers", "follow-playlist").extended().scopes(LIST_WRITE), following::follow_playlist),
    (delete("/playlists/{playlist_id}/followers", "unfollow-playlist").extended().scopes(LIST_WRITE), following::unfollow_playlist),
    (get("/playlists/{playlist_id}/followers/contains", "check-if-user-follows-playlist").extended(), following::follows_playlist),

    (get("/playlists/{playlist_id}", "get-playlist"), playlists::one),
    (put("/playlists/{playlist_id}", "change-playlist-details").scopes(LIST_WRITE), playlists::change),
    (get("/me/playlists", "get-a-list-of-current-users-playlists").limit(20, 50), playlists::mine),
    (post("/me/playlists", "create-playlist").scopes(LIST_WRITE), playlists::create),
    (get("/users/{user_id}/playlists", "get-list-users-playlists").extended().limit(20, 50), playlists::of_user),
    (post("/users/{user_id}/playlists", "create-playlist-for-user").extended().scopes(LIST_WRITE), playlists::create_for_user),
    (get("/playlists/{playlist_id}/images", "get-playlist-cover"), playlists::cover),
    (put("/playlists/{playlist_id}/images", "upload-custom-playlist-cover").scopes(COVER_WRITE), playlists::upload_cover),
    (get("/playlists/{playlist_id}/items", "get-playlists-items").limit(20, 50), playlist_items::list),
    (post("/playlists/{playlist_id}/items", "add-items-to-playlist").scopes(LIST_WRITE), playlist_items::add),
    (put("/playlists/{playlist_id}/items", "reorder-or-replace-playlists-items").scopes(LIST_WRITE), playlist_items::update),
    (delete("/playlists/{playlist_id}/items", "remove-items-playlist").scopes(LIST_WRITE), playlist_items::remove),
    (get("/playlists/{playlist_id}/tracks", "get-playlists-tracks").extended().limit(20, 100), playlist_items::list),
    (post("/playlists/{playlist_id}/tracks", "add-tracks-to-playlist").extended().scopes(LIST_WRITE), playlist_items::add),
    (put("/playlists/{playlist_id}/tracks", "reorder-or-replace-playlists-tracks").extended().scopes(LIST_WRITE), playlist_items::update),
    (delete("/playlists/{playlist_id}/tracks", "remove-tracks-playlist").extended().scopes(LIST_WRITE), playlist_items::remove),

    (get("/browse/featured-playlists", "get-featured-playlists").closed(ClosedAnswer::Forbidden).limit(20, 50), browse::featured),
    (get("/browse/categories", "get-categories").extended().limit(20, 50), browse::categories),
    (get("/browse/categories/{category_id}", "get-a-category").extended(), browse::category),
    (get("/browse/categories/{category_id}/playlists", "get-a-categories-playlists").closed(ClosedAnswer::Forbidden).limit(20, 50), browse::category_playlists),
    (get("/markets", "get-available-markets").extended(), browse::markets),

    (get("/me/player", "get-information-about-the-users-current-playback").scopes(PLAYBACK_READ), player::state),
    (put("/me/player", "transfer-a-users-playback").scopes(COMMAND), player::transfer),
    (get("/me/player/devices", "get-a-users-available-devices").scopes(PLAYBACK_READ), player::devices),
    (get("/me/player/currently-playing", "get-the-users-currently-playing-track").scopes(PLAYING_READ), player::currently_playing),
    (put("/me/player/play", "start-a-users-playback").scopes(COMMAND), player::play),
    (put("/me/player/pause", "pause-a-users-playback").scopes(COMMAND), player::pause),
    (post("/me/player/next", "skip-users-playback-to-next-track").scopes(COMMAND), player::next),
    (post("/me/player/previous", "skip-users-playback-to-previous-track").scopes(COMMAND), player::previous),
    (put("/me/player/seek", "seek-to-position-in-currently-playing-track").scopes(COMMAND), player::seek),
    (put("/me/player/repeat", "set-repeat-mode-on-users-playback").scopes(COMMAND), player::repeat),
    (put("/me/player/volume", "set-volume-for-users-playback").scopes(COMMAND), player::volume),
    (put("/me/player/shuffle", "toggle-shuffle-for-users-playback").scopes(COMMAND), player::shuffle),
    (get("/me/player/recently-played", "get-recently-played").scopes(HISTORY_READ).limit(20, 50), player::recently_played),
    (get("/me/player/queue", "get-queue").scopes(QUEUE_READ), player::queue),
    (post("/me/player/queue", "add-to-queue").scopes(COMMAND), player::enqueue),
];

/// Result of routing.
pub(crate) enum Route {
    /// An operation and the parameters of its path, decoded.
    Operation(&'static Operation, Handler, Vec<(&'static str, String)>),
    /// The path exists, but does not support the method.
    WrongMethod,
    Unknown,
}

/// Finds the operation for a method and a path below `/v1`.
pub(crate) fn route(method: &str, path: &str) -> Route {
    // Spotify accepts a slash at the end of a path, and the client library spotipy sends such
    // paths: `/v1/me/`.
    let path = path.strip_suffix('/').unwrap_or(path);
    let mut path_exists = false;
    // A path without parameters takes precedence over a path with a parameter in the same position.
    let mut found = None::<(&'static Operation, Handler, Vec<(&'static str, String)>)>;
    for (operation, handler) in OPERATIONS {
        let Some(parameters) = parameters(operation.path, path) else { continue };
        path_exists = true;
        let better = found.as_ref().is_none_or(|(_, _, other)| parameters.len() < other.len());
        if operation.method == method && better {
            found = Some((operation, *handler, parameters));
        }
    }
    match found {
        Some((operation, handler, parameters)) => Route::Operation(operation, handler, parameters),
        None if path_exists => Route::WrongMethod,
        None => Route::Unknown,
    }
}

/// Whether `name` is the id of an operation of the Web API, or one of the ids `authorize` and
/// `token`, which the accounts service uses.
pub(crate) fn is_operation(name: &str) -> bool {
    ["authorize", "token"].contains(&name)
        || OPERATIONS.iter().any(|(operation, _)| operation.id == name)
}

/// Returns the parameters of `path` if `path` matches `template`.
fn parameters(template: &'static str, path: &str) -> Option<Vec<(&'static str, String)>> {
    let Some((start, _)) = template.split_once('{') else {
        return (template == path).then(Vec::new);
    };
    if !path.starts_with(start) {
        return None;
    }
    let mut parameters = Vec::new();
    let mut segments = path.split('/');
    for wanted in template.split('/') {
        let segment = segments.next()?;
        match wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(_) if segment.is_empty() => return None,
            Some(name) => {
                let value = percent_encoding::percent_decode_str(segment).decode_utf8().ok()?;
                parameters.push((name, value.into_owned()));
            }
            None if wanted == segment => {}
            None => return None,
        }
    }
    segments.next().is_none().then_some(parameters)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::operation::Access;

    #[test]
    fn the_96_operations_have_unique_ids() {
        assert_eq!(OPERATIONS.len(), 96);
        let mut ids: Vec<_> = OPERATIONS.iter().map(|(operation, _)| operation.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 96);
    }

    #[test]
    fn the_table_has_48_open_40_extended_and_8_closed_operations() {
        let count = |wanted: fn(&Access) -> bool| {
            OPERATIONS.iter().filter(|(operation, _)| wanted(&operation.access)).count()
        };
        assert_eq!(count(|access| *access == Access::Any), 48);
        assert_eq!(count(|access| *access == Access::Extended), 40);
        assert_eq!(count(|access| matches!(access, Access::Closed(_))), 8);
    }

    #[test]
    fn the_path_of_every_operation_routes_to_that_operation() {
        for (operation, _) in OPERATIONS {
            let path = operation.path.replace(['{', '}'], "");
            match route(operation.method, &path) {
                Route::Operation(found, ..) => assert_eq!(found.id, operation.id),
                _ => panic!("{} leads nowhere", operation.path),
            }
        }
    }

    #[test]
    fn routing_decodes_path_parameters_and_detects_wrong_methods() {
        match route("GET", "/users/zo%C3%AB%2391") {
            Route::Operation(_, _, parameters) => {
                assert_eq!(parameters, [("user_id", "zoë#91".to_owned())])
            }
            _ => panic!("no route"),
        }
        assert!(matches!(route("POST", "/albums/x"), Route::WrongMethod));
        assert!(matches!(route("GET", "/nowhere"), Route::Unknown));
        assert!(matches!(route("GET", "/me/"), Route::Operation(..)));
        assert!(matches!(route("GET", "/albums//"), Route::Unknown));
    }
}
