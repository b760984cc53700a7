//! The settings from which an instance is built. The settings are used when the mock starts, when
//! it is reset, and when an isolated instance is created.

use std::{io, sync::OnceLock};

use crate::{
    accounts::{App, Apps, Auth, Consent, RefreshPolicy},
    api::table::is_operation,
    clock::Clock,
    faults::RandomFaults,
    render::TrackCache,
    server::content::Content,
    state::{Limits, RateLimiter, State, WorldIds},
    world::{Rng, bare, custom, generate},
};

/// All settings that determine the content and the first state of an instance.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    /// The default application, named `mock`.
    pub(crate) app: App,
    pub(crate) apps: Vec<App>,
    pub(crate) seed: u64,
    pub(crate) world: custom::World,
    pub(crate) limits: Limits,
    pub(crate) random_faults: Option<RandomFaults>,
    pub(crate) consent: Consent,
    pub(crate) refresh: RefreshPolicy,
    pub(crate) premium: bool,
    pub(crate) vague_player: bool,
    pub(crate) null_values: bool,
    pub(crate) idle: bool,
    pub(crate) frozen: bool,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            app: App::new("mock"),
            apps: Vec::new(),
            seed: 7,
            world: custom::World::new(),
            limits: Limits::default(),
            random_faults: None,
            consent: Consent::Grant,
            refresh: RefreshPolicy::Omit,
            premium: true,
            vague_player: false,
            null_values: false,
            idle: false,
            frozen: false,
        }
    }
}

impl Recipe {
    /// Generates the test data and registers the applications.
    pub(crate) fn content(&self) -> io::Result<Content> {
        self.check_operations()?;
        let mut world = if self.world.generated { generate(self.seed) } else { bare(self.seed) };
        self.world.add_catalogue(&mut world)?;
        let mut rng = Rng::new(self.seed, "accounts");
        let apps = Apps::register(self.app.clone(), self.apps.clone(), &world, &mut rng)?;
        Ok(Content {
            world,
            apps,
            rng,
            track_cache: TrackCache::new(),
            search_index: OnceLock::new(),
        })
    }

    /// Builds the initial state, and collects ids of the test data.
    pub(crate) fn state(&self, content: &Content) -> io::Result<(State, WorldIds)> {
        let world = &content.world;
        let auth = Auth::new(content.rng.clone(), world.listener(), self.consent, self.refresh);
        let limiter = RateLimiter::new(self.limits.clone());
        let mut state = State::new(world, Clock::new(self.frozen), auth, limiter);
        state.faults.set_random(self.random_faults.clone());
        self.world.add_library(world, &mut state)?;
        let ids = WorldIds::new(world, &mut state);
        self.world.add_playlists(world, &mut state)?;
        let now = state.clock.now();
        let player = &mut state.account(world, world.listener(), now).player;
        if self.null_values
            && let Some(device) = player.devices.last_mut()
        {
            device.id = None;
            device.volume = None;
        }
        if self.idle {
            player.set_playing(false, now);
            player.active = None;
        }
        Ok((state, ids))
    }

    /// Checks the operation names of limits and faults, since a misspelt name would never match.
    fn check_operations(&self) -> io::Result<()> {
        let limited = self.limits.operations.iter().map(|(name, _)| ("operation_limit", name));
        let faulty = self.random_faults.iter().flat_map(|faults| &faults.operations);
        let faulty = faulty.map(|name| ("random_faults", name));
        match limited.chain(faulty).find(|(_, name)| !is_operation(name)) {
            Some((setting, name)) => {
                let message = format!("{setting}: {name} is not an operation of the Web API");
                Err(io::Error::new(io::ErrorKind::InvalidInput, message))
            }
            None => Ok(()),
        }
    }
}
