//! Handlers of the operations of the control interface.

use std::time::Duration;

use crate::{
    accounts::{App, AppKey, Apps, SCOPES, ScopeSet},
    api::table::is_operation,
    clock::Moment,
    control::{
        Failure, Outcome, Request,
        bodies::{
            Advance, AdvertisementBody, Application, DeviceBody, Info, Inject, LimitsBody,
            RandomBody, Requests, SignIn, Time, Token, TokenBody, TokenKind, WorldBody, Worlds,
        },
        json,
    },
    faults::{Fault, RandomFaults},
    http::reply::Reply,
    server::{Instance, Live, Recipe},
    settings::Mode,
    state::{Limits, Player, RateLimiter},
    world::{Key, User, custom},
};

pub(super) fn info(request: &Request<'_>) -> Outcome {
    Ok(json(200, &describe(request.instance)))
}

pub(super) fn clock(request: &Request<'_>) -> Outcome {
    let now = request.instance.live().state.clock.now().millis_text();
    Ok(json(200, &Time { now }))
}

pub(super) fn advance(request: &Request<'_>) -> Outcome {
    let Advance { advance_seconds: seconds } = request.body()?;
    let by = duration("advance_seconds", seconds)?;
    request.instance.live().state.clock.advance(by);
    clock(request)
}

pub(super) fn requests(request: &Request<'_>) -> Outcome {
    let requests = request.instance.live().state.log.all();
    Ok(json(200, &Requests { requests: requests.into_iter().map(Into::into).collect() }))
}

pub(super) fn take_requests(request: &Request<'_>) -> Outcome {
    let requests = request.instance.live().state.log.take();
    Ok(json(200, &Requests { requests: requests.into_iter().map(Into::into).collect() }))
}

pub(super) fn inject(request: &Request<'_>) -> Outcome {
    let Inject { fault, operation, times } = request.body()?;
    let fault = fault.fault().map_err(|error| Failure::new(400, format!("fault.{error}")))?;
    if let Some(name) = &operation {
        require_operation("operation", name)?;
    }
    if !(1..=1_000).contains(&times) {
        let message = format!("times: {times} is out of range; expected 1 to 1000");
        return Err(Failure::new(400, message));
    }
    let faults = &mut request.instance.live().state.faults;
    for _ in 0..times {
        faults.inject(operation.as_deref(), fault.clone());
    }
    Ok(Reply::no_content())
}

pub(super) fn clear_faults(request: &Request<'_>) -> Outcome {
    request.instance.live().state.faults.clear();
    Ok(Reply::no_content())
}

pub(super) fn random_faults(request: &Request<'_>) -> Outcome {
    let body: RandomBody = request.body()?;
    if !(0.0..=1.0).contains(&body.share) {
        let message = format!("share: {} is out of range; expected 0 to 1", body.share);
        return Err(Failure::new(400, message));
    }
    let mut faults = RandomFaults::new(body.seed, body.share);
    if !body.faults.is_empty() {
        let only: Result<Vec<Fault>, _> =
            body.faults.into_iter().map(|fault| fault.fault()).collect();
        faults = faults.only(only.map_err(|error| Failure::new(400, format!("faults: {error}")))?);
    }
    for name in body.operations {
        require_operation("operations", &name)?;
        faults = faults.on(name);
    }
    request.instance.live().state.faults.set_random(Some(faults));
    Ok(Reply::no_content())
}

pub(super) fn token(request: &Request<'_>) -> Outcome {
    let body: TokenBody = request.body()?;
    let mut live = request.instance.live();
    let Live { content, state, .. } = &mut *live;
    let app = match &body.application {
        Some(name) => application(&content.apps, name)?,
        None => Apps::FIRST,
    };
    let user = match &body.user {
        Some(id) => user(content.world.user(id), "user", id)?,
        None => content.world.listener(),
    };
    let scopes = match &body.scopes {
        Some(names) => ScopeSet::parse(names.iter().map(String::as_str)),
        None => ScopeSet::parse(SCOPES.iter().copied()),
    };
    let scopes =
        scopes.map_err(|name| Failure::new(400, format!("scopes: {name} is not a scope")))?;
    let now = state.clock.now();
    let token = match body.kind {
        TokenKind::User => state.auth.mint(app, Some(user), scopes, now),
        TokenKind::Application => state.auth.mint(app, None, ScopeSet::default(), now),
        TokenKind::Refresh => state.auth.mint_refresh(app, user, scopes, now),
    };
    Ok(json(201, &Token { token }))
}

