//! Artists, albums and tracks.

use crate::{
    http::json::{Json, Object, object},
    render::{
        page::page,
        renderer::{COVERS, PORTRAITS, Render, images},
    },
    world::{Album, Artist, Image, Key, Track, mix},
};

/// Maximum number of tracks in an album object.
const NESTED_TRACKS: u32 = 50;

impl Render<'_> {
    pub(crate) fn artist(self, key: Key<Artist>) -> Json {
        let artist = &self.world.artists[key];
        let id = artist.id.as_str();
        let mut object = Object::new();
        if self.extended {
            object.set("followers", object! { "href": Json::Null, "total": artist.followers });
            let genres = artist.genres.iter().map(|genre| genre.clone().into());
            object.set("genres", genres.collect::<Vec<Json>>());
        }
        object.set("images", images(id, PORTRAITS));
        object.set("name", artist.name.to_string());
        if self.extended {
            object.set("popularity", artist.popularity);
        }
        self.set_reference(&mut object, "artist", id);
        object.into()
    }

    /// An artist as part of another object.
    fn artist_ref(self, key: Key<Artist>) -> Json {
        let artist = &self.world.artists[key];
        let mut object = Object::new();
        object.set("name", artist.name.to_string());
        self.set_reference(&mut object, "artist", artist.id.as_str());
        object.into()
    }

    fn artist_refs(self, artists: impl Iterator<Item = Key<Artist>>) -> Json {
        Json::List(artists.map(|key| self.artist_ref(key)).collect())
    }

    pub(crate) fn album(self, key: Key<Album>) -> Json {
        let album = &self.world.albums[key];
        let mut object = self.album_fields(key);
        let label = album.label.to_string();
        let year = album.released.year;
        let copyright = |sign: &str, kind: &'static str| {
            object! { "text": format!("{sign} {year} {label}"), "type": kind }
        };
        object.set("copyrights", vec![copyright("©", "C"), copyright("℗", "P")]);
        object.set("external_ids", object! { "upc": format!("{:012}", album.upc) });
        if self.extended {
            object.set("genres", Vec::<Json>::new());
            object.set("label", label);
            object.set("popularity", album.popularity);
        }
        let tracks = album.tracks().take(NESTED_TRACKS as usize).map(|key| self.track_ref(key));
        let link = |offset| {
            let (api, id) = (self.api, album.id);
            format!("{api}/albums/{id}/tracks?offset={offset}&limit={NESTED_TRACKS}")
        };
        let total = album.track_count as usize;
        object.set("tracks", page(link, NESTED_TRACKS, 0, tracks.collect(), total));
        object.into()
    }

    /// An album as part of another object or in a list.
    pub(crate) fn album_ref(self, key: Key<Album>) -> Json {
        self.album_fields(key).into()
    }

    /// An album in an artist's discography.
    pub(crate) fn album_in_group(self, key: Key<Album>, group: &'static str) -> Json {
        let mut object = self.album_fields(key);
        if self.extended {
            object.set("album_group", group);
        }
        object.into()
    }

    fn album_fields(self, key: Key<Album>) -> Object {
        let album = &self.world.albums[key];
        let details = self.world.album_details.get(&key);
        let id = album.id.as_str();
        let mut object = Object::new();
        object.set("album_type", album.kind.as_str());
        object.set("artists", self.artist_refs(self.world.album_artists(key)));
        self.set_markets(&mut object, album.available);
        let own_images = details.and_then(|details| details.images.as_deref());
        object.set("images", own_images.map_or_else(|| images(id, COVERS), own));
        self.set_playability(&mut object, album.available);
        object.set("name", album.name.to_string());
        object.set("release_date", album.released.text());
        object.set("release_date_precision", album.released.precision());
        let total = details.and_then(|details| details.total_tracks);
        object.set("total_tracks", total.unwrap_or(album.track_count));
        self.set_reference(&mut object, "album", id);
        object
    }

    pub(crate) fn track(self, key: Key<Track>) -> Json {
        self.keep(key, false, || self.track_object(key).into())
    }

    /// A full track, as an object to which playlists add fields.
    pub(super) fn track_object(self, asked: Key<Track>) -> Object {
        let key = self.relink(asked);
        let track = &self.world.tracks[key];
        let mut object = Object::new();
        object.set("album", self.album_ref(track.album));
        self.set_track_fields(&mut object, asked, key);
        object.set("external_ids", object! { "isrc": self.world.isrc(key) });
        if self.extended {
            object.set("popularity", track.popularity);
        }
        object
    }

    /// A track as part of its album.
    pub(crate) fn track_ref(self, key: Key<Track>) -> Json {
        let mut object = Object::new();
        self.set_track_fields(&mut object, key, self.relink(key));
        object.into()
    }

    fn set_track_fields(self, object: &mut Object, asked: Key<Track>, key: Key<Track>) {
        let track = &self.world.tracks[key];
        object.set("artists", self.artist_refs(self.world.track_artists(key)));
        self.set_markets(object, track.available);
        object.set("disc_number", track.disc);
        object.set("duration_ms", track.duration_ms);
        object.set("explicit", track.explicit);
        object.set("is_local", false);
        self.set_playability(object, track.available);
        let asked = &self.world.tracks[asked];
        if self.extended && asked.id != track.id {
            let mut original = Object::new();
            self.set_reference(&mut original, "track", asked.id.as_str());
            object.set("linked_from", original);
        }
        object.set("name", track.name.to_string());
        object.set("preview_url", self.previews.then(|| preview(track.id.as_str())));
        object.set("track_number", track.number);
        self.set_reference(object, "track", track.id.as_str());
    }

    /// Returns the replacement of a relinked track if the call has a `market`. Otherwise, returns
    /// the given track.
    fn relink(self, key: Key<Track>) -> Key<Track> {
        match self.world.tracks[key].relinked {
            Some(instead) if self.market.asked => instead,
            _ => key,
        }
    }
}

/// Renders cover images from custom test data.
fn own(images: &[Image]) -> Json {
    let image = |image: &Image| {
        object! { "height": image.height, "url": image.url.clone(), "width": image.width }
    };
    Json::List(images.iter().map(image).collect())
}

/// The address of a preview of 30 seconds.
fn preview(id: &str) -> String {
    let hash = id.bytes().fold(1, |state, byte| mix(state ^ u64::from(byte)));
    format!("https://p.scdn.co/mp3-preview/{hash:016x}{:016x}", mix(hash))
}
