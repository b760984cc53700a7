//! The page "Coming from spotipy" leaves nothing out, and its tables say what its code says.

const PAGE: &str = include_str!("../../docs/coming-from-spotipy.md");

/// Everything spotipy 2.0 could do: its names, with the parameters that matter.
const NAMES: &str = "
album; album_tracks; albums; artist; artist_albums(album_type, country, limit, offset);
artist_related_artists; artist_top_tracks(country); artists; audio_analysis; audio_features;
categories(country, locale, limit, offset); category_playlists; current_playback; current_user; me;
current_user_followed_artists(limit, after); current_user_playing_track; currently_playing(market);
current_user_playlists; current_user_recently_played; current_user_saved_albums;
current_user_saved_albums_add; current_user_saved_tracks; current_user_saved_tracks_add;
current_user_saved_tracks_contains; current_user_saved_tracks_delete;
current_user_top_artists(time_range); current_user_top_tracks; devices;
featured_playlists(locale, country, timestamp, limit, offset); new_releases; next(result);
previous(result); next_track(device_id); previous_track; pause_playback;
start_playback(device_id, context_uri, uris, offset by position or uri); seek_track(position_ms);
repeat(state); shuffle(state); volume(percent); transfer_playback(device_id, force_play);
recommendation_genre_seeds;
recommendations(seed_artists, seed_genres, seed_tracks, min_/max_/target_ attributes);
search(q, limit, offset, type, market); track; tracks(market); user; user_follow_artists;
user_follow_users; user_playlist(fields); user_playlist_add_tracks(position);
user_playlist_change_details(name, public, collaborative, description);
user_playlist_create(public, description); user_playlist_follow_playlist;
user_playlist_is_following(user_ids);
user_playlist_remove_all_occurrences_of_tracks(snapshot_id);
user_playlist_remove_specific_occurrences_of_tracks(positions, snapshot_id);
user_playlist_reorder_tracks(range_start, insert_before, range_length, snapshot_id);
user_playlist_replace_tracks; user_playlist_tracks(fields, limit, offset, market);
user_playlist_unfollow; user_playlists;
max_get_retries; trace; trace_out;
auth; requests_session; client_credentials_manager; proxies; requests_timeout;
SpotifyException(http_status, code, msg, headers); http_status; code; msg; headers;
SpotifyClientCredentials; SpotifyOAuth(state, scope, cache_path, show_dialog);
state; scope; cache_path; show_dialog;
get_authorize_url; parse_response_code; get_access_token; get_cached_token; refresh_access_token;
is_token_expired; util.prompt_for_user_token(username, scope, ...);
SPOTIPY_CLIENT_ID; SPOTIPY_CLIENT_SECRET; SPOTIPY_REDIRECT_URI;
id, URI or URL";

/// A row of a table: what it is called in spotipy, the code here, and what changed.
struct Row<'a> {
    spotipy: &'a str,
    here: Vec<&'a str>,
    changed: &'a str,
}

#[test]
fn every_name_has_a_row() {
    let rows = rows();
    let missing: Vec<_> =
        names().filter(|name| !rows.iter().any(|row| row.spotipy == name.as_str())).collect();
    assert!(missing.is_empty(), "the page has no row for {missing:#?}");
}

#[test]
fn every_row_is_a_name_and_occurs_once() {
    let names: Vec<_> = names().collect();
    let rows = rows();
    for row in &rows {
        assert!(names.iter().any(|name| name == row.spotipy), "{} is not spotipy's", row.spotipy);
    }
    assert_eq!(rows.len(), names.len(), "a name has two rows");
}

#[test]
fn what_a_row_says_is_compiled_below_it() {
    let code = code();
    for row in rows() {
        assert!(!row.here.is_empty(), "the row of {} names no code", row.spotipy);
        assert!(!row.changed.is_empty(), "the row of {} does not say what changed", row.spotipy);
        for here in row.here {
            assert!(code.contains(here), "no block holds the code of {}: {here}", row.spotipy);
        }
    }
}

fn names() -> impl Iterator<Item = String> {
    NAMES.split(';').map(|name| name.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn rows() -> Vec<Row<'static>> {
    let row = |line: &'static str| {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        let [spotipy, here, changed] = [cells.next()?, cells.next()?, cells.next()?];
        assert_eq!(cells.next(), None, "a row of more than three cells: {line}");
        Some(Row {
            spotipy: spotipy.strip_prefix('`')?.strip_suffix('`')?,
            // Every second piece between backticks is code.
            here: here.split('`').skip(1).step_by(2).collect(),
            changed,
        })
    };
    PAGE.lines().filter(|line| line.starts_with("| `")).map(|line| row(line).expect(line)).collect()
}

/// What the compiler gets to see: the blocks that are marked as Rust.
fn code() -> String {
    let mut code = String::new();
    let mut inside = false;
    for line in PAGE.lines() {
        if line.starts_with("```") {
            inside = line == "```rust,no_run";
        } else if inside {
            code.extend([line, "\n"]);
        }
    }
    code
}
