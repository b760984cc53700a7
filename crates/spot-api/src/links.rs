//! The links of pages: where they may lead, and what is found there.

use std::collections::BTreeMap;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _},
};
use serde_json::value::RawValue;
use spot_http::Pipeline;
use spot_model::{Method, Operation};

use crate::Error;

/// The path and query that a link names, below where calls go.
pub(crate) fn path(pipeline: &Pipeline, link: &str) -> Result<String, Error> {
    const LINK: &Operation = &Operation::custom(Method::Get, "/{link}");
    let base = pipeline.base_url();
    let path = pipeline.same_origin(link).then(|| link.strip_prefix(base)).flatten();
    let path = path.filter(|path| path.starts_with('/')).ok_or_else(|| {
        let message = format!("the link of the page leads away from {base}; it was not followed");
        Error::bad_request(message).with_operation(LINK)
    })?;
    // The pages of GET /me/playlists name a path that is closed in Development Mode; the query is
    // right, and the path that was called answers the same.
    let (way, query) = path.split_once('?').unwrap_or((path, ""));
    let of_user = way.strip_prefix("/users/").and_then(|rest| rest.strip_suffix("/playlists"));
    match of_user {
        Some(user) if !user.contains('/') => Ok(format!("/me/playlists?{query}")),
        _ => Ok(path.to_owned()),
    }
}

/// A page as a link gives it: by itself, or as the one field of an object that holds a page
/// (`{"artists": {..}}`).
pub(crate) struct Linked<P> {
    pub(crate) page: P,
}

impl<'de, P: DeserializeOwned> Deserialize<'de> for Linked<P> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = BTreeMap::<String, Box<RawValue>>::deserialize(deserializer)?;
        let text = if fields.contains_key("items") {
            serde_json::to_string(&fields).map_err(D::Error::custom)?
        } else {
            let page = fields.values().find(|value| value.get().starts_with('{'));
            page.ok_or_else(|| D::Error::missing_field("items"))?.get().to_owned()
        };
        let page = serde_json::from_str(&text).map_err(D::Error::custom)?;
        Ok(Self { page })
    }
}
