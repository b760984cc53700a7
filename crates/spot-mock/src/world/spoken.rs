//! Shows with their episodes, audiobooks with their chapters.

use super::arena::Key;
use super::id::Id;
use super::names::Name;
use super::rng::Rng;
use super::{Kind, World};
use crate::clock::{Moment, START};

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
    /// Where the default user stopped listening; at the end if it was heard to the end.
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

const SHOWS: u32 = 24;
const AUDIOBOOKS: u32 = 16;
const DAY: i64 = 24 * 60 * 60;

/// Fills the world with spoken words. The first show has 72 episodes, the first book 34 chapters.
pub(super) fn fill(world: &mut World, seed: u64) {
    let mut rng = Rng::new(seed, "shows");
    for place in 0..SHOWS {
        let episode_count = if place == 0 { 72 } else { rng.between(6, 60) };
        let show = Show {
            id: Show::next_id(world),
            name: Name::show(&mut rng),
            publisher: Name::label(&mut rng),
            explicit: rng.chance(15),
            first_episode: world.episodes.next_key(),
            episode_count,
        };
        let key = world.shows.push(show);
        for index in 0..episode_count {
            let episode = episode(world, &mut rng, key, index);
            world.episodes.push(episode);
        }
    }
    let mut rng = Rng::new(seed, "audiobooks");
    for place in 0..AUDIOBOOKS {
        let chapter_count = if place == 0 { 34 } else { rng.between(8, 30) };
        let book = Audiobook {
            id: Audiobook::next_id(world),
            name: Name::title(&mut rng),
            author: Name::person(&mut rng),
            narrator: Name::person(&mut rng),
            publisher: Name::label(&mut rng),
            first_chapter: world.chapters.next_key(),
            chapter_count,
        };
        let key = world.audiobooks.push(book);
        for number in 0..chapter_count {
            let chapter = chapter(world, &mut rng, key, number);
            world.chapters.push(chapter);
        }
    }
}

/// The episode at a place in its show, which lists the newest first.
fn episode(world: &World, rng: &mut Rng, key: Key<Show>, index: u32) -> Episode {
    let show = &world.shows[key];
    let number = show.episode_count - index;
    let duration_ms = rng.between(480_000, 5_400_000);
    let heard_ms = match rng.between(0, 9) {
        0 | 1 => duration_ms,
        2 => duration_ms / 3,
        _ => 0,
    };
    Episode {
        id: Episode::next_id(world),
        name: Name::numbered("Episode", u16::try_from(number).unwrap_or(u16::MAX), rng),
        show: key,
        duration_ms,
        explicit: show.explicit,
        released: START.minus_seconds((i64::from(index) * 7 + 3) * DAY),
        heard_ms,
    }
}

fn chapter(world: &World, rng: &mut Rng, audiobook: Key<Audiobook>, number: u32) -> Chapter {
    let duration_ms = rng.between(300_000, 2_700_000);
    Chapter {
        id: Chapter::next_id(world),
        name: Name::numbered("Chapter", u16::try_from(number + 1).unwrap_or(u16::MAX), rng),
        audiobook,
        number,
        duration_ms,
        heard_ms: if number == 0 { duration_ms } else { 0 },
    }
}
