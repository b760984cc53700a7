//! The two fields that distinguish a track from an episode: `type` and `uri`.

use std::{convert::Infallible, str::FromStr};

use serde::{Deserialize, Deserializer};

use crate::{LocalFile, id::AnyId, reference::Problem, text::FromText};

/// The `type` of a playable item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlayableKind {
    Track,
    /// An episode of a show, or a chapter of an audiobook.
    Episode,
    Other,
}

impl FromStr for PlayableKind {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let is = |kind: &str| text.eq_ignore_ascii_case(kind);
        Ok(match text {
            _ if is("track") => Self::Track,
            _ if is("episode") || text == "chapter" => Self::Episode,
            _ => Self::Other,
        })
    }
}

impl<'de> Deserialize<'de> for PlayableKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(FromText::new("the type of a playable item, such as `track`"))
    }
}

/// The URI of a playable item: its id, or the data of a local file.
pub(crate) enum AnyUri {
    Id(AnyId),
    Local(Box<LocalFile>),
}

impl AnyUri {
    pub(crate) fn id(&self) -> Option<AnyId> {
        match self {
            Self::Id(id) => Some(*id),
            Self::Local(_) => None,
        }
    }

    pub(crate) fn local(self) -> Option<Box<LocalFile>> {
        match self {
            Self::Id(_) => None,
            Self::Local(file) => Some(file),
        }
    }
}

impl FromStr for AnyUri {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        match text.parse() {
            Ok(id) => Ok(Self::Id(id)),
            Err(problem) => match LocalFile::read(text) {
                Some(file) => Ok(Self::Local(Box::new(file))),
                None => Err(problem),
            },
        }
    }
}