pub(super) fn sign_in(request: &Request<'_>) -> Outcome {
    let body: SignIn = request.body()?;
    let mut live = request.instance.live();
    let Live { content, state, .. } = &mut *live;
    if let Some(id) = &body.user {
        state.auth.signed_in = user(content.world.user(id), "user", id)?;
    }
    if let Some(consent) = body.consent {
        state.auth.consent = consent;
    }
    if let Some(refresh) = body.refresh {
        state.auth.refresh_policy = refresh;
    }
    Ok(Reply::no_content())
}

pub(super) fn revoke(request: &Request<'_>) -> Outcome {
    let mut live = request.instance.live();
    let Live { content, state, .. } = &mut *live;
    let app: Option<AppKey> = match request.query.get("application") {
        Some(name) => Some(application(&content.apps, name)?),
        None => None,
    };
    let user = match request.query.get("user") {
        Some(id) => Some(user(content.world.user(id), "user", id)?),
        None => None,
    };
    state.auth.revoke(app, user);
    Ok(Reply::no_content())
}

pub(super) fn limits(request: &Request<'_>) -> Outcome {
    let body: LimitsBody = request.body()?;
    let mut limits = Limits {
        calls: body.calls,
        quota: body.quota,
        early_retries: body.early_retries,
        ..Limits::default()
    };
    if let Some(seconds) = body.window_seconds {
        limits.window = Duration::from_secs(seconds);
    }
    for (name, calls) in body.operations {
        require_operation("operations", &name)?;
        limits.operations.push((name, calls));
    }
    request.instance.live().state.limiter = RateLimiter::new(limits);
    Ok(Reply::no_content())
}

pub(super) fn device(request: &Request<'_>) -> Outcome {
    let DeviceBody { user, device } = request.body()?;
    with_player(request, user.as_deref(), |player, now| player.add_device(device, now))?;
    Ok(Reply::no_content())
}

pub(super) fn remove_device(request: &Request<'_>) -> Outcome {
    let missing = || Failure::new(400, "id: missing; expected the id of a device");
    let id = request.query.get("id").ok_or_else(missing)?;
    let user = request.query.get("user");
    match with_player(request, user, |player, now| player.remove_device(id, now))? {
        true => Ok(Reply::no_content()),
        false => Err(Failure::new(404, format!("id: no device has the id {id}"))),
    }
}

pub(super) fn advertise(request: &Request<'_>) -> Outcome {
    let AdvertisementBody { user, seconds } = request.body()?;
    let length = duration("seconds", seconds)?;
    with_player(request, user.as_deref(), |player, now| player.advertise(length, now))?;
    Ok(Reply::no_content())
}

/// Runs a closure with the player of the user with this id. If `id` is `None`, uses the default
/// user.
fn with_player<T>(
    request: &Request<'_>,
    id: Option<&str>,
    act: impl FnOnce(&mut Player, Moment) -> T,
) -> Result<T, Failure> {
    let mut live = request.instance.live();
    let Live { content, state, .. } = &mut *live;
    let user = match id {
        Some(id) => user(content.world.user(id), "user", id)?,
        None => content.world.listener(),
    };
    let now = state.clock.now();
    Ok(act(&mut state.account(&content.world, user, now).player, now))
}

pub(super) fn reset(request: &Request<'_>) -> Outcome {
    request.instance.live().reset().map_err(invalid)?;
    Ok(Reply::no_content())
}

pub(super) fn ids(request: &Request<'_>) -> Outcome {
    Ok(json(200, &request.instance.live().ids))
}

pub(super) fn replace_world(request: &Request<'_>) -> Outcome {
    let world: custom::World = request.body()?;
    request.instance.live().replace_world(world).map_err(invalid)?;
    ids(request)
}

