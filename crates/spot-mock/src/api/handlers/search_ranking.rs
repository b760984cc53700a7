//! Ranks search results by how well they fit a query.

use std::{borrow::Cow, cmp::Reverse};

use crate::{
    api::handlers::search_query::{Field, Place, SearchQuery, Word},
    world::{Arena, Key, normalize},
};

/// Everything that is searched for one kind of result: the texts of a candidate.
pub(super) struct Texts<'a> {
    pub(super) name: &'a str,
    pub(super) artists: [&'a str; 2],
    pub(super) album: &'a str,
    pub(super) genres: &'a [Cow<'a, str>],
}

impl<'a> Texts<'a> {
    pub(super) fn name(name: &'a str) -> Self {
        Self { name, artists: [""; 2], album: "", genres: &[] }
    }
}

/// How well a candidate fits, larger is better; `None` if a word is not found.
///
/// A name that is the whole query comes first, then a name and an artist that together are the
/// query, as in `Artist - Title`, then names in which more of the query is found.
pub(super) fn score(query: &SearchQuery, texts: &Texts<'_>, whole: &str) -> Option<u32> {
    let mut score = 0;
    let mut in_name = 0;
    for word in &query.words {
        let found = match word.place {
            Place::Anywhere => anywhere(word, texts),
            Place::In(field) => in_field(word, field, texts),
            Place::Perhaps(field) => in_field(word, field, texts).max(anywhere(word, texts)),
        };
        if found == 0 {
            return None;
        }
        if found >= IN_NAME {
            in_name += 1;
        }
        score += found;
    }
    if texts.name == whole && whole.len() > 1 {
        score += 1_000;
    } else if in_name > 0 {
        let words = texts.name.split_whitespace().count();
        // A name of which every word was asked for fits better than one that has others.
        score += if words == in_name { 500 } else { 0 };
    }
    Some(score)
}

/// The score of a word that is found in the name.
const IN_NAME: u32 = 5;

fn anywhere(word: &Word, texts: &Texts<'_>) -> u32 {
    let artists = texts.artists.iter().map(|artist| found(word, artist)).max().unwrap_or(0);
    match found(word, texts.name) {
        0 if artists > 0 => artists + 2,
        0 => found(word, texts.album),
        in_name => in_name + IN_NAME - 1,
    }
}

fn in_field(word: &Word, field: Field, texts: &Texts<'_>) -> u32 {
    match field {
        Field::Track => match found(word, texts.name) {
            0 => 0,
            in_name => in_name + IN_NAME - 1,
        },
        Field::Artist => texts.artists.iter().map(|artist| found(word, artist)).max().unwrap_or(0),
        Field::Album => found(word, texts.album),
        Field::Genre => {
            let has = |genre: &Cow<'_, str>| found(word, &format!(" {} ", normalize(genre))) > 0;
            u32::from(texts.genres.iter().any(has))
        }
    }
}

/// 2 if the word is in the text, 1 if a word of the text begins like it, else 0.
fn found(word: &Word, text: &str) -> u32 {
    if !text.contains(&word.prefix) {
        0
    } else if text.contains(&word.whole) {
        2
    } else {
        1
    }
}

/// The candidates that fit, best first. Of equally good ones, the most popular comes first.
pub(super) fn best<T>(
    arena: &Arena<T>,
    fits: impl Fn(Key<T>, &T) -> Option<u32>,
    popularity: impl Fn(&T) -> u8,
) -> Vec<Key<T>> {
    let scored =
        arena.iter().filter_map(|(key, entry)| Some((fits(key, entry)?, popularity(entry), key)));
    let mut found: Vec<_> = scored.collect();
    found.sort_unstable_by_key(|(score, popularity, key)| (Reverse((*score, *popularity)), *key));
    found.into_iter().map(|(_, _, key)| key).collect()
}
