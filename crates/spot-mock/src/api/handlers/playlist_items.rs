//! Operations that read, add, replace, reorder and remove playlist items.
//!
//! The routes `/items` and `/tracks` differ only in the name of one key. Spotify renamed `/tracks`
//! to `/items` in 2026.

use serde_json::Value;

use crate::{
    api::{
        call::Call,
        handlers::playlists::{fields, filtered, require_write_scope, viewer},
    },
    http::{
        json::{Json, object},
        reply::{Answer, Refusal, Reply},
    },
    state::{Item, PLAYLIST_CAPACITY, Playlist, PlaylistEntry},
    world::{Id, Key, User},
};

/// Maximum number of URIs per call.
const MAX_URIS: usize = 100;

pub(crate) fn list(call: &mut Call<'_>) -> Answer {
    let key = call.playlist()?;
    let list = call.state.playlists.get(key);
    require_read(call, list)?;
    let fields = fields(call)?;
    let (render, viewer) = (call.render(), viewer(call));
    let entries = call.window(&list.entries).map(|entry| render.entry(entry, viewer)).collect();
    Ok(Reply::ok(filtered(call.page(entries, list.entries.len()), fields)))
}

pub(crate) fn add(call: &mut Call<'_>) -> Answer {
    let (key, user) = writable(call)?;
    // The client library spotipy sends a JSON array of URIs as the body.
    let body = match serde_json::from_slice(call.body) {
        Ok(uris @ Value::Array(_)) => serde_json::json!({ "uris": uris }),
        Ok(_) | Err(_) => call.json_body()?,
    };
    let items = items(call, &uris(call, &body)?)?;
    if items.is_empty() {
        return Err(Refusal::bad_request("No uris provided"));
    }
    let position = match call.query.get("position") {
        Some(text) => Some(text.parse().map_err(|_| invalid("position"))?),
        None => number(&body, "position")?,
    };
    let now = call.now;
    let list = call.state.playlists.get_mut(key);
    let position = position.unwrap_or(list.entries.len());
    if position > list.entries.len() {
        return Err(Refusal::bad_request("Index out of bounds"));
    }
    refuse_overflow(list.entries.len() + items.len())?;
    let entries = items.into_iter().map(|item| PlaylistEntry { item, added: Some((now, user)) });
    list.entries.splice(position..position, entries);
    list.changed();
    Ok(Reply::created(snapshot(list)))
}

/// Replaces all items, or moves a range of items. Refuses a call that combines both.
pub(crate) fn update(call: &mut Call<'_>) -> Answer {
    let (key, user) = writable(call)?;
    let body = call.json_body()?;
    let replaces = call.query.get("uris").is_some() || body.get("uris").is_some();
    let reorders = ["range_start", "insert_before", "range_length"]
        .iter()
        .any(|field| body.get(field).is_some());
    match (replaces, reorders) {
        (true, true) => Err(Refusal::bad_request("Replace and reorder cannot be combined")),
        (true, false) => replace(call, key, user, &body),
        (false, true) => reorder(call, key, &body),
        (false, false) => Err(Refusal::missing("uris")),
    }
}

/// Removes every occurrence of each URI.
pub(crate) fn remove(call: &mut Call<'_>) -> Answer {
    let (key, _) = writable(call)?;
    let body = call.json_body()?;
    let name = if call.operation.path.ends_with("/tracks") { "tracks" } else { "items" };
    let uris: Vec<&str> = body
        .get(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.get("uri")?.as_str())
        .collect();
    if uris.is_empty() {
        return Err(Refusal::bad_request("No uris provided"));
    }
    refuse_too_many(uris.len())?;
    for uri in &uris {
        if !uri.starts_with("spotify:local:") {
            parse(uri)?;
        }
    }
    require_snapshot(call.state.playlists.get(key), &body)?;
    let world = call.world;
    let list = call.state.playlists.get_mut(key);
    let before = list.entries.len();
    list.entries
        .retain(|entry| !entry.item.uri(world).is_some_and(|uri| uris.contains(&uri.as_str())));
    // If no item was removed, the snapshot id stays the same.
    if list.entries.len() != before {
        list.changed();
    }
    Ok(Reply::ok(snapshot(list)))
}

fn replace(call: &mut Call<'_>, key: Key<Playlist>, user: Key<User>, body: &Value) -> Answer {
    let items = items(call, &uris(call, body)?)?;
    let now = call.now;
    let list = call.state.playlists.get_mut(key);
    list.entries =
        items.into_iter().map(|item| PlaylistEntry { item, added: Some((now, user)) }).collect();
    list.changed();
    Ok(Reply::ok(snapshot(list)))
}

