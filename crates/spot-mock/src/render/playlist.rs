//! Playlists and their entries.

use crate::{
    http::json::{Json, Object, object},
    render::{
        page::page,
        renderer::{Render, SHOW_COVERS, external_urls, images},
    },
    settings::PlaylistFields,
    state::{Item, LocalFile, Playlist, PlaylistEntry},
    world::{Episode, Key, User},
};

/// Maximum number of entries in a playlist object.
const NESTED: u32 = 100;

/// The viewer of a playlist, and the options of the request.
#[derive(Clone, Copy)]
pub(crate) struct Viewer {
    pub(crate) user: Option<Key<User>>,
    /// Whether the call requests episodes. If the call does not request episodes, each episode is
    /// rendered in the form of a track.
    pub(crate) episodes: bool,
}

impl Viewer {
    /// Whether the viewer sees the items of a playlist. In Development Mode, only users who may
    /// change the playlist see its items.
    pub(crate) fn sees_items(self, list: &Playlist, extended: bool) -> bool {
        extended || self.user.is_some_and(|user| list.is_written_by(user))
    }
}

impl Render<'_> {
    /// Renders a playlist with its first entries, if the viewer may see them.
    pub(crate) fn playlist(self, list: &Playlist, viewer: Viewer) -> Json {
        let mut object = self.playlist_fields(list);
        object.set("followers", object! { "href": Json::Null, "total": list.followers });
        if viewer.sees_items(list, self.extended) {
            let entries: Vec<_> = list
                .entries
                .iter()
                .take(NESTED as usize)
                .map(|entry| self.entry(entry, viewer))
                .collect();
            let page_of = |name: &str| {
                let link = |offset| {
                    let (api, id) = (self.api, list.id);
                    format!("{api}/playlists/{id}/{name}?offset={offset}&limit={NESTED}")
                };
                page(link, NESTED, 0, entries.clone(), list.entries.len())
            };
            if self.playlist_fields.old_names() {
                object.set("tracks", page_of("tracks"));
            }
            if self.playlist_fields.new_names() {
                object.set("items", page_of("items"));
            }
        }
        object.into()
    }

    /// Renders a playlist as an entry of a list.
    pub(crate) fn playlist_ref(self, list: &Playlist, viewer: Viewer) -> Json {
        let mut object = self.playlist_fields(list);
        if viewer.sees_items(list, self.extended) {
            let summary = |name: &str| {
                let href = format!("{}/playlists/{}/{name}", self.api, list.id);
                object! { "href": href, "total": list.entries.len() }
            };
            if self.playlist_fields.old_names() {
                object.set("tracks", summary("tracks"));
            }
            if self.playlist_fields.new_names() {
                object.set("items", summary("items"));
            }
        }
        object.into()
    }

    /// Renders the cover: the uploaded image, or a mosaic of the items' covers if no image was
    /// uploaded. The cover of an empty playlist is null.
    pub(crate) fn playlist_images(self, list: &Playlist) -> Json {
        let name = match &list.cover {
            Some(name) => format!("ab67706c0000da84{name}"),
            None if list.entries.is_empty() => return Json::Null,
            None => format!("ab67616d00001e02{}", list.id.as_str().to_ascii_lowercase()),
        };
        let url = format!("https://i.scdn.co/image/{name}");
        Json::List(vec![object! { "height": Json::Null, "url": url, "width": Json::Null }])
    }

    fn playlist_fields(self, list: &Playlist) -> Object {
        let mut object = Object::new();
        object.set("collaborative", list.collaborative);
        object.set("description", list.description.clone());
        object.set("images", self.playlist_images(list));
        object.set("name", list.name.clone());
        object.set("owner", self.owner(list.owner));
        object.set("primary_color", Json::Null);
        object.set("public", list.public);
        object.set("snapshot_id", list.snapshot_id());
        self.set_reference(&mut object, "playlist", list.id.as_str());
        object
    }

    /// Renders an entry of a playlist.
    pub(crate) fn entry(self, entry: &PlaylistEntry, viewer: Viewer) -> Json {
        let item = self.item(&entry.item, viewer);
        let mut object = Object::new();
        object.set("added_at", entry.added.map(|(at, _)| at.seconds_text()));
        object.set("added_by", entry.added.map(|(_, who)| self.adder(who)));
        object.set("is_local", matches!(entry.item, Item::Local(_)));
        object.set("primary_color", Json::Null);
        match self.playlist_fields {
            PlaylistFields::New => object.set("item", item),
            PlaylistFields::Old => object.set("track", item),
            PlaylistFields::Both => {
                object.set("track", item.clone());
                object.set("item", item);
            }
        }
        object.set("video_thumbnail", object! { "url": Json::Null });
        object.into()
    }

    fn item(self, item: &Item, viewer: Viewer) -> Json {
        let (object, is_episode) = match item {
            Item::Track(key) => {
                return self.keep(*key, true, || self.mark(self.track_object(*key), false));
            }
            Item::Episode(key) if viewer.episodes => (self.episode_object(*key), true),
            Item::Episode(key) => (self.disguised(*key), false),
            Item::Local(file) => (self.local(file), false),
            Item::Removed => return Json::Null,
        };
        self.mark(object, is_episode)
    }

    /// Sets the legacy fields `episode` and `track`, two booleans that show the kind of the item.
    /// The name `track` misleads clients that expect an object.
    fn mark(self, mut object: Object, is_episode: bool) -> Json {
        if self.extended {
            object.set("episode", is_episode);
            object.set("track", !is_episode);
        }
        object.into()
    }

    /// Renders an episode as a track object, for a call without `additional_types=episode`. The
    /// fields `album` and `artists` of this object describe the show.
    fn disguised(self, key: Key<Episode>) -> Object {
        let episode = &self.world.episodes[key];
        let show = &self.world.shows[episode.show];
        let (id, show_id) = (episode.id.as_str(), show.id.as_str());
        let title = show.name.to_string();
        let show_url = || external_urls("show", show_id);
        let show_href = || format!("{}/shows/{show_id}", self.api);
        let mut object = Object::new();
        object.set(
            "album",
            object! {
                "album_type": "compilation",
                "artists": Vec::<Json>::new(),
                "external_urls": show_url(),
                "href": show_href(),
                "id": show_id.to_owned(),
                "images": images(show_id, SHOW_COVERS),
                "name": title.clone(),
                "release_date": Json::Null,
                "release_date_precision": Json::Null,
                "total_tracks": 1,
                "type": "show",
                "uri": format!("spotify:show:{show_id}"),
            },
        );
        object.set(
            "artists",
            vec![object! {
                "external_urls": show_url(),
                "href": show_href(),
                "id": show_id.to_owned(),
                "name": title,
                "type": "artist",
                "uri": format!("spotify:show:{show_id}"),
            }],
        );
        object.set("disc_number", 0);
        object.set("duration_ms", episode.duration_ms);
        object.set("explicit", episode.explicit);
        object.set("external_ids", external_urls("episode", id));
        object.set("is_local", false);
        object.set("name", episode.name.to_string());
        if self.extended {
            object.set("popularity", 0);
        }
        object.set("preview_url", Json::Null);
        object.set("track_number", 0);
        self.set_reference(&mut object, "episode", id);
        object
    }

    /// Renders a local file as a track. Most fields of this track are empty.
    fn local(self, file: &LocalFile) -> Object {
        let nothing = || Object::default();
        let none = || Vec::<Json>::new();
        let mut album = Object::new();
        album.set("album_type", Json::Null);
        album.set("artists", none());
        if self.extended {
            album.set("available_markets", none());
        }
        album.set("external_urls", nothing());
        album.set("href", Json::Null);
        album.set("id", Json::Null);
        album.set("images", none());
        album.set("name", file.album.clone());
        album.set("release_date", Json::Null);
        album.set("release_date_precision", Json::Null);
        album.set("type", "album");
        album.set("uri", Json::Null);
        let artist = object! {
            "external_urls": nothing(),
            "href": Json::Null,
            "id": Json::Null,
            "name": file.artist.clone(),
            "type": "artist",
            "uri": Json::Null,
        };
        let mut object = Object::new();
        object.set("album", album);
        object.set("artists", vec![artist]);
        if self.extended {
            object.set("available_markets", none());
        }
        object.set("disc_number", 0);
        object.set("duration_ms", i64::from(file.seconds) * 1_000);
        object.set("explicit", false);
        object.set("external_ids", nothing());
        object.set("external_urls", nothing());
        object.set("href", Json::Null);
        object.set("id", Json::Null);
        object.set("is_local", true);
        object.set("name", file.title.clone());
        if self.extended {
            object.set("popularity", 0);
        }
        object.set("preview_url", Json::Null);
        object.set("track_number", 0);
        object.set("type", "track");
        object.set("uri", file.uri());
        object
    }
}
