//! Tests of the pages "Coming from spotipy" and "Coming from rspotify". Each page must contain
//! every public name of the other client. The tables of each page must fit the width of the docs,
//! and must contain the same code as the code blocks.

use std::{fs, path::Path};

/// The page about another client, and the public names of that client.
struct Guide {
    page: &'static str,
    /// The names, separated by semicolons.
    names: &'static str,
}

/// spotipy 2.0.
const SPOTIPY: Guide = Guide {
    page: include_str!("../../docs/coming-from-spotipy.md"),
    names: "
album; album_tracks; albums; artist; artist_albums; artist_related_artists; artist_top_tracks;
artists; audio_analysis; audio_features; categories; category_playlists; current_playback;
current_user; me; current_user_followed_artists; current_user_playing_track; currently_playing;
current_user_playlists; current_user_recently_played; current_user_saved_albums;
current_user_saved_albums_add; current_user_saved_tracks; current_user_saved_tracks_add;
current_user_saved_tracks_contains; current_user_saved_tracks_delete; current_user_top_artists;
current_user_top_tracks; devices; featured_playlists; new_releases; next; previous; next_track;
previous_track; pause_playback; start_playback; seek_track; repeat; shuffle; volume;
transfer_playback; recommendation_genre_seeds; recommendations; search; track; tracks; user;
user_follow_artists; user_follow_users; user_playlist; user_playlist_add_tracks;
user_playlist_change_details; user_playlist_create; user_playlist_follow_playlist;
user_playlist_is_following; user_playlist_remove_all_occurrences_of_tracks;
user_playlist_remove_specific_occurrences_of_tracks; user_playlist_reorder_tracks;
user_playlist_replace_tracks; user_playlist_tracks; user_playlist_unfollow; user_playlists;
max_get_retries; trace; trace_out; auth; requests_session; client_credentials_manager; proxies;
requests_timeout; SpotifyException; http_status; code; msg; headers; SpotifyClientCredentials;
SpotifyOAuth; state; scope; cache_path; show_dialog; get_authorize_url; parse_response_code;
get_access_token; get_cached_token; refresh_access_token; is_token_expired;
util.prompt_for_user_token; SPOTIPY_CLIENT_ID; SPOTIPY_CLIENT_SECRET; SPOTIPY_REDIRECT_URI;
id, URI or URL",
};

/// The public methods of the clients of rspotify 0.16, and of its traits `BaseClient` and `OAuthClient`.
const RSPOTIFY: Guide = Guide {
    page: include_str!("../../docs/coming-from-rspotify.md"),
    names: "
get_config; get_http; get_creds; get_token; api_url; auth_url; refetch_token; auto_reauth;
refresh_token; auth_headers; api_get; api_post; api_put; api_delete; auth_post;
write_token_cache; fetch_access_token; track; tracks; artist; artists; artist_albums;
artist_albums_manual; artist_top_tracks; artist_related_artists; album; albums; search;
search_multiple; album_track; album_track_manual; user; playlist; user_playlist;
playlist_check_follow; get_a_show; get_several_shows; get_shows_episodes;
get_shows_episodes_manual; get_an_episode; get_several_episodes; track_features;
tracks_features; track_analysis; categories; categories_manual; category_playlists;
category_playlists_manual; featured_playlists; new_releases; new_releases_manual;
recommendations; playlist_items; playlist_items_manual; user_playlists; user_playlists_manual;
get_oauth; request_token; read_token_cache; parse_response_code; get_authcode_listener;
get_socket_address; get_code_from_user; prompt_for_token; current_user_playlists;
current_user_playlists_manual; user_playlist_create; playlist_change_detail; playlist_unfollow;
playlist_add_items; playlist_replace_items; playlist_reorder_items;
playlist_remove_all_occurrences_of_items; playlist_remove_specific_occurrences_of_items;
playlist_follow; me; current_user; library_add; library_remove; library_contains;
current_user_playing_item; current_user_saved_albums; current_user_saved_albums_manual;
current_user_saved_tracks; current_user_saved_tracks_manual; current_user_followed_artists;
current_user_saved_tracks_delete; current_user_saved_tracks_contains;
current_user_saved_tracks_add; current_user_top_artists; current_user_top_artists_manual;
current_user_top_tracks; current_user_top_tracks_manual; current_user_recently_played;
current_user_saved_albums_add; current_user_saved_albums_delete;
current_user_saved_albums_contains; user_follow_artists; user_unfollow_artists;
user_artist_check_follow; user_follow_users; user_unfollow_users; device; current_playback;
current_playing; current_user_queue; transfer_playback; start_context_playback;
start_uris_playback; pause_playback; resume_playback; next_track; previous_track; seek_track;
repeat; volume; shuffle; add_item_to_queue; save_shows; get_saved_show; get_saved_show_manual;
check_users_saved_shows; remove_users_saved_shows; new; from_token; with_config;
from_token_with_config; with_middleware; with_middleware_arc; get_authorize_url",
};

