//! State and commands of the player.

use std::time::Duration;

use serde_json::Value;

use crate::{
    api::{
        call::Call,
        handlers::play::{PlayRequest, playable},
    },
    clock::Moment,
    http::{
        json::{Json, Object, object},
        reply::{Answer, Refusal, Reply},
    },
    state::{Account, Command, Playable, Player, Repeat, Restriction},
    world::Device,
};

/// Maximum number of queue entries in a response.
const QUEUE: usize = 20;

pub(crate) fn state(call: &mut Call<'_>) -> Answer {
    shown(call, |render, player, episodes| render.playback(player, episodes))
}

pub(crate) fn currently_playing(call: &mut Call<'_>) -> Answer {
    shown(call, |render, player, episodes| render.currently_playing(player, episodes))
}

pub(crate) fn devices(call: &mut Call<'_>) -> Answer {
    let player = &call.account()?.player;
    let (devices, active) = (player.devices.clone(), player.active);
    let render = call.render();
    let entries: Vec<Json> = devices
        .iter()
        .enumerate()
        .map(|(place, device)| render.device(device, active == Some(place)))
        .collect();
    Ok(Reply::ok(object! { "devices": entries }))
}

pub(crate) fn transfer(call: &mut Call<'_>) -> Answer {
    let body = call.json_body()?;
    let ids = body
        .get("device_ids")
        .and_then(Value::as_array)
        .ok_or_else(|| Refusal::missing("device_ids"))?;
    let [id] = ids.as_slice() else {
        return Err(Refusal::bad_request("Exactly one device_id must be provided"));
    };
    let id = id.as_str().ok_or_else(|| invalid("device_ids"))?.to_owned();
    let play = match body.get("play") {
        None | Some(Value::Null) => None,
        Some(Value::Bool(play)) => Some(*play),
        Some(_) => return Err(invalid("play")),
    };
    let (now, vague) = (call.now, call.settings.vague_player);
    let player = &mut call.account()?.player;
    let place = device_place(player, &id)?;
    leave_for(player, place).map_err(|restriction| restriction.refusal(vague))?;
    player.active = Some(place);
    // If `play` is true, the transfer starts playback. A transfer never pauses playback.
    let playing = play.unwrap_or(false) || player.playing;
    player.set_playing(playing, now);
    Ok(Reply::no_content())
}

pub(crate) fn play(call: &mut Call<'_>) -> Answer {
    let request = PlayRequest::read(call)?;
    command(call, |player, order| {
        match request {
            PlayRequest::Resume { position } => {
                match player.allows(Command::Resume) {
                    // A resume command fails if it has no position and its device already
                    // plays.
                    Err(Restriction::NotPaused) if position.is_some() || order.moves => {}
                    allowed => allowed?,
                }
                if let Some(position) = position {
                    player.seek(position, order.now);
                }
                player.set_playing(true, order.now);
            }
            PlayRequest::Start { context, tracks, place, position } => {
                player.count_start(order.now)?;
                if tracks.is_empty() {
                    return Err(Restriction::ContextDisallow);
                }
                let place = place.ok_or(Restriction::NoSpecificTrack)?;
                let first = tracks.get(place).copied().ok_or(Restriction::NoSpecificTrack)?;
                let again = position.is_none() && !order.moves;
                if again && player.is_in_the_midst_of(context.as_ref(), first) {
                    return Err(Restriction::AlreadyPlaying);
                }
                player.start(context, tracks, place, position.unwrap_or_default(), order.now);
            }
        }
        Ok(())
    })
}

pub(crate) fn pause(call: &mut Call<'_>) -> Answer {
    command(call, |player, order| {
        order.stays()?;
        player.allows(Command::Pause)?;
        player.set_playing(false, order.now);
        Ok(())
    })
}

pub(crate) fn next(call: &mut Call<'_>) -> Answer {
    command(call, |player, order| {
        order.stays()?;
        player.count_start(order.now)?;
        player.allows(Command::SkipNext)?;
        player.skip(order.now);
        Ok(())
    })
}

pub(crate) fn previous(call: &mut Call<'_>) -> Answer {
    command(call, |player, order| {
        order.stays()?;
        player.count_start(order.now)?;
        player.allows(Command::SkipPrevious)?;
        player.back(order.now);
        Ok(())
    })
}

