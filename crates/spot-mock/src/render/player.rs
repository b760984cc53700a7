//! Playback, devices and recent plays.

use std::time::Duration;

use crate::{
    http::{
        json::{Json, Object, object},
        query::encoded,
    },
    render::renderer::{Render, external_urls},
    state::{Command, Context, ContextKind, Play, Playable, Player},
    world::Device,
};

impl Render<'_> {
    /// The whole state of a player.
    pub(crate) fn playback(self, player: &Player, episodes: bool) -> Json {
        let mut object = Object::new();
        if let Some(device) = player.active_device() {
            object.set("device", self.device(device, true));
        }
        object.set("shuffle_state", player.shuffle);
        object.set("smart_shuffle", false);
        object.set("repeat_state", player.repeat.as_str());
        self.set_playing(&mut object, player, episodes);
        object.into()
    }

    /// The current playback without the device.
    pub(crate) fn currently_playing(self, player: &Player, episodes: bool) -> Json {
        let mut object = Object::new();
        self.set_playing(&mut object, player, episodes);
        object.into()
    }

    fn set_playing(self, object: &mut Object, player: &Player, episodes: bool) {
        let is_track = matches!(player.current, Some(Playable::Track(_)));
        let advertisement = player.advertisement();
        // Without `additional_types=episode`, the response shows that an episode is playing, but
        // does not contain the episode.
        let is_named = (is_track || episodes) && advertisement.is_none();
        let item = player.current.filter(|_| is_named);
        object.set("is_playing", player.playing);
        object.set("timestamp", player.changed.millis());
        object.set("context", player.context.as_ref().map(|context| self.context(context)));
        object.set("progress_ms", millis(advertisement.unwrap_or(player.progress())));
        object.set("item", item.map(|item| self.playable(item)));
        let kind = match advertisement {
            Some(_) => "ad",
            None if is_track => "track",
            None => "episode",
        };
        object.set("currently_playing_type", kind);
        object.set("actions", object! { "disallows": disallows(player) });
    }

    pub(crate) fn device(self, device: &Device, is_active: bool) -> Json {
        object! {
            "id": device.id.clone(),
            "is_active": is_active,
            "is_private_session": device.private_session,
            "is_restricted": device.restricted,
            "name": device.name.clone(),
            "supports_volume": device.supports_volume,
            "type": device.kind.clone(),
            "volume_percent": device.volume,
        }
    }

    pub(crate) fn playable(self, playable: Playable) -> Json {
        match playable {
            Playable::Track(key) => self.track(key),
            Playable::Episode(key) => self.episode(key),
            Playable::Chapter(key) => self.chapter_as_episode(key),
        }
    }

    pub(crate) fn play(self, play: &Play) -> Json {
        object! {
            "track": self.track(play.track),
            "played_at": play.played_at.millis_text(),
            "context": play.context.as_ref().map(|context| self.context(context)),
        }
    }

    fn context(self, context: &Context) -> Json {
        let kind = match context.kind {
            ContextKind::Album => "album",
            ContextKind::Artist => "artist",
            ContextKind::Playlist => "playlist",
            ContextKind::Show => "show",
            ContextKind::Station => {
                let id = &context.id;
                return object! {
                    "external_urls": external_urls("artist", id),
                    "href": format!("{}/artists/{id}", self.api),
                    "type": "station",
                    "uri": format!("spotify:station:artist:{id}"),
                };
            }
            ContextKind::Collection => {
                return object! {
                    "external_urls": object! { "spotify": "https://open.spotify.com/collection/tracks" },
                    "href": format!("{}/me/tracks", self.api),
                    "type": "collection",
                    "uri": format!("spotify:user:{}:collection", encoded(&context.id)),
                };
            }
        };
        let id = &context.id;
        object! {
            "external_urls": external_urls(kind, id),
            "href": format!("{}/{kind}s/{id}", self.api),
            "type": kind,
            "uri": format!("spotify:{kind}:{id}"),
        }
    }
}

/// Returns the commands that the player would refuse in its current state.
fn disallows(player: &Player) -> Object {
    let names = [
        ("resuming", Command::Resume),
        ("pausing", Command::Pause),
        ("seeking", Command::Seek),
        ("skipping_prev", Command::SkipPrevious),
        ("skipping_next", Command::SkipNext),
        ("toggling_repeat_context", Command::RepeatContext),
        ("toggling_repeat_track", Command::RepeatTrack),
        ("toggling_shuffle", Command::Shuffle),
        ("transferring_playback", Command::Transfer),
    ];
    let mut disallows = Object::default();
    for (name, command) in names {
        if player.restriction(command).is_some() {
            disallows.set(name, true);
        }
    }
    disallows
}

fn millis(duration: Duration) -> Json {
    Json::Int(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX))
}
