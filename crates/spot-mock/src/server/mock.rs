//! A running mock.

use std::{fmt, io, sync::Arc, time::Duration};

use tokio::{sync::watch, task::JoinHandle};

use crate::{
    accounts::{AppKey, Apps, SCOPES, ScopeSet},
    api::table::is_operation,
    clock::Moment,
    faults::{Fault, RandomFaults},
    http::log::RecordedRequest,
    server::{builder::MockBuilder, content::Content, instance::Live, site::Site},
    state::{Player, WorldIds},
    world::{Device, Key, User},
};

/// A running mock: the Web API and the accounts service on a port of this machine.
///
/// The mock runs in the tokio runtime that started it. The mock stops when it is dropped or when
/// [`shutdown`](Self::shutdown) is called.
pub struct MockSpotify {
    site: Arc<Site>,
    /// The initial content. If the custom test data is replaced, the credentials stay the same.
    content: Arc<Content>,
    ids: WorldIds,
    /// The server stops when `true` is sent or when this sender is dropped.
    stop: watch::Sender<bool>,
    task: JoinHandle<io::Result<()>>,
    #[cfg_attr(
        not(feature = "tls"),
        expect(dead_code, reason = "used only if the feature `tls` is enabled")
    )]
    authority: Option<String>,
}

impl MockSpotify {
    /// Starts a mock in Development Mode with seed 7. The user consents to every sign-in.
    ///
    /// # Errors
    ///
    /// Returns the error of the operating system if no port can be bound.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// Configures a mock.
    pub fn builder() -> MockBuilder {
        MockBuilder::new()
    }

    pub(crate) fn new(
        site: Arc<Site>,
        stop: watch::Sender<bool>,
        task: JoinHandle<io::Result<()>>,
        authority: Option<String>,
    ) -> Self {
        let (content, ids) = {
            let live = site.default.live();
            (Arc::clone(&live.content), live.ids.clone())
        };
        Self { site, content, ids, stop, task, authority }
    }

    /// Base URL of the Web API: `http://127.0.0.1:PORT/v1`. Use this URL in place of
    /// `https://api.spotify.com/v1`.
    pub fn api_url(&self) -> &str {
        &self.site.default.settings.api_url
    }

    /// Base URL of the accounts service: `http://127.0.0.1:PORT`. Use this URL in place of
    /// `https://accounts.spotify.com`. The accounts service has the paths `/authorize` and
    /// `/api/token`.
    pub fn accounts_url(&self) -> &str {
        &self.site.default.base_url
    }

    /// The CA certificate in PEM format, which clients of the mock must trust. `None` if
    /// [`tls`](MockBuilder::tls) was not set.
    #[cfg(feature = "tls")]
    pub fn authority_pem(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// Whether the control interface is enabled.
    #[cfg(feature = "control")]
    pub fn has_control(&self) -> bool {
        self.site.control
    }

    /// Client id of the default application.
    pub fn client_id(&self) -> &str {
        self.first().client_id()
    }

    /// Client secret of the default application.
    pub fn client_secret(&self) -> &str {
        self.first().client_secret()
    }

    /// An access token of the default user, see [`RegisteredApp::user_token`].
    ///
    /// # Panics
    ///
    /// Panics if a scope does not exist.
    #[track_caller]
    pub fn user_token(&self, scopes: &[&str]) -> String {
        self.first().user_token(scopes)
    }

    /// An access token with all scopes for the default user.
    pub fn user_token_all(&self) -> String {
        self.user_token(SCOPES)
    }

    /// An access token for the user with this id, see [`RegisteredApp::user_token_for`].
    ///
    /// # Panics
    ///
    /// Panics if a scope does not exist.
    #[track_caller]
    pub fn user_token_for(&self, user_id: &str, scopes: &[&str]) -> Option<String> {
        self.first().user_token_for(user_id, scopes)
    }

    /// An access token without a user, see [`RegisteredApp::app_token`].
    pub fn app_token(&self) -> String {
        self.first().app_token()
    }

    /// A refresh token of the default user, see [`RegisteredApp::refresh_token`].
    ///
    /// # Panics
    ///
    /// Panics if a scope does not exist.
    #[track_caller]
    pub fn refresh_token(&self, scopes: &[&str]) -> String {
        self.first().refresh_token(scopes)
    }

    /// The application with this name. The default application is called `mock`.
    ///
    /// # Panics
    ///
    /// Panics if no application has this name.
    #[track_caller]
    #[expect(clippy::panic, reason = "a test must fail if it uses an unknown name")]
    pub fn app(&self, name: &str) -> RegisteredApp<'_> {
        match self.content.apps.by_name(name) {
            Some(key) => RegisteredApp { mock: self, key },
            None => panic!("no application has the name {name}"),
        }
    }

