//! Followed artists, users and playlists.

use serde_json::Value;

use crate::{
    api::call::Call,
    http::{
        json::{Json, Object, object},
        reply::{Answer, Refusal, Reply},
    },
    world::{Artist, Key, User, World},
};

/// Returns a page of followed artists. The page starts after the artist whose id is the cursor.
pub(crate) fn followed(call: &mut Call<'_>) -> Answer {
    match call.query.get("type") {
        Some("artist") => {}
        Some(_) => return Err(Refusal::bad_request("Invalid type")),
        None => return Err(Refusal::missing("type")),
    }
    let after = call.query.get("after").map(crate::api::call::parse_id).transpose()?;
    let world = call.world;
    let artists: Vec<Key<Artist>> =
        call.account()?.library.artists.entries().iter().map(|(key, _)| *key).collect();
    let start = match after {
        Some(after) => {
            let place = artists.iter().position(|key| world.artists[*key].id == after);
            place.map_or(artists.len(), |place| place + 1)
        }
        None => 0,
    };
    let limit = call.limit as usize;
    let rest: Vec<_> = artists.iter().skip(start).copied().collect();
    let more = rest.len() > limit;
    let shown: Vec<_> = rest.into_iter().take(limit).collect();
    let cursor = shown.last().filter(|_| more).map(|key| world.artists[*key].id);
    let link = |after: Option<String>| {
        let after = after.map(|id| format!("&after={id}")).unwrap_or_default();
        format!("{}/me/following?type=artist{after}&limit={limit}", call.settings.api_url)
    };
    let render = call.render();
    let mut page = Object::default();
    page.set("href", link(after.map(|id| id.to_string())));
    page.set("limit", call.limit);
    page.set("next", cursor.map(|id| link(Some(id.to_string()))));
    page.set("cursors", object! { "after": cursor.map(|id| id.to_string()) });
    page.set("total", artists.len());
    page.set("items", shown.into_iter().map(|key| render.artist(key)).collect::<Vec<_>>());
    Ok(Reply::ok(object! { "artists": page }))
}

pub(crate) fn follow(call: &mut Call<'_>) -> Answer {
    let followees = followees(call)?;
    let now = call.now;
    let library = &mut call.account()?.library;
    match followees {
        Followees::Artists(keys) => {
            known(keys)?.into_iter().for_each(|key| library.artists.save(key, now))
        }
        Followees::Users(keys) => {
            known(keys)?.into_iter().for_each(|key| library.users.save(key, now))
        }
    }
    Ok(Reply::no_content())
}

pub(crate) fn unfollow(call: &mut Call<'_>) -> Answer {
    let followees = followees(call)?;
    let library = &mut call.account()?.library;
    match followees {
        Followees::Artists(keys) => {
            known(keys)?.into_iter().for_each(|key| library.artists.remove(key))
        }
        Followees::Users(keys) => {
            known(keys)?.into_iter().for_each(|key| library.users.remove(key))
        }
    }
    Ok(Reply::no_content())
}

pub(crate) fn follows(call: &mut Call<'_>) -> Answer {
    let followees = followees(call)?;
    let library = &call.account()?.library;
    let answers: Vec<bool> = match followees {
        Followees::Artists(keys) => keys
            .into_iter()
            .map(|key| key.is_some_and(|key| library.artists.contains(key)))
            .collect(),
        Followees::Users(keys) => {
            keys.into_iter().map(|key| key.is_some_and(|key| library.users.contains(key))).collect()
        }
    };
    Ok(Reply::ok(answers.into_iter().map(Json::Bool).collect::<Vec<_>>()))
}

pub(crate) fn follow_playlist(call: &mut Call<'_>) -> Answer {
    let key = call.playlist()?;
    let public = call.json_body()?.get("public").and_then(Value::as_bool).unwrap_or(true);
    call.require_scope(if public { "playlist-modify-public" } else { "playlist-modify-private" })?;
    call.account()?.library.follow_playlist(key);
    Ok(Reply::done())
}

pub(crate) fn unfollow_playlist(call: &mut Call<'_>) -> Answer {
    let key = call.playlist()?;
    call.account()?.library.unfollow_playlist(key);
    Ok(Reply::done())
}

/// Returns a list with one boolean. The `ids` parameter accepts only the caller's own id.
pub(crate) fn follows_playlist(call: &mut Call<'_>) -> Answer {
    let user = call.user()?;
    let key = call.playlist()?;
    if let Some(ids) = call.query.list("ids") {
        let me = call.world.users[user].id.as_str();
        if ids.len() > 1 {
            return Err(Refusal::bad_request("Too many ids requested"));
        }
        if ids.iter().any(|id| id != me) {
            return Err(Refusal::forbidden());
        }
    }
    let follows = call.account()?.library.follows_playlist(key);
    Ok(Reply::ok(vec![Json::Bool(follows)]))
}

/// The artists or users of the `ids` parameter; `None` for ids that do not exist.
enum Followees {
    Artists(Vec<Option<Key<Artist>>>),
    Users(Vec<Option<Key<User>>>),
}

fn followees(call: &Call<'_>) -> Result<Followees, Refusal> {
    match call.query.get("type") {
        Some("artist") => {
            let ids = call.ids()?;
            Ok(Followees::Artists(ids.iter().map(|id| World::artist(call.world, id)).collect()))
        }
        Some("user") => {
            Ok(Followees::Users(call.list.iter().map(|id| call.world.user(id)).collect()))
        }
        Some(_) => Err(Refusal::bad_request("Invalid type")),
        None => Err(Refusal::missing("type")),
    }
}

fn known<T>(keys: Vec<Option<Key<T>>>) -> Result<Vec<Key<T>>, Refusal> {
    keys.into_iter().map(|key| key.ok_or_else(Refusal::not_found)).collect()
}
