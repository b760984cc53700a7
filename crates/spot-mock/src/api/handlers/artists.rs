//! Artists.

use std::cmp::Reverse;

use crate::{
    api::{
        call::Call,
        handlers::{batch, found},
    },
    http::{
        json::{Json, object},
        reply::{Answer, Refusal, Reply},
    },
    world::{AlbumKind, Artist, Key, Track, World},
};

/// The groups of a discography, in the order in which Spotify lists them.
const GROUPS: [&str; 4] = ["album", "single", "compilation", "appears_on"];
const TOP_TRACKS: usize = 10;
const RELATED: usize = 20;

pub(crate) fn one(call: &mut Call<'_>) -> Answer {
    let artist = found(call, World::artist)?;
    Ok(Reply::ok(call.render().artist(artist)))
}

pub(crate) fn several(call: &mut Call<'_>) -> Answer {
    batch(call, "artists", World::artist, |key| call.render().artist(key))
}

pub(crate) fn albums(call: &mut Call<'_>) -> Answer {
    let artist = &call.world.artists[found(call, World::artist)?];
    let asked = call.query.list("include_groups");
    if let Some(asked) = &asked
        && asked.iter().any(|group| !GROUPS.contains(&group.as_str()))
    {
        return Err(Refusal::bad_request("Invalid include_groups"));
    }
    let wanted =
        |group: &str| asked.as_ref().is_none_or(|asked| asked.iter().any(|one| one == group));
    let mut list = Vec::new();
    for group in GROUPS.into_iter().filter(|group| wanted(group)) {
        let kind = match group {
            "album" => Some(AlbumKind::Album),
            "single" => Some(AlbumKind::Single),
            "compilation" => Some(AlbumKind::Compilation),
            _ => None,
        };
        match kind {
            Some(kind) => {
                let of_kind =
                    artist.albums.iter().filter(|key| call.world.albums[**key].kind == kind);
                list.extend(of_kind.map(|key| (*key, group)));
            }
            None => list.extend(artist.appears_on.iter().map(|key| (*key, group))),
        }
    }
    let total = list.len();
    let render = call.render();
    let entries: Vec<Json> =
        call.window(list).map(|(key, group)| render.album_in_group(key, group)).collect();
    Ok(Reply::ok(call.page(entries, total)))
}

pub(crate) fn top_tracks(call: &mut Call<'_>) -> Answer {
    let artist = found(call, World::artist)?;
    let render = call.render().with_playability();
    let tracks: Vec<Json> = most_popular(call.world, artist, TOP_TRACKS)
        .into_iter()
        .map(|key| render.track(key))
        .collect();
    Ok(Reply::ok(object! { "tracks": tracks }))
}

/// Returns other artists, sorted by the number of shared genres, then by popularity.
pub(crate) fn related(call: &mut Call<'_>) -> Answer {
    let artist = found(call, World::artist)?;
    let genres = &call.world.artists[artist].genres;
    let mut others: Vec<_> = call.world.artists.iter().filter(|(key, _)| *key != artist).collect();
    others.sort_by_key(|(key, other)| {
        let shared = other.genres.iter().filter(|genre| genres.contains(genre)).count();
        (Reverse(shared), Reverse(other.popularity), *key)
    });
    let render = call.render();
    let entries: Vec<Json> =
        others.into_iter().take(RELATED).map(|(key, _)| render.artist(key)).collect();
    Ok(Reply::ok(object! { "artists": entries }))
}

/// The most popular tracks of an artist's own albums.
pub(super) fn most_popular(world: &World, artist: Key<Artist>, count: usize) -> Vec<Key<Track>> {
    let albums = world.artists[artist].albums.iter();
    let mut tracks: Vec<_> = albums.flat_map(|album| world.albums[*album].tracks()).collect();
    tracks.sort_by_key(|key| (Reverse(world.tracks[*key].popularity), *key));
    tracks.truncate(count);
    tracks
}
