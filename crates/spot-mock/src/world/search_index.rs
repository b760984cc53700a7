//! The search index, which contains normalized names.

use std::marker::PhantomData;

use memchr::memmem;

use crate::world::{
    arena::{Arena, Key},
    catalog::World,
    music::{Album, Artist, Track},
    normalize::normalize_into,
    spoken::{Audiobook, Episode, Show},
};

/// The normalized names of all entries that a search can find.
///
/// The index is built by the first search, since most runs never search.
#[derive(Debug)]
pub(crate) struct SearchIndex {
    pub(crate) artists: Texts<Artist>,
    pub(crate) albums: Texts<Album>,
    pub(crate) tracks: Texts<Track>,
    pub(crate) shows: Texts<Show>,
    pub(crate) publishers: Texts<Show>,
    pub(crate) episodes: Texts<Episode>,
    pub(crate) audiobooks: Texts<Audiobook>,
    pub(crate) authors: Texts<Audiobook>,
}

impl SearchIndex {
    pub(crate) fn new(world: &World) -> Self {
        Self {
            artists: Texts::new(&world.artists, |artist| artist.name.to_string()),
            albums: Texts::new(&world.albums, |album| album.name.to_string()),
            tracks: Texts::new(&world.tracks, |track| track.name.to_string()),
            shows: Texts::new(&world.shows, |show| show.name.to_string()),
            publishers: Texts::new(&world.shows, |show| show.publisher.to_string()),
            episodes: Texts::new(&world.episodes, |episode| episode.name.to_string()),
            audiobooks: Texts::new(&world.audiobooks, |book| book.name.to_string()),
            authors: Texts::new(&world.audiobooks, |book| {
                format!("{} {}", book.author, book.narrator)
            }),
        }
    }
}

/// Normalized texts, one for each entry of an arena. All texts are stored in one string. Each text
/// starts and ends with a space. Therefore a search for ` word` finds words with this prefix, and a
/// search for ` word ` finds whole words.
#[derive(Debug)]
pub(crate) struct Texts<T> {
    text: String,
    /// Byte index at which each text ends, after its last space.
    ends: Vec<u32>,
    kind: PhantomData<fn() -> T>,
}

impl<T> Texts<T> {
    fn new(arena: &Arena<T>, name: impl Fn(&T) -> String) -> Self {
        let mut texts = Self {
            text: String::with_capacity(arena.len() as usize * 20),
            ends: Vec::with_capacity(arena.len() as usize),
            kind: PhantomData,
        };
        for (_, entry) in arena.iter() {
            texts.text.push(' ');
            normalize_into(&name(entry), &mut texts.text);
            texts.text.push(' ');
            texts.ends.push(u32::try_from(texts.text.len()).unwrap_or(u32::MAX));
        }
        texts
    }

    /// Returns the normalized text of an entry.
    pub(crate) fn get(&self, key: Key<T>) -> &str {
        let place = key.place() as usize;
        let end = |place: usize| self.ends.get(place).map_or(0, |end| *end as usize);
        let start = place.checked_sub(1).map_or(0, end);
        self.text.get(start..end(place)).unwrap_or_default()
    }

    /// Returns a score for each entry: 2 if the text contains this word, 1 if a word of the text
    /// starts with this word, and 0 otherwise. `word` must start with a space.
    ///
    /// Searches all texts in one pass, which is much faster than searching each text separately.
    pub(crate) fn find(&self, word: &str) -> Vec<u8> {
        let mut found = vec![0; self.ends.len()];
        let mut entries = self.ends.iter().zip(&mut found);
        let mut entry = entries.next();
        for start in memmem::find_iter(self.text.as_bytes(), word) {
            while entry.as_ref().is_some_and(|(end, _)| **end as usize <= start) {
                entry = entries.next();
            }
            let Some((_, found)) = &mut entry else { break };
            let is_whole = self.text.as_bytes().get(start + word.len()) == Some(&b' ');
            **found = (**found).max(1 + u8::from(is_whole));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn find_scores_whole_words_above_prefixes() {
        let mut arena = Arena::with_capacity(4);
        for name in ["Slip Away", "", "Asleep, slippery", "slip"] {
            arena.push(name);
        }
        let texts = Texts::new(&arena, |name| (*name).to_owned());
        assert_eq!(texts.find(" slip"), [2, 0, 1, 2]);
        assert_eq!(texts.find(" a"), [1, 0, 1, 0]);
        assert_eq!(texts.find(" slippery"), [0, 0, 2, 0]);
        assert_eq!(texts.find(" nothing"), [0; 4]);
    }
}
