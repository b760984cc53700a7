//! The catalogue: music, shows, audiobooks, users and categories.

use std::{cmp::Reverse, collections::HashMap, iter};

use crate::world::{
    arena::{Arena, Key},
    id::Id,
    markets::{Availability, MARKETS},
    music::{Album, AlbumDetails, Artist, Track, TrackDetails},
    names::Name,
    people::{Category, User},
    rng::Rng,
    spoken::{Audiobook, Chapter, Episode, Show},
};

/// The catalogue and the users.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) artists: Arena<Artist>,
    pub(crate) albums: Arena<Album>,
    pub(crate) tracks: Arena<Track>,
    pub(crate) shows: Arena<Show>,
    pub(crate) episodes: Arena<Episode>,
    pub(crate) audiobooks: Arena<Audiobook>,
    pub(crate) chapters: Arena<Chapter>,
    pub(crate) users: Arena<User>,
    pub(crate) categories: Vec<Category>,
    /// Details of albums and tracks. The maps save memory, since few albums and tracks have
    /// details.
    pub(crate) album_details: HashMap<Key<Album>, AlbumDetails>,
    pub(crate) track_details: HashMap<Key<Track>, TrackDetails>,
    /// Whether the test data includes the generated catalogue and libraries.
    pub(crate) generated: bool,
    /// Genres that recommendations accept; `None` for Spotify's list.
    pub(crate) genre_seeds: Option<Vec<String>>,
    /// The markets of [`Availability::Listed`].
    market_lists: Vec<Vec<&'static str>>,
    pub(super) spotify: Key<User>,
    /// Indexes of the entries with a custom id, by kind and id.
    own_ids: HashMap<(&'static str, Id), u32>,
}

impl World {
    /// Creates an empty `World` with capacity for the generated test data.
    pub(crate) fn empty(seed: u64) -> Self {
        Self {
            seed,
            artists: Arena::with_capacity(200),
            albums: Arena::with_capacity(1_500),
            tracks: Arena::with_capacity(13_500),
            shows: Arena::with_capacity(24),
            episodes: Arena::with_capacity(1_000),
            audiobooks: Arena::with_capacity(16),
            chapters: Arena::with_capacity(400),
            users: Arena::with_capacity(8),
            categories: Vec::new(),
            album_details: HashMap::new(),
            track_details: HashMap::new(),
            generated: false,
            genre_seeds: None,
            market_lists: Vec::new(),
            spotify: Key::FIRST,
            own_ids: HashMap::new(),
        }
    }

    pub(crate) fn user(&self, id: &str) -> Option<Key<User>> {
        self.users.iter().find(|(_, user)| user.id == id).map(|(key, _)| key)
    }

    /// Adds a user.
    pub(crate) fn add_user(
        &mut self,
        id: &str,
        display_name: Option<String>,
        followers: u32,
        premium: bool,
    ) {
        let account_id = Rng::new(self.seed, id).hex(10);
        let email = format!("{account_id}@example.com");
        let id = id.to_owned();
        self.users.push(User { id, display_name, followers, account_id, email, premium });
    }

    /// Changes the default user.
    pub(crate) fn describe_listener(
        &mut self,
        id: &str,
        display_name: Option<String>,
        followers: u32,
        premium: bool,
    ) {
        let listener = self.listener();
        let user = &mut self.users[listener];
        *user = User {
            id: id.to_owned(),
            display_name,
            followers,
            premium,
            account_id: std::mem::take(&mut user.account_id),
            email: std::mem::take(&mut user.email),
        };
    }

    /// Availability in these markets only. If a code is not a market, returns that code as the
    /// error.
    pub(crate) fn available_in(&mut self, codes: &[String]) -> Result<Availability, String> {
        let mut list = Vec::with_capacity(codes.len());
        for code in codes {
            match MARKETS.iter().find(|market| market.eq_ignore_ascii_case(code)) {
                Some(market) => list.push(*market),
                None => return Err(code.clone()),
            }
        }
        list.sort_unstable();
        let known = self.market_lists.iter().position(|known| *known == list);
        let place = known.unwrap_or_else(|| {
            self.market_lists.push(list);
            self.market_lists.len() - 1
        });
        // The index fits into 16 bits, since no test data has 65,535 lists of markets.
        Ok(Availability::Listed(u16::try_from(place).unwrap_or(u16::MAX)))
    }

    /// Country codes of the markets that this availability includes.
    pub(crate) fn markets(&self, available: Availability) -> &[&'static str] {
        match available {
            Availability::Listed(place) => {
                self.market_lists.get(usize::from(place)).map_or(&[], Vec::as_slice)
            }
            everywhere_else => everywhere_else.markets(),
        }
    }