pub(super) fn worlds(request: &Request<'_>) -> Outcome {
    Ok(json(200, &Worlds { worlds: request.site.keys() }))
}

pub(super) fn create_world(request: &Request<'_>) -> Outcome {
    let is_empty = request.body::<serde_json::Map<_, _>>()?.is_empty();
    let body: WorldBody = request.body()?;
    // If the body has no settings, the new instance shares the catalogue of the default
    // instance.
    let recipe = (!is_empty).then(|| {
        let mut recipe: Recipe = request.site.default.live().recipe().clone();
        body.apply(&mut recipe);
        recipe
    });
    let instance = request.site.create_world(request.key, recipe).map_err(invalid)?;
    Ok(json(201, &describe(&instance)))
}

pub(super) fn world(request: &Request<'_>) -> Outcome {
    let instance = request.site.world(request.key);
    let instance = instance.ok_or_else(|| no_world(request.key))?;
    Ok(json(200, &describe(&instance)))
}

pub(super) fn remove_world(request: &Request<'_>) -> Outcome {
    match request.site.remove_world(request.key) {
        true => Ok(Reply::no_content()),
        false => Err(no_world(request.key)),
    }
}

fn duration(field: &str, seconds: f64) -> Result<Duration, Failure> {
    Duration::try_from_secs_f64(seconds)
        .map_err(|error| Failure::new(400, format!("{field}: {error}")))
}

impl WorldBody {
    fn apply(self, recipe: &mut Recipe) {
        recipe.world = self.world.unwrap_or_else(|| recipe.world.clone());
        recipe.seed = self.seed.unwrap_or(recipe.seed);
        recipe.null_values = self.null_values.unwrap_or(recipe.null_values);
        recipe.idle = self.idle.unwrap_or(recipe.idle);
        recipe.vague_player = self.vague_player.unwrap_or(recipe.vague_player);
        let mut app = recipe.app.clone();
        if let Some(mode) = self.mode {
            app = app.mode(mode);
        }
        if let Some(closed) = self.closed_2024 {
            app = app.closed_2024(closed);
        }
        if let Some(fields) = self.playlist_fields {
            app = app.playlist_fields(fields);
        }
        recipe.app = self.redirect_uris.into_iter().fold(app, App::redirect_uri);
    }
}

fn describe(instance: &Instance) -> Info {
    let live = instance.live();
    let Live { content, state, .. } = &*live;
    let application = |app: &crate::accounts::Registered| Application {
        name: app.name.clone(),
        client_id: app.client_id.clone(),
        client_secret: app.client_secret.0.clone(),
        mode: match app.mode {
            Mode::Development => "development",
            Mode::Extended => "extended",
        },
        redirect_uris: app.redirect_uris.clone(),
    };
    Info {
        version: env!("CARGO_PKG_VERSION"),
        api_url: instance.settings.api_url.clone(),
        accounts_url: instance.base_url.clone(),
        control_url: format!("{}/_mock", instance.base_url),
        seed: content.world.seed,
        applications: content.apps.iter().map(application).collect(),
        users: content.world.users.iter().map(|(_, user)| user.id.clone()).collect(),
        signed_in: content.world.users[state.auth.signed_in].id.clone(),
    }
}

fn application(apps: &Apps, name: &str) -> Result<AppKey, Failure> {
    apps.by_name(name).ok_or_else(|| {
        Failure::new(400, format!("application: no application has the name {name}"))
    })
}

fn user(found: Option<Key<User>>, field: &str, id: &str) -> Result<Key<User>, Failure> {
    found.ok_or_else(|| Failure::new(400, format!("{field}: no user has the id {id}")))
}

fn require_operation(field: &str, name: &str) -> Result<(), Failure> {
    match is_operation(name) {
        true => Ok(()),
        false => {
            Err(Failure::new(400, format!("{field}: {name} is not an operation of the Web API")))
        }
    }
}

fn no_world(key: &str) -> Failure {
    Failure::new(404, format!("There is no isolated instance {key}"))
}

fn invalid(error: std::io::Error) -> Failure {
    Failure::new(400, error.to_string())
}