/// A row of a table: the names in the other client, and the equivalent code.
struct Row {
    names: Vec<String>,
    here: Vec<String>,
}

/// Width of the content of a page in rustdoc, in tenths of a pixel.
const PAGE: usize = 9_360;

#[test]
fn every_name_of_the_other_client_is_in_a_single_row() {
    for guide in [SPOTIPY, RSPOTIFY] {
        let rows = guide.rows();
        let mut in_rows: Vec<_> = rows.iter().flat_map(|row| row.names.clone()).collect();
        let mut names: Vec<_> = guide.names().collect();
        in_rows.sort_unstable();
        names.sort_unstable();
        assert_eq!(in_rows, names);
    }
}

#[test]
fn the_code_of_each_row_appears_in_a_code_block() {
    for guide in [SPOTIPY, RSPOTIFY] {
        let code = guide.code();
        for row in guide.rows() {
            assert!(!row.here.is_empty(), "the row of {:?} names no code", row.names);
            for here in row.here {
                let here = without_spaces(&here);
                assert!(code.contains(&here), "no block has the code of {:?}: {here}", row.names);
            }
        }
    }
}

#[test]
fn the_tables_fit_the_width_of_the_docs() {
    for guide in [SPOTIPY, RSPOTIFY] {
        for table in guide.page.split("\n\n").filter(|block| block.starts_with('|')) {
            let mut columns = [0; 3];
            for line in table.lines() {
                for (column, cell) in columns.iter_mut().zip(line.trim_matches('|').split('|')) {
                    *column = (*column).max(cell_width(cell));
                }
            }
            let width: usize = columns.iter().sum();
            assert!(width <= PAGE, "a table is {width} wide, columns {columns:?}:\n{table}");
        }
    }
}

/// Returns the minimum width of a cell: the width of its longest unbreakable part, in the fonts of
/// rustdoc. The sizes were measured in Chromium.
fn cell_width(cell: &str) -> usize {
    const PADDING: usize = 220;
    const CODE_CHAR: usize = 96;
    const TEXT_CHAR: usize = 80;
    let cell = without_html(cell, " ");
    let mut is_code = false;
    let mut longest = 0;
    for word in cell.split_whitespace() {
        let mut width = 0;
        for char in word.chars() {
            match char {
                '`' => is_code = !is_code,
                _ => width += if is_code { CODE_CHAR } else { TEXT_CHAR },
            }
        }
        longest = longest.max(width);
    }
    longest + PADDING
}

#[test]
fn calls_have_doc_aliases_for_names_of_the_other_client() {
    let mut source = String::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../spot-api/src"), &mut source);
    for guide in [SPOTIPY, RSPOTIFY] {
        for row in guide.rows() {
            // An API call starts with `client.`. The methods in `handles` are not API calls.
            let is_call = row.here.iter().any(|here| {
                let handles = [
                    "client.request(",
                    "client.pipeline(",
                    "client.next_page(",
                    "client.previous_page(",
                ];
                here.starts_with("client.")
                    && !handles.iter().any(|handle| here.starts_with(handle))
            });
            let names = row.names.iter().filter(|name| is_call && !name.contains(' '));
            for name in names {
                let is_found = source.contains(&format!("\"{name}\""))
                    || source.contains(&format!("fn {name}("));
                assert!(is_found, "no call has the doc alias {name}");
            }
        }
    }
}

fn read(dir: &Path, into: &mut String) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, into);
        } else {
            into.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

impl Guide {
    fn names(&self) -> impl Iterator<Item = &'static str> {
        self.names.split(';').map(str::trim)
    }

    fn rows(&self) -> Vec<Row> {
        let page = without_html(self.page, "");
        let row = |line: &str| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let [names, here, _] = *cells else {
                panic!("a row of other than three cells: {line}")
            };
            // If a cell is split at backticks, every second part is code.
            let code = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            Row { names: code(names), here: code(here) }
        };
        page.lines().filter(|line| line.starts_with("| `")).map(row).collect()
    }

    /// Returns the Rust code of the page, without whitespace.
    fn code(&self) -> String {
        let mut code = String::new();
        let mut inside = false;
        for line in self.page.lines() {
            if line.starts_with("```") {
                inside = line == "```rust,no_run";
            } else if inside {
                code.push_str(&without_spaces(line));
            }
        }
        code
    }
}

/// Converts the HTML of long names to Markdown, and each `<wbr>` to `line_break`. A browser may
/// break the line at a `<wbr>`.
fn without_html(text: &str, line_break: &str) -> String {
    text.replace("<code>", "`").replace("</code>", "`").replace("<wbr>", line_break)
}

fn without_spaces(text: &str) -> String {
    text.split_whitespace().collect()
}
