//! Libraries and playlists of a custom world.

use std::io;

use crate::{
    clock::START,
    state::{
        library::{ListSlot, SavedList},
        playlist::{Item, Playlist as List, PlaylistEntry},
        store::State,
    },
    world::{
        self, Kind,
        custom::{Names, World, invalid, own_id},
    },
};

impl World {
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

/// Puts exactly what was asked for on a shelf, if anything was.
fn shelve<T: Kind>(
    shelf: &mut SavedList<T>,
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
    *shelf = SavedList::new(saved);
    Ok(())
}
