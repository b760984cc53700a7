//! The mutable state of a mock.

use std::collections::HashMap;

use crate::{
    accounts::Auth,
    clock::{Clock, Moment},
    faults::Faults,
    http::log::RequestLog,
    state::{account::Account, limits::RateLimiter, player::Player, playlist::Playlists, seed},
    world::{Key, User, World},
};

/// The mutable state of an instance, protected by its lock.
pub(crate) struct State {
    pub(crate) clock: Clock,
    pub(crate) auth: Auth,
    pub(crate) playlists: Playlists,
    accounts: HashMap<Key<User>, Account>,
    pub(crate) faults: Faults,
    pub(crate) log: RequestLog,
    pub(crate) limiter: RateLimiter,
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

    /// Updates the playback of a user to the current time, and returns the account of the user.
    pub(crate) fn account(&mut self, world: &World, user: Key<User>, now: Moment) -> &mut Account {
        let account = self.accounts.entry(user).or_default();
        account.player.settle(world, &mut account.history, now);
        account
    }

    /// The player of a user, in the state of its last update.
    pub(crate) fn player(&self, user: Key<User>) -> Option<&Player> {
        self.accounts.get(&user).map(|account| &account.player)
    }
}
