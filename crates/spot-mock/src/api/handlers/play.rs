//! `PUT /me/player/play`: parses the context or tracks to play, and the position.

use std::time::Duration;

use serde_json::Value;

use crate::{
    api::{call::Call, handlers::artists::most_popular},
    http::reply::Refusal,
    state::{Context, ContextKind, Item, Playable},
    world::{Id, World},
};

/// A parsed request to play.
pub(super) enum PlayRequest {
    /// Resumes the current playback, optionally at another position.
    Resume { position: Option<Duration> },
    Start {
        context: Option<Context>,
        tracks: Vec<Playable>,
        /// Index of the first track to play; `None` if the requested offset does not exist.
        place: Option<usize>,
        position: Option<Duration>,
    },
}

impl PlayRequest {
    pub(super) fn read(call: &mut Call<'_>) -> Result<Self, Refusal> {
        let body = call.json_body()?;
        let position = match body.get("position_ms") {
            None | Some(Value::Null) => None,
            Some(value) => {
                let millis = value.as_u64().ok_or_else(|| invalid("position_ms"))?;
                Some(Duration::from_millis(millis))
            }
        };
        let given = |name: &str| body.get(name).filter(|value| !value.is_null());
        let (context, tracks) = match (given("context_uri"), given("uris")) {
            (Some(_), Some(_)) => {
                return Err(Refusal::bad_request("Can't have both context_uri and uris"));
            }
            (Some(Value::String(uri)), None) => {
                let (context, tracks) = context(call, uri)?;
                (Some(context), tracks)
            }
            (None, Some(Value::Array(uris))) => (None, listed(call.world, uris)?),
            (Some(_), None) => return Err(invalid("context_uri")),
            (None, Some(_)) => return Err(invalid("uris")),
            (None, None) => return Ok(Self::Resume { position }),
        };
        let place = match given("offset") {
            None => Some(0),
            Some(offset) => match context.as_ref().map(|context| context.kind) {
                Some(ContextKind::Artist) => return Err(no_offset("ARTIST")),
                Some(ContextKind::Station) => return Err(no_offset("STATION")),
                _ => place(offset, &tracks, call.world)?,
            },
        };
        Ok(Self::Start { context, tracks, place, position })
    }
}

/// Finds the track, episode or chapter with this URI.
pub(super) fn playable(world: &World, uri: &str) -> Result<Playable, Refusal> {
    find(world, uri)?.ok_or_else(Refusal::not_found)
}

/// Like [`playable`], but returns `None` if the URI is valid but unknown.
fn find(world: &World, uri: &str) -> Result<Option<Playable>, Refusal> {
    let refusal = || Refusal::bad_request(format!("Invalid track uri: {uri}"));
    let id = |prefix: &str| uri.strip_prefix(prefix).and_then(Id::parse);
    let found = if let Some(id) = id("spotify:track:") {
        world.track(&id).map(Playable::Track)
    } else if let Some(id) = id("spotify:episode:") {
        let chapter = || world.chapter(&id).map(Playable::Chapter);
        world.episode(&id).map(Playable::Episode).or_else(chapter)
    } else {
        return Err(refusal());
    };
    Ok(found)
}

fn listed(world: &World, uris: &[Value]) -> Result<Vec<Playable>, Refusal> {
    if uris.is_empty() {
        return Err(Refusal::missing("uris"));
    }
    uris.iter().map(|uri| playable(world, uri.as_str().ok_or_else(|| invalid("uris"))?)).collect()
}

/// Finds a context, and returns its items in order.
fn context(call: &mut Call<'_>, uri: &str) -> Result<(Context, Vec<Playable>), Refusal> {
    let unsupported = || Refusal::bad_request(format!("Unsupported context uri: {uri}"));
    let rest = uri.strip_prefix("spotify:").ok_or_else(unsupported)?;
    if rest.ends_with(":collection") || rest == "collection" || rest == "collection:tracks" {
        return collection(call);
    }
    // Spotify still accepts the old form spotify:user:NAME:playlist:ID.
    let (kind, id) = match rest.rsplit_once(':') {
        Some((kind, id)) if kind.starts_with("user:") && kind.ends_with(":playlist") => {
            ("playlist", id)
        }
        Some(parts) => parts,
        None => return Err(unsupported()),
    };
    let id = Id::parse(id).ok_or_else(unsupported)?;
    let world = call.world;
    let missing = Refusal::not_found;
    let (kind, tracks) = match kind {
        "album" => {
            let album = &world.albums[world.album(&id).ok_or_else(missing)?];
            (ContextKind::Album, album.tracks().map(Playable::Track).collect())
        }
        "artist" | "station:artist" => {
            let artist = world.artist(&id).ok_or_else(missing)?;
            let tracks = most_popular(world, artist, 50).into_iter().map(Playable::Track);
            let is_artist = kind == "artist";
            let kind = if is_artist { ContextKind::Artist } else { ContextKind::Station };
            (kind, tracks.collect())
        }
        "show" | "audiobook" => match (world.show(&id), world.audiobook(&id)) {
            (Some(show), _) => {
                (ContextKind::Show, world.shows[show].episodes().map(Playable::Episode).collect())
            }
            (None, Some(book)) => (
                ContextKind::Show,
                world.audiobooks[book].chapters().map(Playable::Chapter).collect(),
            ),
            (None, None) => return Err(missing()),
        },
        "playlist" => {
            let list =
                call.state.playlists.get(call.state.playlists.find(&id).ok_or_else(missing)?);
            let playable = list.entries.iter().filter_map(|entry| match entry.item {
                Item::Track(key) => Some(Playable::Track(key)),
                Item::Episode(key) => Some(Playable::Episode(key)),
                // Playback skips local files, since the files exist only on the user's device.
                Item::Local(_) | Item::Removed => None,
            });
            (ContextKind::Playlist, playable.collect())
        }
        _ => return Err(unsupported()),
    };
    Ok((Context { kind, id: id.to_string() }, tracks))
}

/// The caller's saved tracks as a context.
fn collection(call: &mut Call<'_>) -> Result<(Context, Vec<Playable>), Refusal> {
    let id = call.world.users[call.user()?].id.clone();
    let saved = call.account()?.library.tracks.entries();
    let tracks = saved.iter().map(|(key, _)| Playable::Track(*key)).collect();
    Ok((Context { kind: ContextKind::Collection, id }, tracks))
}

/// Index of the first track to play. `offset` is `{"position": 4}` or
/// `{"uri": "spotify:track:.."}`. Returns `None` if `tracks` does not contain this track.
fn place(offset: &Value, tracks: &[Playable], world: &World) -> Result<Option<usize>, Refusal> {
    match (offset.get("position"), offset.get("uri")) {
        (Some(position), None) => {
            let place = position.as_u64().ok_or_else(|| invalid("offset.position"))?;
            Ok(usize::try_from(place).ok().filter(|place| *place < tracks.len()))
        }
        (None, Some(uri)) => {
            let wanted = find(world, uri.as_str().ok_or_else(|| invalid("offset.uri"))?)?;
            Ok(wanted.and_then(|wanted| tracks.iter().position(|track| *track == wanted)))
        }
        (Some(_), Some(_)) | (None, None) => Err(invalid("offset")),
    }
}

fn no_offset(kind: &str) -> Refusal {
    Refusal::bad_request(format!("Can't have offset for context type: {kind}"))
}

fn invalid(field: &str) -> Refusal {
    Refusal::bad_request(format!("Invalid value for field: {field}"))
}
