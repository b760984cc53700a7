//! Registered applications.

use std::io;

use crate::{
    accounts::redirect,
    settings::{Mode, PlaylistFields},
    world::{Key, Rng, User, World},
};

/// The default developer account.
const DEVELOPER: &str = "developer";
/// Maximum number of users of an application in Development Mode.
const MOST_USERS: usize = 5;
/// Redirect URIs that every application has.
const REDIRECT_URIS: [&str; 3] =
    ["http://127.0.0.1/callback", "http://[::1]/callback", "https://example.com/callback"];

/// An application to register with the mock.
///
/// ```
/// use spot_mock::{App, Mode, MockSpotify};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let mock = MockSpotify::builder()
///     .app(App::new("player").mode(Mode::Extended).redirect_uri("my-app://callback"))
///     .app(App::new("nightly job").developer("studio"))
///     .start()
///     .await?;
/// let token = mock.app("player").user_token(&["user-library-read"]);
/// # let _ = token;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "an application has no effect until it is passed to a builder"]
pub struct App {
    name: String,
    pub(crate) mode: Mode,
    pub(crate) closed_2024: Option<bool>,
    pub(crate) playlist_fields: Option<PlaylistFields>,
    pub(crate) redirect_uris: Vec<String>,
    developer: String,
    users: Option<Vec<String>>,
    owner_premium: bool,
}

impl App {
    /// An application in Development Mode. The credentials of the application depend on the seed of
    /// the mock and on the application's name. To find the application by its name, call
    /// [`MockSpotify::app`](crate::MockSpotify::app).
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            mode: Mode::Development,
            closed_2024: None,
            playlist_fields: None,
            redirect_uris: Vec::new(),
            developer: DEVELOPER.to_owned(),
            users: None,
            owner_premium: true,
        }
    }

    /// Access mode. Default: [`Mode::Development`].
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// If true, the mock refuses all calls of the application to operations that Spotify restricted
    /// on 2024-11-27. Default: true in Development Mode, false in Extended Quota Mode.
    pub fn closed_2024(mut self, closed: bool) -> Self {
        self.closed_2024 = Some(closed);
        self
    }

    /// Whether the application receives playlists with new field names (`items`), old field names
    /// (`tracks`), or both. Default: [`PlaylistFields::New`] in Development Mode, and
    /// [`PlaylistFields::Both`] in Extended Quota Mode.
    pub fn playlist_fields(mut self, fields: PlaylistFields) -> Self {
        self.playlist_fields = Some(fields);
        self
    }

    /// Registers another redirect URI. `http://127.0.0.1/callback`, `http://[::1]/callback` and
    /// `https://example.com/callback` are always registered.
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.redirect_uris.push(uri.into());
        self
    }

    /// Developer account that owns the application. All applications of a developer account share
    /// the quota of the account. Default: all applications belong to one account.
    pub fn developer(mut self, name: impl Into<String>) -> Self {
        self.developer = name.into();
        self
    }

    /// Ids of the users who are registered for Development Mode. At most five users are allowed.
    /// Other users can sign in, but their calls fail with 403. Default: the first five users of the
    /// mock.
    pub fn users<S: Into<String>>(mut self, ids: impl IntoIterator<Item = S>) -> Self {
        self.users = Some(ids.into_iter().map(Into::into).collect());
        self
    }

    /// Whether the owner has Premium. If the owner does not have Premium, every call of an
    /// application in Development Mode fails with 403. Default: yes.
    pub fn owner_premium(mut self, premium: bool) -> Self {
        self.owner_premium = premium;
        self
    }
}

/// A registered application.
#[derive(Debug)]
pub(crate) struct Registered {
    pub(crate) name: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: Secret,
    pub(crate) redirect_uris: Vec<String>,
    pub(crate) mode: Mode,
    pub(crate) closed_2024: bool,
    pub(crate) playlist_fields: PlaylistFields,
    /// Index of the developer account.
    pub(crate) developer: usize,
    users: Vec<Key<User>>,
    owner_premium: bool,
}

