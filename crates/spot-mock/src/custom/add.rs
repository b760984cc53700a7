//! How a world of one's own is added to the made-up one.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Display;
use std::io;

use super::{Album, AlbumType, Audiobook, Show, World};
use crate::clock::{Moment, START};
use crate::state::{Item, ListSlot, Playlist as List, PlaylistEntry, Shelf, State};
use crate::world::{self, AlbumKind, Availability, Id, Key, Kind, Name, Released};

impl World {
    /// Adds music, spoken words and users.
    pub(crate) fn add_catalogue(&self, world: &mut world::World) -> io::Result<()> {
        for (place, artist) in self.artists.iter().enumerate() {
            let at = format!("artists[{place}]");
            let id = next_id::<world::Artist>(world, artist.id.as_ref(), &at)?;
            world.artists.push(world::Artist {
                id,
                name: Name::own(&artist.name),
                genres: artist.genres.iter().map(|genre| Cow::Owned(genre.clone())).collect(),
                popularity: artist.popularity.min(100),
                followers: artist.followers,
                albums: Vec::new(),
                appears_on: Vec::new(),
            });
        }
        let artists = Names::new(world);
        for (place, album) in self.albums.iter().enumerate() {
            add_album(world, &artists, album, &format!("albums[{place}]"))?;
        }
        world.sort_discographies();
        for (place, show) in self.shows.iter().enumerate() {
            add_show(world, show, &format!("shows[{place}]"))?;
        }
        for (place, book) in self.audiobooks.iter().enumerate() {
            add_audiobook(world, book, &format!("audiobooks[{place}]"))?;
        }
        for (place, user) in self.users.iter().enumerate() {
            if world.user(&user.id).is_some() {
                let reason = format!("there is another user {}", user.id);
                return Err(invalid(&format!("users[{place}].id"), reason));
            }
            world.add_user(&user.id, user.display_name.clone(), user.followers);
        }
        Ok(())
    }

    /// Gives the default user the library that was asked for.
    pub(crate) fn add_library(&self, world: &world::World, state: &mut State) -> io::Result<()> {
        let now = state.clock.now();
        let library = &mut state.account(world, world.listener(), now).library;
        shelve(&mut library.tracks, world, self.saved_tracks.as_ref(), "saved_tracks")?;
        shelve(&mut library.albums, world, self.saved_albums.as_ref(), "saved_albums")?;
        shelve(&mut library.shows, world, self.saved_shows.as_ref(), "saved_shows")?;
        shelve(&mut library.episodes, world, self.saved_episodes.as_ref(), "saved_episodes")?;
        let books = self.saved_audiobooks.as_ref();
        shelve(&mut library.audiobooks, world, books, "saved_audiobooks")?;
        shelve(&mut library.artists, world, self.followed_artists.as_ref(), "followed_artists")
    }

    /// Adds the playlists, each to the list of its owner.
    pub(crate) fn add_playlists(&self, world: &world::World, state: &mut State) -> io::Result<()> {
        if self.playlists.is_empty() {
            return Ok(());
        }
        let tracks = Names::<world::Track>::new(world);
        let episodes = Names::<world::Episode>::new(world);
        // The first one ends up first in the list.
        for (place, playlist) in self.playlists.iter().enumerate().rev() {
            let at = format!("playlists[{place}]");
            let user = |id: &String, field: &str| {
                let unknown =
                    || invalid(&format!("{at}.{field}"), format!("there is no user {id}"));
                world.user(id).ok_or_else(unknown)
            };
            let owner = match &playlist.owner {
                Some(id) => user(id, "owner")?,
                None => world.listener(),
            };
            let fresh = state.playlists.fresh_id();
            let id = match &playlist.id {
                Some(text) => Some(own_id(text, &at)?),
                None => None,
            };
            if id.is_some_and(|id| state.playlists.find(&id).is_some()) {
                return Err(invalid(&format!("{at}.id"), "there is another playlist with this id"));
            }
            let mut list = List::new(id.unwrap_or(fresh), playlist.name.clone(), owner);
            list.description.clone_from(&playlist.description);
            let collaborators = playlist.collaborators.iter();
            list.collaborators =
                collaborators.map(|id| user(id, "collaborators")).collect::<io::Result<_>>()?;
            list.collaborative = !list.collaborators.is_empty();
            list.public = playlist.public && !list.collaborative;
            for (place, text) in playlist.items.iter().enumerate() {
                let episode = || episodes.find(world, text).map(Item::Episode);
                let item = tracks.find(world, text).map(Item::Track).or_else(episode);
                let item = item.ok_or_else(|| {
                    let reason = format!("no track or episode has the name or the id {text}");
                    invalid(&format!("{at}.items[{place}]"), reason)
                })?;
                list.entries.push(PlaylistEntry { item, added: Some((START, owner)) });
            }
            let key = state.playlists.add(list);
            let now = state.clock.now();
            let lists = &mut state.account(world, owner, now).library.playlists;
            lists.insert(0, ListSlot::Playlist(key));
        }
        Ok(())
    }
}

