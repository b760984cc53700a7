//! Converts the caller's arguments into requests, for the generated code.

use std::{fmt::Display, ops::RangeInclusive};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value};
use spot_http::{Error, Request};
use spot_model::{ParseIdError, SnapshotId};

use crate::{fields::Fields, market::Market, search_query::SearchQuery};

/// Methods of [`Request`] that the generated requests need.
///
/// If an argument is invalid, the request stores the error, and sending the request returns this
/// error.
pub(crate) trait RequestExt: Sized {
    fn path_id<T: Display>(self, name: &str, id: &Result<T, ParseIdError>) -> Self;
    fn query_id<T: Display>(self, name: &str, id: Option<&Result<T, ParseIdError>>) -> Self;
    fn query_ids<T: Display>(self, name: &str, ids: Option<&Result<Vec<T>, ParseIdError>>) -> Self;
    fn query_in(self, name: &str, value: i64, range: RangeInclusive<i64>) -> Self;
    fn query_list_or<T: Display>(self, name: &str, list: &[T], all: &[T]) -> Self;
    fn attributes(self, attributes: &Attributes) -> Self;
    fn search_query(self, name: &str, query: &SearchQuery) -> Self;
    fn fields(self, name: &str, fields: Option<&Fields>) -> Self;
    fn page_fields(self, name: &str, fields: Option<&Fields>) -> Self;
    fn market(self, default: Option<&Market>, own: Option<&Market>) -> Self;
    fn limit(self, limit: Option<u8>) -> Self;
    fn body_fields(self, body: Body) -> Self;
    fn jpeg(self, name: &str, jpeg: &Bytes, most: usize) -> Self;
}

impl RequestExt for Request {
    fn path_id<T: Display>(self, name: &str, id: &Result<T, ParseIdError>) -> Self {
        match id {
            Ok(id) => self.path(name, id),
            Err(error) => wrong(self, name, error),
        }
    }

    fn query_id<T: Display>(self, name: &str, id: Option<&Result<T, ParseIdError>>) -> Self {
        match id {
            Some(Ok(id)) => self.query(name, id),
            Some(Err(error)) => wrong(self, name, error),
            None => self,
        }
    }

    fn query_ids<T: Display>(self, name: &str, ids: Option<&Result<Vec<T>, ParseIdError>>) -> Self {
        match ids {
            Some(Ok(ids)) => self.query_list(name, ids),
            Some(Err(error)) => wrong(self, name, error),
            None => self,
        }
    }

    fn attributes(self, attributes: &Attributes) -> Self {
        attributes.0.iter().fold(self, |request, (name, value)| request.query(name, value))
    }

    fn query_in(self, name: &str, value: i64, range: RangeInclusive<i64>) -> Self {
        if !range.contains(&value) {
            let (min, max) = (range.start(), range.end());
            return wrong(
                self,
                name,
                format_args!("the value is {value}; expected {min} to {max}"),
            );
        }
        self.query(name, value)
    }

    fn query_list_or<T: Display>(self, name: &str, list: &[T], all: &[T]) -> Self {
        self.query_list(name, if list.is_empty() { all } else { list })
    }

    fn search_query(self, name: &str, query: &SearchQuery) -> Self {
        if query.is_empty() {
            return wrong(
                self,
                name,
                "the search query is empty; it must contain words or a filter",
            );
        }
        self.query(name, query)
    }

    fn fields(self, name: &str, fields: Option<&Fields>) -> Self {
        match fields.map(|fields| (fields, fields.problem())) {
            Some((_, Some(problem))) => wrong(self, name, problem),
            Some((fields, None)) => self.query(name, fields),
            None => self,
        }
    }

    fn page_fields(self, name: &str, fields: Option<&Fields>) -> Self {
        match fields.map(|fields| (fields, fields.problem())) {
            Some((_, Some(problem))) => wrong(self, name, problem),
            Some((fields, None)) => self.query(name, fields.of_page()),
            None => self,
        }
    }

    fn market(self, default: Option<&Market>, own: Option<&Market>) -> Self {
        match own.or(default).map(Market::value) {
            Some(Ok(Some(market))) => self.query("market", market),
            Some(Err(message)) => {
                Request::failed(Error::bad_request(message).with_operation(self.operation()))
            }
            Some(Ok(None)) | None => self,
        }
    }

    fn limit(self, limit: Option<u8>) -> Self {
        // The client rejects only a page size of 0. The client does not check the maximum, because
        // Spotify may change the maximum.
        if limit == Some(0) {
            return wrong(self, "limit", "the value is 0; expected at least 1");
        }
        self.query_opt("limit", limit)
    }

