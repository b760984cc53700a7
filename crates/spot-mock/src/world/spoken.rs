//! Shows with their episodes, and audiobooks with their chapters.

use crate::{
    clock::Moment,
    world::{arena::Key, id::Id, names::Name},
};

/// A podcast.
#[derive(Debug)]
pub(crate) struct Show {
    pub(crate) id: Id,
    pub(crate) name: Name,
    pub(crate) publisher: Name,
    pub(crate) explicit: bool,
    pub(crate) first_episode: Key<Episode>,
    pub(crate) episode_count: u32,
}

impl Show {
    /// The episodes, newest first.
    pub(crate) fn episodes(
        &self,
    ) -> impl DoubleEndedIterator<Item = Key<Episode>> + ExactSizeIterator {
        self.first_episode.run(self.episode_count)
    }
}

/// An episode of a podcast.
#[derive(Debug)]
pub(crate) struct Episode {
    pub(crate) id: Id,
    pub(crate) name: Name,
    pub(crate) show: Key<Show>,
    pub(crate) duration_ms: u32,
    pub(crate) explicit: bool,
    pub(crate) released: Moment,
    /// Resume point of each user, in milliseconds. For a finished episode, the resume point is the
    /// length of the episode.
    pub(crate) heard_ms: u32,
}

/// An audiobook.
#[derive(Debug)]
pub(crate) struct Audiobook {
    pub(crate) id: Id,
    pub(crate) name: Name,
    pub(crate) author: Name,
    pub(crate) narrator: Name,
    pub(crate) publisher: Name,
    pub(crate) first_chapter: Key<Chapter>,
    pub(crate) chapter_count: u32,
}

impl Audiobook {
    pub(crate) fn chapters(
        &self,
    ) -> impl DoubleEndedIterator<Item = Key<Chapter>> + ExactSizeIterator {
        self.first_chapter.run(self.chapter_count)
    }
}

/// A chapter of an audiobook.
#[derive(Debug)]
pub(crate) struct Chapter {
    pub(crate) id: Id,
    pub(crate) name: Name,
    pub(crate) audiobook: Key<Audiobook>,
    pub(crate) number: u32,
    pub(crate) duration_ms: u32,
    pub(crate) heard_ms: u32,
}
