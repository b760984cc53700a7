//! A running mock.

use std::{fmt, io, sync::Arc, time::Duration};

use tokio::{sync::watch, task::JoinHandle};

use crate::{
    accounts::{AppKey, Apps, SCOPES, ScopeSet},
    api::table::is_operation,
    faults::{Fault, RandomFaults},
    http::log::RecordedRequest,
    server::{builder::MockBuilder, shared::Shared},
    state::{Device, WorldIds},
    world::{Key, User},
};

/// A Spotify of one's own: the Web API and the accounts service on a port of this machine.
///
/// It runs until it is dropped or [`shutdown`](Self::shutdown) has been called, in the tokio
/// runtime in which it was started.
pub struct MockSpotify {
    shared: Arc<Shared>,
    ids: WorldIds,
    accounts_url: String,
    /// Dropping it stops the server as well as sending does.
    stop: watch::Sender<bool>,
    task: JoinHandle<io::Result<()>>,
}

impl MockSpotify {
    /// Starts a mock in Development Mode, with seed 7, whose user agrees to everything.
    ///
    /// # Errors
    ///
    /// If no port can be bound.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// Sets up a mock that behaves otherwise.
    pub fn builder() -> MockBuilder {
        MockBuilder::new()
    }

    pub(crate) fn new(
        shared: Arc<Shared>,
        ids: WorldIds,
        accounts_url: String,
        stop: watch::Sender<bool>,
        task: JoinHandle<io::Result<()>>,
    ) -> Self {
        Self { shared, ids, accounts_url, stop, task }
    }

    /// The base of the Web API, to be used instead of `https://api.spotify.com/v1`:
    /// `http://127.0.0.1:PORT/v1`.
    pub fn api_url(&self) -> &str {
        &self.shared.settings.api_url
    }

    /// The base of the accounts service, to be used instead of `https://accounts.spotify.com`:
    /// `http://127.0.0.1:PORT`. Below it are `/authorize` and `/api/token`.
    pub fn accounts_url(&self) -> &str {
        &self.accounts_url
    }

    /// The id of the application that is there without being asked for.
    pub fn client_id(&self) -> &str {
        self.first().client_id()
    }

    /// The secret of that application.
    pub fn client_secret(&self) -> &str {
        self.first().client_secret()
    }

    /// An access token of the default user with these scopes, as [`RegisteredApp::user_token`].
    ///
    /// # Panics
    ///
    /// If one of them is no scope, since a test with a misspelt scope tests something else.
    #[track_caller]
    pub fn user_token(&self, scopes: &[&str]) -> String {
        self.first().user_token(scopes)
    }

    /// An access token of the default user with all scopes.
    pub fn user_token_all(&self) -> String {
        self.user_token(SCOPES)
    }

    /// An access token of another user, as [`RegisteredApp::user_token_for`].
    ///
    /// # Panics
    ///
    /// If one of them is no scope.
    #[track_caller]
    pub fn user_token_for(&self, user_id: &str, scopes: &[&str]) -> Option<String> {
        self.first().user_token_for(user_id, scopes)
    }

    /// An access token of the application itself, as [`RegisteredApp::app_token`].
    pub fn app_token(&self) -> String {
        self.first().app_token()
    }

    /// A refresh token of the default user, as [`RegisteredApp::refresh_token`].
    ///
    /// # Panics
    ///
    /// If one of them is no scope.
    #[track_caller]
    pub fn refresh_token(&self, scopes: &[&str]) -> String {
        self.first().refresh_token(scopes)
    }

