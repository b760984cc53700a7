//! What can be played: a track, an episode, and what Spotify may add.

use std::{fmt, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::{Episode, LocalFile, PlayableUri, Track, decode};

/// A track or an episode, told apart by what it says it is.
///
/// An episode that Spotify disguises as a track (it does unless a call asks for both kinds, which
/// the calls of `spot-api` do) says that it is an episode, and is one here.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum PlayableItem {
    /// A track, local files included.
    Track(Box<Track>),
    /// An episode of a show, or a chapter of an audiobook.
    Episode(Box<Episode>),
    /// Something else, kept as it came.
    Other(OtherItem),
}

impl PlayableItem {
    /// The name.
    pub fn name(&self) -> &str {
        match self {
            Self::Track(track) => &track.name,
            Self::Episode(episode) => &episode.name,
            Self::Other(_) => "",
        }
    }

    /// How long it is, if that is known.
    pub fn duration(&self) -> Option<Duration> {
        match self {
            Self::Track(track) => Some(track.duration),
            Self::Episode(episode) => Some(episode.duration),
            Self::Other(_) => None,
        }
    }

    /// The URI to play it or to add it to a playlist; `None` if it has none.
    pub fn uri(&self) -> Option<PlayableUri> {
        match self {
            Self::Track(track) => match (track.id, &track.local) {
                (Some(id), _) => Some(id.into()),
                (None, Some(local)) => Some(LocalFile::clone(local).into()),
                (None, None) => None,
            },
            Self::Episode(episode) => Some(episode.id?.into()),
            Self::Other(_) => None,
        }
    }

    /// The track, if it is one.
    pub fn as_track(&self) -> Option<&Track> {
        match self {
            Self::Track(track) => Some(track),
            _ => None,
        }
    }

    /// The episode, if it is one.
    pub fn as_episode(&self) -> Option<&Episode> {
        match self {
            Self::Episode(episode) => Some(episode),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for PlayableItem {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// The one field that tells the kinds apart. It mostly stands at the end of the object, so
        /// that the object is read twice: once for it, once for the rest.
        #[derive(Deserialize)]
        struct Kind {
            #[serde(default, rename = "type")]
            kind: Option<String>,
        }
        let owned;
        let raw = if decode::is_in_place() {
            <&RawValue>::deserialize(deserializer)?
        } else {
            owned = Box::<RawValue>::deserialize(deserializer)?;
            &owned
        };
        if ends_as_track(raw.get().as_bytes()) {
            return Ok(Self::Track(read(raw)?));
        }
        let Kind { kind } = read(raw)?;
        match kind.as_deref() {
            // Filters leave the kind out; what is left is mostly a track.
            Some("track") | None => Ok(Self::Track(read(raw)?)),
            Some("episode" | "chapter") => Ok(Self::Episode(read(raw)?)),
            Some(kind) if kind.eq_ignore_ascii_case("track") => Ok(Self::Track(read(raw)?)),
            Some(kind) if kind.eq_ignore_ascii_case("episode") => Ok(Self::Episode(read(raw)?)),
            Some(_) => Ok(Self::Other(OtherItem(raw.to_owned()))),
        }
    }
}

/// Whether the last two fields of an object are `"type": "track", "uri": "spotify:track:..."`, which
/// is how Spotify ends tracks. Fields next to the closing brace are the object's own, so that it need
/// not be read for its kind.
fn ends_as_track(json: &[u8]) -> bool {
    let type_of = || {
        let json = before(json, b"\"}").or_else(|| before(before(json, b"}")?, b"\""))?;
        let id = json.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        let json = json.get(..json.len() - id)?.strip_suffix(b"\"spotify:track:")?;
        let json = before(before(before(json, b":")?, b"\"uri\"")?, b",")?;
        let json = before(before(before(json, b"\"track\"")?, b":")?, b"\"type\"")?;
        // What stands before it ends another field or begins the object; a backslash would make its
        // first quote part of a text.
        json.trim_ascii_end().last()
    };
    matches!(type_of(), Some(b',' | b'{'))
}

/// What stands before the end of a text and the space behind it, if it ends like that.
fn before<'a>(json: &'a [u8], end: &[u8]) -> Option<&'a [u8]> {
    json.trim_ascii_end().strip_suffix(end)
}

/// Reads what is known to be JSON already.
fn read<T: DeserializeOwned, E: serde::de::Error>(raw: &RawValue) -> Result<T, E> {
    // The place is in the item. It does not come last, where it would be taken for that in the whole.
    serde_json::from_str(raw.get()).map_err(|error| E::custom(format_args!("{error} of the item")))
}

impl Serialize for PlayableItem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Track(track) => track.serialize(serializer),
            Self::Episode(episode) => episode.serialize(serializer),
            Self::Other(other) => other.0.serialize(serializer),
        }
    }
}

/// Something playable that is neither a track nor an episode, as the JSON it came as.
#[derive(Clone)]
pub struct OtherItem(Box<RawValue>);

impl OtherItem {
    /// The JSON.
    pub fn json(&self) -> &str {
        self.0.get()
    }
}

impl PartialEq for OtherItem {
    fn eq(&self, other: &Self) -> bool {
        self.json() == other.json()
    }
}

impl fmt::Debug for OtherItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OtherItem").field(&self.json()).finish()
    }
}