pub(crate) fn seek(call: &mut Call<'_>) -> Answer {
    let position = Duration::from_millis(required(call, "position_ms", u64::MAX)?);
    let world = call.world;
    command(call, |player, order| {
        order.stays()?;
        player.allows(Command::Seek)?;
        // Seeking beyond the end starts the next item.
        match player.current {
            Some(current) if position >= current.duration(world) => player.skip(order.now),
            _ => player.seek(position, order.now),
        }
        Ok(())
    })
}

pub(crate) fn repeat(call: &mut Call<'_>) -> Answer {
    let repeat = match call.query.get("state") {
        Some("off") => Repeat::Off,
        Some("context") => Repeat::Context,
        Some("track") => Repeat::Track,
        Some(_) => return Err(Refusal::bad_request("Invalid value for parameter: state")),
        None => return Err(Refusal::bad_request("Missing parameter: state")),
    };
    command(call, |player, order| {
        match repeat {
            // Turning repeat off is always allowed.
            Repeat::Off => {}
            Repeat::Context => player.allows(Command::RepeatContext)?,
            Repeat::Track => player.allows(Command::RepeatTrack)?,
        }
        player.set_repeat(repeat, order.now);
        Ok(())
    })
}

pub(crate) fn shuffle(call: &mut Call<'_>) -> Answer {
    let shuffle = match call.query.get("state") {
        Some("true") => true,
        Some("false") => false,
        Some(_) => return Err(Refusal::bad_request("Invalid value for parameter: state")),
        None => return Err(Refusal::bad_request("Missing parameter: state")),
    };
    command(call, |player, order| {
        player.allows(Command::Shuffle)?;
        player.set_shuffle(shuffle, order.now);
        Ok(())
    })
}

pub(crate) fn volume(call: &mut Call<'_>) -> Answer {
    let volume = u8::try_from(required(call, "volume_percent", 100)?).unwrap_or(100);
    let vague = call.settings.vague_player;
    let (player, place) = target(call)?;
    let device = player.devices.get_mut(place);
    let restriction = match device {
        // The volume changes on the requested device. Playback is not transferred.
        Some(device) if device.supports_volume && device.restriction().is_none() => {
            device.volume = Some(volume);
            return Ok(Reply::no_content());
        }
        Some(device) => device.restriction(),
        None => None,
    };
    Err(restriction.unwrap_or(Restriction::VolumeControlDisallow).refusal(vague))
}

pub(crate) fn queue(call: &mut Call<'_>) -> Answer {
    let player = &call.account()?.player;
    let current = player.current.filter(|_| player.active.is_some());
    let upcoming = if current.is_some() { player.upcoming(QUEUE) } else { Vec::new() };
    let render = call.render();
    Ok(Reply::ok(object! {
        "currently_playing": current.map(|current| render.playable(current)),
        "queue": upcoming.into_iter().map(|playable| render.playable(playable)).collect::<Vec<_>>(),
    }))
}

pub(crate) fn enqueue(call: &mut Call<'_>) -> Answer {
    let uri = call
        .query
        .get("uri")
        .ok_or_else(|| Refusal::bad_request("Missing parameter: uri"))?
        .to_owned();
    let playable: Playable = playable(call.world, &uri)?;
    command(call, |player, order| {
        player.enqueue(playable, order.now);
        Ok(())
    })
}

/// Returns the recent plays, newest first. With `before`, the page contains the newest plays before
/// the cursor. With `after`, the page contains the oldest plays after the cursor.
pub(crate) fn recently_played(call: &mut Call<'_>) -> Answer {
    let moment = |name: &str| -> Result<Option<i64>, Refusal> {
        let number =
            |text: &str| text.parse().map_err(|_| Refusal::bad_request(format!("Invalid {name}")));
        call.query.get(name).map(number).transpose()
    };
    let (after, before) = (moment("after")?, moment("before")?);
    if after.is_some() && before.is_some() {
        return Err(Refusal::bad_request("Only one of after and before can be given"));
    }
    let limit = call.limit as usize;
    let Account { history, .. } = call.account()?;
    let wanted = |at: Moment| {
        after.is_none_or(|after| at.millis() > after)
            && before.is_none_or(|before| at.millis() < before)
    };
    let plays: Vec<_> =
        history.plays().iter().filter(|play| wanted(play.played_at)).cloned().collect();
    let more = plays.len() > limit;
    let first = if after.is_some() { plays.len().saturating_sub(limit) } else { 0 };
    let shown: Vec<_> = plays.into_iter().skip(first).take(limit).collect();
    let link = |after: Option<i64>, before: Option<i64>| {
        let after = after.map(|after| format!("after={after}&")).unwrap_or_default();
        let before = before.map(|before| format!("before={before}&")).unwrap_or_default();
        format!("{}/me/player/recently-played?{after}{before}limit={limit}", call.settings.api_url)
    };
    let ends = shown.first().zip(shown.last());
    let ends = ends.map(|(newest, oldest)| (newest.played_at.millis(), oldest.played_at.millis()));
    let next = ends.filter(|_| more).map(|(newest, oldest)| {
        if after.is_some() { link(Some(newest), None) } else { link(None, Some(oldest)) }
    });
    // When a client pages backwards, the last page has no cursors.
    let cursors = ends.filter(|_| more || after.is_some()).map(|(newest, oldest)| {
        object! { "after": newest.to_string(), "before": oldest.to_string() }
    });
    let render = call.render();
    let mut page = Object::default();
    page.set("items", shown.iter().map(|play| render.play(play)).collect::<Vec<_>>());
    page.set("next", next);
    page.set("cursors", cursors);
    page.set("limit", call.limit);
    page.set("href", link(after, before));
    Ok(Reply::ok(page))
}

