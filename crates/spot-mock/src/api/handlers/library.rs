//! Operations that list, save, remove and check the entries of a library.

use crate::{
    api::call::Call,
    http::{
        json::{Json, Object},
        reply::{Answer, Refusal, Reply},
    },
    state::{Library, Playlist, Saved},
    world::{Album, Artist, Audiobook, Episode, Id, Key, Show, Track, User},
};

pub(crate) fn tracks(call: &mut Call<'_>) -> Answer {
    let (saved, total) = shelf(call, |library| library.tracks.entries())?;
    let render = call.render().with_playability();
    let entries =
        saved.iter().map(|saved| dated("track", saved, |key| render.track(key))).collect();
    Ok(Reply::ok(call.page(entries, total)))
}

pub(crate) fn albums(call: &mut Call<'_>) -> Answer {
    let (saved, total) = shelf(call, |library| library.albums.entries())?;
    let render = call.render();
    let entries =
        saved.iter().map(|saved| dated("album", saved, |key| render.album(key))).collect();
    Ok(Reply::ok(call.page(entries, total)))
}

pub(crate) fn shows(call: &mut Call<'_>) -> Answer {
    let (saved, total) = shelf(call, |library| library.shows.entries())?;
    let render = call.render();
    let entries =
        saved.iter().map(|saved| dated("show", saved, |key| render.show_ref(key))).collect();
    Ok(Reply::ok(call.page(entries, total)))
}

pub(crate) fn episodes(call: &mut Call<'_>) -> Answer {
    let (saved, total) = shelf(call, |library| library.episodes.entries())?;
    let render = call.render();
    let entries =
        saved.iter().map(|saved| dated("episode", saved, |key| render.episode(key))).collect();
    Ok(Reply::ok(call.page(entries, total)))
}

/// Returns saved audiobooks. Unlike other saved entries, an audiobook is not wrapped in an object
/// with the date.
pub(crate) fn audiobooks(call: &mut Call<'_>) -> Answer {
    let (saved, total) = shelf(call, |library| library.audiobooks.entries())?;
    let render = call.render();
    let entries = saved.iter().map(|(key, _)| render.audiobook_ref(*key)).collect();
    Ok(Reply::ok(call.page(entries, total)))
}

pub(crate) fn save(call: &mut Call<'_>) -> Answer {
    let items = items(call, Direction::Write)?;
    let now = call.now;
    let library = &mut call.account()?.library;
    for item in items {
        match item {
            LibraryItem::Track(key) => library.tracks.save(key, now),
            LibraryItem::Album(key) => library.albums.save(key, now),
            LibraryItem::Show(key) => library.shows.save(key, now),
            LibraryItem::Episode(key) => library.episodes.save(key, now),
            LibraryItem::Audiobook(key) => library.audiobooks.save(key, now),
            LibraryItem::Artist(key) => library.artists.save(key, now),
            LibraryItem::User(key) => library.users.save(key, now),
            LibraryItem::Playlist(key) => library.follow_playlist(key),
            LibraryItem::Unknown => return Err(Refusal::not_found()),
        }
    }
    Ok(Reply::done())
}

pub(crate) fn remove(call: &mut Call<'_>) -> Answer {
    let items = items(call, Direction::Write)?;
    let library = &mut call.account()?.library;
    for item in items {
        match item {
            LibraryItem::Track(key) => library.tracks.remove(key),
            LibraryItem::Album(key) => library.albums.remove(key),
            LibraryItem::Show(key) => library.shows.remove(key),
            LibraryItem::Episode(key) => library.episodes.remove(key),
            LibraryItem::Audiobook(key) => library.audiobooks.remove(key),
            LibraryItem::Artist(key) => library.artists.remove(key),
            LibraryItem::User(key) => library.users.remove(key),
            LibraryItem::Playlist(key) => library.unfollow_playlist(key),
            LibraryItem::Unknown => return Err(Refusal::not_found()),
        }
    }
    Ok(Reply::done())
}

pub(crate) fn contains(call: &mut Call<'_>) -> Answer {
    let items = items(call, Direction::Read)?;
    let library = &call.account()?.library;
    let has = |item| match item {
        LibraryItem::Track(key) => library.tracks.contains(key),
        LibraryItem::Album(key) => library.albums.contains(key),
        LibraryItem::Show(key) => library.shows.contains(key),
        LibraryItem::Episode(key) => library.episodes.contains(key),
        LibraryItem::Audiobook(key) => library.audiobooks.contains(key),
        LibraryItem::Artist(key) => library.artists.contains(key),
        LibraryItem::User(key) => library.users.contains(key),
        LibraryItem::Playlist(key) => library.follows_playlist(key),
        LibraryItem::Unknown => false,
    };
    let answers: Vec<Json> = items.into_iter().map(|item| Json::Bool(has(item))).collect();
    Ok(Reply::ok(answers))
}