    /// The application of this name, of those the builder was given. The one that is there anyhow
    /// is called `mock`.
    ///
    /// # Panics
    ///
    /// If there is none, since a test with a misspelt name tests something else.
    #[track_caller]
    #[expect(clippy::panic, reason = "a misspelt name in a test must not pass silently")]
    pub fn app(&self, name: &str) -> RegisteredApp<'_> {
        match self.shared.apps.by_name(name) {
            Some(key) => RegisteredApp { mock: self, key },
            None => panic!("no application is called {name}"),
        }
    }

    /// Puts somebody else before the browser: whoever signs in from now on without being asked,
    /// signs in as this user.
    ///
    /// # Panics
    ///
    /// If nobody has that id.
    #[track_caller]
    pub fn sign_in_as(&self, user_id: &str) {
        let user = self.somebody(user_id);
        self.shared.state().auth.signed_in = user;
    }

    /// Ends everything that users have agreed to, as if all had removed all applications from
    /// their accounts: their access tokens are refused, their refresh tokens are revoked. For one
    /// application or one user there are [`RegisteredApp::revoke_consents`] and
    /// [`RegisteredApp::revoke_consent_of`].
    pub fn revoke_consents(&self) {
        self.shared.state().auth.revoke(None, None);
    }

    fn first(&self) -> RegisteredApp<'_> {
        RegisteredApp { mock: self, key: Apps::FIRST }
    }

    #[track_caller]
    #[expect(clippy::panic, reason = "a misspelt id in a test must not pass silently")]
    fn somebody(&self, user_id: &str) -> Key<User> {
        match self.shared.world.user(user_id) {
            Some(user) => user,
            None => panic!("nobody has the id {user_id}"),
        }
    }

    /// The requests so far, in the order in which they arrived; of more than 100,000 the last.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.shared.state().log.all()
    }

    /// The requests since the last time they were taken. What is taken, is forgotten.
    pub fn take_requests(&self) -> Vec<RecordedRequest> {
        self.shared.state().log.take()
    }

    /// Moves the mock's clock: tokens and consents expire, what plays has played on, the rate
    /// limit's window is over. The clock starts at 2026-11-02T09:00:00Z and follows tokio's.
    pub fn advance(&self, by: Duration) {
        self.shared.state().clock.advance(by);
    }

    /// Gives the default user another device, or changes the one that has its id.
    pub fn add_device(&self, device: Device) {
        self.add_device_of(self.shared.world.listener(), device);
    }

    /// Gives another user a device, who starts with none and with nothing to resume. False if
    /// nobody has that id.
    pub fn add_device_for(&self, user_id: &str, device: Device) -> bool {
        let user = self.shared.world.user(user_id);
        user.map(|user| self.add_device_of(user, device)).is_some()
    }

    /// Takes a device of the default user away, as when it is switched off. If it was the active
    /// one, playback stops, and `GET /me/player` answers 204.
    ///
    /// # Panics
    ///
    /// If there is no such device.
    #[track_caller]
    #[expect(clippy::panic, reason = "a misspelt id in a test must not pass silently")]
    pub fn remove_device(&self, id: &str) {
        let mut state = self.shared.state();
        let now = state.clock.now();
        let user = self.shared.world.listener();
        let found = state.account(&self.shared.world, user, now).player.remove_device(id, now);
        drop(state);
        if !found {
            panic!("no device has the id {id}");
        }
    }

    /// Plays an advertisement to the default user for this time: the player names no item, and its
    /// `currently_playing_type` is `ad`. What played goes on afterwards.
    pub fn play_advertisement(&self, length: Duration) {
        let mut state = self.shared.state();
        let now = state.clock.now();
        let user = self.shared.world.listener();
        state.account(&self.shared.world, user, now).player.advertise(length, now);
    }

    fn add_device_of(&self, user: Key<User>, device: Device) {
        let mut state = self.shared.state();
        let now = state.clock.now();
        state.account(&self.shared.world, user, now).player.add_device(device, now);
    }

    /// Ids of things in the world to start from.
    pub fn world(&self) -> &WorldIds {
        &self.ids
    }

    /// Orders trouble for the next request, whatever it is. Troubles that were ordered one after
    /// the other happen one after the other.
    pub fn fail_next(&self, fault: Fault) {
        self.shared.state().faults.order(None, fault);
    }

    /// Orders trouble for the next request of this operation: an operation id of Spotify's
    /// reference such as `get-an-album`, or `authorize` or `token` of the accounts service.
    ///
    /// # Panics
    ///
    /// If there is no such operation, since a test with a misspelt one would wait in vain.
    #[track_caller]
    #[expect(clippy::panic, reason = "a misspelt operation in a test must not pass silently")]
    pub fn fail_next_on(&self, operation: &str, fault: Fault) {
        if !is_operation(operation) {
            panic!("{operation} is not an operation of the Web API");
        }
        self.shared.state().faults.order(Some(operation), fault);
    }

    /// Leaves it to chance from now on what goes wrong, or with `None` no longer.
    ///
    /// # Panics
    ///
    /// If they are meant for an operation that does not exist.
    #[track_caller]
    #[expect(clippy::panic, reason = "a misspelt operation in a test must not pass silently")]
    pub fn set_random_faults(&self, faults: Option<RandomFaults>) {
        let mut operations = faults.iter().flat_map(|faults| &faults.operations);
        if let Some(name) = operations.find(|name| !is_operation(name)) {
            panic!("{name} is not an operation of the Web API");
        }
        self.shared.state().faults.leave_to_chance(faults);
    }

    /// Stops the mock and waits until its connections are closed. Whoever still waits for an
    /// ordered delay gets the answer at once.
    pub async fn shutdown(self) {
        self.stop.send_replace(true);
        // The task does not fail: accepting goes on after errors.
        let _ = self.task.await;
    }
}

