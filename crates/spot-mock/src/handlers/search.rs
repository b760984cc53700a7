//! Search in everything.

use std::cmp::Reverse;

use super::search_query::SearchQuery;
use crate::call::Call;
use crate::json::{Json, Object};
use crate::render::Viewer;
use crate::reply::{Answer, Refusal, Reply};
use crate::world::{Availability, Key, World};

/// What can be searched for, and under which name it is answered.
const KINDS: [(&str, &str); 7] = [
    ("track", "tracks"),
    ("artist", "artists"),
    ("album", "albums"),
    ("playlist", "playlists"),
    ("show", "shows"),
    ("episode", "episodes"),
    ("audiobook", "audiobooks"),
];
/// No more than this many results can be reached, and no more are counted.
const REACH: usize = 1_000;
/// `tag:new` means of this year, `tag:hipster` of this popularity at most.
const NEW_SINCE: u32 = 2026;
const HIPSTER: u8 = 8;

pub(crate) fn search(call: &mut Call<'_>) -> Answer {
    let text = call.query.get("q").unwrap_or_default().trim();
    if text.is_empty() {
        return Err(Refusal::bad_request("No search query"));
    }
    let types =
        call.query.list("type").ok_or_else(|| Refusal::bad_request("Missing parameter type"))?;
    if let Some(unknown) = types.iter().find(|kind| !KINDS.iter().any(|(name, _)| name == kind)) {
        return Err(Refusal::bad_request(format!("Bad search type field {unknown}")));
    }
    if call.query.get("include_external").is_some_and(|external| external != "audio") {
        return Err(Refusal::bad_request("Invalid include_external"));
    }
    let query = SearchQuery::parse(text);
    let mut body = Object::default();
    for (kind, name) in KINDS {
        if types.iter().any(|wanted| wanted == kind) {
            body.set(name, results(call, kind, &query));
        }
    }
    Ok(Reply::ok(body))
}

/// The page of results of one kind.
fn results(call: &Call<'_>, kind: &str, query: &SearchQuery) -> Json {
    let render = call.render().with_playability();
    let world = call.world;
    // Without a country there are no podcasts, and in most there are no audiobooks.
    let spoken = call.market.code.is_some();
    let books = call.market.code.is_none_or(|market| Availability::Books.contains(market));
    match kind {
        "track" => page(call, tracks(world, query), |key| render.track(key)),
        "artist" => page(call, artists(world, query), |key| render.artist(key)),
        "album" => page(call, albums(world, query), |key| render.album_ref(key)),
        "playlist" => playlists(call, query),
        "show" => page(call, named(query, spoken, &world.shows, |show| &show.name), |key| {
            render.show_ref(key)
        }),
        "episode" => {
            page(call, named(query, spoken, &world.episodes, |episode| &episode.name), |key| {
                render.episode_ref(key)
            })
        }
        _ => page(call, named(query, books, &world.audiobooks, |book| &book.name), |key| {
            render.audiobook_ref(key)
        }),
    }
}

fn page<T>(call: &Call<'_>, mut found: Vec<T>, render: impl Fn(T) -> Json) -> Json {
    found.truncate(REACH);
    let total = found.len();
    let entries = call.window(found).map(render).collect();
    call.page(entries, total)
}

fn tracks(world: &World, query: &SearchQuery) -> Vec<Key<crate::world::Track>> {
    if query.upc.is_some() || query.new || query.hipster {
        return Vec::new();
    }
    let names = world.lowercase();
    let mut found: Vec<_> = world
        .tracks
        .iter()
        .filter(|(key, track)| {
            let name = names.track(*key);
            let album = &world.albums[track.album];
            let artist = names.artist(track.artist);
            let of_guest = |wanted: &str| {
                track.guest.is_some_and(|guest| names.artist(guest).contains(wanted))
            };
            query
                .words
                .iter()
                .all(|word| name.contains(word.as_str()) || artist.contains(word.as_str()))
                && query.track.as_ref().is_none_or(|wanted| name.contains(wanted.as_str()))
                && query
                    .artist
                    .as_ref()
                    .is_none_or(|wanted| artist.contains(wanted.as_str()) || of_guest(wanted))
                && query
                    .album
                    .as_ref()
                    .is_none_or(|wanted| names.album(track.album).contains(wanted.as_str()))
                && query.year.as_ref().is_none_or(|years| years.contains(&album.released.year))
                && query
                    .isrc
                    .as_ref()
                    .is_none_or(|isrc| track.isrc(album.released.year).eq_ignore_ascii_case(isrc))
                && fits_genre(query, &world.artists[track.artist].genres)
        })
        .collect();
    found.sort_by_key(|(key, track)| (Reverse(track.popularity), *key));
    found.into_iter().map(|(key, _)| key).collect()
}

