//! From what a caller gave to a request: the parts that the generated requests share.

use std::fmt::Display;

use serde::Serialize;
use serde_json::{Map, Value};
use spot_model::{ParseIdError, SnapshotId};

use crate::{Error, Market, Request, SearchQuery};

/// What the generated requests need of [`Request`] beyond what it does itself.
///
/// What a caller gave wrong is kept in the request and reported when it is sent.
pub(crate) trait RequestExt: Sized {
    fn path_id<T: Display>(self, name: &str, id: &Result<T, ParseIdError>) -> Self;
    fn query_id<T: Display>(self, name: &str, id: Option<&Result<T, ParseIdError>>) -> Self;
    fn query_list_or<T: Display>(self, name: &str, list: &[T], all: &[T]) -> Self;
    fn search_query(self, name: &str, query: &SearchQuery) -> Self;
    fn market(self, default: Option<&Market>, own: Option<&Market>) -> Self;
    fn limit(self, limit: Option<u8>) -> Self;
    fn body_fields(self, body: Body) -> Self;
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

    fn query_list_or<T: Display>(self, name: &str, list: &[T], all: &[T]) -> Self {
        self.query_list(name, if list.is_empty() { all } else { list })
    }

    fn search_query(self, name: &str, query: &SearchQuery) -> Self {
        if query.is_empty() {
            return wrong(self, name, "it is empty; expected words or a filter to search for");
        }
        self.query(name, query)
    }

    fn market(self, default: Option<&Market>, own: Option<&Market>) -> Self {
        match own.or(default).map(Market::value) {
            Some(Ok(Some(market))) => self.query("market", market),
            Some(Err(message)) => {
                Request::failed(&Error::bad_request(message).with_operation(self.operation()))
            }
            Some(Ok(None)) | None => self,
        }
    }

    fn limit(self, limit: Option<u8>) -> Self {
        // The API's own upper limits change; only a page of nothing makes no sense at all.
        if limit == Some(0) {
            return wrong(self, "limit", "it is 0; expected at least 1");
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
}

fn wrong(request: Request, name: &str, error: impl Display) -> Request {
    let error = Error::bad_request(format!("`{name}`: {error}"));
    Request::failed(&error.with_operation(request.operation()))
}

/// The JSON object that a request sends. Without a field there is no body.
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

    /// Something that was parsed from text.
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

    /// The snapshot of the call before this one, or the one the caller gave.
    pub(crate) fn snapshot(
        self,
        name: &str,
        last: Option<&SnapshotId>,
        own: Option<&Result<SnapshotId, ParseIdError>>,
    ) -> Self {
        match last {
            Some(last) => self.field(name, last),
            None => self.id(name, own),
        }
    }

    /// A list of `{"uri": ..}`.
    pub(crate) fn uri_objects(self, name: &str, uris: &[impl Display]) -> Self {
        let objects: Vec<Value> =
            uris.iter().map(|uri| serde_json::json!({ "uri": uri.to_string() })).collect();
        self.field(name, &objects)
    }
}

/// Makes a request a future of its answer's body.
macro_rules! awaitable {
    (chunked $request:ident => $answer:ty) => {
        awaitable!(@ $request => $answer, request, request.run());
    };
    ($request:ident => $answer:ty) => {
        awaitable!(@ $request => $answer, request, async move {
            Ok(request.send().await?.into_body())
        });
    };
    (@ $request:ident => $answer:ty, $this:ident, $future:expr) => {
        impl IntoFuture for $request {
            type Output = Result<$answer, Error>;
            type IntoFuture = futures::future::BoxFuture<'static, Self::Output>;

            fn into_future(self) -> Self::IntoFuture {
                let $this = self;
                Box::pin($future)
            }
        }
    };
}

pub(crate) use awaitable;