fn add_album(
    world: &mut world::World,
    artists: &Names<world::Artist>,
    album: &Album,
    at: &str,
) -> io::Result<()> {
    let artist = artists.expect(world, &album.artist, &format!("{at}.artist"))?;
    let released = match &album.released {
        Some(text) => Released::parse(text).ok_or_else(|| {
            invalid(
                &format!("{at}.released"),
                format!("{text}: must be YYYY, YYYY-MM or YYYY-MM-DD"),
            )
        })?,
        None => Released::NEW_YEAR,
    };
    let id = next_id::<world::Album>(world, album.id.as_ref(), at)?;
    let key = world.albums.push(world::Album {
        id,
        name: Name::own(&album.name),
        kind: match album.kind {
            AlbumType::Album => AlbumKind::Album,
            AlbumType::Single => AlbumKind::Single,
            AlbumType::Compilation => AlbumKind::Compilation,
        },
        artist,
        released,
        first_track: world.tracks.next_key(),
        track_count: count(&album.tracks),
        label: Name::own(&album.label),
        popularity: album.popularity.min(100),
        upc: 900_000_000_000 + u64::from(world.albums.len()),
        available: Availability::Everywhere,
    });
    for (place, track) in album.tracks.iter().enumerate() {
        let at = format!("{at}.tracks[{place}]");
        let id = next_id::<world::Track>(world, track.id.as_ref(), &at)?;
        let guest = match &track.guest {
            Some(guest) => Some(artists.expect(world, guest, &format!("{at}.guest"))?),
            None => None,
        };
        if let Some(guest) = guest {
            world.artists[guest].appears_on.push(key);
        }
        world.tracks.push(world::Track {
            id,
            name: Name::own(&track.name),
            album: key,
            artist,
            guest,
            disc: 1,
            number: u16::try_from(place + 1).unwrap_or(u16::MAX),
            duration_ms: track.duration_ms,
            explicit: track.explicit,
            popularity: track.popularity.min(100),
            recording: world.tracks.len(),
            available: if track.unavailable { Availability::Far } else { Availability::Everywhere },
            relinked: None,
        });
    }
    world.artists[artist].albums.push(key);
    Ok(())
}

fn add_show(world: &mut world::World, show: &Show, at: &str) -> io::Result<()> {
    let id = next_id::<world::Show>(world, show.id.as_ref(), at)?;
    let key = world.shows.push(world::Show {
        id,
        name: Name::own(&show.name),
        publisher: Name::own(&show.publisher),
        explicit: show.explicit,
        first_episode: world.episodes.next_key(),
        episode_count: count(&show.episodes),
    });
    for (place, episode) in show.episodes.iter().enumerate() {
        let at = format!("{at}.episodes[{place}]");
        let released = match &episode.released {
            Some(date) => Moment::parse(&format!("{date}T00:00:00Z")).ok_or_else(|| {
                invalid(&format!("{at}.released"), format!("{date}: must be YYYY-MM-DD"))
            })?,
            None => START,
        };
        let id = next_id::<world::Episode>(world, episode.id.as_ref(), &at)?;
        world.episodes.push(world::Episode {
            id,
            name: Name::own(&episode.name),
            show: key,
            duration_ms: episode.duration_ms,
            explicit: show.explicit,
            released,
            heard_ms: episode.heard_ms,
        });
    }
    Ok(())
}

