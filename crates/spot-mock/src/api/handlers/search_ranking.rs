//! Ranks search results by relevance.

use std::{cmp::Reverse, marker::PhantomData};

use crate::{
    api::handlers::search_query::{Field, Place, SearchQuery, Word},
    world::{Arena, Key, Texts},
};

/// A score for each query word and each entry: how well the word matches the text of the entry.
///
/// The scores are computed once for each query, since many tracks have the same artist and the same
/// album.
pub(super) struct Matches<T> {
    /// For each query word, the scores of all entries.
    words: Vec<Vec<u8>>,
    kind: PhantomData<fn() -> T>,
}

impl<T> Matches<T> {
    pub(super) fn new(query: &SearchQuery, texts: &Texts<T>) -> Self {
        let words = query.words.iter().map(|word| texts.find(&word.prefix)).collect();
        Self { words, kind: PhantomData }
    }

    /// Returns how well a query word matches the text of an entry, as a score of [`find_in`].
    pub(super) fn get(&self, word: usize, key: Key<T>) -> u8 {
        let entries = self.words.get(word).map_or(&[][..], Vec::as_slice);
        entries.get(key.place() as usize).copied().unwrap_or(0)
    }
}

/// How well one query word matches each part of a candidate, as scores from 0 to 2.
#[derive(Clone, Copy, Default)]
pub(super) struct Found {
    pub(super) name: u8,
    /// The highest score among the artists.
    pub(super) artists: u8,
    pub(super) album: u8,
    pub(super) genre: u8,
}

/// Score of a candidate; `None` if a word is not found. Better candidates have larger scores.
///
/// `found` takes the index of a word in the query, and returns the scores of this word. `whole` is
/// the text of the query. A name that equals the whole query ranks first. A name ranks second if
/// the query contains all words of the name, as in the query `Artist - Title`. Other names rank
/// higher if they contain more words of the query.
pub(super) fn score(
    query: &SearchQuery,
    name: &str,
    whole: &str,
    found: impl Fn(usize) -> Found,
) -> Option<u32> {
    let mut score = 0;
    let mut in_name = 0;
    for (place, word) in query.words.iter().enumerate() {
        let found = found(place);
        let points = match word.place {
            Place::Anywhere => anywhere(found),
            Place::In(field) => in_field(found, field),
            Place::Perhaps(field) => in_field(found, field).max(anywhere(found)),
        };
        if points == 0 {
            return None;
        }
        if points >= IN_NAME {
            in_name += 1;
        }
        score += points;
    }
    if name == whole && whole.len() > 1 {
        score += 1_000;
    } else if in_name > 0 {
        // The name has a space before each word, and a space at the end.
        let words = name.bytes().filter(|byte| *byte == b' ').count().saturating_sub(1);
        // A name ranks higher if the query contains all words of the name.
        score += if words == in_name { 500 } else { 0 };
    }
    Some(score)
}

/// Minimum score of a word that is found in the name.
const IN_NAME: u32 = 5;

fn anywhere(found: Found) -> u32 {
    match (in_name(found), found.artists) {
        (0, 0) => found.album.into(),
        (0, artists) => u32::from(artists) + 2,
        (in_name, _) => in_name,
    }
}

fn in_field(found: Found, field: Field) -> u32 {
    match field {
        Field::Track => in_name(found),
        Field::Artist => found.artists.into(),
        Field::Album => found.album.into(),
        Field::Genre => found.genre.into(),
    }
}

fn in_name(found: Found) -> u32 {
    match found.name {
        0 => 0,
        in_name => u32::from(in_name) + IN_NAME - 1,
    }
}

/// Returns 2 if `text` contains the whole word, 1 if a word of `text` starts with `word`, and 0
/// otherwise.
pub(super) fn find_in(word: &Word, text: &str) -> u8 {
    if !text.contains(&word.prefix) {
        0
    } else if text.contains(&word.whole) {
        2
    } else {
        1
    }
}

/// Returns at most `most` matching candidates, best first. Candidates with equal scores are sorted
/// by popularity.
pub(super) fn best<T>(
    arena: &Arena<T>,
    most: usize,
    fits: impl Fn(Key<T>, &T) -> Option<u32>,
    popularity: impl Fn(&T) -> u8,
) -> Vec<Key<T>> {
    let scored =
        arena.iter().filter_map(|(key, entry)| Some((fits(key, entry)?, popularity(entry), key)));
    let mut found: Vec<_> = scored.collect();
    let order =
        |(score, popularity, key): &(u32, u8, Key<T>)| (Reverse((*score, *popularity)), *key);
    if found.len() > most {
        found.select_nth_unstable_by_key(most, order);
        found.truncate(most);
    }
    found.sort_unstable_by_key(order);
    found.into_iter().map(|(_, _, key)| key).collect()
}