    /// Sets the user for all further sign-ins. With [`Consent::Ask`](crate::Consent::Ask), another
    /// user can be chosen on the consent page.
    ///
    /// # Panics
    ///
    /// Panics if no user has this id.
    #[track_caller]
    pub fn sign_in_as(&self, user_id: &str) {
        let user = self.expect_user(user_id);
        self.site.default.live().state.auth.signed_in = user;
    }

    /// Revokes all consents, as if every user had removed every application. Access tokens are
    /// refused, and refresh tokens are revoked. To revoke only the consents for one application,
    /// call [`RegisteredApp::revoke_consents`]. To revoke the consent of one user, call
    /// [`RegisteredApp::revoke_consent_of`].
    pub fn revoke_consents(&self) {
        self.site.default.live().state.auth.revoke(None, None);
    }

    fn first(&self) -> RegisteredApp<'_> {
        RegisteredApp { mock: self, key: Apps::FIRST }
    }

    #[track_caller]
    #[expect(clippy::panic, reason = "a test must fail if it uses an unknown id")]
    fn expect_user(&self, user_id: &str) -> Key<User> {
        match self.user(user_id) {
            Some(user) => user,
            None => panic!("no user has the id {user_id}"),
        }
    }

    /// The requests received so far, oldest first. The mock stores the last 100,000 requests.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.site.default.live().state.log.all()
    }

    /// Removes and returns the requests received since the last call of this method.
    pub fn take_requests(&self) -> Vec<RecordedRequest> {
        self.site.default.live().state.log.take()
    }

    /// Moves the mock's clock forward. As the clock moves, playback continues, tokens and consents
    /// expire at the end of their lifetimes, and rate limit windows end. The clock starts at
    /// 2026-11-02T09:00:00Z and follows tokio's clock.
    pub fn advance(&self, by: Duration) {
        self.site.default.live().state.clock.advance(by);
    }

    /// Adds a device of the default user, or replaces the device with the same id.
    pub fn add_device(&self, device: Device) {
        self.add_device_of(self.listener(), device);
    }

    /// Adds a device for the user with this id. Returns false if no user has this id. Until a
    /// device is added, a user other than the default user has no devices and no playback history.
    pub fn add_device_for(&self, user_id: &str, device: Device) -> bool {
        let user = self.user(user_id);
        user.map(|user| self.add_device_of(user, device)).is_some()
    }

    /// Removes a device of the default user, as if it were switched off. If the device was active,
    /// playback stops, and `GET /me/player` returns 204.
    ///
    /// # Panics
    ///
    /// Panics if no device has this id.
    #[track_caller]
    #[expect(clippy::panic, reason = "a test must fail if it uses an unknown id")]
    pub fn remove_device(&self, id: &str) {
        let found = self.with_player(self.listener(), |player, now| player.remove_device(id, now));
        if !found {
            panic!("no device has the id {id}");
        }
    }

    /// Plays an advertisement of this length to the default user. During the advertisement, the
    /// `item` of the player is `null`, and its `currently_playing_type` is `ad`. After the
    /// advertisement, the interrupted playback continues.
    pub fn play_advertisement(&self, length: Duration) {
        self.with_player(self.listener(), |player, now| player.advertise(length, now));
    }

    fn add_device_of(&self, user: Key<User>, device: Device) {
        self.with_player(user, |player, now| player.add_device(device, now));
    }

    /// Runs a closure with the player of a user.
    fn with_player<T>(&self, user: Key<User>, act: impl FnOnce(&mut Player, Moment) -> T) -> T {
        let mut live = self.site.default.live();
        let Live { content, state, .. } = &mut *live;
        let now = state.clock.now();
        act(&mut state.account(&content.world, user, now).player, now)
    }

    fn listener(&self) -> Key<User> {
        self.site.default.live().content.world.listener()
    }

    fn user(&self, id: &str) -> Option<Key<User>> {
        self.site.default.live().content.world.user(id)
    }

    /// Ids of artists, tracks, playlists and other objects in the test data, for use in tests.
    pub fn world(&self) -> &WorldIds {
        &self.ids
    }

    /// Injects a fault into the next request. If several faults are injected, each request gets one
    /// fault, in the order of injection.
    pub fn fail_next(&self, fault: Fault) {
        self.site.default.live().state.faults.inject(None, fault);
    }

    /// Injects a fault into the next request of this operation. `operation` is an operation id of
    /// Spotify's reference, such as `get-an-album`. The accounts service has the operations
    /// `authorize` and `token`.
    ///
    /// # Panics
    ///
    /// Panics if no operation has this id.
    #[track_caller]
    #[expect(clippy::panic, reason = "a test must fail if it uses an unknown operation")]
    pub fn fail_next_on(&self, operation: &str, fault: Fault) {
        if !is_operation(operation) {
            panic!("{operation} is not an operation of the Web API");
        }
        self.site.default.live().state.faults.inject(Some(operation), fault);
    }

    /// Replaces the random faults for all further requests. `None` turns random faults off.
    ///
    /// # Panics
    ///
    /// Panics if `faults` names an operation that does not exist.
    #[track_caller]
    #[expect(clippy::panic, reason = "a test must fail if it uses an unknown operation")]
    pub fn set_random_faults(&self, faults: Option<RandomFaults>) {
        let mut operations = faults.iter().flat_map(|faults| &faults.operations);
        if let Some(name) = operations.find(|name| !is_operation(name)) {
            panic!("{name} is not an operation of the Web API");
        }
        self.site.default.live().state.faults.set_random(faults);
    }

    /// Stops the mock and waits until its connections are closed. If a fault or the latency delays
    /// a request, `shutdown` ends the delay.
    pub async fn shutdown(self) {
        self.stop.send_replace(true);
        // The task does not fail, because the listener accepts connections even after errors.
        let _ = self.task.await;
    }
}

