//! Operation metadata: scopes, access, paging and limits of every call.

use std::fmt;

use crate::Scope;

/// Metadata of one operation of the Web API, without its parameters.
///
/// [`Operation::ALL`] lists every operation. The HTTP layer reads the metadata to decide which
/// requests may be retried. If Spotify refuses a call of an operation that has a replacement, the
/// error message names the replacement.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operation {
    /// Unique name of the operation: `get_artist_albums`.
    pub name: &'static str,
    /// The operation id in Spotify's reference: `get-an-artists-albums`.
    ///
    /// If one page of Spotify's reference describes two operations, both operations have the same
    /// id. For example, `replace_playlist_items` and `reorder_playlist_items` have the id
    /// `reorder-or-replace-playlists-items`. To identify an operation, use its
    /// [`name`](Self::name).
    pub id: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// The path below `/v1`, with its parameters in braces: `/artists/{id}/albums`.
    pub path: &'static str,
    /// The scopes that Spotify lists for the operation. Empty if no scope is needed.
    ///
    /// If several scopes are listed, the required scope depends on the item that the call reads or
    /// changes. For example, public and private playlists require different scopes.
    pub scopes: &'static [Scope],
    /// Which applications may call the operation.
    pub access: Access,
    /// Whether sending the request twice has the same effect as sending it once. Some operations
    /// with the method `PUT` are not idempotent. For example, if a request to move a playlist item
    /// is sent twice, the second request can move a different item.
    pub idempotent: bool,
    /// How the response is paged.
    pub paging: Paging,
    /// Maximum number of ids, URIs or seeds per request, for operations that take a list.
    pub chunk: Option<usize>,
    /// Replacement to use if the operation is not available to the application.
    pub replacement: Option<&'static str>,
    /// Whether the operation has its own rate limit. If `true`, a response with status 429 delays
    /// only this operation.
    pub own_limit: bool,
}

impl Operation {
    /// Creates an operation that is not in the table, for endpoints that these crates do not know
    /// yet.
    ///
    /// The name and the id of the operation are `custom`. The new operation is available to every
    /// application, and needs no scopes. The operation is idempotent only if its method is
    /// [`Method::Get`].
    pub const fn custom(method: Method, path: &'static str) -> Self {
        Self {
            name: "custom",
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

    /// Sets the name that traces and events use for the operation.
    #[must_use]
    pub const fn with_name(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    /// Sets the scopes that the operation needs.
    #[must_use]
    pub const fn with_scopes(mut self, scopes: &'static [Scope]) -> Self {
        self.scopes = scopes;
        self
    }

    /// Sets the access restriction that Spotify applies to the operation.
    #[must_use]
    pub const fn with_access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// Sets whether the operation is idempotent. By default, a request that may already have taken
    /// effect is retried only if its operation is idempotent.
    #[must_use]
    pub const fn with_idempotent(mut self, idempotent: bool) -> Self {
        self.idempotent = idempotent;
        self
    }

    /// Sets how the response is paged. A stream uses this setting to request the next page.
    #[must_use]
    pub const fn with_paging(mut self, paging: Paging) -> Self {
        self.paging = paging;
        self
    }

    /// The page of Spotify's reference that describes the operation.
    pub fn reference(&self) -> String {
        format!("https://developer.spotify.com/documentation/web-api/reference/{}", self.id)
    }

    /// Returns the operation with this [`name`](Self::name), for example `get_artist`.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        Self::ALL.iter().copied().find(|operation| operation.name == name)
    }
}

/// Writes the HTTP method and the path: `GET /artists/{id}/albums`.
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// An HTTP method that the Web API uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// Reads.
    Get,
    /// Sets.
    Put,
    /// Adds an item, or executes a command.
    Post,
    /// Removes.
    Delete,
}

impl Method {
    /// Returns the method's name in HTTP, in upper case.
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
    /// Only applications in Extended Quota Mode may call the operation. Applications in Development
    /// Mode that were created after 2026-02-11 receive a response with status 403. Spotify has
    /// announced that it will also refuse calls of Development Mode applications that were created
    /// on or before 2026-02-11.
    Extended,
    /// Available only to applications that had extended access on 2024-11-27, or had applied for
    /// extended access by that date. If the owner of an application requested extended access after
    /// 2024-11-27, the application cannot call the operation, even in Extended Quota Mode.
    Closed2024,
}

impl Access {
    /// First day on which Spotify may refuse calls of an application, in the format `YYYY-MM-DD`.
    /// `None` for [`Access::Any`].
    pub const fn since(self) -> Option<&'static str> {
        match self {
            Self::Any => None,
            Self::Extended => Some("2026-02-11"),
            Self::Closed2024 => Some("2024-11-27"),
        }
    }
}

/// Quota mode of an application. Spotify's dashboard shows the mode, but the API does not.
///
/// The maximum page size depends on the mode. If two operations are equivalent, the mode also
/// determines which operation a client calls. A client does not check whether an operation is
/// available in the mode. Spotify responds with 403 if the operation is not available to the
/// application.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AccessMode {
    /// Development Mode, in which every application starts. Operations that are available in this
    /// mode also work in Extended Quota Mode.
    #[default]
    Development,
    /// Extended Quota Mode, for applications that Spotify has reviewed.
    Extended,
}

/// How a response is paged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Paging {
    /// Not paged: one response contains everything.
    None,
    /// Each page is requested with `limit` and `offset`.
    Offset {
        /// Largest `limit` in [Development Mode](AccessMode::Development).
        max: u8,
        /// Largest `limit` in [Extended Quota Mode](AccessMode::Extended).
        extended_max: u8,
        /// Largest `offset` that Spotify documents, if any. In practice, a request fails if the sum
        /// of `offset` and `limit` is larger than this value. A stream ends if the next page would
        /// extend beyond this offset.
        last_offset: Option<u32>,
    },
    /// Each page is requested with `limit` and a cursor. The cursor identifies the last entry of
    /// the previous page.
    Cursor {
        /// Query parameter that takes the cursor: `after` or `before`.
        parameter: &'static str,
        /// Largest `limit`, in both modes.
        max: u8,
    },
}

impl Paging {
    /// Returns the largest `limit` of the operation for an application in this mode. `None` if the
    /// operation is not paged.
    pub const fn max_limit(self, mode: AccessMode) -> Option<u8> {
        match (self, mode) {
            (Self::None, _) => None,
            (Self::Offset { extended_max, .. }, AccessMode::Extended) => Some(extended_max),
            (Self::Offset { max, .. } | Self::Cursor { max, .. }, _) => Some(max),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_name_finds_every_operation() {
        for operation in Operation::ALL {
            assert_eq!(Operation::by_name(operation.name), Some(*operation));
        }
        assert_eq!(Operation::by_name("get_nothing"), None);
        assert_eq!(Operation::by_name("custom"), None);
    }
}
