//! Configures and starts a mock.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, OnceLock},
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

/// Configures a [`MockSpotify`]. Created by [`MockSpotify::builder`].
#[derive(Clone, Debug)]
#[must_use = "a mock does nothing until it is started"]
pub struct MockBuilder {
    /// The default application, named `mock`.
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
    null_values: bool,
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
            null_values: false,
            idle: false,
            frozen: false,
        }
    }

    /// Access mode of the default application. Default: [`Mode::Development`].
    pub fn mode(mut self, mode: Mode) -> Self {
        self.app = self.app.mode(mode);
        self
    }

    /// Seed of the generated world. The same seed gives the same world, ids, credentials and
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

    /// Registers another application. [`mode`](Self::mode), [`closed_2024`](Self::closed_2024),
    /// [`playlist_fields`](Self::playlist_fields) and [`redirect_uri`](Self::redirect_uri) of
    /// this builder configure the default application, whose name is `mock`.
    pub fn app(mut self, app: App) -> Self {
        self.apps.push(app);
        self
    }

    /// Address to listen on. Default: 127.0.0.1, which only programs on this machine reach.
    pub fn bind(mut self, address: IpAddr) -> Self {
        self.address = address;
        self
    }

    /// Host name in the links of answers. Default: the address the mock listens on, or 127.0.0.1
    /// if it listens on all addresses.
    pub fn host(mut self, name: impl Into<String>) -> Self {
        self.host = Some(name.into());
        self
    }

    /// Port to listen on. Default: a free port. Links in answers contain the port, so two runs
    /// give the same bytes only on the same port.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Delay before every answer, on tokio's clock. Default: zero.
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// Maximum number of API calls an application may make in a [`window`](Self::window). Further
    /// calls are answered with 429 and `Retry-After`. Default: no limit.
    pub fn rate_limit(mut self, calls: usize) -> Self {
        self.limits.calls = Some(calls);
        self
    }

    /// Length of the rate limit's window on the mock's clock. Default: 30 seconds, as at Spotify.
    pub fn window(mut self, window: Duration) -> Self {
        self.limits.window = window;
        self
    }

    /// Maximum number of calls of one operation an application may make in a window. Spotify has
    /// such a limit for `upload-custom-playlist-cover`. Default: no limit.
    pub fn operation_limit(mut self, operation: impl Into<String>, calls: usize) -> Self {
        self.limits.operations.push((operation.into(), calls));
        self
    }

    /// Maximum number of calls a day that a developer account may make of one group of operations,
    /// with all its applications in Development Mode together. The day starts with the first call.
    /// Further calls are answered with 429, `QUOTA_EXCEEDED` and a `Retry-After` of hours.
    /// Operations form a group if their paths have the same words: the albums of any artist are
    /// one group, the artists another. Default: no limit.
    pub fn quota(mut self, calls: usize) -> Self {
        self.limits.quota = Some(calls);
        self
    }

    /// Treatment of calls that are made before their `Retry-After` has passed. Default:
    /// [`EarlyRetryPolicy::Forgive`].
    pub fn early_retries(mut self, policy: EarlyRetryPolicy) -> Self {
        self.limits.early_retries = policy;
        self
    }

    /// Faults that happen at random. Default: none.
    pub fn random_faults(mut self, faults: RandomFaults) -> Self {
        self.random_faults = Some(faults);
        self
    }

    /// Field names of playlist contents for the default application. Default: the new names in
    /// Development Mode, both in Extended Quota Mode.
    pub fn playlist_fields(mut self, fields: PlaylistFields) -> Self {
        self.app = self.app.playlist_fields(fields);
        self
    }

    /// The user's decision at sign-in. Default: [`Consent::Grant`].
    pub fn consent(mut self, consent: Consent) -> Self {
        self.consent = consent;
        self
    }

    /// The refresh token in the answer to a refresh. Default: [`RefreshPolicy::Omit`].
    pub fn refresh(mut self, policy: RefreshPolicy) -> Self {
        self.refresh = policy;
        self
    }

    /// Registers another redirect URI for the default application, besides
    /// `http://127.0.0.1/callback`,
    /// `http://[::1]/callback` and `https://example.com/callback`.
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.app = self.app.redirect_uri(uri);
        self
    }

    /// Whether the default application lacks the operations that Spotify closed on 2024-11-27.
    /// Default: yes in Development Mode, no in Extended Quota Mode.
    pub fn closed_2024(mut self, closed: bool) -> Self {
        self.app = self.app.closed_2024(closed);
        self
    }

    /// Whether the users have Premium. Without it the player refuses all commands. Default: yes.
    pub fn premium(mut self, premium: bool) -> Self {
        self.premium = premium;
        self
    }

    /// Whether the player gives the reason `UNKNOWN` for every refused command, as many real
    /// players do. `NO_ACTIVE_DEVICE` and `PREMIUM_REQUIRED` are still given. Default: each
    /// refusal gives its own reason.
    pub fn vague_player(mut self, vague: bool) -> Self {
        self.vague_player = vague;
        self
    }

    /// Whether answers contain null values that real answers sometimes contain: `null` in place of
    /// playlists that Spotify hides, in the user's list and in search results, and a device
    /// without id and volume. Default: hidden playlists are left out, all devices have an id.
    pub fn null_values(mut self, nulls: bool) -> Self {
        self.null_values = nulls;
        self
    }

    /// Whether the mock starts without playback and without an active device. Default: a track
    /// plays.
    pub fn idle(mut self, idle: bool) -> Self {
        self.idle = idle;
        self
    }

    /// Stops the mock's clock: it moves only by [`MockSpotify::advance`], and playback does not
    /// progress. Useful for recordings. A client that waits for its `Retry-After` is refused
    /// again. Default: the clock runs.
    pub fn frozen_clock(mut self) -> Self {
        self.frozen = true;
        self
    }

    /// Starts the mock. Its tasks run in the current tokio runtime.
    ///
    /// # Errors
    ///
    /// - the port cannot be bound: the error of the operating system;
    /// - the custom world, an application, or the name of an operation is invalid: `InvalidInput`.
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
        state.faults.set_random(self.random_faults);
        self.world.add_library(&world, &mut state)?;
        let ids = WorldIds::new(&world, &mut state);
        self.world.add_playlists(&world, &mut state)?;
        if self.null_values {
            let now = state.clock.now();
            let devices = &mut state.account(&world, world.listener(), now).player.devices;
            if let Some(device) = devices.last_mut() {
                device.id = None;
                device.volume = None;
            }
        }
        if self.idle {
            let now = state.clock.now();
            let player = &mut state.account(&world, world.listener(), now).player;
            player.set_playing(false, now);
            player.active = None;
        }
        let settings = Settings {
            premium: self.premium,
            vague_player: self.vague_player,
            null_values: self.null_values,
            api_url: format!("{accounts_url}/v1"),
        };
        let (stop, stopped) = watch::channel(false);
        let shared = Arc::new(Shared {
            world,
            apps,
            settings,
            track_cache: TrackCache::new(),
            search_index: OnceLock::new(),
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

    /// Checks the operation names of limits and faults: a misspelt one would never match.
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
