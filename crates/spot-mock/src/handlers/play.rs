//! `PUT /me/player/play`: what shall be played, from where on.

use std::time::Duration;

use serde_json::Value;

use super::artists::most_popular;
use crate::call::Call;
use crate::reply::Refusal;
use crate::state::{Context, ContextKind, Item, Playable};
use crate::world::Id;

/// What a request to play asks for.
pub(super) enum Wish {
    /// To go on with what there is, perhaps from another place.
    Resume {
        position: Option<Duration>,
    },
    Start {
        context: Option<Context>,
        tracks: Vec<Playable>,
        place: usize,
        position: Duration,
    },
}

impl Wish {
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
            (None, Some(Value::Array(uris))) => (None, listed(call, uris)?),
            (Some(_), None) => return Err(invalid("context_uri")),
            (None, Some(_)) => return Err(invalid("uris")),
            (None, None) => return Ok(Self::Resume { position }),
        };
        let place = match given("offset") {
            None => 0,
            Some(_)
                if context.as_ref().is_some_and(|context| context.kind == ContextKind::Artist) =>
            {
                return Err(Refusal::bad_request("Can't have offset for context type: ARTIST"));
            }
            Some(offset) => place(call, offset, &tracks)?,
        };
        Ok(Self::Start { context, tracks, place, position: position.unwrap_or_default() })
    }
}

/// Something to play from its URI.
pub(super) fn playable(call: &Call<'_>, uri: &str) -> Result<Playable, Refusal> {
    let refusal = || Refusal::bad_request(format!("Invalid track uri: {uri}"));
    let world = call.world;
    let id = |prefix: &str| uri.strip_prefix(prefix).and_then(Id::parse);
    let found = if let Some(id) = id("spotify:track:") {
        world.track(&id).map(Playable::Track)
    } else if let Some(id) = id("spotify:episode:") {
        let chapter = || world.chapter(&id).map(Playable::Chapter);
        world.episode(&id).map(Playable::Episode).or_else(chapter)
    } else {
        return Err(refusal());
    };
    found.ok_or_else(Refusal::not_found)
}

fn listed(call: &Call<'_>, uris: &[Value]) -> Result<Vec<Playable>, Refusal> {
    if uris.is_empty() {
        return Err(Refusal::missing("uris"));
    }
    uris.iter().map(|uri| playable(call, uri.as_str().ok_or_else(|| invalid("uris"))?)).collect()
}

/// A context and what is in it, in its order.
fn context(call: &mut Call<'_>, uri: &str) -> Result<(Context, Vec<Playable>), Refusal> {
    let unsupported = || Refusal::bad_request(format!("Unsupported context uri: {uri}"));
    let rest = uri.strip_prefix("spotify:").ok_or_else(unsupported)?;
    if rest.ends_with(":collection") || rest == "collection" || rest == "collection:tracks" {
        return collection(call);
    }
    // The old form spotify:user:NAME:playlist:ID is still understood.
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
        "artist" => {
            let artist = world.artist(&id).ok_or_else(missing)?;
            let tracks = most_popular(world, artist, 50).into_iter().map(Playable::Track);
            (ContextKind::Artist, tracks.collect())
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
                // A file on another disk cannot be played here.
                Item::Local(_) | Item::Removed => None,
            });
            (ContextKind::Playlist, playable.collect())
        }
        _ => return Err(unsupported()),
    };
    Ok((Context { kind, id: id.to_string() }, tracks))
}

/// The caller's saved tracks.
fn collection(call: &mut Call<'_>) -> Result<(Context, Vec<Playable>), Refusal> {
    let id = call.world.users[call.user()?].id.clone();
    let saved = call.account()?.library.tracks.entries();
    let tracks = saved.iter().map(|(key, _)| Playable::Track(*key)).collect();
    Ok((Context { kind: ContextKind::Collection, id }, tracks))
}

/// Where to begin: `{"position": 4}` or `{"uri": "spotify:track:.."}`.
fn place(call: &Call<'_>, offset: &Value, tracks: &[Playable]) -> Result<usize, Refusal> {
    match (offset.get("position"), offset.get("uri")) {
        (Some(position), None) => {
            let place = position.as_u64().and_then(|place| usize::try_from(place).ok());
            let place = place.ok_or_else(|| invalid("offset.position"))?;
            if place < tracks.len() { Ok(place) } else { Err(Refusal::not_found()) }
        }
        (None, Some(uri)) => {
            let wanted = playable(call, uri.as_str().ok_or_else(|| invalid("offset.uri"))?)?;
            tracks.iter().position(|track| *track == wanted).ok_or_else(Refusal::not_found)
        }
        (Some(_), Some(_)) | (None, None) => Err(invalid("offset")),
    }
}

fn invalid(field: &str) -> Refusal {
    Refusal::bad_request(format!("Invalid value for field: {field}"))
}
