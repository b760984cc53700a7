//! The initial account of the default user, and the initial playlists.

use std::time::Duration;

use crate::{
    clock::{Moment, START},
    state::{
        account::Account,
        history::{HISTORY_LENGTH, History, Play},
        library::{Library, ListSlot, SavedList},
        playback::{Context, ContextKind, Playable},
        player::Player,
        playlist::{Item, LocalFile, Playlist, PlaylistEntry, Playlists},
    },
    world::{Arena, Device, Key, Name, Rng, User, World},
};

const SAVED_TRACKS: usize = 2_345;
const SAVED_ALBUMS: usize = 130;
const SAVED_SHOWS: usize = 14;
const SAVED_EPISODES: usize = 70;
const SAVED_AUDIOBOOKS: usize = 9;
const FOLLOWED_ARTISTS: usize = 66;
const HOUR: i64 = 60 * 60;

/// Builds the account of the default user, and the playlists of all users.
pub(super) fn listener(world: &World, playlists: &mut Playlists) -> Account {
    if !world.generated {
        return Account { player: silent_player(), ..Account::default() };
    }
    let mine = build_playlists(world, playlists);
    Account {
        library: library(world, mine),
        player: player(world),
        history: History::new(plays(world)),
        ..Account::default()
    }
}

fn library(world: &World, playlists: Vec<ListSlot>) -> Library {
    let mut rng = Rng::new(world.seed, "library");
    let users = world.users.keys().skip(1).take(2).map(|user| (user, START)).collect();
    Library {
        tracks: shelf(&world.tracks, SAVED_TRACKS, &mut rng),
        albums: shelf(&world.albums, SAVED_ALBUMS, &mut rng),
        shows: shelf(&world.shows, SAVED_SHOWS, &mut rng),
        episodes: shelf(&world.episodes, SAVED_EPISODES, &mut rng),
        audiobooks: shelf(&world.audiobooks, SAVED_AUDIOBOOKS, &mut rng),
        artists: shelf(&world.artists, FOLLOWED_ARTISTS, &mut rng),
        users: SavedList::new(users),
        playlists,
    }
}

/// Returns `count` different saved entries, each saved at a different time.
///
/// Splits the arena into equal parts and chooses one entry from each part, so that no entry is
/// chosen twice.
fn shelf<T>(arena: &Arena<T>, count: usize, rng: &mut Rng) -> SavedList<T> {
    let part = (arena.len() as usize / count).max(1);
    let mut at = START.minus_seconds(HOUR);
    let mut saved = Vec::with_capacity(count);
    for place in 0..count {
        let within = rng.next() % u64::try_from(part).unwrap_or(1);
        let key = arena.some(u64::try_from(place * part).unwrap_or(0) + within);
        saved.push((key, at));
        at = at.minus_seconds(i64::from(rng.between(1, 30 * 3_600)));
    }
    SavedList::new(saved)
}

/// A player with three devices and without playback.
fn silent_player() -> Player {
    let devices = vec![
        Device::new("spotmockdevice01", "Desk").kind("Computer").volume(65),
        Device::new("spotmockdevice02", "Pocket").kind("Smartphone").volume(100).fixed_volume(),
        Device::new("spotmockdevice03", "Kitchen").restricted(),
    ];
    let mut player = Player::default();
    player.devices = devices;
    player
}

fn player(world: &World) -> Player {
    let album = &world.albums[world.albums.some(0)];
    let tracks = album.tracks().map(Playable::Track).collect();
    let context = Context { kind: ContextKind::Album, id: album.id.to_string() };
    let mut player = silent_player();
    player.active = Some(0);
    player.start(Some(context), tracks, 2, Duration::from_secs(31), START);
    player
}

fn plays(world: &World) -> Vec<Play> {
    let mut rng = Rng::new(world.seed, "history");
    let mut at = START.minus_seconds(HOUR);
    let play = |place: usize| {
        let track = world.tracks.some(rng.next());
        let album = &world.albums[world.tracks[track].album];
        let context = Context { kind: ContextKind::Album, id: album.id.to_string() };
        let played_at = Moment::from_millis(at.millis() + i64::from(rng.between(0, 999)));
        at = at.minus_seconds(i64::from(rng.between(150, 3_600)));
        // Every sixth play has no context.
        Play { track, played_at, context: (place % 6 != 5).then_some(context) }
    };
    (0..HISTORY_LENGTH).map(play).collect()
}

