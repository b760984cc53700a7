//! How a mock is set up.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::Router;
use tokio::{net::TcpListener, sync::watch};

use crate::{
    accounts::{App, Apps, Auth, Consent, RefreshPolicy},
    api::table::is_operation,
    clock::Clock,
    faults::RandomFaults,
    render::TrackCache,
    server::{
        exchange::answer,
        listener::{BreakableListener, ConnectionHandle},
        mock::MockSpotify,
        shared::Shared,
    },
    settings::{Mode, PlaylistFields, Settings},
    state::{EarlyRetryPolicy, Limits, RateLimiter, State, WorldIds},
    world::{Rng, custom, generate},
};

/// Sets up a [`MockSpotify`]. Made by [`MockSpotify::builder`].
#[derive(Clone, Debug)]
#[must_use = "a mock does nothing until it is started"]
pub struct MockBuilder {
    /// The application that is there without being asked for.
    app: App,
    apps: Vec<App>,
    seed: u64,
    world: custom::World,
    address: IpAddr,
    port: u16,
    host: Option<String>,
    latency: Duration,
    limits: Limits,
    random_faults: Option<RandomFaults>,
    consent: Consent,
    refresh: RefreshPolicy,
    premium: bool,
    vague_player: bool,
    idle: bool,
    frozen: bool,
}

impl MockBuilder {
    pub(crate) fn new() -> Self {
        Self {
            app: App::new("mock"),
            apps: Vec::new(),
            seed: 7,
            world: custom::World::new(),
            address: Ipv4Addr::LOCALHOST.into(),
            port: 0,
            host: None,
            latency: Duration::ZERO,
            limits: Limits::default(),
            random_faults: None,
            consent: Consent::Grant,
            refresh: RefreshPolicy::Omit,
            premium: true,
            vague_player: false,
            idle: false,
            frozen: false,
        }
    }

    /// The access mode of the application. Default: [`Mode::Development`].
    pub fn mode(mut self, mode: Mode) -> Self {
        self.app = self.app.mode(mode);
        self
    }

    /// What the world is made from. The same seed makes the same world, ids, credentials and
    /// tokens. Default: 7.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Adds music, users and playlists of one's own to the made-up world, and chooses what the
    /// default user has saved. Default: nothing is added.
    pub fn world(mut self, world: custom::World) -> Self {
        self.world = world;
        self
    }

    /// Registers a further application. [`mode`](Self::mode), [`closed_2024`](Self::closed_2024),
    /// [`playlist_fields`](Self::playlist_fields) and [`redirect_uri`](Self::redirect_uri) are
    /// those of the one that is there anyhow, whose name is `mock`.
    pub fn app(mut self, app: App) -> Self {
        self.apps.push(app);
        self
    }

    /// The address to listen at. Default: 127.0.0.1, which only programs of this machine reach.
    pub fn bind(mut self, address: IpAddr) -> Self {
        self.address = address;
        self
    }

    /// The name by which clients reach the machine, for the links in answers. Default: the
    /// address it listens at, or 127.0.0.1 if it listens at all of them.
    pub fn host(mut self, name: impl Into<String>) -> Self {
        self.host = Some(name.into());
        self
    }

    /// The port. Default: one that is free. Links in answers contain it, so that
    /// two runs give the same bytes only on the same port.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// How long every answer takes, on tokio's clock. Default: no time.
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// How many calls of the API each application may make in a [`window`](Self::window). Those
    /// beyond it are answered with 429 and `Retry-After`. Default: any number.
    pub fn rate_limit(mut self, calls: usize) -> Self {
        self.limits.calls = Some(calls);
        self
    }

    /// The time of the mock's clock in which calls are counted. Default: 30 seconds, as at
    /// Spotify.
    pub fn window(mut self, window: Duration) -> Self {
        self.limits.window = window;
        self
    }

    /// How many calls of one operation each application may make in a window, as Spotify limits
    /// `upload-custom-playlist-cover`. Default: as many as of any other.
    pub fn operation_limit(mut self, operation: impl Into<String>, calls: usize) -> Self {
        self.limits.operations.push((operation.into(), calls));
        self
    }

    /// How many calls a day, from the first one on, a developer account may make of operations
    /// that belong together, with all its applications in Development Mode. Those beyond it are
    /// answered with 429, `QUOTA_EXCEEDED` and a `Retry-After` of hours. Operations belong
    /// together that have the same words in their paths: the albums of any artist, but not the
    /// artists themselves. Default: any number.
    pub fn quota(mut self, calls: usize) -> Self {
        self.limits.quota = Some(calls);
        self
    }

    /// What becomes of calls that are made although they were told to wait. Default:
    /// [`EarlyRetryPolicy::Forgive`].
    pub fn early_retries(mut self, policy: EarlyRetryPolicy) -> Self {
        self.limits.early_retries = policy;
        self
    }

    /// Troubles that happen by chance. Default: none.
    pub fn random_faults(mut self, faults: RandomFaults) -> Self {
        self.random_faults = Some(faults);
        self
    }

