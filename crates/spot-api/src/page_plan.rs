//! Decides which page of a list to request next.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
};

use spot_http::Request;
use spot_model::Paging;

use crate::page::Paged;

/// The position in a list that a stream has reached.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Position {
    /// Offset of the next entry.
    Offset(u32),
    /// Cursor of the page that contains the next entry. `None` for the first page.
    Cursor(Option<String>),
}

/// Decides which page to request next, based on the previous pages.
pub(crate) enum PagePlan {
    Offset(ByOffset),
    Cursor(ByCursor),
}

impl PagePlan {
    /// Creates a plan that starts at the position in the request.
    pub(crate) fn new(request: &Request, by_cursor: bool) -> Self {
        let paging = request.operation().paging;
        if by_cursor {
            let parameter = match paging {
                Paging::Cursor { parameter, .. } => Some(parameter),
                _ => None,
            };
            return Self::Cursor(ByCursor {
                delivered: None,
                next: Some(None),
                seen: HashSet::new(),
                parameter,
            });
        }
        let first = request.query_value("offset").and_then(|offset| offset.parse().ok());
        let last = match paging {
            Paging::Offset { last_offset, .. } => last_offset,
            _ => None,
        };
        Self::Offset(ByOffset::new(first.unwrap_or(0), last))
    }

    /// Returns the request that fetches the page at a position.
    pub(crate) fn request_at(&self, request: &Request, at: &Position) -> Request {
        let request = request.clone();
        match (self, at) {
            (_, Position::Offset(offset)) => request.replace_query("offset", Some(offset)),
            (Self::Cursor(plan), Position::Cursor(Some(cursor))) => {
                let parameter = plan.parameter.unwrap_or("after");
                // The API accepts either `after` or `before`, but not both.
                let other = if parameter == "before" { "after" } else { "before" };
                request.replace_query(other, None::<&str>).replace_query(parameter, Some(cursor))
            }
            (_, Position::Cursor(_)) => request,
        }
    }

    /// Returns the position of the page to request now. Returns `None` if the list has ended, or if
    /// the next position depends on a page that has not arrived yet.
    pub(crate) fn next(&mut self) -> Option<Position> {
        match self {
            Self::Offset(plan) => plan.next().map(Position::Offset),
            Self::Cursor(plan) => plan.next.take().map(Position::Cursor),
        }
    }

    /// Updates the plan with the page that was received for a position.
    pub(crate) fn arrived(&mut self, page: &impl Paged, at: &Position) {
        match (self, at) {
            (Self::Offset(plan), Position::Offset(at)) => plan.arrived(page, *at),
            (Self::Cursor(plan), _) => plan.arrived(page),
            // This case cannot occur, because `ByOffset` never returns a cursor.
            (Self::Offset(_), Position::Cursor(_)) => {}
        }
    }

    /// Updates the plan with a page that the caller already had. Later pages may have a different
    /// size.
    pub(crate) fn had(&mut self, page: &impl Paged, at: &Position, request: &Request) {
        self.arrived(page, at);
        let Self::Offset(plan) = self else { return };
        let size = request.query_value("limit").and_then(|limit| limit.parse().ok());
        if size != Some(page.step()) {
            // The page size is unknown until the next page arrives.
            plan.step = 0;
            if matches!(plan.next, Next::Until(end) if plan.delivered < end) {
                plan.next = Next::One;
            }
        }
    }

    /// Whether a requested page is still part of the list.
    pub(crate) fn wants(&self, at: &Position) -> bool {
        match (self, at) {
            (Self::Offset(ByOffset { next: Next::Until(end), .. }), Position::Offset(at)) => {
                at < end
            }
            _ => true,
        }
    }

    /// Returns the start of the page that follows the last delivered page.
    pub(crate) fn delivered(&self) -> Position {
        match self {
            Self::Offset(plan) => Position::Offset(plan.delivered),
            Self::Cursor(plan) => Position::Cursor(plan.delivered.clone()),
        }
    }

    /// Stops the plan: no further page is requested.
    pub(crate) fn stop(&mut self) {
        match self {
            Self::Offset(plan) => plan.next = Next::End,
            Self::Cursor(plan) => plan.next = None,
        }
    }
}

/// Paging by offset. The length of the list determines the offsets of all pages.
pub(crate) struct ByOffset {
    delivered: u32,
    requested: u32,
    step: u32,
    next: Next,
    /// Spotify returns only the entries before this offset.
    last: Option<u32>,
}

/// The pages that may be requested next.
enum Next {
    /// Request one page, and wait for this page before the next request. Used for the first page,
    /// and for every page if the length of the list is unknown or wrong.
    One,
    /// Request all pages that start before this offset.
    Until(u32),
    End,
}

impl ByOffset {
    fn new(first: u32, last: Option<u32>) -> Self {
        Self { delivered: first, requested: first, step: 0, next: Next::One, last }
    }

    fn next(&mut self) -> Option<u32> {
        let at = self.requested;
        match self.next {
            // Spotify responds with 400 or 404 if a requested page extends beyond `last`.
            _ if self.last.is_some_and(|last| at.saturating_add(self.step.max(1)) > last) => {
                return None;
            }
            // At the maximum of `u32`, the offset cannot advance, so the same page would be
            // requested forever.
            _ if at == u32::MAX => return None,
            Next::One => self.next = Next::End,
            // If the offset is at or beyond the end, Spotify may return a server error.
            Next::Until(end) if at < end => {}
            Next::Until(_) | Next::End => return None,
        }
        self.requested = at.saturating_add(self.step);
        Some(at)
    }

    fn arrived(&mut self, page: &impl Paged, at: u32) {
        let entries = u32::try_from(page.items().len() + page.skipped().len()).unwrap_or(u32::MAX);
        self.step = if page.step() > 0 { page.step() } else { entries.max(1) };
        self.delivered = at.saturating_add(self.step);
        self.requested = self.requested.max(self.delivered);
        self.next = match page.total() {
            Some(total) if self.delivered < total => Next::Until(total),
            // The page is the last page according to the total, or the total is unknown. Only the
            // link shows whether another page exists.
            _ if page.next_link().is_some() => Next::One,
            Some(total) => Next::Until(total),
            None => Next::End,
        };
    }
}

/// Paging by cursor. Each page contains the cursor of the next page.
pub(crate) struct ByCursor {
    delivered: Option<String>,
    next: Option<Option<String>>,
    /// Hashes of all cursors received so far.
    seen: HashSet<u64>,
    /// Name of the query parameter for the cursor. If the operation does not define the name, the
    /// link in the first page determines whether the name is `before` or `after`.
    parameter: Option<&'static str>,
}

impl ByCursor {
    fn arrived(&mut self, page: &impl Paged) {
        let link = page.next_link();
        let backwards = link.is_some_and(|link| link.contains("before="));
        let parameter = *self.parameter.get_or_insert(if backwards { "before" } else { "after" });
        let cursor = page.cursor(parameter).map(str::to_owned);
        // A repeated cursor leads back to an earlier page, so the stream would never end.
        let is_new = cursor.as_ref().is_some_and(|cursor| self.seen.insert(hash(cursor)));
        let goes_on = link.is_some() && is_new;
        self.next = goes_on.then(|| cursor.clone());
        if cursor.is_some() {
            self.delivered = cursor;
        }
    }
}

fn hash(cursor: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    cursor.hash(&mut hasher);
    hasher.finish()
}
