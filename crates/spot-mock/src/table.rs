//! All operations of the Web API, one a row, and what may be asked of each.
//!
//! What can be checked without knowing what an operation does is said here and checked in one
//! place ([`crate::gate`]); the handlers check the rest.

use crate::call::Call;
use crate::handlers::{
    albums, analysis, artists, audiobooks, browse, following, library, player, playlist_items,
    playlists, saved, search, shows, tracks, users,
};
use crate::reply::Answer;

/// One operation of the Web API.
pub(crate) struct Operation {
    pub(crate) method: &'static str,
    /// The path below `/v1`, with its parameters in braces.
    pub(crate) path: &'static str,
    /// The operation id in Spotify's reference.
    pub(crate) id: &'static str,
    pub(crate) handler: fn(&mut Call<'_>) -> Answer,
    /// One of these scopes is needed; none if there are none.
    pub(crate) scopes: &'static [&'static str],
    pub(crate) access: Access,
    pub(crate) limit: Option<Limit>,
    /// The largest `offset`.
    pub(crate) offset: i64,
    pub(crate) list: Option<List>,
}

/// Which applications may call an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Any,
    /// Only those in Extended Quota Mode.
    Extended,
    /// Closed since 2024-11-27; the others are answered like this.
    Closed(ClosedAnswer),
}

/// How an operation that was closed in 2024 says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClosedAnswer {
    Forbidden,
    ForbiddenWithoutMessage,
    NotFoundWithoutBody,
}

/// How many entries of a page can be asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    pub(crate) default: u32,
    pub(crate) max: u32,
    /// Default and maximum in Extended Quota Mode.
    pub(crate) extended: (u32, u32),
}

/// A parameter with several ids or URIs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct List {
    pub(crate) name: &'static str,
    pub(crate) max: usize,
    /// Whether it may come in a JSON body instead of the query.
    pub(crate) in_body: bool,
}

impl Operation {
    const fn new(
        method: &'static str,
        path: &'static str,
        id: &'static str,
        handler: fn(&mut Call<'_>) -> Answer,
    ) -> Self {
        Self {
            method,
            path,
            id,
            handler,
            scopes: &[],
            access: Access::Any,
            limit: None,
            offset: 100_000,
            list: None,
        }
    }

    const fn scopes(mut self, scopes: &'static [&'static str]) -> Self {
        self.scopes = scopes;
        self
    }

    const fn extended(mut self) -> Self {
        self.access = Access::Extended;
        self
    }

    const fn closed(mut self, answer: ClosedAnswer) -> Self {
        self.access = Access::Closed(answer);
        self
    }

    const fn limit(mut self, default: u32, max: u32) -> Self {
        self.limit = Some(Limit { default, max, extended: (default, max) });
        self
    }

    const fn extended_limit(mut self, default: u32, max: u32) -> Self {
        if let Some(limit) = &mut self.limit {
            limit.extended = (default, max);
        }
        self
    }

    const fn offset(mut self, max: i64) -> Self {
        self.offset = max;
        self
    }

    const fn list(mut self, name: &'static str, max: usize) -> Self {
        self.list = Some(List { name, max, in_body: false });
        self
    }

    /// A list that may also come in the body.
    const fn list_or_body(mut self, name: &'static str, max: usize) -> Self {
        self.list = Some(List { name, max, in_body: true });
        self
    }

    /// Whether it concerns a user, so that a token of the application itself is not enough.
    pub(crate) fn needs_user(&self) -> bool {
        self.path == "/me" || self.path.starts_with("/me/") || self.method != "GET"
    }

    /// Whether it commands a player.
    pub(crate) fn is_player_command(&self) -> bool {
        self.path.starts_with("/me/player") && self.method != "GET"
    }
}

