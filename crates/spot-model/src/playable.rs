//! What can be played: a track, an episode, and what Spotify may add.

use std::{fmt, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::{Episode, PlayableUri, Track};

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
                (None, Some(local)) => Some(local.clone().into()),
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
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let Kind { kind } = read(&raw)?;
        match kind.as_deref() {
            // Filters leave the kind out; what is left is mostly a track.
            Some("track") | None => Ok(Self::Track(read(&raw)?)),
            Some("episode" | "chapter") => Ok(Self::Episode(read(&raw)?)),
            Some(kind) if kind.eq_ignore_ascii_case("track") => Ok(Self::Track(read(&raw)?)),
            Some(kind) if kind.eq_ignore_ascii_case("episode") => Ok(Self::Episode(read(&raw)?)),
            Some(_) => Ok(Self::Other(OtherItem(raw))),
        }
    }
}

/// Reads what is known to be JSON already. The way to a broken field goes through the object it
/// is in, so that the message keeps its own place in the text.
fn read<T: DeserializeOwned, E: serde::de::Error>(raw: &RawValue) -> Result<T, E> {
    serde_json::from_str(raw.get()).map_err(E::custom)
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