fn reorder(call: &mut Call<'_>, key: Key<Playlist>, body: &Value) -> Answer {
    let start = number(body, "range_start")?.ok_or_else(|| Refusal::missing("range_start"))?;
    let before = number(body, "insert_before")?.ok_or_else(|| Refusal::missing("insert_before"))?;
    let length = number(body, "range_length")?.unwrap_or(1);
    let list = call.state.playlists.get_mut(key);
    require_snapshot(list, body)?;
    let total = list.entries.len();
    if length == 0 || start >= total || start.saturating_add(length) > total || before > total {
        return Err(Refusal::bad_request("Index out of bounds"));
    }
    list.reorder(start, length, before);
    Ok(Reply::ok(snapshot(list)))
}

/// In Development Mode, only users who may change a playlist can read its items.
fn require_read(call: &Call<'_>, list: &Playlist) -> Result<(), Refusal> {
    if !viewer(call).sees_items(list, call.extended()) {
        return Err(Refusal::forbidden());
    }
    let Some(user) = call.caller.user else {
        return if list.public { Ok(()) } else { Err(Refusal::not_found()) };
    };
    match (list.owner == user, list.public && call.extended()) {
        (_, true) => Ok(()),
        (true, _) => call.require_scope("playlist-read-private"),
        (false, _) if list.collaborative => call.require_scope("playlist-read-collaborative"),
        (false, _) => call.require_scope("playlist-read-private"),
    }
}

/// The playlist in the path, if the caller may change its items.
fn writable(call: &Call<'_>) -> Result<(Key<Playlist>, Key<User>), Refusal> {
    let key = call.playlist()?;
    let user = call.user()?;
    let list = call.state.playlists.get(key);
    if !list.is_written_by(user) {
        return Err(Refusal::new(403, "You cannot change a playlist you don't own"));
    }
    require_write_scope(call, list.public)?;
    Ok((key, user))
}

/// Returns the URIs in the query. If the query has no URIs, returns the URIs in the body.
fn uris(call: &Call<'_>, body: &Value) -> Result<Vec<String>, Refusal> {
    let uris = match (call.query.get("uris"), body.get("uris")) {
        (Some(_), _) => call.query.list("uris").unwrap_or_default(),
        (None, Some(Value::Array(entries))) => {
            let text =
                |entry: &Value| entry.as_str().map(str::to_owned).ok_or_else(|| invalid("uris"));
            entries.iter().map(text).collect::<Result<_, _>>()?
        }
        (None, Some(_)) => return Err(invalid("uris")),
        (None, None) => return Err(Refusal::missing("uris")),
    };
    refuse_too_many(uris.len())?;
    Ok(uris)
}

/// Converts the URIs to items. The call fails if one of the URIs is invalid or unknown.
fn items(call: &Call<'_>, uris: &[String]) -> Result<Vec<Item>, Refusal> {
    let item = |uri: &String| {
        let item = match parse(uri)? {
            (true, id) => call.world.episode(&id).map(Item::Episode),
            (false, id) => call.world.track(&id).map(Item::Track),
        };
        item.ok_or_else(|| Refusal::bad_request("Payload contains a non-existing ID"))
    };
    uris.iter().map(item).collect()
}

/// Parses the URI of a track or an episode. Returns the id, and true if the URI belongs to an
/// episode.
fn parse(uri: &str) -> Result<(bool, Id), Refusal> {
    let refusal = || Refusal::bad_request(format!("Invalid track uri: {uri}"));
    let (is_episode, id) = match uri.strip_prefix("spotify:track:") {
        Some(id) => (false, id),
        None => (true, uri.strip_prefix("spotify:episode:").ok_or_else(refusal)?),
    };
    Ok((is_episode, Id::parse(id).ok_or_else(refusal)?))
}

/// A `snapshot_id` must be a current or former version of the playlist. Changes to an old version
/// are applied to the current version.
fn require_snapshot(list: &Playlist, body: &Value) -> Result<(), Refusal> {
    match body.get("snapshot_id") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(snapshot_id)) if list.had_snapshot(snapshot_id) => Ok(()),
        Some(_) => Err(Refusal::bad_request("Invalid snapshot_id")),
    }
}

fn refuse_too_many(count: usize) -> Result<(), Refusal> {
    if count > MAX_URIS {
        let message = format!("You can add or remove a maximum of {MAX_URIS} items per request");
        return Err(Refusal::bad_request(message));
    }
    Ok(())
}

fn refuse_overflow(count: usize) -> Result<(), Refusal> {
    if count > PLAYLIST_CAPACITY {
        let message = format!("A playlist holds at most {PLAYLIST_CAPACITY} items");
        return Err(Refusal::bad_request(message));
    }
    Ok(())
}

fn number(body: &Value, field: &str) -> Result<Option<usize>, Refusal> {
    match body.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let number = value.as_u64().and_then(|number| usize::try_from(number).ok());
            number.map(Some).ok_or_else(|| invalid(field))
        }
    }
}

fn invalid(field: &str) -> Refusal {
    Refusal::bad_request(format!("Invalid value for field: {field}"))
}

fn snapshot(list: &Playlist) -> Json {
    object! { "snapshot_id": list.snapshot_id() }
}