    fn body_fields(self, body: Body) -> Self {
        match body.wrong {
            Some((name, error)) => wrong(self, &name, error),
            None if body.fields.is_empty() => self,
            None => self.json(&body.fields),
        }
    }

    fn jpeg(self, name: &str, jpeg: &Bytes, most: usize) -> Self {
        // Every JPEG file starts with these three bytes. The SDK does not check the other bytes of
        // the file.
        if !jpeg.starts_with(&[0xFF, 0xD8, 0xFF]) {
            return wrong(self, name, "the image is not a JPEG file");
        }
        let text = BASE64_STANDARD.encode(jpeg);
        if text.len() > most {
            let (length, most) = (jpeg.len(), most / 4 * 3);
            return wrong(
                self,
                name,
                format_args!("the image has {length} bytes; expected at most {most}"),
            );
        }
        self.with_body("image/jpeg", text)
    }
}

/// Query parameters by name, for requests with many optional parameters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attributes(Vec<(&'static str, String)>);

impl Attributes {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Sets a parameter and removes its earlier value.
    pub(crate) fn set(&mut self, name: &'static str, value: impl Display) {
        self.0.retain(|(known, _)| *known != name);
        self.0.push((name, value.to_string()));
    }
}

fn wrong(request: Request, name: &str, error: impl Display) -> Request {
    let error = Error::bad_request(format!("`{name}`: {error}"));
    Request::failed(error.with_operation(request.operation()))
}

/// The JSON object in the body of a request. Without fields, the request has no body.
#[derive(Default)]
pub(crate) struct Body {
    fields: Map<String, Value>,
    wrong: Option<(String, String)>,
}

impl Body {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn field(mut self, name: &str, value: &(impl Serialize + ?Sized)) -> Self {
        match serde_json::to_value(value) {
            Ok(value) => {
                self.fields.insert(name.to_owned(), value);
            }
            Err(error) => self.wrong = Some((name.to_owned(), error.to_string())),
        }
        self
    }

    pub(crate) fn optional(self, name: &str, value: Option<impl Serialize>) -> Self {
        match value {
            Some(value) => self.field(name, &value),
            None => self,
        }
    }

    /// Adds a value that was parsed from a string, or stores the parse error.
    pub(crate) fn id<T: Serialize>(
        mut self,
        name: &str,
        value: Option<&Result<T, ParseIdError>>,
    ) -> Self {
        match value {
            Some(Ok(value)) => self.field(name, value),
            Some(Err(error)) => {
                self.wrong = Some((name.to_owned(), error.to_string()));
                self
            }
            None => self,
        }
    }

    /// Adds a snapshot to the body if the caller gave a snapshot (`own`). The body of the first
    /// change contains the caller's snapshot. The body of each later change contains the snapshot
    /// that the previous change returned (`last`).
    ///
    /// If the caller gave no snapshot, no snapshot is sent, because Spotify has returned 502 for
    /// valid snapshots.
    pub(crate) fn snapshot(
        self,
        name: &str,
        last: Option<&SnapshotId>,
        own: Option<&Result<SnapshotId, ParseIdError>>,
    ) -> Self {
        match (own, last) {
            (None, _) => self,
            (Some(Ok(_)), Some(last)) => self.field(name, last),
            (Some(_), _) => self.id(name, own),
        }
    }

    /// Adds a list with one entry: a value that was parsed from a string.
    pub(crate) fn id_list<T: Serialize>(
        mut self,
        name: &str,
        value: &Result<T, ParseIdError>,
    ) -> Self {
        match value {
            Ok(value) => self.field(name, &[value]),
            Err(error) => {
                self.wrong = Some((name.to_owned(), error.to_string()));
                self
            }
        }
    }

    /// Adds a list of objects. Each object has an id and the time `added_at`. Adds nothing if
    /// `added_at` is `None`.
    pub(crate) fn timestamped(
        self,
        name: &str,
        ids: &[impl Display],
        added_at: Option<&DateTime<Utc>>,
    ) -> Self {
        let Some(added_at) = added_at else { return self };
        let added_at = added_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        let entries: Vec<Value> = ids
            .iter()
            .map(|id| serde_json::json!({ "id": id.to_string(), "added_at": added_at }))
            .collect();
        self.field(name, &entries)
    }

    /// Adds a list of `{"uri": ..}`.
    pub(crate) fn uri_objects(self, name: &str, uris: &[impl Display]) -> Self {
        let objects: Vec<Value> =
            uris.iter().map(|uri| serde_json::json!({ "uri": uri.to_string() })).collect();
        self.field(name, &objects)
    }
}
