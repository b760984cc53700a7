//! Users, and their top artists and tracks.

use crate::{
    api::call::Call,
    http::{
        json::Json,
        reply::{Answer, Refusal, Reply},
    },
    world::{Arena, Key, Rng, mix},
};

/// Maximum number of top artists or tracks.
const TOP: usize = 50;

pub(crate) fn me(call: &mut Call<'_>) -> Answer {
    let user = call.user()?;
    let profile = call.render().profile(user, &call.caller.scopes, call.has_premium());
    Ok(Reply::ok(profile))
}

pub(crate) fn one(call: &mut Call<'_>) -> Answer {
    let user = call.world.user(call.parameter("user_id")).ok_or_else(Refusal::not_found)?;
    Ok(Reply::ok(call.render().public_user(user)))
}

/// Returns the top fifty entries of a time range. If `offset` is 50 or more, the page is empty and
/// `total` is 0.
pub(crate) fn top(call: &mut Call<'_>) -> Answer {
    let range = call.query.get("time_range").unwrap_or("medium_term");
    if !["short_term", "medium_term", "long_term"].contains(&range) {
        return Err(Refusal::bad_request("Invalid time range"));
    }
    let user = u64::from(call.user()?.place());
    let mut rng = Rng::new(mix(call.world.seed ^ user), range);
    let start = rng.next();
    let kind = call.parameter("type").to_owned();
    if !["artists", "tracks"].contains(&kind.as_str()) {
        return Err(Refusal::not_found());
    }
    if call.offset as usize >= TOP {
        call.limit = 0;
        return Ok(Reply::ok(call.page(Vec::new(), 0)));
    }
    let account = call.account()?;
    let (tracks, artists) = (account.top_tracks.clone(), account.top_artists.clone());
    // The strides are coprime to the numbers of generated artists and tracks, so no entry appears
    // twice.
    let world = call.world;
    let artists = artists.unwrap_or_else(|| by_strides(&world.artists, start >> 8, 3));
    let tracks = tracks.unwrap_or_else(|| by_strides(&world.tracks, start >> 8, 211));
    let render = call.render().with_playability();
    let total = if kind == "artists" { artists.len() } else { tracks.len() };
    let entries: Vec<Json> = if kind == "artists" {
        call.window(artists).map(|artist| render.artist(artist)).collect()
    } else {
        call.window(tracks).map(|track| render.track(track)).collect()
    };
    Ok(Reply::ok(call.page(entries, total)))
}

/// Returns up to fifty entries of an arena: the entry at `start`, then every `stride`-th entry.
fn by_strides<T>(arena: &Arena<T>, start: u64, stride: u64) -> Vec<Key<T>> {
    let count = TOP.min(arena.len() as usize) as u64;
    (0..count).map(|place| arena.some(start + place * stride)).collect()
}