    /// Under which names playlists show what is in them. Default: the new ones in Development
    /// Mode, both in Extended Quota Mode.
    pub fn playlist_fields(mut self, fields: PlaylistFields) -> Self {
        self.app = self.app.playlist_fields(fields);
        self
    }

    /// What the user does when asked for consent. Default: [`Consent::Grant`].
    pub fn consent(mut self, consent: Consent) -> Self {
        self.consent = consent;
        self
    }

    /// What a refresh answers about the refresh token. Default: [`RefreshPolicy::Omit`].
    pub fn refresh(mut self, policy: RefreshPolicy) -> Self {
        self.refresh = policy;
        self
    }

    /// Registers another redirect URI, besides `http://127.0.0.1/callback`,
    /// `http://[::1]/callback` and `https://example.com/callback`.
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.app = self.app.redirect_uri(uri);
        self
    }

    /// Whether the application is too young for what Spotify closed on 2024-11-27. Default: it
    /// is in Development Mode, and is not in Extended Quota Mode.
    pub fn closed_2024(mut self, closed: bool) -> Self {
        self.app = self.app.closed_2024(closed);
        self
    }

    /// Whether the user pays, without which the player takes no commands. Default: yes.
    pub fn premium(mut self, premium: bool) -> Self {
        self.premium = premium;
        self
    }

    /// Whether a command that the player's state forbids is refused with the reason `UNKNOWN`,
    /// as many real players do whatever the reason is. `NO_ACTIVE_DEVICE` and `PREMIUM_REQUIRED`
    /// are named all the same. Default: each has a reason of its own.
    pub fn vague_player(mut self, vague: bool) -> Self {
        self.vague_player = vague;
        self
    }

    /// Whether nothing plays and no device is active when the mock starts. Default: something
    /// plays.
    pub fn idle(mut self, idle: bool) -> Self {
        self.idle = idle;
        self
    }

    /// Stops the mock's clock, so that it moves by [`MockSpotify::advance`] only and what plays
    /// does not play on. For recordings. A client that waits for its `Retry-After` would wait in
    /// vain. Default: the clock runs.
    pub fn frozen_clock(mut self) -> Self {
        self.frozen = true;
        self
    }

    /// Starts the mock in the present tokio runtime, in which its tasks live.
    ///
    /// # Errors
    ///
    /// If the port cannot be bound, something in one's own world is wrong, an application could not be registered at Spotify, or an
    /// operation that was named does not exist (`InvalidInput`).
    pub async fn start(self) -> io::Result<MockSpotify> {
        self.check_operations()?;
        let mut world = generate(self.seed);
        self.world.add_catalogue(&mut world)?;
        let mut rng = Rng::new(self.seed, "accounts");
        let apps = Apps::register(self.app, self.apps, &world, &mut rng)?;
        let listener = TcpListener::bind((self.address, self.port)).await.map_err(|error| {
            let address = SocketAddr::new(self.address, self.port);
            io::Error::new(error.kind(), format!("{address}: {error}"))
        })?;
        let accounts_url = address(listener.local_addr()?, self.host.as_deref());
        let auth = Auth::new(rng, world.listener(), self.consent, self.refresh);
        let clock = Clock::new(self.frozen);
        let mut state = State::new(&world, clock, auth, RateLimiter::new(self.limits));
        state.faults.leave_to_chance(self.random_faults);
        self.world.add_library(&world, &mut state)?;
        let ids = WorldIds::new(&world, &mut state);
        self.world.add_playlists(&world, &mut state)?;
        if self.idle {
            let now = state.clock.now();
            let player = &mut state.account(&world, world.listener(), now).player;
            player.set_playing(false, now);
            player.active = None;
        }
        let settings = Settings {
            premium: self.premium,
            vague_player: self.vague_player,
            api_url: format!("{accounts_url}/v1"),
        };
        let (stop, stopped) = watch::channel(false);
        let shared = Arc::new(Shared {
            world,
            apps,
            settings,
            track_cache: TrackCache::new(),
            latency: self.latency,
            state: Mutex::new(state),
            stopped: stopped.clone(),
        });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let server = axum::serve(
            BreakableListener(listener),
            router.into_make_service_with_connect_info::<ConnectionHandle>(),
        );
        let mut stopped = stopped;
        let server = server.with_graceful_shutdown(async move {
            // An error means that the mock was dropped, which stops it as well.
            let _ = stopped.wait_for(|stopped| *stopped).await;
        });
        let task = tokio::spawn(async move { server.await });
        Ok(MockSpotify::new(shared, ids, accounts_url, stop, task))
    }

    /// A misspelt operation would wait in vain for its trouble or its limit.
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

/// The address by which clients reach the mock.
fn address(local: SocketAddr, host: Option<&str>) -> String {
    match host {
        Some(host) => format!("http://{host}:{}", local.port()),
        None if local.ip().is_unspecified() => format!("http://127.0.0.1:{}", local.port()),
        None => format!("http://{local}"),
    }
}
