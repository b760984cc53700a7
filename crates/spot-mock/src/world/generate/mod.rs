//! Generates the test data from a seed.

mod music;
mod people;
mod spoken;

use crate::world::{arena::Key, catalog::World};

/// Generates the test data for a seed.
pub(crate) fn generate(seed: u64) -> World {
    let mut world = World::empty(seed);
    music::fill(&mut world);
    spoken::fill(&mut world);
    people::fill(&mut world);
    world.spotify = world.users.keys().next_back().unwrap_or(Key::FIRST);
    world.generated = true;
    world
}

/// Creates test data that contains the default user and Spotify's user, and nothing else.
pub(crate) fn bare(seed: u64) -> World {
    let mut world = World::empty(seed);
    people::fill_bare(&mut world);
    world.spotify = world.users.keys().next_back().unwrap_or(Key::FIRST);
    world
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::id::Id;

    #[test]
    fn the_generated_world_has_the_expected_size() {
        let world = generate(7);
        assert_eq!(world.artists.len(), 200);
        assert_eq!(world.albums.len(), 1_500);
        assert!((11_000..15_000).contains(&world.tracks.len()), "{}", world.tracks.len());
        assert_eq!(world.categories.len(), 40);
        assert!(world.artists[world.artists.some(0)].albums.len() >= 25);
    }

    #[test]
    fn the_seed_determines_the_generated_world() {
        let name =
            |seed| generate(seed).tracks.iter().map(|(_, track)| track.name.to_string()).last();
        assert_eq!(name(7), name(7));
        assert_ne!(name(7), name(8));
    }

    #[test]
    fn lookup_by_id_finds_only_the_entry_with_that_id() {
        let world = generate(7);
        for (key, track) in world.tracks.iter() {
            assert_eq!(world.track(&track.id), Some(key));
            assert_eq!(world.album(&track.id), None);
        }
        for (key, chapter) in world.chapters.iter() {
            assert_eq!(world.chapter(&chapter.id), Some(key));
        }
        let beyond = Id::numbered("Artist", world.artists.len());
        assert_eq!(world.artist(&beyond), None);
    }
}
