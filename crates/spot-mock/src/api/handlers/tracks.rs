//! Tracks.

use crate::{
    api::{
        call::Call,
        handlers::{batch, found},
    },
    http::reply::{Answer, Reply},
    world::World,
};

pub(crate) fn one(call: &mut Call<'_>) -> Answer {
    let track = found(call, World::track)?;
    Ok(Reply::ok(call.render().track(track)))
}

pub(crate) fn several(call: &mut Call<'_>) -> Answer {
    batch(call, "tracks", World::track, |key| call.render().track(key))
}