/// Creates the playlists of all users, and returns the list of the default user.
fn build_playlists(world: &World, playlists: &mut Playlists) -> Vec<ListSlot> {
    let mut maker = PlaylistMaker { world, playlists, rng: Rng::new(world.seed, "playlists") };
    let me = world.listener();
    let others: Vec<_> = world.users.keys().filter(|user| !maker.is_special(*user)).collect();
    let other = |place: usize| others.get(place % others.len().max(1)).copied().unwrap_or(me);

    let mut mine = vec![
        maker.make(me, 250),
        maker.make_with(me, 120, |list, _| list.public = false),
        maker.make_with(me, 0, |list, _| list.name = "Empty so far".to_owned()),
        maker.make_with(me, 12, |list, rng| put_local_files(&mut list.entries, rng)),
        maker.make_with(me, 20, |list, rng| put_episodes(world, &mut list.entries, rng)),
        maker.make_with(me, 15, |list, _| wear_out(&mut list.entries)),
        maker.make_with(me, 40, |list, _| share(list, &[other(0), other(1)])),
        maker.make_with(other(2), 60, |list, _| share(list, &[me])),
        maker.make_with(other(3), 35, |list, _| share(list, &[me, other(0)])),
    ];
    for place in 0..48 {
        let owner = if place % 2 == 0 { me } else { other(place / 2) };
        let count = maker.rng.between(3, 90);
        mine.push(maker.make(owner, count));
    }
    for place in 0..16 {
        maker.make(other(place), 25);
    }
    let spotify = world.spotify();
    for _ in 0..24 {
        maker.make_with(spotify, 50, |list, _| {
            list.id = list.id.with_prefix("37i9dQZF1DX");
            list.editorial = true;
        });
    }
    let mut slots: Vec<_> = mine.into_iter().map(ListSlot::Playlist).collect();
    for place in [11, 26, 43] {
        slots.insert(place, ListSlot::Hidden);
    }
    slots
}

struct PlaylistMaker<'a> {
    world: &'a World,
    playlists: &'a mut Playlists,
    rng: Rng,
}

impl PlaylistMaker<'_> {
    fn is_special(&self, user: Key<User>) -> bool {
        user == self.world.listener() || user == self.world.spotify()
    }

    fn make(&mut self, owner: Key<User>, count: u32) -> Key<Playlist> {
        self.make_with(owner, count, |_, _| {})
    }

    /// Creates a playlist of `count` tracks, passes it to a closure, and then adds it.
    fn make_with(
        &mut self,
        owner: Key<User>,
        count: u32,
        finish: impl FnOnce(&mut Playlist, &mut Rng),
    ) -> Key<Playlist> {
        let id = self.playlists.fresh_id();
        let name = Name::playlist(&mut self.rng).to_string();
        let mut list = Playlist::new(id, name, owner);
        list.followers = self.rng.between(0, 400);
        list.description = Some(String::new());
        let mut at = START.minus_seconds(i64::from(self.rng.between(300, 900)) * 24 * HOUR);
        for _ in 0..count {
            at = at.minus_seconds(-i64::from(self.rng.between(20, 7_000)));
            let item = Item::Track(self.world.tracks.some(self.rng.next()));
            list.entries.push(PlaylistEntry { item, added: Some((at, owner)) });
        }
        finish(&mut list, &mut self.rng);
        self.playlists.add(list)
    }
}

fn share(list: &mut Playlist, with: &[Key<User>]) {
    list.public = false;
    list.collaborative = true;
    list.collaborators = with.to_vec();
    for (entry, who) in list.entries.iter_mut().skip(1).step_by(3).zip(with.iter().cycle()) {
        entry.added = entry.added.map(|(at, _)| (at, *who));
    }
}

fn put_local_files(entries: &mut [PlaylistEntry], rng: &mut Rng) {
    for (place, entry) in entries.iter_mut().skip(1).step_by(3).enumerate() {
        let tag = |rng: &mut Rng| Name::title(rng).to_string();
        let file = LocalFile {
            // The first file has only a title, like files without tags.
            artist: if place == 0 { String::new() } else { Name::artist(rng).to_string() },
            album: if place == 0 { String::new() } else { tag(rng) },
            title: tag(rng),
            seconds: rng.between(90, 500),
        };
        entry.item = Item::Local(Box::new(file));
    }
}

fn put_episodes(world: &World, entries: &mut [PlaylistEntry], rng: &mut Rng) {
    for entry in entries.iter_mut().skip(2).step_by(3) {
        entry.item = Item::Episode(world.episodes.some(rng.next()));
    }
}

/// Replaces the fifth entry with a removed item, and removes `added_at` from the first two entries.
/// Old playlists at Spotify contain such entries.
fn wear_out(entries: &mut [PlaylistEntry]) {
    for entry in entries.iter_mut().take(2) {
        entry.added = None;
    }
    if let Some(entry) = entries.get_mut(4) {
        entry.item = Item::Removed;
    }
}
