//! The argument of a handler: a call that has passed all general checks.

use std::sync::OnceLock;

use serde_json::Value;

use crate::{
    accounts::{AppKey, Registered, ScopeSet},
    api::operation::Operation,
    clock::Moment,
    http::{json::Json, query::Query, reply::Refusal},
    render::{Render, TrackCache, page},
    settings::{Market, Mode, Settings},
    state::{Account, Playlist, State},
    world::{Id, Key, SearchIndex, User, World},
};

/// A call.
pub(crate) struct Call<'a> {
    pub(crate) world: &'a World,
    pub(crate) state: &'a mut State,
    pub(crate) settings: &'a Settings,
    pub(crate) app: &'a Registered,
    pub(crate) track_cache: &'a TrackCache,
    pub(crate) search_index: &'a OnceLock<SearchIndex>,
    pub(crate) operation: &'static Operation,
    pub(crate) caller: Caller,
    /// The path below `/v1`, percent-encoded.
    pub(crate) path: &'a str,
    pub(crate) parameters: Vec<(&'static str, String)>,
    pub(crate) query: Query,
    pub(crate) media_type: &'a str,
    pub(crate) body: &'a [u8],
    pub(crate) now: Moment,
    pub(crate) limit: u32,
    pub(crate) offset: u32,
    /// The ids or URIs of the operation's list parameter.
    pub(crate) list: Vec<String>,
    pub(crate) market: Market,
}

/// The caller: an application, with or without a user.
pub(crate) struct Caller {
    pub(crate) app: AppKey,
    pub(crate) user: Option<Key<User>>,
    pub(crate) scopes: ScopeSet,
}

impl Call<'_> {
    pub(crate) fn extended(&self) -> bool {
        self.app.mode == Mode::Extended
    }

    /// The search index of the catalogue. The index is built on first use.
    pub(crate) fn search_index(&self) -> &SearchIndex {
        self.search_index.get_or_init(|| SearchIndex::new(self.world))
    }

    /// A decoded path parameter.
    pub(crate) fn parameter(&self, name: &str) -> &str {
        self.parameters.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    }

    /// The id in the path.
    pub(crate) fn id(&self) -> Result<Id, Refusal> {
        parse_id(self.parameters.first().map_or("", |(_, value)| value))
    }

    /// The ids of the list parameter. The call fails if one of the ids is invalid.
    pub(crate) fn ids(&self) -> Result<Vec<Id>, Refusal> {
        self.list.iter().map(|text| parse_id(text)).collect()
    }

    /// The user on whose behalf the call is made.
    pub(crate) fn user(&self) -> Result<Key<User>, Refusal> {
        self.caller.user.ok_or_else(|| Refusal::new(401, "Valid user authentication required"))
    }

    /// Whether the caller has Premium.
    pub(crate) fn has_premium(&self) -> bool {
        self.settings.premium && self.caller.user.is_none_or(|user| self.world.users[user].premium)
    }

    pub(crate) fn require_scope(&self, scope: &str) -> Result<(), Refusal> {
        if self.caller.scopes.has(scope) { Ok(()) } else { Err(Refusal::scope()) }
    }

    /// The caller's library, player and history.
    pub(crate) fn account(&mut self) -> Result<&mut Account, Refusal> {
        let user = self.user()?;
        Ok(self.state.account(self.world, user, self.now))
    }

    /// The playlist in the path. Spotify's own playlists are hidden from applications registered
    /// after November 2024.
    pub(crate) fn playlist(&self) -> Result<Key<Playlist>, Refusal> {
        let key = self.state.playlists.find(&self.id()?).ok_or_else(Refusal::not_found)?;
        if self.state.playlists.get(key).editorial && self.app.closed_2024 {
            return Err(Refusal::not_found());
        }
        Ok(key)
    }

    /// Parses the body as a JSON object. Without a body, returns an empty object.
    pub(crate) fn json_body(&self) -> Result<Value, Refusal> {
        json_body(self.body)
    }

    /// The renderer for this caller.
    pub(crate) fn render(&self) -> Render<'_> {
        Render {
            world: self.world,
            track_cache: self.query.get("fields").is_none().then_some(self.track_cache),
            api: &self.settings.api_url,
            extended: self.extended(),
            previews: !self.app.closed_2024,
            playlist_fields: self.app.playlist_fields,
            market: self.market,
            playability: self.market.asked,
            resume_points: self.caller.scopes.has("user-read-playback-position"),
        }
    }

    /// The requested page of a list. `entries` contains only the entries of the page.
    pub(crate) fn page(&self, entries: Vec<Json>, total: usize) -> Json {
        let rest = self.query.encoded_without(&["limit", "offset"]);
        self.page_at(self.path, &rest, entries, total)
    }

    /// Like [`page`](Self::page), but the links have the path `path` and the additional parameters
    /// `rest`.
    pub(crate) fn page_at(&self, path: &str, rest: &str, entries: Vec<Json>, total: usize) -> Json {
        let (api, limit) = (&self.settings.api_url, self.limit);
        let separator = if rest.is_empty() { "" } else { "&" };
        let link =
            |offset: u32| format!("{api}{path}?offset={offset}&limit={limit}{separator}{rest}");
        page(link, limit, self.offset, entries, total)
    }

    /// The requested part of a list.
    pub(crate) fn window<T>(&self, list: impl IntoIterator<Item = T>) -> impl Iterator<Item = T> {
        list.into_iter().skip(self.offset as usize).take(self.limit as usize)
    }
}

pub(crate) fn parse_id(text: &str) -> Result<Id, Refusal> {
    Id::parse(text).ok_or_else(|| Refusal::bad_request("Invalid base62 id"))
}

pub(crate) fn json_body(body: &[u8]) -> Result<Value, Refusal> {
    if body.is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    match serde_json::from_slice(body) {
        Ok(value @ Value::Object(_)) => Ok(value),
        Ok(_) | Err(_) => Err(Refusal::bad_request("Error parsing JSON.")),
    }
}