    /// The artists of a track. The main artist comes first.
    pub(crate) fn track_artists(&self, key: Key<Track>) -> impl Iterator<Item = Key<Artist>> {
        let track = &self.tracks[key];
        let others = self.track_details.get(&key).map_or(&[][..], |it| &it.other_artists);
        iter::once(track.artist).chain(track.guest).chain(others.iter().copied())
    }

    /// The artists of an album. The main artist comes first.
    pub(crate) fn album_artists(&self, key: Key<Album>) -> impl Iterator<Item = Key<Artist>> {
        let others = self.album_details.get(&key).map_or(&[][..], |it| &it.other_artists);
        iter::once(self.albums[key].artist).chain(others.iter().copied())
    }

    /// The International Standard Recording Code of a track.
    pub(crate) fn isrc(&self, key: Key<Track>) -> String {
        let own = self.track_details.get(&key).and_then(|details| details.isrc.clone());
        own.unwrap_or_else(|| {
            let track = &self.tracks[key];
            track.isrc(self.albums[track.album].released.year)
        })
    }

    /// Sorts the albums of each artist from newest to oldest, as Spotify does. Must be called after
    /// albums were added. If an artist is a guest on several tracks of an album, the discography
    /// lists the album once.
    pub(crate) fn sort_discographies(&mut self) {
        let albums = &self.albums;
        let newest_first = |list: &mut Vec<Key<Album>>| {
            list.sort_by_key(|key| (Reverse(albums[*key].released), *key));
            list.dedup();
        };
        for key in self.artists.keys() {
            let artist: &mut Artist = &mut self.artists[key];
            newest_first(&mut artist.albums);
            newest_first(&mut artist.appears_on);
        }
    }

    /// Reserves a custom id for the entry that is added next. Returns false if another entry of the
    /// kind has this id.
    pub(crate) fn reserve<T: Kind>(&mut self, id: Id) -> bool {
        let is_free = T::find(self, &id).is_none();
        if is_free {
            self.own_ids.insert((T::NAME, id), T::arena(self).len());
        }
        is_free
    }

    pub(crate) fn category(&self, id: &str) -> Option<&Category> {
        self.categories.iter().find(|category| category.id == id)
    }

    /// The default user, for whom tokens are created.
    pub(crate) fn listener(&self) -> Key<User> {
        self.users.some(0)
    }

    /// Spotify's own account, which owns the editorial playlists.
    pub(crate) fn spotify(&self) -> Key<User> {
        self.spotify
    }
}

/// A kind of catalogue entry.
pub(crate) trait Kind: Sized + 'static {
    /// Name in generated ids.
    const NAME: &'static str;
    /// Name in error messages.
    const WORD: &'static str;

    fn arena(world: &World) -> &Arena<Self>;
    fn id(&self) -> &Id;
    fn name(&self) -> &Name;

    /// The id of the entry that is added next, unless it has a custom id.
    fn next_id(world: &World) -> Id {
        Id::numbered(Self::NAME, Self::arena(world).len())
    }

    /// Finds the entry with this id.
    fn find(world: &World, id: &Id) -> Option<Key<Self>> {
        let arena = Self::arena(world);
        // A custom id may look like a generated id, for example if it comes from the backup of a
        // mock.
        let generated = id.place(Self::NAME).and_then(|place| arena.key(place));
        let generated = generated.filter(|key| arena[*key].id() == id);
        generated.or_else(|| arena.key(*world.own_ids.get(&(Self::NAME, *id))?))
    }
}

macro_rules! kinds {
    ($($kind:ident, $word:literal, in $arena:ident: $find:ident;)*) => {
        $(
            impl Kind for $kind {
                const NAME: &'static str = stringify!($kind);
                const WORD: &'static str = $word;

                fn arena(world: &World) -> &Arena<Self> {
                    &world.$arena
                }

                fn id(&self) -> &Id {
                    &self.id
                }

                fn name(&self) -> &Name {
                    &self.name
                }
            }

            impl World {
                pub(crate) fn $find(&self, id: &Id) -> Option<Key<$kind>> {
                    $kind::find(self, id)
                }
            }
        )*
    };
}

kinds! {
    Artist, "artist", in artists: artist;
    Album, "album", in albums: album;
    Track, "track", in tracks: track;
    Show, "show", in shows: show;
    Episode, "episode", in episodes: episode;
    Audiobook, "audiobook", in audiobooks: audiobook;
    Chapter, "chapter", in chapters: chapter;
}
