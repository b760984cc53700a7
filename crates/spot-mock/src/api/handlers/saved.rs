//! Deprecated library operations. Each operation saves, removes or checks entries of one type.

use serde_json::Value;

use crate::{
    api::call::{Call, parse_id},
    clock::Moment,
    http::{
        json::Json,
        reply::{Answer, Refusal, Reply},
    },
    world::{Id, Key, World},
};

/// Defines the handlers that save, remove and check entries of one type.
macro_rules! handlers {
    ($($save:ident, $remove:ident, $has:ident: $shelf:ident by $find:ident;)*) => {
        $(
            pub(crate) fn $save(call: &mut Call<'_>) -> Answer {
                let dates = dates(call)?;
                let keys = keys(call, World::$find)?;
                let shelf = &mut call.account()?.library.$shelf;
                for (key, at) in keys.into_iter().zip(dates) {
                    shelf.save(key, at);
                }
                Ok(Reply::done())
            }

            pub(crate) fn $remove(call: &mut Call<'_>) -> Answer {
                let keys = keys(call, World::$find)?;
                let shelf = &mut call.account()?.library.$shelf;
                for key in keys {
                    shelf.remove(key);
                }
                Ok(Reply::done())
            }

            pub(crate) fn $has(call: &mut Call<'_>) -> Answer {
                let ids = call.ids()?;
                let world = call.world;
                let shelf = &call.account()?.library.$shelf;
                let has = |id: &Id| world.$find(id).is_some_and(|key| shelf.contains(key));
                Ok(Reply::ok(ids.iter().map(|id| Json::Bool(has(id))).collect::<Vec<_>>()))
            }
        )*
    };
}

handlers! {
    save_tracks, remove_tracks, has_tracks: tracks by track;
    save_albums, remove_albums, has_albums: albums by album;
    save_shows, remove_shows, has_shows: shows by show;
    save_episodes, remove_episodes, has_episodes: episodes by episode;
    save_audiobooks, remove_audiobooks, has_audiobooks: audiobooks by audiobook;
}

/// Finds the entries with the requested ids. The call fails if one of the ids is unknown.
fn keys<T>(
    call: &Call<'_>,
    find: impl Fn(&World, &Id) -> Option<Key<T>>,
) -> Result<Vec<Key<T>>, Refusal> {
    let find = |id: &Id| find(call.world, id).ok_or_else(Refusal::not_found);
    call.ids()?.iter().map(find).collect()
}

/// Returns the `added_at` time of each id. If the body has no `timestamped_ids`, each time is the
/// current time of the mock's clock.
fn dates(call: &Call<'_>) -> Result<Vec<Moment>, Refusal> {
    let body = if call.query.get("ids").is_some() { Value::Null } else { call.json_body()? };
    let Some(entries) = body.get("timestamped_ids").and_then(Value::as_array) else {
        return Ok(vec![call.now; call.list.len()]);
    };
    if body.get("ids").is_some() {
        return Err(Refusal::bad_request("Either ids or timestamped_ids can be given, not both"));
    }
    let date = |entry: &Value| {
        parse_id(entry.get("id").and_then(Value::as_str).unwrap_or_default())?;
        let text = entry.get("added_at").and_then(Value::as_str).unwrap_or_default();
        Moment::parse(text).ok_or_else(|| Refusal::bad_request("Invalid added_at"))
    };
    entries.iter().map(date).collect()
}
