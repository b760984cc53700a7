//! Audiobooks and chapters.

use crate::{
    api::{
        call::Call,
        handlers::{batch, found},
    },
    http::{
        json::Json,
        reply::{Answer, Refusal, Reply},
    },
    world::{Availability, World},
};

pub(crate) fn one(call: &mut Call<'_>) -> Answer {
    require_market(call)?;
    let book = found(call, World::audiobook)?;
    Ok(Reply::ok(call.render().audiobook(book)))
}

pub(crate) fn several(call: &mut Call<'_>) -> Answer {
    let sold = require_market(call).is_ok();
    let find = |world: &World, id: &_| world.audiobook(id).filter(|_| sold);
    batch(call, "audiobooks", find, |key| call.render().audiobook(key))
}

pub(crate) fn chapters(call: &mut Call<'_>) -> Answer {
    require_market(call)?;
    let book = &call.world.audiobooks[found(call, World::audiobook)?];
    let render = call.render();
    let entries: Vec<Json> =
        call.window(book.chapters()).map(|key| render.chapter_ref(key)).collect();
    Ok(Reply::ok(call.page(entries, book.chapter_count as usize)))
}

pub(crate) fn chapter(call: &mut Call<'_>) -> Answer {
    require_market(call)?;
    let chapter = found(call, World::chapter)?;
    Ok(Reply::ok(call.render().chapter(chapter)))
}

pub(crate) fn several_chapters(call: &mut Call<'_>) -> Answer {
    let sold = require_market(call).is_ok();
    let find = |world: &World, id: &_| world.chapter(id).filter(|_| sold);
    batch(call, "chapters", find, |key| call.render().chapter(key))
}

/// Returns a 404 error if audiobooks are not available in the market.
fn require_market(call: &Call<'_>) -> Result<(), Refusal> {
    match call.market.code {
        Some(market) if !Availability::Books.contains(market) => Err(Refusal::not_found()),
        Some(_) | None => Ok(()),
    }
}
