//! Playable items: tracks, episodes, and kinds that Spotify may add.

use std::{fmt, time::Duration};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{DeserializeOwned, Error as _},
};
use serde_json::value::RawValue;

use crate::{
    Episode, PlayableUri, Track, generated::PlayableWire, in_place::is_in_place, object,
    playable_fields::PlayableKind,
};

/// A track or an episode, distinguished by its `type`.
///
/// If a request omits the query parameter `additional_types`, Spotify returns an episode with the
/// fields of a track. `spot-api` sends `additional_types` in every call that accepts the parameter.
/// With or without `additional_types`, the `type` of an episode is `episode`, so the episode is
/// decoded as an [`Episode`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum PlayableItem {
    /// A track, which may be a local file.
    Track(Box<Track>),
    /// An episode of a show, or a chapter of an audiobook.
    Episode(Box<Episode>),
    /// An item of another kind, as its original JSON.
    Other(OtherItem),
}

impl PlayableItem {
    /// The name of the item.
    pub fn name(&self) -> &str {
        match self {
            Self::Track(track) => &track.name,
            Self::Episode(episode) => &episode.name,
            Self::Other(_) => "",
        }
    }

    /// The duration, if known.
    pub fn duration(&self) -> Option<Duration> {
        match self {
            Self::Track(track) => Some(track.duration),
            Self::Episode(episode) => Some(episode.duration),
            Self::Other(_) => None,
        }
    }

    /// The URI for playing the item or adding it to a playlist; `None` if the item has no URI.
    pub fn uri(&self) -> Option<PlayableUri> {
        match self {
            Self::Track(track) => track.uri(),
            Self::Episode(episode) => Some(episode.id?.into()),
            Self::Other(_) => None,
        }
    }

    /// Returns the track; `None` for other kinds.
    pub fn as_track(&self) -> Option<&Track> {
        match self {
            Self::Track(track) => Some(track),
            _ => None,
        }
    }

    /// Returns the episode; `None` for other kinds.
    pub fn as_episode(&self) -> Option<&Episode> {
        match self {
            Self::Episode(episode) => Some(episode),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for PlayableItem {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        object::read(deserializer, Self::decode)
    }
}

impl PlayableItem {
    fn decode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// The field that distinguishes tracks from episodes.
        #[derive(Deserialize)]
        struct Type {
            #[serde(default, rename = "type")]
            kind: Option<PlayableKind>,
        }
        if is_in_place() {
            let wire = PlayableWire::deserialize(deserializer)?;
            // The filter `fields` can exclude `type`. An item without `type` is decoded as a track,
            // because most items are tracks.
            return match wire.kind.unwrap_or(PlayableKind::Track) {
                PlayableKind::Track => Ok(Self::Track(Box::new(wire.into_track()))),
                PlayableKind::Episode => Ok(Self::Episode(Box::new(wire.into_episode()))),
                // The first pass cannot store the original JSON of the item. The error causes the
                // second pass, which stores the JSON.
                PlayableKind::Other => Err(D::Error::custom("neither a track nor an episode")),
            };
        }
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let mut json = serde_json::Deserializer::from_str(raw.get());
        let Type { kind } = object::read(&mut json, Type::deserialize).map_err(of_item)?;
        match kind.unwrap_or(PlayableKind::Track) {
            PlayableKind::Track => Ok(Self::Track(read(&raw)?)),
            PlayableKind::Episode => Ok(Self::Episode(read(&raw)?)),
            PlayableKind::Other => Ok(Self::Other(OtherItem(raw))),
        }
    }
}

/// Decodes the JSON of an item.
fn read<T: DeserializeOwned, E: serde::de::Error>(raw: &RawValue) -> Result<T, E> {
    serde_json::from_str(raw.get()).map_err(of_item)
}

/// Creates the error for an item that cannot be decoded. The position in the message is relative to
/// the item. The message must not end with the position, because serde_json would treat it as a
/// position in the whole response.
fn of_item<E: serde::de::Error>(error: serde_json::Error) -> E {
    E::custom(format_args!("{error} in the JSON of the item"))
}

impl Serialize for PlayableItem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        object::write(self, serializer, |item, serializer| match item {
            Self::Track(track) => track.serialize(serializer),
            Self::Episode(episode) => episode.serialize(serializer),
            Self::Other(other) => other.0.serialize(serializer),
        })
    }
}

/// A playable item that is neither a track nor an episode, as its original JSON.
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
