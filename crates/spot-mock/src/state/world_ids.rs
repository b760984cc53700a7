//! Ids for use in tests and demos.

use crate::{
    state::{library::ListSlot, store::State},
    world::{Availability, Id, World},
};

/// Ids of artists, tracks, playlists and other objects in the mock's test data. The same seed gives
/// the same ids.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "control", derive(serde::Serialize, schemars::JsonSchema))]
#[non_exhaustive]
pub struct WorldIds {
    /// An artist with at least 25 albums.
    pub artist: String,
    /// The name of [`artist`](Self::artist), for searches.
    pub artist_name: String,
    /// An album with 26 tracks on two discs.
    pub album: String,
    /// An album with 64 tracks. The response for this album contains only the first page of its
    /// tracks.
    pub long_album: String,
    /// A track that is available everywhere: the first track of [`album`](Self::album).
    pub track: String,
    /// A track that is not available in the default user's country.
    pub unavailable_track: String,
    /// A track that the mock replaces with another track if the request has the parameter `market`.
    pub relinked_track: String,
    /// A track that the default user has saved.
    pub saved_track: String,
    /// A track that the default user has not saved.
    pub unsaved_track: String,
    /// An artist that the default user does not follow.
    pub unfollowed_artist: String,
    /// A public playlist of the default user with 250 tracks.
    pub own_playlist: String,
    /// A private playlist of the default user with 120 tracks.
    pub private_playlist: String,
    /// An empty playlist of the default user, with `images: null`.
    pub empty_playlist: String,
    /// A playlist of the default user with four local files among its 12 entries.
    pub local_files_playlist: String,
    /// A playlist of the default user with six episodes among its 20 entries.
    pub episodes_playlist: String,
    /// A playlist of the default user. The fifth entry was removed from the catalogue, and the
    /// first two entries have no `added_at`.
    pub old_playlist: String,
    /// A collaborative playlist that the default user owns. Other users have added items
    /// to this playlist.
    pub collaborative_playlist: String,
    /// A collaborative playlist that another user owns. The default user is allowed to
    /// add items to this playlist.
    pub shared_playlist: String,
    /// A public playlist that another user owns and the default user follows.
    pub other_playlist: String,
    /// An editorial playlist of Spotify. Editorial playlists are hidden from applications
    /// registered after November 2024.
    pub editorial_playlist: String,
    /// A show with 72 episodes.
    pub show: String,
    /// The newest episode of [`show`](Self::show).
    pub episode: String,
    /// An audiobook with 34 chapters.
    pub audiobook: String,
    /// The first chapter of [`audiobook`](Self::audiobook).
    pub chapter: String,
    /// A category of the browse pages.
    pub category: String,
    /// The default user.
    pub user: String,
    /// Another user, whose id must be escaped in a path.
    pub other_user: String,
    /// The active device when the mock starts.
    pub device: String,
    /// A device with a fixed volume.
    pub fixed_volume_device: String,
}

impl WorldIds {
    pub(crate) fn new(world: &World, state: &mut State) -> Self {
        // Custom test data without generated test data may lack any of these entries.
        let artist = world.artists.iter().next().map(|(_, artist)| artist);
        let album = world.albums.iter().next().map(|(_, album)| album);
        let long_album = world.albums.iter().nth(1).map(|(_, album)| album);
        let show = world.shows.iter().next().map(|(_, show)| show);
        let book = world.audiobooks.iter().next().map(|(_, book)| book);
        let text = |id: Option<Id>| id.map(|id| id.to_string()).unwrap_or_default();
        let first_track = album.and_then(|album| album.tracks().next());
        let episode = show.and_then(|show| show.episodes().next());
        let chapter = book.and_then(|book| book.chapters().next());
        let track = |wanted: &dyn Fn(&crate::world::Track) -> bool| {
            world
                .tracks
                .iter()
                .find(|(_, track)| wanted(track))
                .map(|(_, track)| track.id.to_string())
        };
        let now = state.clock.now();
        let account = state.account(world, world.listener(), now);
        let library = &account.library;
        let saved =
            library.tracks.entries().first().map(|(key, _)| world.tracks[*key].id.to_string());
        let unsaved = world.tracks.keys().find(|key| !library.tracks.contains(*key));
        let unfollowed = world.artists.keys().find(|key| !library.artists.contains(*key));
        let lists = library.playlists.clone();
        let device = |place: usize| {
            account
                .player
                .devices
                .get(place)
                .and_then(|device| device.id.clone())
                .unwrap_or_default()
        };
        let (first_device, second_device) = (device(0), device(1));
        let list = |place: usize| match lists.get(place) {
            Some(ListSlot::Playlist(key)) => state.playlists.get(*key).id.to_string(),
            Some(ListSlot::Hidden | ListSlot::Null) | None => String::new(),
        };
        let editorial = state.playlists.iter().find(|(_, list)| list.editorial);
        let users: Vec<_> = world.users.iter().map(|(_, user)| user.id.clone()).collect();
        let user = |place: usize| users.get(place).cloned().unwrap_or_default();
        Self {
            artist: text(artist.map(|artist| artist.id)),
            artist_name: artist.map(|artist| artist.name.to_string()).unwrap_or_default(),
            album: text(album.map(|album| album.id)),
            long_album: text(long_album.map(|album| album.id)),
            track: text(first_track.map(|key| world.tracks[key].id)),
            unavailable_track: track(&|track| track.available == Availability::Far)
                .unwrap_or_default(),
            relinked_track: track(&|track| track.relinked.is_some()).unwrap_or_default(),
            saved_track: saved.unwrap_or_default(),
            unsaved_track: unsaved.map(|key| world.tracks[key].id.to_string()).unwrap_or_default(),
            unfollowed_artist: unfollowed
                .map(|key| world.artists[key].id.to_string())
                .unwrap_or_default(),
            own_playlist: list(0),
            private_playlist: list(1),
            empty_playlist: list(2),
            local_files_playlist: list(3),
            episodes_playlist: list(4),
            old_playlist: list(5),
            collaborative_playlist: list(6),
            shared_playlist: list(7),
            other_playlist: list(10),
            editorial_playlist: editorial.map(|(_, list)| list.id.to_string()).unwrap_or_default(),
            show: text(show.map(|show| show.id)),
            episode: text(episode.map(|key| world.episodes[key].id)),
            audiobook: text(book.map(|book| book.id)),
            chapter: text(chapter.map(|key| world.chapters[key].id)),
            category: world
                .categories
                .first()
                .map(|category| category.id.clone())
                .unwrap_or_default(),
            user: user(0),
            other_user: user(2),
            device: first_device,
            fixed_volume_device: second_device,
        }
    }
}
