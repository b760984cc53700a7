//! How a mock is set up.

use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::accounts::{Auth, Consent, RefreshPolicy, is_secure};
use crate::call::{Mode, Settings};
use crate::clock::Clock;
use crate::exchange::{Shared, answer};
use crate::limits::RateLimiter;
use crate::listener::{BreakableListener, Line};
use crate::server::MockSpotify;
use crate::state::State;
use crate::world::World;
use crate::world_ids::WorldIds;

/// Sets up a [`MockSpotify`]. Made by [`MockSpotify::builder`].
#[derive(Clone, Debug)]
#[must_use = "a mock does nothing until it is started"]
pub struct MockBuilder {
    mode: Mode,
    seed: u64,
    port: u16,
    latency: Duration,
    rate_limit: Option<usize>,
    consent: Consent,
    refresh: RefreshPolicy,
    redirect_uris: Vec<String>,
    closed_2024: Option<bool>,
    premium: bool,
    vague_player: bool,
    idle: bool,
    frozen: bool,
}

impl MockBuilder {
    pub(crate) fn new() -> Self {
        Self {
            mode: Mode::Development,
            seed: 7,
            port: 0,
            latency: Duration::ZERO,
            rate_limit: None,
            consent: Consent::Grant,
            refresh: RefreshPolicy::Omit,
            redirect_uris: Vec::new(),
            closed_2024: None,
            premium: true,
            vague_player: false,
            idle: false,
            frozen: false,
        }
    }

    /// The access mode of the application. Default: [`Mode::Development`].
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// What the world is made from. The same seed makes the same world, ids, credentials and
    /// tokens. Default: 7.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The port on 127.0.0.1. Default: one that is free. Links in answers contain it, so that
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

    /// How many calls of the API the application may make in any 30 seconds of the mock's clock.
    /// Those beyond it are answered with 429 and `Retry-After`. Default: any number.
    pub fn rate_limit(mut self, calls: usize) -> Self {
        self.rate_limit = Some(calls);
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
        self.redirect_uris.push(uri.into());
        self
    }

    /// Whether the application is too young for what Spotify closed on 2024-11-27. Default: it
    /// is in Development Mode, and is not in Extended Quota Mode.
    pub fn closed_2024(mut self, closed: bool) -> Self {
        self.closed_2024 = Some(closed);
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
    /// If the port cannot be bound, or a redirect URI could not be registered at Spotify
    /// (`InvalidInput`).
    pub async fn start(self) -> io::Result<MockSpotify> {
        if let Some(uri) = self.redirect_uris.iter().find(|uri| !is_secure(uri)) {
            let message =
                format!("redirect URI {uri}: must be https, or http on a loopback IP address");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).await;
        let listener = listener.map_err(|error| {
            io::Error::new(error.kind(), format!("127.0.0.1:{}: {error}", self.port))
        })?;
        let accounts_url = format!("http://{}", listener.local_addr()?);
        let world = World::new(self.seed);
        let mut auth = Auth::new(self.seed, self.consent, self.refresh);
        auth.app.redirect_uris.extend(self.redirect_uris);
        let clock = Clock::new(self.frozen);
        let mut state = State::new(&world, clock, auth, RateLimiter::new(self.rate_limit));
        let ids = WorldIds::new(&world, &mut state);
        if self.idle {
            let now = state.clock.now();
            let player = &mut state.account(&world, world.listener(), now).player;
            player.set_playing(false, now);
            player.active = None;
        }
        let settings = Settings {
            mode: self.mode,
            closed_2024: self.closed_2024.unwrap_or(self.mode == Mode::Development),
            premium: self.premium,
            vague_player: self.vague_player,
            api_url: format!("{accounts_url}/v1"),
        };
        let (stop, stopped) = watch::channel(false);
        let shared = Arc::new(Shared {
            world,
            settings,
            latency: self.latency,
            state: Mutex::new(state),
            stopped: stopped.clone(),
        });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let server = axum::serve(
            BreakableListener(listener),
            router.into_make_service_with_connect_info::<Line>(),
        );
        let mut stopped = stopped;
        let server = server.with_graceful_shutdown(async move {
            // An error means that the mock was dropped, which stops it as well.
            let _ = stopped.wait_for(|stopped| *stopped).await;
        });
        let task = tokio::spawn(async move { server.await });
        Ok(MockSpotify::new(shared, ids, accounts_url, stop, task))
    }
}
