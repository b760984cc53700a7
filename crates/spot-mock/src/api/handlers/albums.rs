//! Albums.

use std::cmp::Reverse;

use crate::{
    api::{
        call::Call,
        handlers::{batch, found},
    },
    http::{
        json::{Json, object},
        reply::{Answer, Reply},
    },
    world::World,
};

/// Number of albums in the list of new releases.
const NEW_RELEASES: usize = 100;

pub(crate) fn one(call: &mut Call<'_>) -> Answer {
    let album = found(call, World::album)?;
    Ok(Reply::ok(call.render().album(album)))
}

pub(crate) fn several(call: &mut Call<'_>) -> Answer {
    batch(call, "albums", World::album, |key| call.render().album(key))
}

pub(crate) fn tracks(call: &mut Call<'_>) -> Answer {
    let album = &call.world.albums[found(call, World::album)?];
    let render = call.render();
    let tracks: Vec<Json> = call.window(album.tracks()).map(|key| render.track_ref(key)).collect();
    Ok(Reply::ok(call.page(tracks, album.track_count as usize)))
}

pub(crate) fn new_releases(call: &mut Call<'_>) -> Answer {
    let mut albums: Vec<_> = call.world.albums.keys().collect();
    albums.sort_by_key(|key| (Reverse(call.world.albums[*key].released), *key));
    albums.truncate(NEW_RELEASES);
    let total = albums.len();
    let render = call.render();
    let entries: Vec<Json> = call.window(albums).map(|key| render.album_ref(key)).collect();
    Ok(Reply::ok(object! { "albums": call.page(entries, total) }))
}
