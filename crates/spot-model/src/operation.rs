//! The operations of the Web API as data.

use std::fmt;

use crate::Scope;

/// What is known about one operation of the Web API, apart from its parameters.
///
/// The table of all of them is [`Operation::ALL`]. Transports read it to decide what may be sent
/// twice, errors to say what to use instead, tests to know what has to be covered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operation {
    /// The operation id in Spotify's own reference: `get-an-artists-albums`.
    pub id: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// The path below `/v1`, with its parameters in braces: `/artists/{id}/albums`.
    pub path: &'static str,
    /// The scopes Spotify lists. Where there are several, the content decides which one is needed
    /// (a public or a private playlist, the kind of a library item). Empty if none is needed.
    pub scopes: &'static [Scope],
    /// Which applications may call it.
    pub access: Access,
    /// Whether sending it twice has the effect of sending it once. It follows from what the
    /// operation does, not from the method: a reorder is a `PUT` and is not idempotent.
    pub idempotent: bool,
    /// How its answer is cut into pages.
    pub paging: Paging,
    /// How many ids, URIs or seeds one call takes, for the operations that take a list.
    pub chunk: Option<usize>,
    /// What to use where the operation is closed.
    pub replacement: Option<&'static str>,
    /// Whether it has a rate limit of its own, so that a 429 says nothing of other operations.
    pub own_limit: bool,
}

impl Operation {
    /// An operation that is not in the table, for calls the crates do not know yet: any
    /// application may call it, nothing is known of its scopes, and it counts as idempotent only
    /// if its method is [`Method::Get`].
    pub const fn custom(method: Method, path: &'static str) -> Self {
        Self {
            id: "custom",
            method,
            path,
            scopes: &[],
            access: Access::Any,
            idempotent: matches!(method, Method::Get),
            paging: Paging::None,
            chunk: None,
            replacement: None,
            own_limit: false,
        }
    }

    /// The page of Spotify's reference that describes the operation.
    pub fn reference(&self) -> String {
        format!("https://developer.spotify.com/documentation/web-api/reference/{}", self.id)
    }

    /// The operation with Spotify's id, for example `get-an-artist`.
    pub fn by_id(id: &str) -> Option<&'static Self> {
        Self::ALL.iter().copied().find(|operation| operation.id == id)
    }
}

/// Prints the call: `GET /artists/{id}/albums`.
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// An HTTP method the Web API uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// Reads.
    Get,
    /// Sets.
    Put,
    /// Adds, or commands.
    Post,
    /// Removes.
    Delete,
}

impl Method {
    /// The method's name in HTTP, in capitals.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which applications may call an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Access {
    /// Every application.
    Any,
    /// Applications in Extended Quota Mode. In Development Mode it answers 403 since 2026-02-11
    /// to applications created after that day, and is announced to close for the older ones.
    Extended,
    /// Applications that already used it in Extended Quota Mode on 2024-11-27. It is closed to
    /// every application registered since.
    Closed2024,
}

impl Access {
    /// The day since which applications may be refused, as `YYYY-MM-DD`. `None` for
    /// [`Access::Any`].
    pub const fn since(self) -> Option<&'static str> {
        match self {
            Self::Any => None,
            Self::Extended => Some("2026-02-11"),
            Self::Closed2024 => Some("2024-11-27"),
        }
    }
}

/// How an answer is cut into pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Paging {
    /// One answer holds everything.
    None,
    /// Pages by `limit` and `offset`.
    Offset {
        /// The largest `limit` the operation takes.
        max: u8,
        /// The largest `offset` the operation takes, if there is one.
        last_offset: Option<u32>,
    },
    /// Pages by `limit` and a cursor that names the last entry.
    Cursor {
        /// The largest `limit` the operation takes.
        max: u8,
    },
}
