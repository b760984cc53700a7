//! Search.

use std::{borrow::Cow, cmp::Reverse};

use crate::{
    api::{
        call::Call,
        handlers::{
            search_query::{Field, Place, SearchQuery, Word},
            search_ranking::{Found, Matches, best, find_in, score},
        },
    },
    http::{
        json::{Json, Object},
        query::encode,
        reply::{Answer, Refusal, Reply},
    },
    render::Viewer,
    state::Playlist,
    world::{Album, Arena, Artist, Availability, Episode, Key, Texts, Track, normalize},
};

/// Types of search results, and the response field of each type.
const KINDS: [(&str, &str); 7] = [
    ("track", "tracks"),
    ("artist", "artists"),
    ("album", "albums"),
    ("playlist", "playlists"),
    ("show", "shows"),
    ("episode", "episodes"),
    ("audiobook", "audiobooks"),
];
/// Maximum number of results. Spotify documents 1,000 as the largest `offset`, but refuses this
/// value.
const REACH: usize = 1_000;
/// Earliest release year of the albums that `tag:new` finds.
const NEW_SINCE: u32 = 2026;
/// Maximum popularity of the albums that `tag:hipster` finds.
const HIPSTER: u8 = 8;

pub(crate) fn search(call: &mut Call<'_>) -> Answer {
    let text = text(call).trim();
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
    if u64::from(call.offset) + u64::from(call.limit) > REACH as u64 {
        return Err(Refusal::bad_request("Invalid offset"));
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

/// The query. The links in responses use the parameter name `query` instead of `q`, so both names
/// are accepted.
fn text<'a>(call: &'a Call<'_>) -> &'a str {
    call.query.get("q").or_else(|| call.query.get("query")).unwrap_or_default()
}

/// The page of results of one type.
fn results(call: &Call<'_>, kind: &'static str, query: &SearchQuery) -> Json {
    if query.is_empty() {
        // As in the Web API, a query that contains only punctuation has no results.
        return page(call, kind, Vec::new(), |()| Json::Null);
    }
    let render = call.render().with_playability();
    let world = call.world;
    // Without a country, the search finds no podcasts. Audiobooks are available only in a few
    // countries.
    let index = call.search_index();
    let spoken_here = call.market.code.is_some();
    let books = call.market.code.is_none_or(|market| Availability::Books.contains(market));
    match kind {
        "track" => page(call, kind, tracks(call, query), |key| render.track(key)),
        "artist" => page(call, kind, artists(call, query), |key| render.artist(key)),
        "album" => page(call, kind, albums(call, query), |key| render.album_ref(key)),
        "playlist" => {
            let viewer = Viewer { user: call.caller.user, episodes: false };
            let hidden = |list: &Playlist| list.editorial && call.app.closed_2024;
            let mut lists = playlists(call, query);
            if !call.settings.null_values {
                lists.retain(|list| !hidden(list));
            }
            page(call, kind, lists, |list| match hidden(list) {
                true => Json::Null,
                false => render.playlist_ref(list, viewer),
            })
        }
        "show" => {
            let shows = (&world.shows, &index.shows);
            let shows = spoken(query, spoken_here, shows, &index.publishers, |key, _| key);
            page(call, kind, shows, |key| render.show_ref(key))
        }
        "episode" => {
            let episodes = (&world.episodes, &index.episodes);
            let show = |_, episode: &Episode| episode.show;
            let episodes = spoken(query, spoken_here, episodes, &index.shows, show);
            page(call, kind, episodes, |key| render.episode_ref(key))
        }
        _ => {
            let found = (&world.audiobooks, &index.audiobooks);
            let found = spoken(query, books, found, &index.authors, |key, _| key);
            page(call, kind, found, |key| render.audiobook_ref(key))
        }
    }
}

/// A page whose links lead to results of this type only.
fn page<T>(
    call: &Call<'_>,
    kind: &'static str,
    mut found: Vec<T>,
    render: impl Fn(T) -> Json,
) -> Json {
    found.truncate(REACH);
    let total = found.len();
    let entries = call.window(found).map(render).collect();
    let mut rest = vec![("query", text(call)), ("type", kind)];
    for name in ["market", "include_external"] {
        rest.extend(call.query.get(name).map(|value| (name, value)));
    }
    call.page_at(call.path, &encode(rest), entries, total)
}

fn tracks(call: &Call<'_>, query: &SearchQuery) -> Vec<Key<Track>> {
    if query.upc.is_some() || query.new || query.hipster {
        return Vec::new();
    }
    let (world, index) = (call.world, call.search_index());
    let whole = query.text();
    let names = Matches::new(query, &index.tracks);
    let artists = Matches::new(query, &index.artists);
    let albums = Matches::new(query, &index.albums);
    let has_genre = query.filters(Field::Genre);
    let fits = |key: Key<Track>, track: &Track| {
        if !of_year(query, world.albums[track.album].released.year)
            || query.isrc.as_ref().is_some_and(|isrc| !world.isrc(key).eq_ignore_ascii_case(isrc))
        {
            return None;
        }
        score(query, index.tracks.get(key), &whole, |word| Found {
            name: names.get(word, key),
            artists: world.track_artists(key).map(|key| artists.get(word, key)).max().unwrap_or(0),
            album: albums.get(word, track.album),
            genre: if has_genre { genre(query, word, &world.artists[track.artist]) } else { 0 },
        })
    };
    best_or_same_letters(query, &world.tracks, &index.tracks, fits, |track| track.popularity)
}

fn artists(call: &Call<'_>, query: &SearchQuery) -> Vec<Key<Artist>> {
    let of_others = query.filters(Field::Album) || query.filters(Field::Track);
    if of_others || query.isrc.is_some() || query.upc.is_some() {
        return Vec::new();
    }
    let (world, index) = (call.world, call.search_index());
    let whole = query.text();
    let names = Matches::new(query, &index.artists);
    let fits = |key: Key<Artist>, artist: &Artist| {
        let mut years = artist.albums.iter().map(|album| world.albums[*album].released.year);
        if query.year.is_some() && !years.any(|year| of_year(query, year)) {
            return None;
        }
        score(query, index.artists.get(key), &whole, |word| {
            let name = names.get(word, key);
            Found { name, artists: name, genre: genre(query, word, artist), ..Found::default() }
        })
    };
    best_or_same_letters(query, &world.artists, &index.artists, fits, |artist| artist.popularity)
}

fn albums(call: &Call<'_>, query: &SearchQuery) -> Vec<Key<Album>> {
    if query.filters(Field::Track) || query.filters(Field::Genre) || query.isrc.is_some() {
        return Vec::new();
    }
    let (world, index) = (call.world, call.search_index());
    let whole = query.text();
    let names = Matches::new(query, &index.albums);
    let artists = Matches::new(query, &index.artists);
    let fits = |key: Key<Album>, album: &Album| {
        let is_it = of_year(query, album.released.year)
            && query.upc.as_ref().is_none_or(|upc| album.upc.to_string() == *upc)
            && (!query.new || album.released.year >= NEW_SINCE)
            && (!query.hipster || album.popularity <= HIPSTER);
        if !is_it {
            return None;
        }
        score(query, index.albums.get(key), &whole, |word| {
            let name = names.get(word, key);
            let artists = world.album_artists(key).map(|key| artists.get(word, key));
            Found { name, artists: artists.max().unwrap_or(0), album: name, genre: 0 }
        })
    };
    best_or_same_letters(query, &world.albums, &index.albums, fits, |album| album.popularity)
}

/// Score of a word in the genres of an artist. Genres are normalized during the search, because few
/// searches have a genre filter.
fn genre(query: &SearchQuery, word: usize, artist: &Artist) -> u8 {
    let is_genre =
        |word: &&Word| matches!(word.place, Place::In(Field::Genre) | Place::Perhaps(Field::Genre));
    let Some(word) = query.words.get(word).filter(is_genre) else { return 0 };
    let has = |genre: &Cow<'_, str>| find_in(word, &format!(" {} ", normalize(genre))) > 0;
    artist.genres.iter().any(has).into()
}

/// Finds public playlists, including Spotify's own. The caller of this function hides the playlists
/// that the application may not see. Names are normalized during the search, because users can
/// rename playlists.
fn playlists<'a>(call: &'a Call<'_>, query: &SearchQuery) -> Vec<&'a Playlist> {
    let whole = query.text();
    let public = call.state.playlists.iter().map(|(_, list)| list).filter(|list| list.public);
    let scored = public.filter_map(|list| {
        let name = format!(" {} ", normalize(&list.name));
        let score = score(query, &name, &whole, |word| Found {
            name: query.words.get(word).map_or(0, |word| find_in(word, &name)),
            ..Found::default()
        });
        Some((score?, list))
    });
    let mut found: Vec<_> = scored.collect();
    found.sort_by_key(|(score, list)| Reverse((*score, list.followers)));
    found.into_iter().map(|(_, list)| list).collect()
}

/// Finds shows, episodes and audiobooks by name, and by publisher or author.
fn spoken<T, M>(
    query: &SearchQuery,
    available: bool,
    (arena, names): (&Arena<T>, &Texts<T>),
    makers: &Texts<M>,
    maker: impl Fn(Key<T>, &T) -> Key<M>,
) -> Vec<Key<T>> {
    if !available {
        return Vec::new();
    }
    let whole = query.text();
    let in_names = Matches::new(query, names);
    let in_makers = Matches::new(query, makers);
    let fits = |key: Key<T>, entry: &T| {
        let maker = maker(key, entry);
        score(query, names.get(key), &whole, |word| Found {
            name: in_names.get(word, key),
            artists: in_makers.get(word, maker),
            ..Found::default()
        })
    };
    best(arena, REACH, fits, |_| 0)
}

/// Returns the best results. If no entry matches a query without filters, returns the entries whose
/// normalized names differ from the query only in their spaces: `acdc` finds `AC/DC`, and `hi fi`
/// finds `Hifi`.
fn best_or_same_letters<T>(
    query: &SearchQuery,
    arena: &Arena<T>,
    names: &Texts<T>,
    fits: impl Fn(Key<T>, &T) -> Option<u32>,
    popularity: impl Fn(&T) -> u8,
) -> Vec<Key<T>> {
    let found = best(arena, REACH, fits, &popularity);
    if !found.is_empty() || !is_plain(query) {
        return found;
    }
    let letters = query.text().replace(' ', "");
    let same = |key: Key<T>, _: &T| {
        let name = names.get(key).chars().filter(|letter| *letter != ' ');
        name.eq(letters.chars()).then_some(0)
    };
    best(arena, REACH, same, popularity)
}

/// Whether a query contains words, but no filters.
fn is_plain(query: &SearchQuery) -> bool {
    let words = query.words.clone();
    !words.is_empty()
        && words.iter().all(|word| word.place == Place::Anywhere)
        && *query == (SearchQuery { words, ..SearchQuery::default() })
}

fn of_year(query: &SearchQuery, year: u32) -> bool {
    query.year.as_ref().is_none_or(|years| years.contains(&year))
}
