//! Generates shows and audiobooks.

use crate::{
    clock::START,
    world::{
        arena::Key,
        catalog::{Kind, World},
        names::Name,
        rng::Rng,
        spoken::{Audiobook, Chapter, Episode, Show},
    },
};

const SHOWS: u32 = 24;
const AUDIOBOOKS: u32 = 16;
const DAY: i64 = 24 * 60 * 60;

/// Adds shows and audiobooks. The first show has 72 episodes, and the first audiobook has 34
/// chapters.
pub(super) fn fill(world: &mut World) {
    let mut rng = Rng::new(world.seed, "shows");
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
    let mut rng = Rng::new(world.seed, "audiobooks");
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

/// Generates the episode at an index of its show. The newest episode has index 0.
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
