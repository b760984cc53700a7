//! Search in everything.

use std::{borrow::Cow, cmp::Reverse};

use crate::{
    api::{call::Call, handlers::search_query::SearchQuery},
    http::{
        json::{Json, Object},
        query::encode,
        reply::{Answer, Refusal, Reply},
    },
    render::Viewer,
    state::Playlist,
    world::{Album, Arena, Artist, Availability, Key, Name, Track, World},
};

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
    let query = SearchQuery::parse(text);
    let mut body = Object::default();
    for (kind, name) in KINDS {
        if types.iter().any(|wanted| wanted == kind) {
            body.set(name, results(call, kind, &query));
        }
    }
    Ok(Reply::ok(body))
}

/// What is searched for. Links in answers call it `query`, and have to work.
fn text<'a>(call: &'a Call<'_>) -> &'a str {
    call.query.get("q").or_else(|| call.query.get("query")).unwrap_or_default()
}

/// The page of results of one kind.
fn results(call: &Call<'_>, kind: &'static str, query: &SearchQuery) -> Json {
    let render = call.render().with_playability();
    let world = call.world;
    // Without a country there are no podcasts, and in most there are no audiobooks.
    let spoken = call.market.code.is_some();
    let books = call.market.code.is_none_or(|market| Availability::Books.contains(market));
    match kind {
        "track" => page(call, kind, tracks(world, query), |key| render.track(key)),
        "artist" => page(call, kind, artists(world, query), |key| render.artist(key)),
        "album" => page(call, kind, albums(world, query), |key| render.album_ref(key)),
        "playlist" => {
            let viewer = Viewer { user: call.caller.user, episodes: false };
            let hidden = |list: &Playlist| list.editorial && call.app.closed_2024;
            page(call, kind, playlists(call, query), |list| match hidden(list) {
                true => Json::Null,
                false => render.playlist_ref(list, viewer),
            })
        }
        "show" => {
            let shows = named(query, spoken, &world.shows, |show| &show.name);
            page(call, kind, shows, |key| render.show_ref(key))
        }
        "episode" => {
            let episodes = named(query, spoken, &world.episodes, |episode| &episode.name);
            page(call, kind, episodes, |key| render.episode_ref(key))
        }
        _ => {
            let books = named(query, books, &world.audiobooks, |book| &book.name);
            page(call, kind, books, |key| render.audiobook_ref(key))
        }
    }
}

/// A page whose links lead to results of its kind only.
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

fn tracks(world: &World, query: &SearchQuery) -> Vec<Key<Track>> {
    if query.upc.is_some() || query.new || query.hipster {
        return Vec::new();
    }
    let names = world.lowercase();
    let fits = |key: Key<Track>, track: &Track| {
        let released = world.albums[track.album].released.year;
        let name = names.track(key);
        let artist = names.artist(track.artist);
        let guest = track.guest.map_or("", |guest| names.artist(guest));
        query.words.iter().all(|word| [name, artist].iter().any(|text| text.contains(word)))
            && holds(name, query.track.as_ref())
            && (holds(artist, query.artist.as_ref()) || holds(guest, query.artist.as_ref()))
            && holds(names.album(track.album), query.album.as_ref())
            && of_year(query, released)
            && query.isrc.as_ref().is_none_or(|isrc| track.isrc(released).to_lowercase() == *isrc)
            && of_genre(query, &world.artists[track.artist].genres)
    };
    best(&world.tracks, fits, |track| track.popularity)
}

fn artists(world: &World, query: &SearchQuery) -> Vec<Key<Artist>> {
    let of_others = [&query.album, &query.track, &query.isrc, &query.upc];
    if of_others.iter().any(|filter| filter.is_some()) {
        return Vec::new();
    }
    let names = world.lowercase();
    let fits = |key: Key<Artist>, artist: &Artist| {
        let name = names.artist(key);
        let mut years = artist.albums.iter().map(|album| world.albums[*album].released.year);
        query.fits(name)
            && holds(name, query.artist.as_ref())
            && of_genre(query, &artist.genres)
            && (query.year.is_none() || years.any(|year| of_year(query, year)))
    };
    best(&world.artists, fits, |artist| artist.popularity)
}

fn albums(world: &World, query: &SearchQuery) -> Vec<Key<Album>> {
    if query.track.is_some() || query.isrc.is_some() || query.genre.is_some() {
        return Vec::new();
    }
    let names = world.lowercase();
    let fits = |key: Key<Album>, album: &Album| {
        let (name, artist) = (names.album(key), names.artist(album.artist));
        query.words.iter().all(|word| [name, artist].iter().any(|text| text.contains(word)))
            && holds(name, query.album.as_ref())
            && holds(artist, query.artist.as_ref())
            && of_year(query, album.released.year)
            && query.upc.as_ref().is_none_or(|upc| format!("{:012}", album.upc) == *upc)
            && (!query.new || album.released.year >= NEW_SINCE)
            && (!query.hipster || album.popularity <= HIPSTER)
    };
    best(&world.albums, fits, |album| album.popularity)
}

/// Public playlists, Spotify's own among them; who may not see those gets null in their place.
fn playlists<'a>(call: &'a Call<'_>, query: &SearchQuery) -> Vec<&'a Playlist> {
    let all = call.state.playlists.iter().map(|(_, list)| list);
    all.filter(|list| list.public && query.fits(&list.name.to_lowercase())).collect()
}

/// Things that are searched by nothing but their names.
fn named<T>(
    query: &SearchQuery,
    available: bool,
    arena: &Arena<T>,
    name: impl Fn(&T) -> &Name,
) -> Vec<Key<T>> {
    let fits = |entry: &T| available && query.fits(&name(entry).to_string().to_lowercase());
    arena.iter().filter(|(_, entry)| fits(entry)).map(|(key, _)| key).collect()
}

/// Those that fit, the most popular first.
fn best<T>(
    arena: &Arena<T>,
    fits: impl Fn(Key<T>, &T) -> bool,
    popularity: impl Fn(&T) -> u8,
) -> Vec<Key<T>> {
    let mut found: Vec<_> = arena.iter().filter(|(key, entry)| fits(*key, entry)).collect();
    found.sort_by_key(|(key, entry)| (Reverse(popularity(entry)), *key));
    found.into_iter().map(|(key, _)| key).collect()
}

fn holds(name: &str, wanted: Option<&String>) -> bool {
    wanted.is_none_or(|wanted| name.contains(wanted.as_str()))
}

fn of_year(query: &SearchQuery, year: u32) -> bool {
    query.year.as_ref().is_none_or(|years| years.contains(&year))
}

fn of_genre(query: &SearchQuery, genres: &[Cow<'_, str>]) -> bool {
    let wanted = query.genre.as_ref();
    wanted.is_none_or(|wanted| genres.iter().any(|genre| genre.eq_ignore_ascii_case(wanted)))
}