/// Says where it runs; what is secret stays secret.
impl fmt::Debug for MockSpotify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockSpotify")
            .field("api_url", &self.api_url())
            .field("mode", &self.shared.apps.get(Apps::FIRST).mode)
            .field("seed", &self.shared.world.seed)
            .finish_non_exhaustive()
    }
}

/// An application that is registered at a mock, from [`MockSpotify::app`].
#[derive(Clone, Copy, Debug)]
pub struct RegisteredApp<'a> {
    mock: &'a MockSpotify,
    key: AppKey,
}

impl<'a> RegisteredApp<'a> {
    /// Its id.
    pub fn client_id(self) -> &'a str {
        &self.mock.shared.apps.get(self.key).client_id
    }

    /// Its secret.
    pub fn client_secret(self) -> &'a str {
        &self.mock.shared.apps.get(self.key).client_secret.0
    }

    /// An access token of the default user with these scopes. It lives for an hour of the mock's
    /// clock.
    ///
    /// # Panics
    ///
    /// If one of them is no scope, since a test with a misspelt scope tests something else.
    #[track_caller]
    pub fn user_token(self, scopes: &[&str]) -> String {
        self.mint(Some(self.mock.shared.world.listener()), known(scopes))
    }

    /// An access token of another user with these scopes, or nothing if nobody has that id.
    /// Another user starts with an empty library and without devices.
    ///
    /// # Panics
    ///
    /// If one of them is no scope.
    #[track_caller]
    pub fn user_token_for(self, user_id: &str, scopes: &[&str]) -> Option<String> {
        let scopes = known(scopes);
        let user = self.mock.shared.world.user(user_id)?;
        Some(self.mint(Some(user), scopes))
    }

    /// An access token of the application itself, as client credentials give. It lives for an
    /// hour of the mock's clock.
    pub fn app_token(self) -> String {
        self.mint(None, ScopeSet::default())
    }

    /// A refresh token of the default user with these scopes, as if the user had agreed just now
    /// to an application without a secret. It lives for six months of the mock's clock.
    ///
    /// # Panics
    ///
    /// If one of them is no scope.
    #[track_caller]
    pub fn refresh_token(self, scopes: &[&str]) -> String {
        let scopes = known(scopes);
        let mut state = self.mock.shared.state();
        let now = state.clock.now();
        state.auth.mint_refresh(self.key, self.mock.shared.world.listener(), scopes, now)
    }

    /// Ends what all users have agreed to for this application: their access tokens are refused,
    /// their refresh tokens are revoked. Those of the application itself stay.
    pub fn revoke_consents(self) {
        self.mock.shared.state().auth.revoke(Some(self.key), None);
    }

    /// The same for one user.
    ///
    /// # Panics
    ///
    /// If nobody has that id.
    #[track_caller]
    pub fn revoke_consent_of(self, user_id: &str) {
        let user = self.mock.somebody(user_id);
        self.mock.shared.state().auth.revoke(Some(self.key), Some(user));
    }

    fn mint(self, user: Option<Key<User>>, scopes: ScopeSet) -> String {
        let mut state = self.mock.shared.state();
        let now = state.clock.now();
        state.auth.mint(self.key, user, scopes, now)
    }
}

#[track_caller]
#[expect(clippy::panic, reason = "a misspelt scope in a test must not pass silently")]
fn known(scopes: &[&str]) -> ScopeSet {
    match ScopeSet::parse(scopes.iter().copied()) {
        Ok(scopes) => scopes,
        Err(name) => panic!("{name} is not a scope of the Web API"),
    }
}