/// A secret. The `Debug` output does not contain the secret.
pub(crate) struct Secret(pub(crate) String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

impl Registered {
    /// Whether the application may call the API on behalf of this user.
    pub(crate) fn admits(&self, user: Option<Key<User>>) -> bool {
        self.mode == Mode::Extended || user.is_none_or(|user| self.users.contains(&user))
    }

    /// Whether calls fail because the owner of a Development Mode application lacks Premium.
    pub(crate) fn is_unpaid(&self) -> bool {
        self.mode == Mode::Development && !self.owner_premium
    }
}

/// Index of a registered application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct AppKey(usize);

/// All registered applications.
#[derive(Debug)]
pub(crate) struct Apps {
    first: Registered,
    others: Vec<Registered>,
}

impl Apps {
    /// The default application.
    pub(crate) const FIRST: AppKey = AppKey(0);

    /// Registers applications. Returns an error if a setting of an application is invalid.
    pub(crate) fn register(
        first: App,
        others: Vec<App>,
        world: &World,
        rng: &mut Rng,
    ) -> io::Result<Self> {
        let mut developers = Vec::new();
        let seed = world.seed;
        let first = register(first, world, &mut developers, rng)?;
        let mut registered: Vec<Registered> = Vec::with_capacity(others.len());
        for app in others {
            let mut rng = Rng::new(seed, &format!("app {}", app.name));
            let app = register(app, world, &mut developers, &mut rng)?;
            let known = std::iter::once(&first).chain(&registered);
            if known.into_iter().any(|known| known.name == app.name) {
                return Err(invalid(&app.name, "another application has the same name"));
            }
            registered.push(app);
        }
        Ok(Self { first, others: registered })
    }

    pub(crate) fn get(&self, key: AppKey) -> &Registered {
        let other = key.0.checked_sub(1).and_then(|place| self.others.get(place));
        other.unwrap_or(&self.first)
    }

    pub(crate) fn by_client_id(&self, client_id: &str) -> Option<AppKey> {
        self.find(|app| app.client_id == client_id)
    }

    pub(crate) fn by_name(&self, name: &str) -> Option<AppKey> {
        self.find(|app| app.name == name)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Registered> {
        std::iter::once(&self.first).chain(&self.others)
    }

    fn find(&self, fits: impl Fn(&Registered) -> bool) -> Option<AppKey> {
        self.iter().position(fits).map(AppKey)
    }
}

fn register(
    app: App,
    world: &World,
    developers: &mut Vec<String>,
    rng: &mut Rng,
) -> io::Result<Registered> {
    if let Some(uri) = app.redirect_uris.iter().find(|uri| !redirect::is_secure(uri)) {
        let reason = format!(
            "redirect URI {uri}: the scheme must be https, or http on a loopback IP address"
        );
        return Err(invalid(&app.name, &reason));
    }
    let users: Vec<_> = match &app.users {
        Some(ids) => {
            let key = |id: &String| {
                world
                    .user(id)
                    .ok_or_else(|| invalid(&app.name, &format!("no user has the id {id}")))
            };
            ids.iter().map(key).collect::<io::Result<_>>()?
        }
        None => world.users.keys().take(MOST_USERS).collect(),
    };
    if app.mode == Mode::Development && users.len() > MOST_USERS {
        let reason =
            format!("{} users are registered; Development Mode allows at most 5", users.len());
        return Err(invalid(&app.name, &reason));
    }
    let developer = developers.iter().position(|name| *name == app.developer);
    let developer = developer.unwrap_or_else(|| {
        developers.push(app.developer.clone());
        developers.len() - 1
    });
    let is_extended = app.mode == Mode::Extended;
    let by_default = if is_extended { PlaylistFields::Both } else { PlaylistFields::New };
    Ok(Registered {
        client_id: rng.hex(32),
        client_secret: Secret(rng.hex(32)),
        redirect_uris: REDIRECT_URIS
            .map(str::to_owned)
            .into_iter()
            .chain(app.redirect_uris)
            .collect(),
        mode: app.mode,
        closed_2024: app.closed_2024.unwrap_or(!is_extended),
        playlist_fields: app.playlist_fields.unwrap_or(by_default),
        developer,
        users,
        owner_premium: app.owner_premium,
        name: app.name,
    })
}

fn invalid(app: &str, reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("application {app}: {reason}"))
}
