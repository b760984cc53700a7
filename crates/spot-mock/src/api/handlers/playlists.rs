//! Lists of playlists, and the details and covers of playlists.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::{
    api::call::Call,
    http::{
        json::Json,
        query::encoded,
        reply::{Answer, Body, Refusal, Reply},
    },
    render::{Fields, Viewer},
    state::{ListSlot, Playlist},
    world::{Key, User, mix},
};

/// Maximum length of a base64-encoded cover, in bytes.
const COVER_BYTES: usize = 256 * 1024;
/// Maximum length of a playlist's name, in characters.
const NAME_CHARS: usize = 100;
/// Maximum length of a playlist's description, in characters.
const DESCRIPTION_CHARS: usize = 300;

pub(crate) fn one(call: &mut Call<'_>) -> Answer {
    let key = call.playlist()?;
    let fields = fields(call)?;
    let json = call.render().playlist(call.state.playlists.get(key), viewer(call));
    Ok(Reply::ok(filtered(json, fields)))
}

/// Returns the caller's list of playlists. As in Spotify's response, the links of the page have the
/// path `/users/{user_id}/playlists`.
pub(crate) fn mine(call: &mut Call<'_>) -> Answer {
    let user = call.user()?;
    let private = call.caller.scopes.has("playlist-read-private");
    let shared = call.caller.scopes.has("playlist-read-collaborative");
    let slots = call.account()?.library.playlists.clone();
    let visible = |slot: &ListSlot| match slot {
        ListSlot::Hidden => call.settings.null_values,
        ListSlot::Null => true,
        ListSlot::Playlist(key) => {
            let list = call.state.playlists.get(*key);
            if list.collaborative { shared || private } else { list.public || private }
        }
    };
    let slots: Vec<_> = slots.into_iter().filter(visible).collect();
    let total = slots.len();
    let render = call.render();
    let viewer = viewer(call);
    let show = |slot| match slot {
        ListSlot::Hidden | ListSlot::Null => Json::Null,
        ListSlot::Playlist(key) => render.playlist_ref(call.state.playlists.get(key), viewer),
    };
    let entries = call.window(slots).map(show).collect();
    let path = format!("/users/{}/playlists", encoded(&call.world.users[user].id));
    Ok(Reply::ok(call.page_at(&path, "", entries, total)))
}

/// Returns the public playlists of a user.
pub(crate) fn of_user(call: &mut Call<'_>) -> Answer {
    let user = call.world.user(call.parameter("user_id")).ok_or_else(Refusal::not_found)?;
    if call.caller.user == Some(user) {
        return mine(call);
    }
    let own = |list: &&Playlist| {
        list.owner == user && list.public && !(list.editorial && call.app.closed_2024)
    };
    let lists: Vec<_> = call.state.playlists.iter().map(|(_, list)| list).filter(own).collect();
    let total = lists.len();
    let (render, viewer) = (call.render(), viewer(call));
    let entries = call.window(lists).map(|list| render.playlist_ref(list, viewer)).collect();
    Ok(Reply::ok(call.page(entries, total)))
}

pub(crate) fn create(call: &mut Call<'_>) -> Answer {
    let user = call.user()?;
    create_for(call, user)
}

/// Creates a playlist. The user in the path must be the caller.
pub(crate) fn create_for_user(call: &mut Call<'_>) -> Answer {
    let user = call.user()?;
    if call.world.user(call.parameter("user_id")) != Some(user) {
        return Err(Refusal::new(403, "You cannot create a playlist for another user"));
    }
    create_for(call, user)
}

pub(crate) fn change(call: &mut Call<'_>) -> Answer {
    let key = call.playlist()?;
    let user = call.user()?;
    let details = Details::read(&call.json_body()?)?;
    let list = call.state.playlists.get(key);
    if list.owner != user {
        return Err(Refusal::new(403, "You cannot change the details of a playlist you don't own"));
    }
    if details == Details::default() {
        return Err(Refusal::bad_request("No details to change were given"));
    }
    require_write_scope(call, list.public)?;
    let public = details.public.unwrap_or(list.public);
    let collaborative = details.collaborative.unwrap_or(list.collaborative);
    refuse_public_collaboration(public, collaborative)?;
    let list = call.state.playlists.get_mut(key);
    if let Some(name) = details.name {
        list.name = name;
    }
    if let Some(description) = details.description {
        list.description = Some(description);
    }
    list.public = public;
    list.collaborative = collaborative;
    list.changed();
    Ok(Reply::done())
}

pub(crate) fn cover(call: &mut Call<'_>) -> Answer {
    let key = call.playlist()?;
    let images = call.render().playlist_images(call.state.playlists.get(key));
    // If the `images` field of the playlist is null, this operation returns an empty list.
    Ok(Reply::ok(if matches!(images, Json::Null) { Json::List(Vec::new()) } else { images }))
}