/// An entry that can be in a library.
#[derive(Clone, Copy)]
enum LibraryItem {
    Track(Key<Track>),
    Album(Key<Album>),
    Show(Key<Show>),
    Episode(Key<Episode>),
    Audiobook(Key<Audiobook>),
    Artist(Key<Artist>),
    User(Key<User>),
    Playlist(Key<Playlist>),
    /// The URI is valid but unknown.
    Unknown,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Read,
    Write,
}

/// The items of the `uris` parameter. All items are checked before the first item is changed. The
/// kind of an item determines the required scope.
fn items(call: &Call<'_>, direction: Direction) -> Result<Vec<LibraryItem>, Refusal> {
    let items: Vec<_> =
        call.list.iter().map(|uri| item(call, uri, direction)).collect::<Result<_, _>>()?;
    if direction == Direction::Write
        && items.iter().any(|item| matches!(item, LibraryItem::Unknown))
    {
        return Err(Refusal::not_found());
    }
    Ok(items)
}

fn item(call: &Call<'_>, uri: &str, direction: Direction) -> Result<LibraryItem, Refusal> {
    let invalid = || Refusal::bad_request(format!("Invalid uri: {uri}"));
    let rest = uri.strip_prefix("spotify:").ok_or_else(invalid)?;
    let (kind, id) = rest.split_once(':').ok_or_else(invalid)?;
    require_scope(call, kind, id, direction)?;
    if kind == "user" {
        let name = percent_encoding::percent_decode_str(id).decode_utf8().map_err(|_| invalid())?;
        return Ok(call.world.user(&name).map_or(LibraryItem::Unknown, LibraryItem::User));
    }
    let id = Id::parse(id).ok_or_else(invalid)?;
    let world = call.world;
    let item = match kind {
        "track" => world.track(&id).map(LibraryItem::Track),
        "album" => world.album(&id).map(LibraryItem::Album),
        "artist" => world.artist(&id).map(LibraryItem::Artist),
        "episode" => world.episode(&id).map(LibraryItem::Episode),
        // Responses contain show URIs for audiobooks, so a show URI can also identify an audiobook.
        "show" | "audiobook" => match world.audiobook(&id) {
            Some(key) => Some(LibraryItem::Audiobook(key)),
            None => world.show(&id).filter(|_| kind == "show").map(LibraryItem::Show),
        },
        "playlist" => {
            let hidden = |key| call.state.playlists.get(key).editorial && call.app.closed_2024;
            let found = call.state.playlists.find(&id).filter(|key| !hidden(*key));
            found.map(LibraryItem::Playlist)
        }
        _ => return Err(invalid()),
    };
    Ok(item.unwrap_or(LibraryItem::Unknown))
}

fn require_scope(
    call: &Call<'_>,
    kind: &str,
    id: &str,
    direction: Direction,
) -> Result<(), Refusal> {
    let scope = match (kind, direction) {
        ("artist" | "user", Direction::Read) => "user-follow-read",
        ("artist" | "user", Direction::Write) => "user-follow-modify",
        ("playlist", Direction::Read) => "playlist-read-private",
        ("playlist", Direction::Write) => {
            let list = Id::parse(id).and_then(|id| call.state.playlists.find(&id));
            match list.is_some_and(|key| !call.state.playlists.get(key).public) {
                true => "playlist-modify-private",
                false => "playlist-modify-public",
            }
        }
        (_, Direction::Read) => "user-library-read",
        (_, Direction::Write) => "user-library-modify",
    };
    call.require_scope(scope)
}

/// The requested page of a saved list, and the length of the list.
fn shelf<T>(
    call: &mut Call<'_>,
    of: impl Fn(&Library) -> &[Saved<T>],
) -> Result<(Vec<Saved<T>>, usize), Refusal> {
    let (offset, limit) = (call.offset as usize, call.limit as usize);
    let saved = of(&call.account()?.library);
    Ok((saved.iter().skip(offset).take(limit).copied().collect(), saved.len()))
}

fn dated<T>(name: &'static str, (key, at): &Saved<T>, render: impl Fn(Key<T>) -> Json) -> Json {
    let mut object = Object::default();
    object.set("added_at", at.seconds_text());
    object.set(name, render(*key));
    object.into()
}