/// Shows the address, the mode and the seed, but no secrets.
impl fmt::Debug for MockSpotify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockSpotify")
            .field("api_url", &self.api_url())
            .field("mode", &self.content.apps.get(Apps::FIRST).mode)
            .field("seed", &self.content.world.seed)
            .finish_non_exhaustive()
    }
}

/// An application that is registered at a mock. Returned by [`MockSpotify::app`].
#[derive(Clone, Copy, Debug)]
pub struct RegisteredApp<'a> {
    mock: &'a MockSpotify,
    key: AppKey,
}

impl<'a> RegisteredApp<'a> {
    /// Client id.
    pub fn client_id(self) -> &'a str {
        &self.mock.content.apps.get(self.key).client_id
    }

    /// Client secret.
    pub fn client_secret(self) -> &'a str {
        &self.mock.content.apps.get(self.key).client_secret.0
    }

    /// An access token with these scopes for the default user. The token expires after one hour on
    /// the mock's clock.
    ///
    /// # Panics
    ///
    /// Panics if a scope does not exist.
    #[track_caller]
    pub fn user_token(self, scopes: &[&str]) -> String {
        self.mint(Some(self.mock.listener()), known(scopes))
    }

    /// An access token with these scopes for the user with this id; `None` if no user has this id.
    /// Users other than the default user start with an empty library and without devices.
    ///
    /// # Panics
    ///
    /// Panics if a scope does not exist.
    #[track_caller]
    pub fn user_token_for(self, user_id: &str, scopes: &[&str]) -> Option<String> {
        let scopes = known(scopes);
        let user = self.mock.user(user_id)?;
        Some(self.mint(Some(user), scopes))
    }

    /// An access token without a user, like a token of the client credentials flow. The token
    /// expires after one hour on the mock's clock.
    pub fn app_token(self) -> String {
        self.mint(None, ScopeSet::default())
    }

    /// A refresh token with these scopes for the default user, as if the user had just consented
    /// with PKCE. The token expires after six months on the mock's clock.
    ///
    /// # Panics
    ///
    /// Panics if a scope does not exist.
    #[track_caller]
    pub fn refresh_token(self, scopes: &[&str]) -> String {
        let scopes = known(scopes);
        let listener = self.mock.listener();
        let state = &mut self.mock.site.default.live().state;
        let now = state.clock.now();
        state.auth.mint_refresh(self.key, listener, scopes, now)
    }

    /// Revokes the consents of all users for this application. The mock then refuses all access
    /// tokens and refresh tokens that users have for this application. Tokens without a user stay
    /// valid.
    pub fn revoke_consents(self) {
        self.mock.site.default.live().state.auth.revoke(Some(self.key), None);
    }

    /// Revokes the consent of one user for this application.
    ///
    /// # Panics
    ///
    /// Panics if no user has this id.
    #[track_caller]
    pub fn revoke_consent_of(self, user_id: &str) {
        let user = self.mock.expect_user(user_id);
        self.mock.site.default.live().state.auth.revoke(Some(self.key), Some(user));
    }

    fn mint(self, user: Option<Key<User>>, scopes: ScopeSet) -> String {
        let state = &mut self.mock.site.default.live().state;
        let now = state.clock.now();
        state.auth.mint(self.key, user, scopes, now)
    }
}

#[track_caller]
#[expect(clippy::panic, reason = "a test must fail if it uses an unknown scope")]
fn known(scopes: &[&str]) -> ScopeSet {
    match ScopeSet::parse(scopes.iter().copied()) {
        Ok(scopes) => scopes,
        Err(name) => panic!("{name} is not a scope of the Web API"),
    }
}