/// Sets the cover to a base64-encoded JPEG.
pub(crate) fn upload_cover(call: &mut Call<'_>) -> Answer {
    let key = call.playlist()?;
    let user = call.user()?;
    let list = call.state.playlists.get(key);
    if list.owner != user {
        return Err(Refusal::new(403, "You cannot change the cover of a playlist you don't own"));
    }
    require_write_scope(call, list.public)?;
    if !call.media_type.starts_with("image/jpeg") {
        return Err(Refusal::new(415, "The cover must be sent as image/jpeg"));
    }
    if call.body.len() > COVER_BYTES {
        return Err(Refusal::new(413, "The cover is larger than 256 KB"));
    }
    let text: Vec<u8> =
        call.body.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let jpeg =
        STANDARD.decode(text).map_err(|_| Refusal::bad_request("The cover is not base64"))?;
    if !jpeg.starts_with(&[0xFF, 0xD8, 0xFF]) {
        return Err(Refusal::bad_request("The cover is not a JPEG"));
    }
    let hash = jpeg.iter().fold(0, |state, byte| mix(state ^ u64::from(*byte)));
    call.state.playlists.get_mut(key).cover = Some(format!("{hash:016x}{:08x}", mix(hash) >> 32));
    Ok(Reply::new(202, Body::Empty))
}

/// The viewer of a playlist in this call.
pub(super) fn viewer(call: &Call<'_>) -> Viewer {
    let types = call.query.list("additional_types").unwrap_or_default();
    Viewer { user: call.caller.user, episodes: types.iter().any(|kind| kind == "episode") }
}

pub(super) fn fields(call: &Call<'_>) -> Result<Option<Fields>, Refusal> {
    match call.query.get("fields") {
        None | Some("") => Ok(None),
        Some(text) => {
            let fields = Fields::parse(text);
            fields.map(Some).ok_or_else(|| Refusal::bad_request("Invalid fields parameter"))
        }
    }
}

pub(super) fn filtered(json: Json, fields: Option<Fields>) -> Json {
    match fields {
        Some(fields) => fields.apply(json),
        None => json,
    }
}

/// Requires the scope `playlist-modify-public` for a public playlist, and `playlist-modify-private`
/// for a private playlist.
pub(super) fn require_write_scope(call: &Call<'_>, public: bool) -> Result<(), Refusal> {
    call.require_scope(if public { "playlist-modify-public" } else { "playlist-modify-private" })
}

fn create_for(call: &mut Call<'_>, user: Key<User>) -> Answer {
    let details = Details::read(&call.json_body()?)?;
    let name = details.name.ok_or_else(|| Refusal::missing("name"))?;
    let public = details.public.unwrap_or(true);
    let collaborative = details.collaborative.unwrap_or(false);
    refuse_public_collaboration(public, collaborative)?;
    require_write_scope(call, public)?;
    let mut list = Playlist::new(call.state.playlists.fresh_id(), name, user);
    list.description = details.description;
    list.public = public;
    list.collaborative = collaborative;
    let key = call.state.playlists.add(list);
    call.account()?.library.follow_playlist(key);
    let list = call.state.playlists.get(key);
    let json = call.render().playlist(list, viewer(call));
    let location = format!("{}/playlists/{}", call.settings.api_url, list.id);
    Ok(Reply::created(json).with_header("location", location))
}

fn refuse_public_collaboration(public: bool, collaborative: bool) -> Result<(), Refusal> {
    if public && collaborative {
        return Err(Refusal::bad_request("Collaborative playlists can only be private"));
    }
    Ok(())
}

/// Details of a playlist in a request body.
#[derive(Default, PartialEq, Eq)]
struct Details {
    name: Option<String>,
    description: Option<String>,
    public: Option<bool>,
    collaborative: Option<bool>,
}

impl Details {
    fn read(body: &Value) -> Result<Self, Refusal> {
        Ok(Self {
            name: text(body, "name", 1, NAME_CHARS)?,
            description: text(body, "description", 0, DESCRIPTION_CHARS)?,
            public: flag(body, "public")?,
            collaborative: flag(body, "collaborative")?,
        })
    }
}

fn text(body: &Value, field: &str, min: usize, max: usize) -> Result<Option<String>, Refusal> {
    match body.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if (min..=max).contains(&text.chars().count()) => {
            Ok(Some(text.clone()))
        }
        Some(_) => Err(Refusal::bad_request(format!("Invalid value for field: {field}"))),
    }
}

fn flag(body: &Value, field: &str) -> Result<Option<bool>, Refusal> {
    match body.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(_) => Err(Refusal::bad_request(format!("Invalid value for field: {field}"))),
    }
}
