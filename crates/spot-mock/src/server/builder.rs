//! Configures and starts a mock.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{Router, extract::connect_info::IntoMakeServiceWithConnectInfo};
#[cfg(feature = "fuzzing")]
use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use tokio::{net::TcpListener, sync::watch};

#[cfg(feature = "tls")]
use crate::server::tls;
use crate::{
    accounts::{App, Consent, RefreshPolicy},
    faults::RandomFaults,
    server::{
        content::Content,
        exchange::answer,
        instance::Instance,
        listener::{BreakableListener, ConnectionHandle},
        mock::MockSpotify,
        recipe::Recipe,
        site::Site,
    },
    settings::{Mode, PlaylistFields},
    state::EarlyRetryPolicy,
    world::custom,
};

/// Configures a [`MockSpotify`]. Created by [`MockSpotify::builder`].
#[derive(Clone, Debug)]
#[must_use = "a mock does nothing until it is started"]
pub struct MockBuilder {
    recipe: Recipe,
    address: IpAddr,
    port: u16,
    host: Option<String>,
    latency: Duration,
    control: Option<bool>,
    tls: bool,
}

impl MockBuilder {
    pub(crate) fn new() -> Self {
        Self {
            recipe: Recipe::default(),
            address: Ipv4Addr::LOCALHOST.into(),
            port: 0,
            host: None,
            latency: Duration::ZERO,
            control: None,
            tls: false,
        }
    }

    /// Access mode of the default application. Default: [`Mode::Development`].
    pub fn mode(mut self, mode: Mode) -> Self {
        self.recipe.app = self.recipe.app.mode(mode);
        self
    }

    /// Random seed of the generated test data. Two mocks with the same seed have the same test
    /// data, ids, credentials and tokens. Default: 7.
    pub fn seed(mut self, seed: u64) -> Self {
        self.recipe.seed = seed;
        self
    }

    /// Sets custom test data: music, users, playlists, and the library of the default user.
    /// Default: only the generated test data ([`World::new`](custom::World::new)).
    pub fn world(mut self, world: custom::World) -> Self {
        self.recipe.world = world;
        self
    }

    /// Registers another application. The name of the default application is `mock`. To configure
    /// the default application, use the methods [`mode`](Self::mode),
    /// [`closed_2024`](Self::closed_2024), [`playlist_fields`](Self::playlist_fields) and
    /// [`redirect_uri`](Self::redirect_uri) of this builder.
    pub fn app(mut self, app: App) -> Self {
        self.recipe.apps.push(app);
        self
    }

    /// Address to listen on. Default: 127.0.0.1, which only programs on this machine can reach.
    pub fn bind(mut self, address: IpAddr) -> Self {
        self.address = address;
        self
    }

    /// Host name in the links of responses. Default: the address that the mock listens on, or
    /// 127.0.0.1 if it listens on all addresses.
    pub fn host(mut self, name: impl Into<String>) -> Self {
        self.host = Some(name.into());
        self
    }

    /// Port to listen on. Default: a free port. The links in responses contain the port, so two
    /// runs give identical responses only on the same port.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Whether the control interface below `/_mock` is enabled. By default, the interface is
    /// enabled only on a loopback address, since it gives tokens to every client.
    #[cfg(feature = "control")]
    pub fn control(mut self, control: bool) -> Self {
        self.control = Some(control);
        self
    }

    /// Serves HTTPS with a certificate that the mock generates at startup. The certificate is valid
    /// for the [`bind`](Self::bind) address, `localhost`, `api.spotify.com`, `accounts.spotify.com`
    /// and the [`host`](Self::host). Clients must trust the CA certificate that
    /// [`MockSpotify::authority_pem`] returns. Default: HTTP.
    #[cfg(feature = "tls")]
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// Delay before every response, on tokio's clock. Default: zero.
    pub fn latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// Maximum number of API calls per application within [`window`](Self::window). Calls above
    /// this maximum get a 429 with `Retry-After`. Default: no limit.
    pub fn rate_limit(mut self, calls: usize) -> Self {
        self.recipe.limits.calls = Some(calls);
        self
    }

    /// Period of the rate limit, on the mock's clock. Default: 30 seconds, as in the Web API.
    pub fn window(mut self, window: Duration) -> Self {
        self.recipe.limits.window = window;
        self
    }

