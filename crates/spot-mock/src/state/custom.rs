//! Applies the libraries and playlists in custom test data.

use std::io;

use crate::{
    clock::{Moment, START},
    state::{
        history::{History, Play},
        library::{ListSlot, SavedList},
        playlist::{Item, LocalFile, Playlist as List, PlaylistEntry},
        store::State,
    },
    world::{
        self, Key, Kind, custom,
        custom::{Names, Saved, World, invalid, own_id},
    },
};

impl World {
    /// Sets the devices, plays and library of the default user.
    pub(crate) fn add_library(&self, world: &world::World, state: &mut State) -> io::Result<()> {
        let now = state.clock.now();
        let account = state.account(world, world.listener(), now);
        if let Some(devices) = &self.devices {
            account.player.set_devices(devices.clone(), now);
        }
        if let Some(tracks) = &self.played {
            let mut at = START;
            let plays = named::<world::Track>(world, tracks, "played")?.into_iter().map(|track| {
                at = at.minus_seconds(300);
                Play { track, played_at: at, context: None }
            });
            account.history = History::new(plays.collect());
        }
        if let Some(tracks) = &self.top_tracks {
            account.top_tracks = Some(named(world, tracks, "top_tracks")?);
        }
        if let Some(artists) = &self.top_artists {
            account.top_artists = Some(named(world, artists, "top_artists")?);
        }
        let library = &mut account.library;
        shelve(&mut library.tracks, world, self.saved_tracks.as_ref(), "saved_tracks")?;
        shelve(&mut library.albums, world, self.saved_albums.as_ref(), "saved_albums")?;
        shelve(&mut library.shows, world, self.saved_shows.as_ref(), "saved_shows")?;
        shelve(&mut library.episodes, world, self.saved_episodes.as_ref(), "saved_episodes")?;
        let books = self.saved_audiobooks.as_ref();
        shelve(&mut library.audiobooks, world, books, "saved_audiobooks")?;
        if let Some(artists) = &self.followed_artists {
            let artists = named(world, artists, "followed_artists")?;
            library.artists = SavedList::new(artists.into_iter().zip(seconds_apart()).collect());
        }
        Ok(())
    }

    /// Adds the playlists, each to the list of its owner.
    pub(crate) fn add_playlists(&self, world: &world::World, state: &mut State) -> io::Result<()> {
        if self.playlists.is_empty() {
            return Ok(());
        }
        let tracks = Names::<world::Track>::new(world);
        let episodes = Names::<world::Episode>::new(world);
        // The playlists are added in reverse order, so that the first playlist is first in the
        // list.
        for (place, playlist) in self.playlists.iter().enumerate().rev() {
            let at = format!("playlists[{place}]");
            let Some(playlist) = playlist else {
                let now = state.clock.now();
                let lists = &mut state.account(world, world.listener(), now).library.playlists;
                lists.insert(0, ListSlot::Null);
                continue;
            };
            let user = |id: &String, field: &str| {
                let unknown =
                    || invalid(&format!("{at}.{field}"), format!("no user has the id {id}"));
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
                return Err(invalid(&format!("{at}.id"), "another playlist has this id"));
            }
            let mut list = List::new(id.unwrap_or(fresh), playlist.name.clone(), owner);
            list.description.clone_from(&playlist.description);
            let collaborators = playlist.collaborators.iter();
            list.collaborators =
                collaborators.map(|id| user(id, "collaborators")).collect::<io::Result<_>>()?;
            list.collaborative = !list.collaborators.is_empty();
            list.public = playlist.public && !list.collaborative;
            for (place, item) in playlist.items.iter().enumerate() {
                let item = match item {
                    None => Item::Removed,
                    Some(custom::Item::Local(file)) => Item::Local(Box::new(LocalFile {
                        artist: file.artist.clone(),
                        album: file.album.clone(),
                        title: file.title.clone(),
                        seconds: file.seconds,
                    })),
                    Some(custom::Item::Named(text)) => {
                        let episode = || episodes.find(world, text).map(Item::Episode);
                        let item = tracks.find(world, text).map(Item::Track).or_else(episode);
                        item.ok_or_else(|| {
                            let reason =
                                format!("no track or episode has the name or the id {text}");
                            invalid(&format!("{at}.items[{place}]"), reason)
                        })?
                    }
                };
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

/// Replaces a list of saved entries, if `wanted` contains a list.
fn shelve<T: Kind>(
    saved: &mut SavedList<T>,
    world: &world::World,
    wanted: Option<&Vec<Saved>>,
    field: &str,
) -> io::Result<()> {
    let Some(wanted) = wanted else { return Ok(()) };
    let names = Names::new(world);
    let entry = |((place, wanted), usual): ((usize, &Saved), Moment)| {
        let at = format!("{field}[{place}]");
        let key = names.expect(world, wanted.name(), &at)?;
        let saved_at = match wanted.added_at() {
            Some(text) => Moment::parse(text).ok_or_else(|| {
                let reason =
                    format!("{text:?} is not a time; expected a time such as 2024-05-03T10:00:00Z");
                invalid(&format!("{at}.added_at"), reason)
            })?,
            None => usual,
        };
        Ok((key, saved_at))
    };
    let entries = wanted.iter().enumerate().zip(seconds_apart()).map(entry);
    *saved = SavedList::new(entries.collect::<io::Result<_>>()?);
    Ok(())
}

/// Yields the start time of the mock's clock. Each following time is one second earlier.
fn seconds_apart() -> impl Iterator<Item = Moment> {
    std::iter::successors(Some(START), |at| Some(at.minus_seconds(1)))
}

/// Finds the entries with these names or ids.
fn named<T: Kind>(world: &world::World, wanted: &[String], field: &str) -> io::Result<Vec<Key<T>>> {
    Names::new(world).all(world, wanted, field)
}
