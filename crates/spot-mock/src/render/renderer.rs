//! The renderer, and the fields that all objects share.

use crate::{
    http::json::{Json, Object, object},
    render::track_cache::{TrackCache, TrackForm},
    settings::{Market, PlaylistFields},
    world::{Availability, HOME, Key, Track, World, mix},
};

/// Renders entries of the test data as JSON.
#[derive(Clone, Copy)]
pub(crate) struct Render<'a> {
    pub(crate) world: &'a World,
    /// Cache of rendered tracks. `None` if only parts of the tracks are requested.
    pub(crate) track_cache: Option<&'a TrackCache>,
    /// Base URL of links.
    pub(crate) api: &'a str,
    /// Whether to include the fields that Development Mode lacks.
    pub(crate) extended: bool,
    /// Whether tracks have a preview of 30 seconds, as before November 2024.
    pub(crate) previews: bool,
    pub(crate) playlist_fields: PlaylistFields,
    pub(crate) market: Market,
    /// Whether to set `is_playable`.
    pub(crate) playability: bool,
    pub(crate) resume_points: bool,
}

impl Render<'_> {
    /// Sets `is_playable` even if the call has no `market`, as in some of Spotify's responses.
    pub(crate) fn with_playability(self) -> Self {
        Self { playability: self.market.code.is_some(), ..self }
    }

    /// Returns the cached JSON of a track, or renders the track.
    pub(super) fn keep(
        self,
        key: Key<Track>,
        in_playlist: bool,
        render: impl FnOnce() -> Json,
    ) -> Json {
        // Tracks for other countries are not cached, since other countries are rarely requested.
        let is_usual = self.market.code.is_none_or(|code| code == HOME);
        let Some(kept) = self.track_cache.filter(|_| is_usual) else { return render() };
        let form = TrackForm {
            place: key.place(),
            in_playlist,
            extended: self.extended,
            previews: self.previews,
            playability: self.playability,
            at_home: self.market.code.is_some(),
            market_asked: self.market.asked,
        };
        kept.get_or_render(form, render)
    }

    /// Sets `available_markets` in Extended Quota Mode, if the call has no `market`.
    pub(super) fn set_markets(self, object: &mut Object, available: Availability) {
        if self.extended && !self.market.asked {
            match available.json() {
                Some(json) => object.set("available_markets", json),
                None => {
                    let codes = self.world.markets(available).iter().copied().map(Json::Static);
                    object.set("available_markets", Json::List(codes.collect()));
                }
            }
        }
    }

    /// Sets `is_playable`, and sets `restrictions` if the entry is not playable.
    pub(super) fn set_playability(self, object: &mut Object, available: Availability) {
        let (true, Some(market)) = (self.playability, self.market.code) else { return };
        let playable = self.world.markets(available).contains(&market);
        object.set("is_playable", playable);
        if !playable {
            object.set("restrictions", object! { "reason": "market" });
        }
    }

    /// Sets the fields `external_urls`, `href`, `id`, `type` and `uri`.
    pub(super) fn set_reference(self, object: &mut Object, kind: &'static str, id: &str) {
        object.set("external_urls", external_urls(kind, id));
        object.set("href", format!("{}/{kind}s/{id}", self.api));
        object.set("id", id.to_owned());
        object.set("type", kind);
        object.set("uri", format!("spotify:{kind}:{id}"));
    }
}

pub(super) fn external_urls(kind: &str, id: &str) -> Json {
    object! { "spotify": format!("https://open.spotify.com/{kind}/{id}") }
}

/// An image in Spotify's three sizes. The prefix of each file name encodes the size and the kind of
/// the image.
pub(super) fn images(id: &str, prefixes: [&str; 3]) -> Json {
    let hash = id.bytes().fold(0, |state, byte| mix(state ^ u64::from(byte)));
    let name = format!("{hash:016x}{:08x}", mix(hash) >> 32);
    let image = |(prefix, size): (&str, u32)| {
        object! {
            "height": size,
            "url": format!("https://i.scdn.co/image/{prefix}{name}"),
            "width": size,
        }
    };
    Json::List(prefixes.into_iter().zip([640, 300, 64]).map(image).collect())
}

pub(super) const COVERS: [&str; 3] = ["ab67616d0000b273", "ab67616d00001e02", "ab67616d00004851"];
pub(super) const PORTRAITS: [&str; 3] =
    ["ab6761610000e5eb", "ab67616100005174", "ab6761610000f178"];
pub(super) const SHOW_COVERS: [&str; 3] =
    ["ab6765630000ba8a", "ab67656300005f1f", "ab6765630000f68d"];