    /// Maximum number of calls per application to one operation within [`window`](Self::window).
    /// Spotify has a separate rate limit for the operation `upload-custom-playlist-cover`. Default:
    /// no limit.
    pub fn operation_limit(mut self, operation: impl Into<String>, calls: usize) -> Self {
        self.recipe.limits.operations.push((operation.into(), calls));
        self
    }

    /// Maximum number of calls per day that a developer account may make to one group of
    /// operations. All Development Mode applications of the account share this quota. Each quota
    /// period lasts 24 hours, and starts with the first call after the previous period. Calls
    /// beyond the quota get a 429 with the reason `QUOTA_EXCEEDED`, and with a `Retry-After` of up
    /// to 24 hours. Two operations belong to the same group if their paths, with all ids removed,
    /// are equal. For example, all calls of `/artists/{id}/albums` belong to one group, and all
    /// calls of `/artists/{id}` belong to another group. Default: no limit.
    pub fn quota(mut self, calls: usize) -> Self {
        self.recipe.limits.quota = Some(calls);
        self
    }

    /// Policy for calls that a client sends before the time in `Retry-After` has passed. Default:
    /// [`EarlyRetryPolicy::Forgive`].
    pub fn early_retries(mut self, policy: EarlyRetryPolicy) -> Self {
        self.recipe.limits.early_retries = policy;
        self
    }

    /// Faults that happen at random. Default: none.
    pub fn random_faults(mut self, faults: RandomFaults) -> Self {
        self.recipe.random_faults = Some(faults);
        self
    }

    /// Whether the default application receives playlists with new field names (`items`), old field
    /// names (`tracks`), or both. Default: [`PlaylistFields::New`] in Development Mode, and
    /// [`PlaylistFields::Both`] in Extended Quota Mode.
    pub fn playlist_fields(mut self, fields: PlaylistFields) -> Self {
        self.recipe.app = self.recipe.app.playlist_fields(fields);
        self
    }

    /// The user's decision at sign-in. Default: [`Consent::Grant`].
    pub fn consent(mut self, consent: Consent) -> Self {
        self.recipe.consent = consent;
        self
    }

    /// The refresh token in the response to a refresh request. Default: [`RefreshPolicy::Omit`].
    pub fn refresh(mut self, policy: RefreshPolicy) -> Self {
        self.recipe.refresh = policy;
        self
    }