fn add_audiobook(world: &mut world::World, book: &Audiobook, at: &str) -> io::Result<()> {
    let id = next_id::<world::Audiobook>(world, book.id.as_ref(), at)?;
    let key = world.audiobooks.push(world::Audiobook {
        id,
        name: Name::own(&book.name),
        author: Name::own(&book.author),
        narrator: Name::own(&book.narrator),
        publisher: Name::own(&book.publisher),
        first_chapter: world.chapters.next_key(),
        chapter_count: count(&book.chapters),
    });
    for (place, chapter) in book.chapters.iter().enumerate() {
        let at = format!("{at}.chapters[{place}]");
        let id = next_id::<world::Chapter>(world, chapter.id.as_ref(), &at)?;
        world.chapters.push(world::Chapter {
            id,
            name: Name::own(&chapter.name),
            audiobook: key,
            number: u32::try_from(place).unwrap_or(u32::MAX),
            duration_ms: chapter.duration_ms,
            heard_ms: chapter.heard_ms,
        });
    }
    Ok(())
}

/// The id of what is added next: the one that was given, or the usual one.
fn next_id<T: Kind>(world: &mut world::World, given: Option<&String>, at: &str) -> io::Result<Id> {
    let Some(text) = given else { return Ok(T::next_id(world)) };
    let id = own_id(text, at)?;
    if world.reserve::<T>(id) {
        Ok(id)
    } else {
        Err(invalid(&format!("{at}.id"), format!("{text}: something else of this kind has it")))
    }
}

fn own_id(text: &str, at: &str) -> io::Result<Id> {
    let wrong = || invalid(&format!("{at}.id"), format!("{text}: must be 22 letters and digits"));
    Id::parse(text).ok_or_else(wrong)
}

/// Finds things by their names. Of two of the same name it is the one that was added last, so
/// that one's own things come before the made-up ones.
struct Names<T>(HashMap<String, Key<T>>);

impl<T: Kind> Names<T> {
    fn new(world: &world::World) -> Self {
        let named = T::arena(world).iter().map(|(key, entry)| (entry.name().to_string(), key));
        Self(named.collect())
    }

    /// What has this name or this id.
    fn find(&self, world: &world::World, text: &str) -> Option<Key<T>> {
        let by_name = self.0.get(text).copied();
        by_name.or_else(|| T::find(world, &Id::parse(text)?))
    }

    /// The same, or a complaint about the field in which it was asked for.
    fn expect(&self, world: &world::World, text: &str, at: &str) -> io::Result<Key<T>> {
        let unknown = || invalid(at, format!("no {} has the name or the id {text}", T::WORD));
        self.find(world, text).ok_or_else(unknown)
    }
}

/// Puts exactly what was asked for on a shelf, if anything was.
fn shelve<T: Kind>(
    shelf: &mut Shelf<T>,
    world: &world::World,
    wanted: Option<&Vec<String>>,
    field: &str,
) -> io::Result<()> {
    let Some(wanted) = wanted else { return Ok(()) };
    let names = Names::new(world);
    let mut saved = Vec::with_capacity(wanted.len());
    let mut at = START;
    for (place, text) in wanted.iter().enumerate() {
        saved.push((names.expect(world, text, &format!("{field}[{place}]"))?, at));
        at = at.minus_seconds(1);
    }
    *shelf = Shelf::new(saved);
    Ok(())
}

fn count<T>(entries: &[T]) -> u32 {
    u32::try_from(entries.len()).unwrap_or(u32::MAX)
}

fn invalid(at: &str, reason: impl Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("world: {at}: {reason}"))
}
