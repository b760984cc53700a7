//! The handlers of the operations. A handler runs after the [gate](crate::api::gate) has checked
//! the request.

pub(crate) mod albums;
pub(crate) mod analysis;
pub(crate) mod artists;
pub(crate) mod audiobooks;
pub(crate) mod browse;
pub(crate) mod following;
pub(crate) mod library;
mod play;
pub(crate) mod player;
pub(crate) mod playlist_items;
pub(crate) mod playlists;
pub(crate) mod saved;
pub(crate) mod search;
mod search_query;
mod search_ranking;
pub(crate) mod shows;
pub(crate) mod tracks;
pub(crate) mod users;

use crate::{
    api::call::Call,
    http::{
        json::{Json, Object},
        reply::{Answer, Refusal, Reply},
    },
    world::{Id, World},
};

/// Returns a batch: `{"albums": [..]}`, with null in place of unknown ids.
fn batch<K>(
    call: &Call<'_>,
    name: &'static str,
    find: impl Fn(&World, &Id) -> Option<K>,
    render: impl Fn(K) -> Json,
) -> Answer {
    let entries: Vec<Json> =
        call.ids()?.iter().map(|id| find(call.world, id).map(&render).into()).collect();
    let mut body = Object::default();
    body.set(name, entries);
    Ok(Reply::ok(body))
}

/// Finds the entry with the id in the path.
fn found<K>(call: &Call<'_>, find: impl Fn(&World, &Id) -> Option<K>) -> Result<K, Refusal> {
    find(call.world, &call.id()?).ok_or_else(Refusal::not_found)
}
