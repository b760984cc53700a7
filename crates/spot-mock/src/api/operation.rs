//! The rules of an operation.

/// One operation of the Web API.
pub(crate) struct Operation {
    pub(crate) method: &'static str,
    /// The path below `/v1`, with its parameters in braces.
    pub(crate) path: &'static str,
    /// The operation id in Spotify's reference.
    pub(crate) id: &'static str,
    /// The token must have one of these scopes. The list is empty if no scope is required.
    pub(crate) scopes: &'static [&'static str],
    pub(crate) access: Access,
    pub(crate) limit: Option<Limit>,
    /// The largest `offset`.
    pub(crate) offset: i64,
    pub(crate) list: Option<List>,
}

/// The applications that may call an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Any,
    /// Applications in Extended Quota Mode.
    Extended,
    /// Spotify restricted the operation on 2024-11-27. [`ClosedAnswer`] is the response to an
    /// application without access.
    Closed(ClosedAnswer),
}

/// Error response to an application without access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClosedAnswer {
    Forbidden,
    ForbiddenWithoutMessage,
    NotFoundWithoutBody,
}

/// Default and maximum page size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    pub(crate) default: u32,
    pub(crate) max: u32,
    /// Default and maximum page size in Extended Quota Mode.
    pub(crate) extended: (u32, u32),
}

/// A parameter with a list of ids or URIs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct List {
    pub(crate) name: &'static str,
    pub(crate) max: usize,
    /// Whether the list may be in a JSON body instead of the query.
    pub(crate) in_body: bool,
}

impl Operation {
    pub(crate) const fn new(method: &'static str, path: &'static str, id: &'static str) -> Self {
        Self {
            method,
            path,
            id,
            scopes: &[],
            access: Access::Any,
            limit: None,
            offset: 100_000,
            list: None,
        }
    }

    pub(crate) const fn scopes(mut self, scopes: &'static [&'static str]) -> Self {
        self.scopes = scopes;
        self
    }

    pub(crate) const fn extended(mut self) -> Self {
        self.access = Access::Extended;
        self
    }

    pub(crate) const fn closed(mut self, answer: ClosedAnswer) -> Self {
        self.access = Access::Closed(answer);
        self
    }

    pub(crate) const fn limit(mut self, default: u32, max: u32) -> Self {
        self.limit = Some(Limit { default, max, extended: (default, max) });
        self
    }

    pub(crate) const fn extended_limit(mut self, default: u32, max: u32) -> Self {
        if let Some(limit) = &mut self.limit {
            limit.extended = (default, max);
        }
        self
    }

    pub(crate) const fn offset(mut self, max: i64) -> Self {
        self.offset = max;
        self
    }

    pub(crate) const fn list(mut self, name: &'static str, max: usize) -> Self {
        self.list = Some(List { name, max, in_body: false });
        self
    }

    /// Adds a list parameter. The client can send the list in the query or in the JSON body.
    pub(crate) const fn list_or_body(mut self, name: &'static str, max: usize) -> Self {
        self.list = Some(List { name, max, in_body: true });
        self
    }

    /// Whether the operation requires a token of a user.
    pub(crate) fn needs_user(&self) -> bool {
        self.path == "/me" || self.path.starts_with("/me/") || self.method != "GET"
    }

    /// Whether the operation is a player command.
    pub(crate) fn is_player_command(&self) -> bool {
        self.path.starts_with("/me/player") && self.method != "GET"
    }
}
