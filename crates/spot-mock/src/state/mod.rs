//! What changes while the mock runs: libraries, playlists, players, tokens, counts.

mod history;
mod library;
mod player;
mod playlist;
mod restriction;
mod seed;

use std::collections::HashMap;

pub(crate) use history::{HISTORY_LENGTH, History, Play};
pub(crate) use library::{Library, ListSlot, Saved, Shelf};
pub(crate) use player::{Context, ContextKind, Playable, Player, Repeat};
pub(crate) use playlist::{Item, LocalFile, PLAYLIST_CAPACITY, Playlist, PlaylistEntry, Playlists};
pub(crate) use restriction::{Command, Restriction};

use crate::accounts::Auth;
use crate::clock::{Clock, Moment};
use crate::faults::Faults;
use crate::limits::RateLimiter;
use crate::log::RequestLog;
use crate::world::{Key, User, World};

/// All that is behind the mock's one lock.
pub(crate) struct State {
    pub(crate) clock: Clock,
    pub(crate) auth: Auth,
    pub(crate) playlists: Playlists,
    accounts: HashMap<Key<User>, Account>,
    pub(crate) faults: Faults,
    pub(crate) log: RequestLog,
    pub(crate) limiter: RateLimiter,
}

/// What one user has, follows and plays.
#[derive(Debug, Default)]
pub(crate) struct Account {
    pub(crate) library: Library,
    pub(crate) player: Player,
    pub(crate) history: History,
}

impl State {
    pub(crate) fn new(world: &World, clock: Clock, auth: Auth, limiter: RateLimiter) -> Self {
        let mut playlists = Playlists::default();
        let listener = seed::listener(world, &mut playlists);
        Self {
            clock,
            auth,
            playlists,
            accounts: HashMap::from([(world.listener(), listener)]),
            faults: Faults::default(),
            log: RequestLog::default(),
            limiter,
        }
    }

    /// The account of a user, brought up to the present: what was playing has played on.
    pub(crate) fn account(&mut self, world: &World, user: Key<User>, now: Moment) -> &mut Account {
        let account = self.accounts.entry(user).or_default();
        account.player.settle(world, &mut account.history, now);
        account
    }

    /// The player of a user as it was last settled.
    pub(crate) fn player(&self, user: Key<User>) -> Option<&Player> {
        self.accounts.get(&user).map(|account| &account.player)
    }
}
