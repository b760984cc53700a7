//! Featured playlists, browse categories and markets.

use crate::{
    api::call::Call,
    http::{
        json::{Json, object},
        reply::{Answer, Refusal, Reply},
    },
    render::Viewer,
    world::{MARKETS, Rng},
};

pub(crate) fn featured(call: &mut Call<'_>) -> Answer {
    let page = editorial(call, "featured", 12);
    Ok(Reply::ok(object! { "message": "Good morning!", "playlists": page }))
}

pub(crate) fn categories(call: &mut Call<'_>) -> Answer {
    let render = call.render();
    let entries: Vec<Json> =
        call.window(&call.world.categories).map(|category| render.category(category)).collect();
    Ok(Reply::ok(object! { "categories": call.page(entries, call.world.categories.len()) }))
}

pub(crate) fn category(call: &mut Call<'_>) -> Answer {
    let id = call.parameter("category_id");
    let category = call.world.category(id).ok_or_else(Refusal::not_found)?;
    Ok(Reply::ok(call.render().category(category)))
}

pub(crate) fn category_playlists(call: &mut Call<'_>) -> Answer {
    let id = call.parameter("category_id");
    let category = call.world.category(id).ok_or_else(Refusal::not_found)?;
    let page = editorial(call, &category.name, 8);
    Ok(Reply::ok(object! { "message": category.name.clone(), "playlists": page }))
}

pub(crate) fn markets(_: &mut Call<'_>) -> Answer {
    let markets: Vec<Json> = MARKETS.iter().copied().map(Json::Static).collect();
    Ok(Reply::ok(object! { "markets": markets }))
}

/// A page with a random choice of Spotify's own playlists. `count` is the maximum number of
/// playlists. The choice depends on `occasion`.
fn editorial(call: &Call<'_>, occasion: &str, count: usize) -> Json {
    let mut rng = Rng::new(call.world.seed, occasion);
    let mut lists: Vec<_> = call
        .state
        .playlists
        .iter()
        .filter(|(_, list)| list.editorial)
        .map(|(_, list)| list)
        .collect();
    lists.sort_by_cached_key(|_| rng.next());
    lists.truncate(count);
    let total = lists.len();
    let render = call.render();
    let viewer = Viewer { user: call.caller.user, episodes: false };
    let entries = call.window(lists).map(|list| render.playlist_ref(list, viewer)).collect();
    call.page(entries, total)
}
