//! Shows and episodes.

use crate::{
    api::{
        call::Call,
        handlers::{batch, found},
    },
    http::{
        json::Json,
        reply::{Answer, Refusal, Reply},
    },
    world::World,
};

pub(crate) fn show(call: &mut Call<'_>) -> Answer {
    require_market(call)?;
    let show = found(call, World::show)?;
    Ok(Reply::ok(call.render().show(show)))
}

/// Returns a batch of shows, without their episodes.
pub(crate) fn several_shows(call: &mut Call<'_>) -> Answer {
    require_market(call)?;
    batch(call, "shows", World::show, |key| call.render().show_ref(key))
}

pub(crate) fn episodes(call: &mut Call<'_>) -> Answer {
    require_market(call)?;
    let show = &call.world.shows[found(call, World::show)?];
    let render = call.render();
    let entries: Vec<Json> =
        call.window(show.episodes()).map(|key| render.episode_ref(key)).collect();
    Ok(Reply::ok(call.page(entries, show.episode_count as usize)))
}

pub(crate) fn episode(call: &mut Call<'_>) -> Answer {
    require_market(call)?;
    let episode = found(call, World::episode)?;
    Ok(Reply::ok(call.render().episode(episode)))
}

pub(crate) fn several_episodes(call: &mut Call<'_>) -> Answer {
    require_market(call)?;
    batch(call, "episodes", World::episode, |key| call.render().episode(key))
}

/// Requires a market, since a show can be unavailable in some markets. A call without a user must
/// have a `market`.
fn require_market(call: &Call<'_>) -> Result<(), Refusal> {
    match call.market.code {
        Some(_) => Ok(()),
        None => Err(Refusal::new(404, "non existing id")),
    }
}