    /// Registers another redirect URI for the default application. `http://127.0.0.1/callback`,
    /// `http://[::1]/callback` and `https://example.com/callback` are always registered.
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.recipe.app = self.recipe.app.redirect_uri(uri);
        self
    }

    /// If true, the mock refuses all calls of the default application to operations that Spotify
    /// restricted on 2024-11-27. Default: true in Development Mode, false in Extended Quota Mode.
    pub fn closed_2024(mut self, closed: bool) -> Self {
        self.recipe.app = self.recipe.app.closed_2024(closed);
        self
    }

    /// Whether the users have Premium. Without Premium, the player refuses all commands. Default:
    /// yes.
    pub fn premium(mut self, premium: bool) -> Self {
        self.recipe.premium = premium;
        self
    }

    /// Whether the player gives the reason `UNKNOWN` for every refused command, as many real
    /// players do. The reasons `NO_ACTIVE_DEVICE` and `PREMIUM_REQUIRED` are never replaced by
    /// `UNKNOWN`. Default: each refused command gets its specific reason.
    pub fn vague_player(mut self, vague: bool) -> Self {
        self.recipe.vague_player = vague;
        self
    }

    /// Whether responses contain the `null` values that sometimes occur in real responses. If true,
    /// hidden playlists appear as `null` in the user's list and in search results. If true, one
    /// device has the id `null` and the volume `null`. Default: no.
    pub fn null_values(mut self, nulls: bool) -> Self {
        self.recipe.null_values = nulls;
        self
    }

    /// Whether the mock starts without playback and without an active device. Default: a track
    /// plays.
    pub fn idle(mut self, idle: bool) -> Self {
        self.recipe.idle = idle;
        self
    }

    /// Stops the mock's clock. Only [`MockSpotify::advance`] moves the clock, and playback
    /// progresses only then. Use a stopped clock to record responses that must be the same in every
    /// run. While the clock is stopped, the time in `Retry-After` passes only when `advance` moves
    /// the clock. Default: the mock's clock follows tokio's clock.
    pub fn frozen_clock(mut self) -> Self {
        self.recipe.frozen = true;
        self
    }

    /// Starts the mock. The tasks of the mock run in the current tokio runtime.
    ///
    /// # Errors
    ///
    /// - Fails with the error of the operating system if the port cannot be bound.
    /// - Fails with `InvalidInput` if the custom test data, an application, or the name of an
    ///   operation is invalid.
    pub async fn start(self) -> io::Result<MockSpotify> {
        // The recipe is checked before the port is bound.
        let content = self.recipe.content()?;
        let listener = TcpListener::bind((self.address, self.port)).await.map_err(|error| {
            let address = SocketAddr::new(self.address, self.port);
            io::Error::new(error.kind(), format!("{address}: {error}"))
        })?;
        let base_url = base_url(listener.local_addr()?, self.host.as_deref(), self.tls);
        #[cfg(feature = "tls")]
        let (tls, address, host) = (self.tls, self.address, self.host.clone());
        let Prepared { site, router, stop, stopped } = self.prepare(content, base_url)?;
        let listener = BreakableListener(listener);
        #[cfg(feature = "tls")]
        if tls {
            let (certificate, authority) = tls::certificate(address, host.as_deref())?;
            let listener = tls::TlsListener::new(listener, certificate);
            let server = axum::serve(listener, router).with_graceful_shutdown(wait_for(stopped));
            let task = tokio::spawn(async move { server.await });
            return Ok(MockSpotify::new(site, stop, task, Some(authority)));
        }
        let server = axum::serve(listener, router).with_graceful_shutdown(wait_for(stopped));
        let task = tokio::spawn(async move { server.await });
        Ok(MockSpotify::new(site, stop, task, None))
    }

    /// Starts the mock on a listener that has no network port.
    #[cfg(feature = "fuzzing")]
    pub(crate) fn start_on<L>(self, listener: L) -> io::Result<MockSpotify>
    where
        L: Listener<Addr: std::fmt::Debug>,
        ConnectionHandle: for<'a> Connected<IncomingStream<'a, L>>,
    {
        let content = self.recipe.content()?;
        let Prepared { site, router, stop, stopped } =
            self.prepare(content, "http://127.0.0.1:1".to_owned())?;
        let server = axum::serve(listener, router).with_graceful_shutdown(wait_for(stopped));
        let task = tokio::spawn(async move { server.await });
        Ok(MockSpotify::new(site, stop, task, None))
    }

    fn prepare(self, content: Content, base_url: String) -> io::Result<Prepared> {
        let instance = Instance::with_content(self.recipe, Arc::new(content), base_url)?;
        let (stop, stopped) = watch::channel(false);
        let control = self.control.unwrap_or(self.address.is_loopback());
        let site = Arc::new(Site::new(instance, control, self.latency, stopped.clone()));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&site));
        let router = router.into_make_service_with_connect_info();
        Ok(Prepared { site, router, stop, stopped })
    }
}

/// All parts of a server except its listener.
struct Prepared {
    site: Arc<Site>,
    router: IntoMakeServiceWithConnectInfo<Router, ConnectionHandle>,
    stop: watch::Sender<bool>,
    stopped: watch::Receiver<bool>,
}

async fn wait_for(mut stopped: watch::Receiver<bool>) {
    // `wait_for` fails only if the mock was dropped. In this case, the server stops too.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// Base URL at which clients reach the mock.
fn base_url(local: SocketAddr, host: Option<&str>, tls: bool) -> String {
    let (scheme, usual) = if tls { ("https", 443) } else { ("http", 80) };
    match host {
        // The default port is left out, as in the links of Spotify's own hosts.
        Some(host) if local.port() == usual => format!("{scheme}://{host}"),
        Some(host) => format!("{scheme}://{host}:{}", local.port()),
        None if local.ip().is_unspecified() => format!("{scheme}://127.0.0.1:{}", local.port()),
        None => format!("{scheme}://{local}"),
    }
}