fn artists(world: &World, query: &SearchQuery) -> Vec<Key<crate::world::Artist>> {
    if query.album.is_some() || query.track.is_some() || query.isrc.is_some() || query.upc.is_some()
    {
        return Vec::new();
    }
    let names = world.lowercase();
    let years = |artist: &crate::world::Artist| {
        query.year.as_ref().is_none_or(|years| {
            artist.albums.iter().any(|album| years.contains(&world.albums[*album].released.year))
        })
    };
    let mut found: Vec<_> = world
        .artists
        .iter()
        .filter(|(key, artist)| {
            let name = names.artist(*key);
            query.fits(name)
                && query.artist.as_ref().is_none_or(|wanted| name.contains(wanted.as_str()))
                && fits_genre(query, &artist.genres)
                && years(artist)
        })
        .collect();
    found.sort_by_key(|(key, artist)| (Reverse(artist.popularity), *key));
    found.into_iter().map(|(key, _)| key).collect()
}

fn albums(world: &World, query: &SearchQuery) -> Vec<Key<crate::world::Album>> {
    if query.track.is_some() || query.isrc.is_some() || query.genre.is_some() {
        return Vec::new();
    }
    let names = world.lowercase();
    let mut found: Vec<_> = world
        .albums
        .iter()
        .filter(|(key, album)| {
            let (name, artist) = (names.album(*key), names.artist(album.artist));
            query
                .words
                .iter()
                .all(|word| name.contains(word.as_str()) || artist.contains(word.as_str()))
                && query.album.as_ref().is_none_or(|wanted| name.contains(wanted.as_str()))
                && query.artist.as_ref().is_none_or(|wanted| artist.contains(wanted.as_str()))
                && query.year.as_ref().is_none_or(|years| years.contains(&album.released.year))
                && query.upc.as_ref().is_none_or(|upc| format!("{:012}", album.upc) == *upc)
                && (!query.new || album.released.year >= NEW_SINCE)
                && (!query.hipster || album.popularity <= HIPSTER)
        })
        .collect();
    found.sort_by_key(|(key, album)| (Reverse(album.popularity), *key));
    found.into_iter().map(|(key, _)| key).collect()
}

/// Public playlists. Where Spotify's own would stand there is null for those who may not see
/// them.
fn playlists(call: &Call<'_>, query: &SearchQuery) -> Json {
    let (render, viewer) = (call.render(), Viewer { user: call.caller.user, episodes: false });
    let found: Vec<_> = call
        .state
        .playlists
        .iter()
        .map(|(_, list)| list)
        .filter(|list| list.public && query.fits(&list.name.to_lowercase()))
        .collect();
    page(call, found, |list| match list.editorial && call.settings.closed_2024 {
        true => Json::Null,
        false => render.playlist_ref(list, viewer),
    })
}

/// Things that are searched by nothing but their names.
fn named<T>(
    query: &SearchQuery,
    available: bool,
    arena: &crate::world::Arena<T>,
    name: impl Fn(&T) -> &crate::world::Name,
) -> Vec<Key<T>> {
    let fits = |entry: &T| available && query.fits(&name(entry).to_string().to_lowercase());
    arena.iter().filter(|(_, entry)| fits(entry)).map(|(key, _)| key).collect()
}

fn fits_genre(query: &SearchQuery, genres: &[&str]) -> bool {
    query.genre.as_ref().is_none_or(|wanted| genres.contains(&wanted.as_str()))
}
