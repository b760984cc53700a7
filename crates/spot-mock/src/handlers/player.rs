//! The player: what it shows, and what it can be told.

use std::time::Duration;

use serde_json::Value;

use super::play::{Wish, playable};
use crate::call::Call;
use crate::clock::Moment;
use crate::json::{Json, Object, object};
use crate::reply::{Answer, Refusal, Reply};
use crate::state::{Account, Playable, Player, Repeat};

/// How much of the queue is shown.
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
    let now = call.now;
    let player = &mut call.account()?.player;
    player.active = Some(device_place(player, &id)?);
    // Without a wish the playing goes on or stays away, as it was.
    let playing = play.unwrap_or(false) || player.playing;
    player.set_playing(playing, now);
    Ok(Reply::no_content())
}

pub(crate) fn play(call: &mut Call<'_>) -> Answer {
    let wish = Wish::read(call)?;
    command(call, |player, now| {
        match wish {
            Wish::Resume { position } => {
                if player.playing && position.is_none() {
                    return Err(restricted());
                }
                if player.current.is_none() {
                    return Err(restricted());
                }
                if let Some(position) = position {
                    player.seek(position, now);
                }
                player.set_playing(true, now);
            }
            Wish::Start { context, tracks, place, position } => {
                if tracks.is_empty() {
                    return Err(restricted());
                }
                player.start(context, tracks, place, position, now);
            }
        }
        Ok(())
    })
}

pub(crate) fn pause(call: &mut Call<'_>) -> Answer {
    command(call, |player, now| {
        if !player.playing {
            return Err(restricted());
        }
        player.set_playing(false, now);
        Ok(())
    })
}

pub(crate) fn next(call: &mut Call<'_>) -> Answer {
    command(call, |player, now| {
        player.skip(now);
        Ok(())
    })
}

pub(crate) fn previous(call: &mut Call<'_>) -> Answer {
    command(call, |player, now| if player.back(now) { Ok(()) } else { Err(restricted()) })
}

pub(crate) fn seek(call: &mut Call<'_>) -> Answer {
    let position = Duration::from_millis(required(call, "position_ms", u64::MAX)?);
    let world = call.world;
    command(call, |player, now| {
        // Beyond its end the next one begins.
        match player.current {
            Some(current) if position >= current.duration(world) => player.skip(now),
            Some(_) => player.seek(position, now),
            None => return Err(restricted()),
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
    command(call, |player, now| {
        player.set_repeat(repeat, now);
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
    command(call, |player, now| {
        player.set_shuffle(shuffle, now);
        Ok(())
    })
}

pub(crate) fn volume(call: &mut Call<'_>) -> Answer {
    let volume = u8::try_from(required(call, "volume_percent", 100)?).unwrap_or(100);
    command(call, |player, _| match player.active_device_mut() {
        Some(device) if device.supports_volume => {
            device.volume = Some(volume);
            Ok(())
        }
        _ => Err(Refusal::player(403, "Cannot control device volume", "VOLUME_CONTROL_DISALLOW")),
    })
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
    let playable: Playable = playable(call, &uri)?;
    command(call, |player, now| {
        player.enqueue(playable, now);
        Ok(())
    })
}

/// The last plays, newest first, before or after a moment.
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
    let shown: Vec<_> = plays.into_iter().take(limit).collect();
    let link = |before: Option<i64>| {
        let before = before.map(|before| format!("before={before}&")).unwrap_or_default();
        format!("{}/me/player/recently-played?{before}limit={limit}", call.settings.api_url)
    };
    let (newest, oldest) = (shown.first(), shown.last().filter(|_| more));
    let cursors = newest.zip(oldest).map(|(newest, oldest)| {
        object! {
            "after": newest.played_at.millis().to_string(),
            "before": oldest.played_at.millis().to_string(),
        }
    });
    let render = call.render();
    let mut page = Object::default();
    page.set("items", shown.iter().map(|play| render.play(play)).collect::<Vec<_>>());
    page.set("next", oldest.map(|oldest| link(Some(oldest.played_at.millis()))));
    page.set("cursors", cursors);
    page.set("limit", call.limit);
    page.set("href", link(before));
    Ok(Reply::ok(page))
}

/// Shows something of the player, or that nothing is active: 204 without a body.
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

/// Does something with the player on the device that was named, else on the active one.
fn command(
    call: &mut Call<'_>,
    act: impl FnOnce(&mut Player, Moment) -> Result<(), Refusal>,
) -> Answer {
    let device_id = call.query.get("device_id").map(str::to_owned);
    let now = call.now;
    let player = &mut call.account()?.player;
    let place = match device_id {
        Some(id) => device_place(player, &id)?,
        None => player
            .active
            .ok_or_else(|| Refusal::player(404, "No active device found", "NO_ACTIVE_DEVICE"))?,
    };
    if player.devices.get(place).is_some_and(|device| device.restricted) {
        return Err(Refusal::player(403, "Device not controllable", "DEVICE_NOT_CONTROLLABLE"));
    }
    let before = player.active.replace(place);
    let done = act(player, now);
    if done.is_err() {
        player.active = before;
    }
    done.map(|()| Reply::no_content())
}

fn device_place(player: &Player, id: &str) -> Result<usize, Refusal> {
    let place = player.devices.iter().position(|device| device.id.as_deref() == Some(id));
    place.ok_or_else(|| Refusal::new(404, "Device not found"))
}

/// What the player will not do in its present state. Real players give no better reason.
fn restricted() -> Refusal {
    Refusal::player(403, "Restriction violated", "UNKNOWN")
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