const fn get(
    path: &'static str,
    id: &'static str,
    handler: fn(&mut Call<'_>) -> Answer,
) -> Operation {
    Operation::new("GET", path, id, handler)
}

const fn put(
    path: &'static str,
    id: &'static str,
    handler: fn(&mut Call<'_>) -> Answer,
) -> Operation {
    Operation::new("PUT", path, id, handler)
}

const fn post(
    path: &'static str,
    id: &'static str,
    handler: fn(&mut Call<'_>) -> Answer,
) -> Operation {
    Operation::new("POST", path, id, handler)
}

const fn delete(
    path: &'static str,
    id: &'static str,
    handler: fn(&mut Call<'_>) -> Answer,
) -> Operation {
    Operation::new("DELETE", path, id, handler)
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
const LISTS_READ: &[&str] = &["playlist-read-private", "playlist-read-collaborative"];
const LIST_WRITE: &[&str] = &["playlist-modify-public", "playlist-modify-private"];
const COVER_WRITE: &[&str] = &["ugc-image-upload"];
const PLAYBACK_READ: &[&str] = &["user-read-playback-state"];
const PLAYING_READ: &[&str] = &["user-read-currently-playing"];
const QUEUE_READ: &[&str] = &["user-read-currently-playing", "user-read-playback-state"];
const COMMAND: &[&str] = &["user-modify-playback-state"];
const HISTORY_READ: &[&str] = &["user-read-recently-played"];
const TOP_READ: &[&str] = &["user-top-read"];

use ClosedAnswer::{Forbidden, ForbiddenWithoutMessage, NotFoundWithoutBody};

/// The table. The order does not matter: no two rows match the same request.
#[rustfmt::skip]
pub(crate) static OPERATIONS: &[Operation] = &[
    get("/albums/{id}", "get-an-album", albums::one),
    get("/albums", "get-multiple-albums", albums::several).extended().list("ids", 20),
    get("/albums/{id}/tracks", "get-an-albums-tracks", albums::tracks).limit(20, 50),
    get("/browse/new-releases", "get-new-releases", albums::new_releases).extended().limit(20, 50),
    get("/me/albums", "get-users-saved-albums", library::albums).scopes(LIB_READ).limit(20, 50),
    put("/me/albums", "save-albums-user", saved::save_albums).extended().scopes(LIB_WRITE).list_or_body("ids", 20),
    delete("/me/albums", "remove-albums-user", saved::remove_albums).extended().scopes(LIB_WRITE).list_or_body("ids", 20),
    get("/me/albums/contains", "check-users-saved-albums", saved::has_albums).extended().scopes(LIB_READ).list("ids", 20),

    get("/artists/{id}", "get-an-artist", artists::one),
    get("/artists", "get-multiple-artists", artists::several).extended().list("ids", 50),
    get("/artists/{id}/albums", "get-an-artists-albums", artists::albums).limit(5, 10).extended_limit(20, 50),
    get("/artists/{id}/top-tracks", "get-an-artists-top-tracks", artists::top_tracks).extended(),
    get("/artists/{id}/related-artists", "get-an-artists-related-artists", artists::related).closed(Forbidden),

    get("/tracks/{id}", "get-track", tracks::one),
    get("/tracks", "get-several-tracks", tracks::several).extended().list("ids", 50),
    get("/me/tracks", "get-users-saved-tracks", library::tracks).scopes(LIB_READ).limit(20, 50),
    put("/me/tracks", "save-tracks-user", saved::save_tracks).extended().scopes(LIB_WRITE).list_or_body("ids", 50),
    delete("/me/tracks", "remove-tracks-user", saved::remove_tracks).extended().scopes(LIB_WRITE).list_or_body("ids", 50),
    get("/me/tracks/contains", "check-users-saved-tracks", saved::has_tracks).extended().scopes(LIB_READ).list("ids", 50),
    get("/audio-features", "get-several-audio-features", analysis::several_features).closed(ForbiddenWithoutMessage).list("ids", 100),
    get("/audio-features/{id}", "get-audio-features", analysis::features).closed(ForbiddenWithoutMessage),
    get("/audio-analysis/{id}", "get-audio-analysis", analysis::analysis).closed(ForbiddenWithoutMessage),
    get("/recommendations", "get-recommendations", analysis::recommendations).closed(NotFoundWithoutBody).limit(20, 100),
    get("/recommendations/available-genre-seeds", "get-recommendation-genres", analysis::genre_seeds).closed(NotFoundWithoutBody),

    get("/shows/{id}", "get-a-show", shows::show),
    get("/shows", "get-multiple-shows", shows::several_shows).extended().list("ids", 50),
    get("/shows/{id}/episodes", "get-a-shows-episodes", shows::episodes).limit(20, 50),
    get("/me/shows", "get-users-saved-shows", library::shows).scopes(LIB_READ).limit(20, 50),
    put("/me/shows", "save-shows-user", saved::save_shows).extended().scopes(LIB_WRITE).list_or_body("ids", 50),
    delete("/me/shows", "remove-shows-user", saved::remove_shows).extended().scopes(LIB_WRITE).list_or_body("ids", 50),
    get("/me/shows/contains", "check-users-saved-shows", saved::has_shows).extended().scopes(LIB_READ).list("ids", 50),
    get("/episodes/{id}", "get-an-episode", shows::episode),
    get("/episodes", "get-multiple-episodes", shows::several_episodes).extended().list("ids", 50),
    get("/me/episodes", "get-users-saved-episodes", library::episodes).scopes(LIB_READ).limit(20, 50),
    put("/me/episodes", "save-episodes-user", saved::save_episodes).extended().scopes(LIB_WRITE).list_or_body("ids", 50),
    delete("/me/episodes", "remove-episodes-user", saved::remove_episodes).extended().scopes(LIB_WRITE).list_or_body("ids", 50),
    get("/me/episodes/contains", "check-users-saved-episodes", saved::has_episodes).extended().scopes(LIB_READ).list("ids", 50),

    get("/audiobooks/{id}", "get-an-audiobook", audiobooks::one),
    get("/audiobooks", "get-multiple-audiobooks", audiobooks::several).extended().list("ids", 50),
    get("/audiobooks/{id}/chapters", "get-audiobook-chapters", audiobooks::chapters).limit(20, 50),
    get("/me/audiobooks", "get-users-saved-audiobooks", library::audiobooks).scopes(LIB_READ).limit(20, 50),
    put("/me/audiobooks", "save-audiobooks-user", saved::save_audiobooks).extended().scopes(LIB_WRITE).list_or_body("ids", 50),
    delete("/me/audiobooks", "remove-audiobooks-user", saved::remove_audiobooks).extended().scopes(LIB_WRITE).list_or_body("ids", 50),
    get("/me/audiobooks/contains", "check-users-saved-audiobooks", saved::has_audiobooks).extended().scopes(LIB_READ).list("ids", 50),
    get("/chapters/{id}", "get-a-chapter", audiobooks::chapter),
    get("/chapters", "get-several-chapters", audiobooks::several_chapters).extended().list("ids", 50),

    get("/search", "search", search::search).limit(5, 10).extended_limit(20, 50).offset(1_000),

    get("/me", "get-current-users-profile", users::me),
    get("/me/top/{type}", "get-users-top-artists-and-tracks", users::top).scopes(TOP_READ).limit(20, 50),
    get("/users/{user_id}", "get-users-profile", users::one).extended(),

    put("/me/library", "save-library-items", library::save).scopes(ANY_LIBRARY_WRITE).list("uris", 40),
    delete("/me/library", "remove-library-items", library::remove).scopes(ANY_LIBRARY_WRITE).list("uris", 40),
    get("/me/library/contains", "check-library-contains", library::contains).scopes(ANY_LIBRARY_READ).list("uris", 40),

    get("/me/following", "get-followed", following::followed).scopes(FOLLOW_READ).limit(20, 50),
    put("/me/following", "follow-artists-users", following::follow).extended().scopes(FOLLOW_WRITE).list_or_body("ids", 50),
    delete("/me/following", "unfollow-artists-users", following::unfollow).extended().scopes(FOLLOW_WRITE).list_or_body("ids", 50),
    get("/me/following/contains", "check-current-user-follows", following::follows).extended().scopes(FOLLOW_READ).list("ids", 50),
    put("/playlists/{playlist_id}/followers", "follow-playlist", following::follow_playlist).extended().scopes(LIST_WRITE),
    delete("/playlists/{playlist_id}/followers", "unfollow-playlist", following::unfollow_playlist).extended().scopes(LIST_WRITE),
    get("/playlists/{playlist_id}/followers/contains", "check-if-user-follows-playlist", following::follows_playlist).extended(),

    get("/playlists/{playlist_id}", "get-playlist", playlists::one),
    put("/playlists/{playlist_id}", "change-playlist-details", playlists::change).scopes(LIST_WRITE),
    get("/me/playlists", "get-a-list-of-current-users-playlists", playlists::mine).scopes(LISTS_READ).limit(20, 50),
    post("/me/playlists", "create-playlist", playlists::create).scopes(LIST_WRITE),
    get("/users/{user_id}/playlists", "get-list-users-playlists", playlists::of_user).extended().limit(20, 50),
    post("/users/{user_id}/playlists", "create-playlist-for-user", playlists::create_for_user).extended().scopes(LIST_WRITE),
    get("/playlists/{playlist_id}/images", "get-playlist-cover", playlists::cover),
    put("/playlists/{playlist_id}/images", "upload-custom-playlist-cover", playlists::upload_cover).scopes(COVER_WRITE),
    get("/playlists/{playlist_id}/items", "get-playlists-items", playlist_items::list).limit(20, 50),
    post("/playlists/{playlist_id}/items", "add-items-to-playlist", playlist_items::add).scopes(LIST_WRITE),
    put("/playlists/{playlist_id}/items", "reorder-or-replace-playlists-items", playlist_items::update).scopes(LIST_WRITE),
    delete("/playlists/{playlist_id}/items", "remove-items-playlist", playlist_items::remove).scopes(LIST_WRITE),
    get("/playlists/{playlist_id}/tracks", "get-playlists-tracks", playlist_items::list).extended().limit(20, 100),
    post("/playlists/{playlist_id}/tracks", "add-tracks-to-playlist", playlist_items::add).extended().scopes(LIST_WRITE),
    put("/playlists/{playlist_id}/tracks", "reorder-or-replace-playlists-tracks", playlist_items::update).extended().scopes(LIST_WRITE),
    delete("/playlists/{playlist_id}/tracks", "remove-tracks-playlist", playlist_items::remove).extended().scopes(LIST_WRITE),

    get("/browse/featured-playlists", "get-featured-playlists", browse::featured).closed(Forbidden).limit(20, 50),
    get("/browse/categories", "get-categories", browse::categories).extended().limit(20, 50),
    get("/browse/categories/{category_id}", "get-a-category", browse::category).extended(),
    get("/browse/categories/{category_id}/playlists", "get-a-categories-playlists", browse::category_playlists).closed(Forbidden).limit(20, 50),
    get("/markets", "get-available-markets", browse::markets).extended(),

    get("/me/player", "get-information-about-the-users-current-playback", player::state).scopes(PLAYBACK_READ),
    put("/me/player", "transfer-a-users-playback", player::transfer).scopes(COMMAND),
    get("/me/player/devices", "get-a-users-available-devices", player::devices).scopes(PLAYBACK_READ),
    get("/me/player/currently-playing", "get-the-users-currently-playing-track", player::currently_playing).scopes(PLAYING_READ),
    put("/me/player/play", "start-a-users-playback", player::play).scopes(COMMAND),
    put("/me/player/pause", "pause-a-users-playback", player::pause).scopes(COMMAND),
    post("/me/player/next", "skip-users-playback-to-next-track", player::next).scopes(COMMAND),
    post("/me/player/previous", "skip-users-playback-to-previous-track", player::previous).scopes(COMMAND),
    put("/me/player/seek", "seek-to-position-in-currently-playing-track", player::seek).scopes(COMMAND),
    put("/me/player/repeat", "set-repeat-mode-on-users-playback", player::repeat).scopes(COMMAND),
    put("/me/player/volume", "set-volume-for-users-playback", player::volume).scopes(COMMAND),
    put("/me/player/shuffle", "toggle-shuffle-for-users-playback", player::shuffle).scopes(COMMAND),
    get("/me/player/recently-played", "get-recently-played", player::recently_played).scopes(HISTORY_READ).limit(20, 50),
    get("/me/player/queue", "get-queue", player::queue).scopes(QUEUE_READ),
    post("/me/player/queue", "add-to-queue", player::enqueue).scopes(COMMAND),
];

/// What a path leads to.
pub(crate) enum Route {
    /// An operation and the parameters of its path, decoded.
    Operation(&'static Operation, Vec<(&'static str, String)>),
    /// The path exists, but not with this method.
    WrongMethod,
    Unknown,
}

/// Finds the operation for a method and a path below `/v1`.
pub(crate) fn route(method: &str, path: &str) -> Route {
    // Spotify takes a slash at the end, and spotipy sends one: `/v1/me/`.
    let path = path.strip_suffix('/').unwrap_or(path);
    let mut path_exists = false;
    // A path without parameters wins over one that has a parameter in the same place.
    let mut found = None::<(&'static Operation, Vec<(&'static str, String)>)>;
    for operation in OPERATIONS {
        let Some(parameters) = parameters(operation.path, path) else { continue };
        path_exists = true;
        let better = found.as_ref().is_none_or(|(_, other)| parameters.len() < other.len());
        if operation.method == method && better {
            found = Some((operation, parameters));
        }
    }
    match found {
        Some((operation, parameters)) => Route::Operation(operation, parameters),
        None if path_exists => Route::WrongMethod,
        None => Route::Unknown,
    }
}

/// The parameters of `path` if it has the form of `template`.
fn parameters(template: &'static str, path: &str) -> Option<Vec<(&'static str, String)>> {
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

    #[test]
    fn there_are_96_operations_with_ids_of_their_own() {
        assert_eq!(OPERATIONS.len(), 96);
        let mut ids: Vec<_> = OPERATIONS.iter().map(|operation| operation.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 96);
    }

    #[test]
    fn of_96_operations_48_are_open_40_extended_and_8_closed() {
        let count = |wanted: fn(&Access) -> bool| {
            OPERATIONS.iter().filter(|operation| wanted(&operation.access)).count()
        };
        assert_eq!(count(|access| *access == Access::Any), 48);
        assert_eq!(count(|access| *access == Access::Extended), 40);
        assert_eq!(count(|access| matches!(access, Access::Closed(_))), 8);
    }

    #[test]
    fn every_row_is_reached_by_its_own_path() {
        for operation in OPERATIONS {
            let path = operation.path.replace(['{', '}'], "");
            match route(operation.method, &path) {
                Route::Operation(found, _) => assert_eq!(found.id, operation.id),
                _ => panic!("{} leads nowhere", operation.path),
            }
        }
    }

    #[test]
    fn a_user_name_is_decoded_and_a_wrong_verb_noticed() {
        match route("GET", "/users/zo%C3%AB%2391") {
            Route::Operation(_, parameters) => {
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