/// Returns the rendered player, or 204 without a body if no device is active.
fn shown(
    call: &mut Call<'_>,
    show: impl Fn(crate::render::Render<'_>, &Player, bool) -> Json,
) -> Answer {
    let types = call.query.list("additional_types").unwrap_or_default();
    let episodes = types.iter().any(|kind| kind == "episode");
    let user = call.user()?;
    call.account()?;
    let Some(player) = call.state.player(user) else { return Ok(Reply::no_content()) };
    if player.active.is_none() || player.current.is_none() {
        return Ok(Reply::no_content());
    }
    Ok(Reply::ok(show(call.render(), player, episodes)))
}

/// A player command.
struct Order {
    now: Moment,
    /// Whether a device other than the target of the command is playing.
    moves: bool,
}

impl Order {
    /// Returns an error if a device other than the target of the command is playing.
    fn stays(&self) -> Result<(), Restriction> {
        if self.moves { Err(Restriction::NotPlayingLocally) } else { Ok(()) }
    }
}

/// Executes a command on the device that the query parameter `device_id` names. The default is the
/// active device.
fn command(
    call: &mut Call<'_>,
    act: impl FnOnce(&mut Player, Order) -> Result<(), Restriction>,
) -> Answer {
    let (now, vague) = (call.now, call.settings.vague_player);
    let (player, place) = target(call)?;
    let before = player.active;
    let moves = player.playing && before.is_some_and(|before| before != place);
    let done = leave_for(player, place).and_then(|()| {
        player.active = Some(place);
        act(player, Order { now, moves })
    });
    done.map(|()| Reply::no_content()).map_err(|restriction| {
        player.active = before;
        restriction.refusal(vague)
    })
}

/// Returns the caller's player, and the index of the command's target in the list of devices. The
/// query parameter `device_id` names the target. The default target is the active device.
fn target<'a>(call: &'a mut Call<'_>) -> Result<(&'a mut Player, usize), Refusal> {
    let device_id = call.query.get("device_id").map(str::to_owned);
    let vague = call.settings.vague_player;
    let player = &mut call.account()?.player;
    let place = match device_id {
        Some(id) => device_place(player, &id)?,
        None => player.active.ok_or_else(|| Restriction::NoActiveDevice.refusal(vague))?,
    };
    Ok((player, place))
}

/// Checks whether this device accepts commands, and whether playback can be transferred to it.
fn leave_for(player: &Player, place: usize) -> Result<(), Restriction> {
    if player.active != Some(place) {
        player.allows(Command::Transfer)?;
    }
    player.devices.get(place).and_then(Device::restriction).map_or(Ok(()), Err)
}

fn device_place(player: &Player, id: &str) -> Result<usize, Refusal> {
    let place = player.devices.iter().position(|device| device.id.as_deref() == Some(id));
    place.ok_or_else(|| Refusal::new(404, "Device not found"))
}

fn required(call: &Call<'_>, name: &str, max: u64) -> Result<u64, Refusal> {
    let text = call
        .query
        .get(name)
        .ok_or_else(|| Refusal::bad_request(format!("Missing parameter: {name}")))?;
    let number = text.parse().ok().filter(|number| *number <= max);
    number.ok_or_else(|| Refusal::bad_request(format!("Invalid value for parameter: {name}")))
}

fn invalid(field: &str) -> Refusal {
    Refusal::bad_request(format!("Invalid value for field: {field}"))
}
